"""One real office per test module: Asterisk, PostgreSQL, capture, SIPp."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import soundfile

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.sounds import read_sound
from recorder.embedded import sipp, tones
from recorder.embedded.office import Office, trial_regulation
from recorder.model import Announcement, Layer

CACHE = Path.home() / ".cache" / "rejestrator"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
REGULATION = trial_regulation(choice_wait_s=0.5)


def add_announcement(office: Office, seconds: float = 1.5) -> Announcement:
    wav = office.directory / "announcement.wav"
    soundfile.write(wav, tones.sine(300, seconds), tones.SAMPLE_RATE)
    catalogue = AnnouncementCatalogue(office.announcements)
    added = catalogue.add(
        read_sound(wav), layer=Layer.FIRST, language="pl", text="Nagrywamy.", at=LONG_AGO
    )
    catalogue.activate(added.id, active_from=LONG_AGO, at=LONG_AGO)
    return added


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office(
        tmp_path_factory.mktemp("office"), cache=CACHE, regulation=REGULATION, report=print
    )
    office.open()
    try:
        add_announcement(office)
        office.start_capture()
        yield office
    finally:
        office.close()


@pytest.fixture(scope="module")
def desk(office: Office) -> Iterator[sipp.Sipp]:
    with sipp.desk(office.directory / "desk", port=office.asterisk.desk_port) as desk:
        yield desk
