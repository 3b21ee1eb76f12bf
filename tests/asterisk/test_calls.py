"""Real calls through a real Asterisk: what is recorded, what is not, and why."""

import os
import signal
import time
from pathlib import Path

import pytest

from recorder.embedded import sipp
from recorder.embedded.asterisk_config import OTHER_TRUNK, PHONE
from recorder.embedded.office import Office
from tests.asterisk.observed import (
    assert_sides_are_right,
    audio_of,
    place,
    row_of,
    rows,
    spool_files,
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
    stored = office.vault / row["stored_on"] / f"{found['id']}.rec"
    stored.write_bytes(stored.read_bytes()[:-1] + b"\x01")
    assert run("recordings", "verify", "--all").status == 1
    refused = run("recordings", "export", found["id"], str(tmp_path / "again.wav"), *why)
    assert (refused.status, "not handed out" in refused.err) == (1, True)
    assert not (tmp_path / "again.wav").exists()


def test_a_caller_who_presses_2_talks_unrecorded(office: Office) -> None:
    """RG.1."""
    row = row_of(office, place(office, talk_s=3.0, key="2"))
    assert (row["outcome"], row["reason"]) == ("not_recorded", "declined")
    assert row["answered_by"] == "desk"
    assert row["recording_id"] is None


def test_a_caller_who_hangs_up_during_the_announcement_leaves_no_audio(office: Office) -> None:
    """RK.2b."""
    row = row_of(office, place(office, talk_s=0.7))
    assert (row["outcome"], row["reason"]) == ("not_recorded", "caller_left")
    assert row["recording_id"] is None


def test_a_call_from_an_unlisted_trunk_goes_on_unrecorded(office: Office) -> None:
    """R3.4a."""
    row = row_of(office, place(office, talk_s=2.0, address=OTHER_TRUNK))
    assert (row["outcome"], row["reason"]) == ("not_recorded", "not_from_a_trunk")


def test_an_internal_call_never_reaches_the_recorder(office: Office) -> None:
    """R3.4b."""
    number = place(office, talk_s=2.0, line="desk", address=PHONE)
    assert rows(office, "SELECT id FROM call WHERE caller_number = %s", number) == []


@pytest.mark.parametrize(
    "name",
    [
        "O'Brien; DROP TABLE call;--",
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "$(reboot) ${SHELL(id)} `id`",
        "Zażółć gęślą Їжак",
        "x" * 300,
    ],
)
def test_a_hostile_name_arrives_as_data_and_nowhere_else(office: Office, name: str) -> None:
    """RG.7, B3."""
    row = row_of(office, place(office, talk_s=0.7, display=f'"{name}" '))
    assert row["caller_name"]
    assert name.startswith(row["caller_name"][:60])
    assert name[:20] not in office.log.read_text(encoding="utf-8")


def test_a_frozen_capture_lets_new_callers_through(office: Office) -> None:
    """R5.1b, F2: no caller waits longer than the probe's second."""
    os.kill(office.capture_pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        number = place(office, talk_s=3.0)
        assert time.monotonic() - began < 3.0 + 1.5 + 1.0
    finally:
        os.kill(office.capture_pid, signal.SIGCONT)
    row = row_of(office, number)
    assert (row["outcome"], row["reason"]) == ("not_recorded", "app_unresponsive")


def test_what_is_recorded_survives_the_death_of_capture(office: Office) -> None:
    """F1, RG.5: the recording goes on, and the next capture seals it."""
    number = "611000001"
    caller = sipp.Caller(number=number, talk_s=12.0)
    with sipp.call(office.directory / number, caller, sip_port=office.asterisk.sip_port) as placed:
        wait_until(lambda: any(each.suffix == ".raw" for each in spool_files(office)), 10)
        time.sleep(1)
        office.kill_capture()
        time.sleep(1)
        office.start_capture()
        assert placed.wait(timeout_s=30) == 0
    row = row_of(office, number)
    assert row["outcome"] == "recorded"
    assert_sides_are_right(audio_of(office, row))
    assert row["frames"] / 8000 > 8.5


def test_a_caller_caught_by_the_death_of_capture_goes_on_after_its_restart(
    office: Office,
) -> None:
    """F1: undecided = not recorded, and on the way within 5 s."""
    number = "611000002"
    caller = sipp.Caller(number=number, talk_s=9.0)
    with sipp.call(office.directory / number, caller, sip_port=office.asterisk.sip_port) as placed:
        wait_until(lambda: any(each.suffix == ".journal" for each in spool_files(office)), 10)
        time.sleep(0.5)
        office.kill_capture()
        office.start_capture()
        assert placed.wait(timeout_s=30) == 0
    row = row_of(office, number)
    assert (row["outcome"], row["reason"]) == ("not_recorded", "app_restarted")
    assert row["answered_by"] == "desk"
    assert (row["answered_at"] - row["arrived_at"]).total_seconds() < 7


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
