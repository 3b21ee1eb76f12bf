"""An office without AMI. A caller who asks for the details: more time, nothing lost for it."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator

import pytest
import soundfile

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.sounds import read_sound
from recorder.embedded import sipp, tones
from recorder.embedded.asterisk_config import OUTSIDE
from recorder.embedded.office import Office
from recorder.model import Layer
from tests.asterisk.conftest import CACHE, LONG_AGO, REGULATION, add_announcement
from tests.asterisk.observed import place, row_of, rows, wait_until
from tests.asterisk.phones import Phone

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
        settings={"RECORDER_AMI_PASSWORD": ""},
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
        # The journal tells that the details begin; then they play.
        wait_until(
            lambda: any("second" in each.read_text() for each in office.spool.glob("*.journal")), 5
        )
        time.sleep(0.5)
        os.kill(office.capture_pid, signal.SIGSTOP)
        try:
            wait_until(lambda: bool(kept_by_the_office(office, number)), 16)
            waited = time.monotonic() - began
        finally:
            os.kill(office.capture_pid, signal.SIGCONT)
        assert placed.wait(timeout_s=30) == 0
    assert waited < 0.7 + DETAILS_S + 0.5 + 10 + 2
    row = row_of(office, number)
    # Which of the two it reads first once it thaws: that the time for the playing is over, or that
    # the caller was taken away.
    assert row["reason"] in {"announcement_failed", "app_unresponsive"}
    assert (row["outcome"], row["recording_id"]) == ("not_recorded", None)


async def passed_on(office: Office, outside: Phone, number: str, to: str) -> None:
    """Move a caller who talks with the desk on to the outside, as a blind transfer does."""
    asterisk = office.asterisk

    def talks() -> bool:
        channels = asterisk.cli("core show channels concise").splitlines()
        ours[:] = [each.partition("!")[0] for each in channels if f"!{number}!" in each]
        return any("Dial" in each for each in channels if f"!{number}!" in each and "!Up!" in each)

    ours: list[str] = []
    caller = sipp.Caller(number=number, talk_s=10.0)
    with sipp.call(office.directory / number, caller, sip_port=asterisk.sip_port) as placed:
        await asyncio.to_thread(wait_until, talks, 10)
        await asyncio.sleep(2)
        (channel,) = [each for each in ours if each.startswith("PJSIP/trunk-")]
        await asyncio.to_thread(asterisk.cli, f"channel redirect {channel} from-internal,{to},1")
        line = await outside.rings(number)
        await line.answer(2900.0)
        assert await asyncio.to_thread(placed.wait, timeout_s=30) == 0


async def test_without_ami_the_outbound_route_stops_a_recording_and_nothing_else_does(
    office: Office,
) -> None:
    """R3.4h: stopped by the dialplan and noted; past the route it is an incident, and goes on."""
    where = {"port": office.asterisk.desk_port, "pbx_port": office.asterisk.sip_port}
    async with Phone.at("outside", OUTSIDE, **where) as outside, asyncio.TaskGroup() as group:
        for number, to in (("617000002", "0600700800"), ("617000003", "9600700800")):
            group.create_task(passed_on(office, outside, number, to))
    by_route, past_it = row_of(office, "617000002"), row_of(office, "617000003")
    kinds = "SELECT kind FROM incident WHERE call_id = %s"
    assert rows(office, kinds, by_route["id"]) == []
    assert rows(office, kinds, past_it["id"]) == [{"kind": "stop_refused"}]
    stopped = ["recording:stopped" in str(each["timeline"]) for each in (by_route, past_it)]
    assert stopped == [True, False]
    assert by_route["bridged_seconds"] - by_route["frames"] / 8000 > 2
    assert past_it["bridged_seconds"] - past_it["frames"] / 8000 < 0.3
