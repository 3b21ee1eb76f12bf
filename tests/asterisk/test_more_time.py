"""A caller who asks for the details: more time, and nothing lost for it."""

import os
import signal
import time
from collections.abc import Iterator

import pytest
import soundfile

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.sounds import read_sound
from recorder.embedded import sipp, tones
from recorder.embedded.office import Office
from recorder.model import Layer
from tests.asterisk.conftest import CACHE, LONG_AGO, REGULATION, add_announcement
from tests.asterisk.observed import place, row_of, rows, wait_until

pytestmark = pytest.mark.asterisk

LINE = "746640820"
DETAILS_S = 2.0
USES_ITS_FUNCTIONS = r"""
[from-trunk](+)
; The office's own routing, with functions that Asterisk refuses to a tainted call.
exten => 746640820,1,Gosub(recorder,inbound,1(${EXTEN}))
 same => n,Set(DB(office/key)=kept)
 same => n,Set(FILE(${RECORDER_SPOOL}/../office,,,al,u)=${CALLERID(num)}|${DB(office/key)}|${EXTEN})
 same => n,Dial(PJSIP/desk,30)
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office(
        tmp_path_factory.mktemp("office"),
        cache=CACHE,
        regulation=REGULATION,
        report=print,
        dialplan=USES_ITS_FUNCTIONS,
    )
    office.open()
    try:
        add_announcement(office)
        _add_details(office)
        office.start_capture()
        with sipp.desk(office.directory / "desk", port=office.asterisk.desk_port):
            yield office
    finally:
        office.close()


def _add_details(office: Office) -> None:
    wav = office.directory / "details.wav"
    soundfile.write(wav, tones.sine(350, DETAILS_S), tones.SAMPLE_RATE)
    catalogue = AnnouncementCatalogue(office.announcements)
    added = catalogue.add(
        read_sound(wav), layer=Layer.SECOND, language="pl", text="Szczegóły.", at=LONG_AGO
    )
    catalogue.activate(added.id, active_from=LONG_AGO, at=LONG_AGO)


def kept_by_the_office(office: Office, number: str) -> list[list[str]]:
    path = office.spool.parent / "office"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [line.split("|") for line in lines if line.startswith(f"{number}|")]


def test_who_asks_for_the_details_hears_them_and_the_office_keeps_all_its_functions(
    office: Office,
) -> None:
    """R5.1b, R8.2a: key 3, then the announcement again, then recorded as by anybody else."""
    number = place(office, line=LINE, key="3", key_after_s=0.7, talk_s=8.0, marker_s=5.5)
    row = row_of(office, number)
    assert (row["outcome"], row["reason"]) == ("recorded", "stayed_on_the_line")
    told = rows(
        office,
        "SELECT layer, result FROM announcement_played WHERE call_id = %s ORDER BY started_at",
        row["id"],
    )
    assert [(each["layer"], each["result"]) for each in told] == [
        ("first", "interrupted"),
        ("second", "heard"),
        ("first", "heard"),
    ]
    assert kept_by_the_office(office, number) == [[number, "kept", LINE]]
    log = (office.asterisk.directory / "log/messages").read_text(errors="replace")
    assert "blocked" not in log


def test_a_capture_that_freezes_during_the_details_holds_the_caller_for_a_bounded_time(
    office: Office,
) -> None:
    """R5.1b, F2: their length, the wait for a key and 10 s; then the desk, with one row."""
    number = "617000001"
    caller = sipp.Caller(number=number, line=LINE, key="3", key_after_s=0.7, talk_s=17.0)
    began = time.monotonic()
    with sipp.call(office.directory / number, caller, sip_port=office.asterisk.sip_port) as placed:
        # The second handing over tells that the details begin.
        wait_until(lambda: office.asterisk.cli("core show channels").count("Stasis") == 1, 5)
        wait_until(
            lambda: any("second" in each.read_text() for each in office.spool.glob("*.journal")), 5
        )
        os.kill(office.capture_pid, signal.SIGSTOP)
        try:
            wait_until(lambda: bool(kept_by_the_office(office, number)), 16)
            waited = time.monotonic() - began
        finally:
            os.kill(office.capture_pid, signal.SIGCONT)
        assert placed.wait(timeout_s=30) == 0
    assert waited < 0.7 + DETAILS_S + 0.5 + 10 + 2
    row = row_of(office, number)
    assert (row["outcome"], row["reason"]) == ("not_recorded", "app_unresponsive")
    assert row["recording_id"] is None
