"""Capture freezes, starts again in a storm, loses its spool: each caller reaches the desk, once
decided (F2, F22, L4). What is done to one call is done to several at the same time."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recorder.capture.call_flow import MOST_KEYS_KEPT
from recorder.embedded import sipp
from recorder.embedded.asterisk_config import OTHER_TRUNK
from recorder.embedded.office import Office
from tests.asterisk.conftest import CACHE, REGULATION, add_announcement
from tests.asterisk.observed import (
    assert_sides_are_right,
    audio_of,
    begin,
    holds_within,
    is_announced,
    journal_of,
    place,
    restart_capture,
    row_of,
    rows,
    says,
    wait_until,
)

pytestmark = pytest.mark.asterisk
ANNOUNCEMENT_S = 2.5


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office(
        tmp_path_factory.mktemp("office"), cache=CACHE, regulation=REGULATION, report=print
    )
    office.open()
    try:
        add_announcement(office, ANNOUNCEMENT_S)
        office.start_capture()
        with sipp.desk(office.directory / "desk", port=office.asterisk.desk_port):
            yield office
            office.close()
    finally:
        office.close()


def is_decided_once(office: Office, row: dict[str, Any]) -> bool:
    return [each["kind"] for each in row["timeline"]].count("consent:decided") == 1


def test_capture_frozen_for_half_a_minute(office: Office) -> None:
    """F2, F22, R5.1b: new callers wait a second at most; nobody is decided twice."""
    # Beside it a recorded caller whose voice is lost for 25 s, and one who never sends any.
    muted, placed = begin(office, talk_s=50.0, mute_after_s=12.0, mute_s=25.0)
    mute, _ = begin(office, talk_s=49.0, sends=False)
    wait_until(
        lambda: len([each for each in office.spool.glob("*.raw") if each.stat().st_size]) == 2, 15
    )
    in_hand, last = begin(office, talk_s=44.0)
    wait_until(says(office, in_hand, is_announced), 5)
    os.kill(office.capture_pid, signal.SIGSTOP)
    try:
        stopped = time.monotonic()
        new = []
        while time.monotonic() - stopped < 30:
            number, newcomer = begin(office, talk_s=1.0)
            new.append(number)
            assert newcomer.wait(timeout_s=20) == 0
            time.sleep(2)
    finally:
        os.kill(office.capture_pid, signal.SIGCONT)
    for each in (placed, last):
        assert each.wait(timeout_s=40) == 0
    assert len(new) >= 4
    for number in new:
        row = row_of(office, number)
        assert (row["outcome"], row["reason"]) == ("not_recorded", "app_unresponsive")
    row = row_of(office, in_hand)
    assert row["outcome"] == "not_recorded", "its end was not witnessed"
    assert row["answered_by"] == "desk"
    assert is_decided_once(office, row)
    for number in (muted, mute):
        row = row_of(office, number)
        assert row["outcome"] == "recorded"
        assert is_decided_once(office, row)
        assert abs(row["frames"] / 8000 - row["bridged_seconds"]) < 0.3
        assert row["one_sided"] == (number == mute)


def test_fifty_callers_in_a_second_upon_a_restart(office: Office) -> None:
    """L4: each is served or passed on, and has its row."""
    restart_capture(office)
    number, placed = begin(office, calls=50, at_once=50, a_second=50, talk_s=12.0)
    assert placed.wait(timeout_s=60) == 0
    counted = "SELECT reason, count(*) FROM call WHERE caller_number = %s GROUP BY reason"
    wait_until(lambda: sum(each["count"] for each in rows(office, counted, number)) == 50, 30)
    reasons = {each["reason"]: each["count"] for each in rows(office, counted, number)}
    assert set(reasons) <= {"stayed_on_the_line", "app_absent", "app_unresponsive"}
    assert reasons["stayed_on_the_line"] >= 40, reasons


def test_callers_who_hang_up_at_random_in_the_announcement(office: Office) -> None:
    """L7: sixty of them, thirty a second; no orphan, no file, a row each."""
    number, placed = begin(
        office, calls=60, at_once=60, a_second=30, talk_s=ANNOUNCEMENT_S, talk_at_random=True
    )
    assert placed.wait(timeout_s=60) == 0
    counted = "SELECT reason, count(*) FROM call WHERE caller_number = %s GROUP BY reason"
    wait_until(
        lambda: bool(rows(office, counted, number)) and journal_of(office, number) is None, 30
    )
    assert rows(office, counted, number) == [{"reason": "caller_left", "count": 60}]


def test_a_thousand_keys_in_the_announcement_are_no_consent_and_little_evidence(
    office: Office,
) -> None:
    """B5: Asterisk may play slower beside them; then nothing is recorded, and it is told."""
    number = place(office, talk_s=12.0, key="7", key_after_s=0.001, keys=1000)
    row = row_of(office, number)
    assert row["reason"] in {"stayed_on_the_line", "announcement_failed"}
    assert row["answered_by"] == "desk"
    assert is_decided_once(office, row)
    assert 0 < len(row["keys"]) <= MOST_KEYS_KEPT


def test_a_spool_that_goes_away_and_comes_back(office: Office) -> None:
    """F10: renamed where Asterisk sees it; the file that it has open goes on."""
    recorded, placed = begin(office, talk_s=18.0)
    wait_until(lambda: any(each.stat().st_size for each in office.spool.glob("*.raw")), 15)
    away = office.spool.with_name("away")
    office.spool.rename(away)
    try:
        missed = place(office, talk_s=3.0)
        elsewhere = place(office, talk_s=1.0, address=OTHER_TRUNK)
    finally:
        away.rename(office.spool)
    assert placed.wait(timeout_s=30) == 0
    row = row_of(office, missed)
    assert (row["outcome"], row["reason"]) == ("not_recorded", "spool_unavailable")
    assert row["answered_by"] == "desk"
    assert row_of(office, elsewhere)["reason"] == "not_from_a_trunk"
    row = row_of(office, recorded)
    assert row["outcome"] == "recorded"
    assert_sides_are_right(audio_of(office, row))


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_asterisk_stopped_in_order_and_restarted_again_and_again(office: Office) -> None:
    """F5: what was recorded is kept, capture waits patiently, and is back by itself."""
    number, placed = begin(office, talk_s=60.0, is_cut=True)
    wait_until(lambda: any(each.stat().st_size for each in office.spool.glob("*.raw")), 15)
    time.sleep(2)
    said = office.log.read_text(encoding="utf-8").count("ari_connection_lost")
    used, began = processor_seconds(office.capture_pid), time.monotonic()
    for _ in range(3):
        office.asterisk.stop()
        office.asterisk.start()
    assert holds_within(office.takes_calls, 30)
    placed.stop()
    took = time.monotonic() - began
    lines = office.log.read_text(encoding="utf-8").count("ari_connection_lost") - said
    # Pauses of 0.25 s at least, doubling: at most this many attempts, and one line for each.
    assert 1 <= lines <= 5 + took
    assert processor_seconds(office.capture_pid) - used < 0.2 * took
    row = row_of(office, number, within_s=30)
    assert (row["outcome"], row["reason"]) == ("recorded", "stayed_on_the_line")
    assert row["frames"] / 8000 > 1.5
    assert_sides_are_right(audio_of(office, row))
    again = row_of(office, place(office, talk_s=13.0))
    assert (again["outcome"], again["reason"]) == ("recorded", "stayed_on_the_line")
