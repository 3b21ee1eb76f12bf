"""D7: what an office has after weeks with the first release comes through to this one whole.

``release_0001`` was made by that release: its rows, its plain WAVs, a call that it had not sealed
when it was stopped. ``make`` there tells how.
"""

import asyncio
import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest

from recorder.accounts.model import Role
from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.clock import SystemClock
from recorder.adapters.journals import DiskJournals
from recorder.adapters.postgres import migrate
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.spool import DiskSpool
from recorder.capture.journal import fold
from recorder.capture.ordering import orders_of
from recorder.custody.service import Custodian
from recorder.model import RecordingId
from tests.invariants import Caller, Site, broken
from tests.postgres.test_commands import as_a_person
from tests.restoring import Installation
from tests.signed_in import PURPOSE, sign_in
from tests.stored import Stored

pytestmark = pytest.mark.postgres
RELEASE = Path(__file__).parent / "release_0001"
STOPPED_ON = date(2026, 11, 24)
DAY = re.compile(r"\b(20\d\d)([-/])(\d\d)\2(\d\d)(?=\D)")
CALLS, SEALED, OVERDUE = 14, 8, 2


@dataclass(frozen=True)
class Old:
    """An office where the first release was stopped less than a day ago."""

    office: Installation
    hashes: dict[RecordingId, str]
    """Of each WAV that it had sealed."""
    site: Site


@pytest.fixture
def old(empty_url: str, tmp_path: Path) -> Old:
    """Bring the release back, every date of it moved by whole days to our own time."""
    office = Installation(empty_url, tmp_path / "office")
    office.clock.at = SystemClock().now()
    office.open(days=30, key_days=0)
    stopped = datetime(STOPPED_ON.year, STOPPED_ON.month, STOPPED_ON.day, 12, tzinfo=UTC)
    days = (office.clock.at - stopped).days

    def moved(text: str) -> str:
        def later(found: re.Match[str]) -> str:
            year, sign, month, day = found.groups()
            at = date(int(year), int(month), int(day)) + timedelta(days=days)
            return at.strftime(f"%Y{sign}%m{sign}%d")

        return DAY.sub(later, text)

    with psycopg.connect(empty_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(moved((RELEASE / "database.sql").read_text("utf-8")).encode())
    hashes = {}
    for wav in sorted((RELEASE / "vault").rglob("*.wav")):
        target = office.vault / moved(f"{wav.relative_to(RELEASE / 'vault')}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(wav, target)
        day = date(*map(int, target.parent.parts[-3:]))
        at = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
        os.utime(target, (at, at))
        hashes[RecordingId(UUID(wav.stem))] = hashlib.sha256(wav.read_bytes()).hexdigest()
    spool = office.directory / "spool"
    spool.mkdir()
    (spool / ".lock").touch()
    for left in (RELEASE / "spool").iterdir():
        if left.suffix == ".journal":
            (spool / left.name).write_text(moved(left.read_text("ascii")), "ascii")
        else:
            shutil.copy(left, spool)
    master = office.directory / "master-key"
    master.write_text(office.environment["RECORDER_MASTER_KEY"])
    master.chmod(0o600)
    site = Site(
        database=empty_url.replace("+psycopg", ""),
        spool=spool,
        stored=Stored(vault=office.vault, keys=office.keys, master_key=master),
        logs=[],
        callers=[Caller(number=f"60010{number:04}") for number in (1, 2, 5, 8, 99)],
    )
    return Old(office=office, hashes=hashes, site=site)


def seal_the_spool(old: Old) -> None:
    """As capture does at its start."""
    office, journals = old.office, DiskJournals(old.site.spool)

    async def seal() -> None:
        async with connect(office.url) as engine:
            custodian = Custodian(
                journals=journals,
                spool=DiskSpool(old.site.spool),
                vault=office.opened_vault(),
                ledger=PostgresLedger(engine),
                announcements=AnnouncementCatalogue(office.announcements),
                clock=office.clock,
                configured_days=30,
                office_zone=ZoneInfo("Europe/Warsaw"),
                read_call=lambda call_id: fold(journals.read(call_id)),
                read_orders=lambda call: orders_of(call, journals.read(call.id)).settled,
            )
            for each in journals.all_calls():
                assert await custodian.seal(each)

    asyncio.run(seal())


def test_everything_of_the_first_release_comes_through(
    old: Old, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """D7, I1 to I7: playable or erased in time, nothing held lost, nothing plain left."""
    office = old.office
    for name, value in office.environment.items():
        monkeypatch.setenv(name, value)
    recorder = as_a_person(monkeypatch, capsys)
    assert migrate.current(office.url) == "0001"
    (office.directory / "home").mkdir()
    assert recorder("db", "upgrade").status == 0
    assert migrate.current(office.url) == migrate.head()
    # The listener's environment names the shipped regulation: 30 days, as it was.
    sign_in(monkeypatch, office.url, office.directory / "home", Role.LISTENER, Role.COPY_MAKER)

    target = office.directory / "copies"
    target.mkdir()
    some = str(min(old.hashes))
    said = recorder("recordings", "export", some, str(target), "--purpose", PURPOSE)
    assert (said.status, list(target.iterdir())) == (1, [])
    assert "keys adopt" in said.err

    said = recorder("keys", "adopt")
    assert (said.status, f"Sealed {SEALED} recordings" in said.out) == (0, True), said.err
    assert list(office.vault.rglob("*.wav")) == []
    seal_the_spool(old)
    said = recorder("recordings", "verify", "--all")
    assert (said.status, said.out) == (0, f"Read {SEALED + 1} recordings; 0 missing or changed.\n")

    query = "SELECT id, stored_on, sha256, erase_by, sealed_as FROM recording"
    with psycopg.connect(old.site.database) as connection:
        rows = {row[0]: row for row in connection.execute(query)}
    for each, wav in old.hashes.items():
        row = {"recording_id": each, "stored_on": rows[each][1]}
        assert (rows[each][2], old.site.stored.digest(row), rows[each][4]) == (wav, wav, "rec1")
    at = office.clock.at
    overdue = {each for each in rows if rows[each][3] < at}
    assert len(overdue) == OVERDUE

    # Somebody asks for one of the overdue before the first purge: it must stay.
    held = min(overdue)
    office.hold(held)
    office.purge()
    folders = {each: row[1] for each, row in rows.items()}
    assert office.playable(list(rows), folders) == set(rows) - overdue | {held}
    assert [f"{each.invariant}: {each.what}" for each in broken(old.site)] == []
    assert recorder("audit", "verify").status == 0

    # And found as what came since: by digits, by the office's number.
    said = recorder("calls", "list", "--json", "--limit", "50")
    assert len(said.json) == CALLS
    said = recorder("calls", "list", "--json", "--caller", "600100001")
    assert len(said.json) == 1

    office.clock.at = at + timedelta(days=31)
    office.purge()
    assert office.playable(list(rows), folders) == {held}
