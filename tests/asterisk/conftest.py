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
from tests.asterisk.observed import holds_within, site_of, spool_files
from tests.invariants import broken

CACHE = Path.home() / ".cache" / "rejestrator"
READY_AGAIN_S, SEALED_WITHIN_S = 30.0, 30.0
"""I10, and how long an ended call may wait to be sealed once everything is back."""

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


@pytest.fixture(autouse=True)
def _what_must_hold(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check every invariant after each test that has an office, whatever it did to it."""
    office = request.getfixturevalue("office") if "office" in request.fixturenames else None
    yield
    if isinstance(office, Office):
        ready = holds_within(office.takes_calls, READY_AGAIN_S)
        # What is still there after this is the checker's to report.
        holds_within(lambda: spool_files(office) == [], SEALED_WITHIN_S)
        assert broken(site_of(office, ready=ready)) == []


@pytest.fixture(scope="module")
def desk(office: Office) -> Iterator[sipp.Sipp]:
    with sipp.desk(office.directory / "desk", port=office.asterisk.desk_port) as desk:
        yield desk
