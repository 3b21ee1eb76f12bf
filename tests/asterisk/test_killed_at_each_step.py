"""Capture is killed at every step of a call (F1, R5.1a): its caller reaches the desk, what was
recorded is complete, nothing is kept twice.

No step is a matter of timing: one request to ARI is held on its way, the desk does not answer, a
row cannot be written, or the kill follows what the journal says, seconds before it says more.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg
import pytest

from recorder.embedded import sipp
from recorder.embedded.asterisk_config import DESK_2
from recorder.embedded.office import Office, trial_regulation
from recorder.model import CallRecord
from tests.asterisk.conftest import CACHE, add_announcement
from tests.asterisk.gate import gate_before, hold
from tests.asterisk.observed import (
    RING_S,
    assert_sides_are_right,
    audio_of,
    begin,
    holds_within,
    is_announced,
    journal_of,
    restart_capture,
    row_of,
    says,
    spool_files,
    wait_until,
)
from tests.tcp_proxy import TcpProxy

pytestmark = pytest.mark.asterisk
ANNOUNCEMENT_S, CHOICE_S = 2.0, 2.5
"""Long beside what it takes to read a journal and send a signal."""

ON_THEIR_WAY = timedelta(seconds=5)
NOT_YET_ANSWERED = "746640815"
RINGS_ELSEWHERE = f"""
[from-trunk](+)
exten => {NOT_YET_ANSWERED},1,Gosub(recorder,inbound,1(${{EXTEN}}))
 same => n,Dial(PJSIP/desk-2,${{RING_S}})
 same => n,Hangup()
"""


@pytest.fixture(scope="module")
def gate() -> list[TcpProxy]:
    """What stands between capture and ARI, once the office is open."""
    return []


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, gate: list[TcpProxy]) -> Iterator[Office]:
    settings: dict[str, str] = {}
    office = Office(
        tmp_path_factory.mktemp("office"),
        cache=CACHE,
        regulation=trial_regulation(choice_wait_s=CHOICE_S),
        report=print,
        settings=settings,
        dialplan=RINGS_ELSEWHERE,
    )
    office.open()
    try:
        with gate_before(office.asterisk.ari_port) as proxy:
            gate.append(proxy)
            settings["RECORDER_ARI_URL"] = f"http://127.0.0.1:{proxy.port}/ari"
            add_announcement(office, ANNOUNCEMENT_S)
            office.start_capture()
            with sipp.desk(office.directory / "desk", port=office.asterisk.desk_port):
                yield office
            office.close()
    finally:
        office.close()


@contextmanager
def rows_cannot_be_written(office: Office) -> Iterator[None]:
    """Hold a lock on the table of calls: audio gets into the vault, its row does not follow."""
    with psycopg.connect(office.postgres.plain_url) as connection:
        connection.execute("LOCK TABLE call IN EXCLUSIVE MODE")
        yield


def is_choosing(call: CallRecord) -> bool:
    heard = call.announcements[-1:] != () and call.announcements[-1].finished_at is not None
    return heard and call.consent is None


def is_released(call: CallRecord) -> bool:
    return bool(call.consent) and any(each.kind == "call:released" for each in call.timeline)


def is_permitted(call: CallRecord) -> bool:
    return call.consent is not None and call.consent.record and not is_released(call)


def is_recorded(call: CallRecord) -> bool:
    return bool(call.bridged) and call.bridged[-1].until is None


def has_only_arrived(call: CallRecord) -> bool:
    return call.scope is not None and not call.announcements


def kill_at(office: Office, number: str, is_there: Callable[[CallRecord], bool]) -> None:
    """Kill capture, and be sure where it was with a caller: it is frozen while one looks."""
    os.kill(office.capture_pid, signal.SIGSTOP)
    call = journal_of(office, number)
    office.kill_capture()
    assert call is not None
    assert is_there(call), f"it died at another step than was meant: {call}"


def assert_on_their_way(office: Office, number: str, restarted: datetime) -> None:
    row = row_of(office, number, within_s=30)
    assert row["answered_by"] == "desk"
    waited = row["answered_at"] - restarted - timedelta(seconds=RING_S)
    assert waited < ON_THEIR_WAY, f"answered {waited} after the restart"


def assert_let_go(office: Office, number: str) -> None:
    row = row_of(office, number, within_s=30)
    assert (row["outcome"], row["reason"]) == ("not_recorded", "app_restarted")
    assert row["recording_id"] is None


def assert_recorded(office: Office, number: str, *, of_s: float, unwatched: bool = True) -> None:
    """Complete: as long as the call, with both sides, in one file."""
    row = row_of(office, number, within_s=30)
    assert (row["outcome"], row["reason"]) == ("recorded", "stayed_on_the_line")
    assert row["unwatched"] == unwatched
    assert not row["truncated"]
    assert not row["incomplete"]
    assert abs(row["frames"] / 8000 - of_s) < 1.0
    assert_sides_are_right(audio_of(office, row))
    assert len(list(office.vault.rglob(f"{row['recording_id']}.*"))) == 1


@pytest.mark.parametrize("request_held", ["/answer", r"subscription\?[^ ]*channel"])
def test_a_caller_not_yet_answered_is_let_go(
    office: Office, gate: list[TcpProxy], request_held: str
) -> None:
    """Handed over by Asterisk; capture dies before ARI hears of it."""
    (proxy,) = gate
    held = hold(proxy, request_held)
    number, placed = begin(office, talk_s=1.0, caught=True)
    assert held.held.wait(10)
    kill_at(office, number, has_only_arrived)
    proxy.holds.clear()
    restarted = restart_capture(office)
    assert placed.wait(timeout_s=30) == 0
    assert_let_go(office, number)
    assert_on_their_way(office, number, restarted)


@pytest.mark.parametrize("is_there", [is_announced, is_choosing])
def test_a_caller_who_has_not_yet_chosen_is_let_go_unrecorded(
    office: Office, is_there: Callable[[CallRecord], bool]
) -> None:
    """During the announcement, and after it."""
    number, placed = begin(office, talk_s=9.0, caught=True)
    wait_until(says(office, number, is_there), 10)
    kill_at(office, number, is_there)
    restarted = restart_capture(office)
    assert placed.wait(timeout_s=30) == 0
    assert_let_go(office, number)
    assert_on_their_way(office, number, restarted)


def test_a_caller_whose_consent_is_on_disk_is_recorded(
    office: Office, gate: list[TcpProxy]
) -> None:
    """Decided; Asterisk was never told to go on with the call."""
    (proxy,) = gate
    held = hold(proxy, "/continue")
    number, placed = begin(office, talk_s=12.0, caught=True)
    assert held.held.wait(15)
    kill_at(office, number, is_permitted)
    proxy.holds.clear()
    restarted = restart_capture(office)
    assert placed.wait(timeout_s=30) == 0
    assert_on_their_way(office, number, restarted)
    row = row_of(office, number)
    assert_recorded(office, number, of_s=row["bridged_seconds"])
    assert row["bridged_seconds"] > 1


def test_three_callers_whom_capture_had_let_go_already_are_recorded_whole(office: Office) -> None:
    """One rings, one talks, one has hung up and is being sealed."""
    kept = len(list(office.vault.rglob("*.rec")))
    sealed, placed = begin(office, talk_s=ANNOUNCEMENT_S + CHOICE_S + 2.5)
    talking, talks = begin(office, talk_s=24.0)
    ringing, rings = begin(office, line=NOT_YET_ANSWERED, talk_s=24.0)
    wait_until(says(office, talking, is_recorded), 15)
    wait_until(says(office, ringing, is_released), 15)
    with rows_cannot_be_written(office):
        assert placed.wait(timeout_s=30) == 0
        wait_until(lambda: len(list(office.vault.rglob("*.rec"))) == kept + 1, 15)
        kill_at(office, talking, is_recorded)
        left = journal_of(office, ringing)
        assert left is not None
        assert is_released(left)
        assert not left.bridged
    restart_capture(office)
    elsewhere = office.directory / "desk-2"
    port = office.asterisk.desk_port
    with sipp.desk(elsewhere, port=port, address=DESK_2):
        for each in (talks, rings):
            assert each.wait(timeout_s=40) == 0
    assert holds_within(lambda: spool_files(office) == [], 30)
    row = row_of(office, sealed)
    assert_recorded(office, sealed, of_s=row["bridged_seconds"], unwatched=False)
    for number, least_s in ((talking, 15), (ringing, 3)):
        row = row_of(office, number)
        assert row["bridged_seconds"] > least_s
        assert_recorded(office, number, of_s=row["bridged_seconds"])
