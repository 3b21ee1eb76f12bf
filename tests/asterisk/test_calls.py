"""Real calls through a real Asterisk: what is recorded, what is not, and why."""

from pathlib import Path

import pytest

from recorder.embedded.office import Office
from tests.asterisk.observed import (
    assert_sides_are_right,
    audio_of,
    place,
    row_of,
    rows,
    spool_files,
    stored_in,
    wait_until,
)
from tests.postgres.test_commands import as_a_person

pytestmark = [pytest.mark.asterisk, pytest.mark.usefixtures("desk")]


def test_a_call_from_outside_is_announced_recorded_and_sealed(office: Office) -> None:
    """R3.4c, R5.1a, R8.2a, R8.2c, RK.2a."""
    row = row_of(office, place(office, talk_s=7.0))
    assert (row["outcome"], row["reason"]) == ("recorded", "stayed_on_the_line")
    assert (row["endpoint"], row["context"]) == ("trunk", "from-trunk")
    assert row["answered_by"] == "desk"
    assert row["hangup_cause"] == 16
    assert row["quality"]["rxcount"] > 250, "the RTP figures of the caller's leg"
    assert abs(row["frames"] / 8000 - row["bridged_seconds"]) < 0.1
    assert_sides_are_right(audio_of(office, row))
    (played,) = rows(office, "SELECT * FROM announcement_played WHERE call_id = %s", row["id"])
    assert played["result"] == "heard"
    assert abs(played["measured_ms"] - played["length_ms"]) <= 100
    wait_until(lambda: spool_files(office) == [], 5)


def test_the_command_line_finds_shows_and_exports_it(
    office: Office,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """R7.5c, RG.3: by any spelling; a changed file is refused."""
    row = row_of(office, place(office, talk_s=5.0))
    for name, value in office.environment.items():
        monkeypatch.setenv(name, value)
    office.employ()
    why = ("--request", "W/1/2026")
    run = as_a_person(monkeypatch, capsys)
    spelt = f"+48 {row['caller_number']}"
    listed = run("recordings", "list", "--caller", spelt, "--json")
    (found,) = listed.json
    assert found["id"] == str(row["recording_id"])
    assert row["caller_number"] not in listed.out
    shown = run("calls", "show", str(row["id"]))
    assert "stayed_on_the_line" in shown.out
    assert run("recordings", "export", found["id"], str(tmp_path)).status == 1
    assert run("recordings", "export", found["id"], str(tmp_path), *why).status == 0
    assert (tmp_path / f"{found['id']}.wav").stat().st_size > 32_000
    assert run("recordings", "verify", "--all").status == 0
    stored = stored_in(office).file(row)
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert run("recordings", "verify", "--all").status == 1
    refused = run("recordings", "export", found["id"], str(tmp_path / "again.wav"), *why)
    stored.write_bytes(whole)
    assert (refused.status, "not handed out" in refused.err) == (1, True)
    assert not (tmp_path / "again.wav").exists()


def test_postgresql_may_be_away_and_nothing_is_lost(office: Office) -> None:
    """F6: sealing waits and catches up."""
    office.postgres.kill()
    number = place(office, talk_s=5.0)
    assert any(each.suffix == ".journal" for each in spool_files(office))
    office.postgres.start()
    row = row_of(office, number, within_s=60)
    assert row["outcome"] == "recorded"
    assert_sides_are_right(audio_of(office, row))


def test_an_absent_capture_costs_the_caller_nothing(office: Office) -> None:
    """R5.1b: the caller reaches the desk, and the call is counted."""
    office.kill_capture()
    try:
        number = place(office, talk_s=3.0)
    finally:
        office.start_capture()
    row = row_of(office, number)
    assert (row["outcome"], row["reason"]) == ("not_recorded", "app_absent")
