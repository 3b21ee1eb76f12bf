"""The announcements that ship, as a caller of a real Asterisk hears them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.clock import SystemClock
from recorder.adapters.starters import load_starters
from recorder.announcements.service import AnnouncementKeeper
from recorder.embedded import sipp
from recorder.embedded.office import Office
from recorder.model import Layer
from recorder.regulation import parse_regulation
from tests.asterisk.conftest import CACHE, REGULATION
from tests.asterisk.observed import row_of, rows, wait_until

pytestmark = [pytest.mark.asterisk, pytest.mark.usefixtures("desk")]

NUMBER = "699000001"
TOLERANCE_MS = 100


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office that started with the announcements that ship."""
    directory = tmp_path_factory.mktemp("announcing")
    office = Office(directory, cache=CACHE, regulation=REGULATION, report=print)
    office.open()
    try:
        keeper = AnnouncementKeeper(
            catalogue=AnnouncementCatalogue(office.announcements),
            regulation=parse_regulation(REGULATION, source="regulation.toml"),
            clock=SystemClock(),
        )
        keeper.install(load_starters(), activate=True)
        office.start_capture()
        yield office
    finally:
        office.close()


def _asked_of_asterisk(office: Office, playing: Path) -> str:
    """Return what Asterisk says of the caller's channel while it has a sound file open."""
    shown = ""

    def is_playing() -> bool:
        nonlocal shown
        if not _has_open(office, playing):
            return False
        channel = re.search(
            r"^(PJSIP/trunk-\w+)!", office.asterisk.cli("core show channels concise"), re.MULTILINE
        )
        if channel is None:
            return False
        shown = office.asterisk.cli(f"core show channel {channel[1]}")
        return _has_open(office, playing)

    wait_until(is_playing, 15)
    return shown


def _has_open(office: Office, file: Path) -> bool:
    handles = Path(f"/proc/{office.asterisk.pid}/fd")
    return any(
        str(each.readlink()).endswith(f"{file.parent.name}/{file.name}")
        for each in handles.iterdir()
    )


def test_callers_hear_the_starters_whole_and_without_transcoding(office: Office) -> None:
    """R8.2a, R8.2c: what is played is the A-law file itself, for as long as the file lasts."""
    catalogue = AnnouncementCatalogue(office.announcements)
    versions = {(each.layer, each.language): each for each in catalogue.versions()}
    offer, first = versions[Layer.LANGUAGES, "pl"], versions[Layer.FIRST, "pl"]
    seconds = (offer.length_ms + first.length_ms) / 1000
    caller = sipp.Caller(number=NUMBER, talk_s=seconds + 2.0)
    placed = sipp.call(office.directory / "caller", caller, sip_port=office.asterisk.sip_port)
    for announcement in (offer, first):
        sound = office.announcements / str(announcement.id) / "sound.alaw"
        shown = _asked_of_asterisk(office, sound)
        assert "(alaw)" in shown
        assert re.search(r"WriteTranscode: No", shown), shown
    assert placed.wait(timeout_s=60) == 0
    row = row_of(office, NUMBER)
    assert (row["outcome"], row["reason"]) == ("recorded", "stayed_on_the_line")
    played = rows(
        office,
        "SELECT * FROM announcement_played WHERE call_id = %s ORDER BY started_at",
        row["id"],
    )
    assert [each["announcement_id"] for each in played] == [offer.id, first.id]
    for each, announcement in zip(played, (offer, first), strict=True):
        assert each["result"] == "heard"
        assert each["sha256"] == announcement.sha256
        assert abs(each["measured_ms"] - announcement.length_ms) <= TOLERANCE_MS
