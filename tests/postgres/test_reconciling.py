"""Files against rows and rows against files, the scrub, the reports: real rows, real files."""

import os
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import tables
from recorder.adapters.postgres.accounts import PostgresAccounts
from recorder.adapters.postgres.approvals import PostgresApprovals
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.holds import PostgresHolds
from recorder.adapters.postgres.inventory import PostgresInventory
from recorder.adapters.postgres.jobs import PostgresReports
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.adapters.shredder import DiskShredder
from recorder.adapters.spool import DiskSpool
from recorder.adapters.spool_strays import DiskSpoolStrays
from recorder.adapters.traces import PbxFolders
from recorder.capture.journal import fold
from recorder.custody.integrity import Verifier
from recorder.custody.leftovers import Inspector
from recorder.custody.rules import folder_of
from recorder.erasure.brakes import Brake
from recorder.errors import VaultUnavailable
from recorder.holds.service import HoldKeeper
from recorder.model import RecordingId
from recorder.retention.reconciling import Reconciler
from recorder.retention.work import RetentionWork
from tests.builders import NOON
from tests.builders_keeping import OLGA, PURGE, a_hold, numbered
from tests.contracts.test_keeping import WARSAW
from tests.fakes import FakeClock, FakeJournals
from tests.fakes_erasure import FakeWitness
from tests.keys import a_vault
from tests.postgres.test_erasing import eraser
from tests.postgres.test_erasing_crashes import seal

pytestmark = pytest.mark.postgres
LEAD = timedelta(hours=1)
HOUR_S = 3600


class Office:
    """Everything that the retention process has, on a clock that stands still."""

    def __init__(self, engine: AsyncEngine, directory: Path) -> None:
        self.engine, self.directory = engine, directory
        (directory / "spool").mkdir()
        (directory / "cdr").mkdir()
        self.vault, self.clock = a_vault(directory), FakeClock()
        self.witness = FakeWitness()
        self.log = PostgresPurgeLog(engine, actor=PURGE)
        self.inventory = PostgresInventory(engine, actor=PURGE)
        self.reports = PostgresReports(engine)
        shredder, ledger = DiskShredder(directory / "vault", self.vault), PostgresLedger(engine)
        tokens = count(1)
        self.reconciler = Reconciler(
            inventory=self.inventory,
            vault=self.vault,
            shredder=shredder,
            spool=DiskSpoolStrays(directory / "spool"),
            purge_log=self.log,
            clock=self.clock,
            witness=self.witness,
            office_zone=WARSAW,
            lead=LEAD,
            new_token=lambda: f"token{next(tokens)}",
        )
        self.work = RetentionWork(
            eraser=eraser(engine, shredder, self.clock),
            holds=HoldKeeper(
                holds=PostgresHolds(engine),
                approvals=PostgresApprovals(engine),
                clock=self.clock,
                new_id=lambda: UUID(int=next(tokens)),
                four_eyes=True,
            ),
            ledger=ledger,
            reconciler=self.reconciler,
            verifier=Verifier(vault=self.vault, ledger=ledger, clock=self.clock),
            inventory=self.inventory,
            reports=self.reports,
            traces=PbxFolders([directory / "cdr"]),
            trail=self,
            attempts=PostgresAccounts(engine),
            clock=self.clock,
            actor=PURGE,
            office_zone=WARSAW,
            lead=LEAD,
        )

    async def add(self, number: int, *, days_old: int = 3) -> RecordingId:
        return await seal(self.engine, self.vault, self.directory, number, days_old=days_old)

    async def orphan(self, number: int, *, days_old: int) -> RecordingId:
        """A file with its key and no row."""
        recording_id, at = numbered(number)[0], NOON - timedelta(days=days_old)
        raw = self.directory / "audio.raw"
        raw.write_bytes(bytes(3200))
        await self.vault.store(recording_id, raw=raw, folder=folder_of(at))
        self.age(self.file(recording_id, at), at)
        return recording_id

    def file(self, recording_id: RecordingId, at: datetime) -> Path:
        return self.directory / "vault" / folder_of(at) / f"{recording_id}.rec"

    def age(self, path: Path, at: datetime) -> None:
        os.utime(path, (at.timestamp(), at.timestamp()))

    async def daily(self) -> str:
        """Stand in for the keeper of the trail, which has tests of its own."""
        return "kept"

    async def reconcile(self) -> Counter[str]:
        return await self.reconciler.run(30, quietly)

    async def incidents(self) -> list[tuple[str, str]]:
        table = tables.IncidentTable
        query = select(table.kind, table.detail).order_by(table.id)
        async with self.engine.connect() as connection:
            return [(row.kind, row.detail) for row in await connection.execute(query)]

    @property
    def files(self) -> set[RecordingId | None]:
        return {each.id for each in self.vault.present()}


async def quietly(_: str) -> None:
    pass


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with connect(database_url) as engine:
        yield Office(engine, tmp_path)


async def test_a_file_without_a_row_is_told_and_erased_when_its_days_are_over(
    office: Office,
) -> None:
    """R7.2l."""
    known = await office.add(1)
    young, old = await office.orphan(2, days_old=20), await office.orphan(3, days_old=31)
    assert await office.reconcile() == {"orphan": 1, "orphan_erased": 1}
    assert office.files == {known, young}
    assert old not in set(office.vault.keys_present())
    assert await office.incidents() == [("orphan_audio", f"vault: {young}")]
    assert await office.reconcile() == {"orphan": 1}
    assert len(await office.incidents()) == 1, "told once a day"
    office.clock.pass_by(11 * 24 * HOUR_S)
    assert await office.reconcile() == {"orphan_erased": 1}
    assert office.files == {known}


async def test_what_was_erased_and_came_back_is_erased_at_once(office: Office) -> None:
    """RG.17: the tombstones are the ledger of deletions."""
    await office.add(1)
    erased = await office.add(2, days_old=31)
    await office.work.purge(quietly)
    restored = await office.orphan(2, days_old=0)
    assert restored == erased
    assert await office.reconcile() == {"orphan_erased": 1}
    assert restored not in office.files


async def test_so_many_orphans_that_rows_may_be_lost_stop_and_ask(office: Office) -> None:
    """P5: rows lost in a restore must not cost what other holds have kept."""
    lost = await office.orphan(1, days_old=40)
    assert await office.reconcile() == {"orphan": 1}
    assert lost in office.files
    (on,) = await office.log.brakes()
    assert on.brake is Brake.MANY_ORPHANS
    await office.log.release(on.token, actor=OLGA, at=NOON)
    # The purge comes first; the release is not for it.
    await office.work.purge(quietly)
    assert await office.reconcile() == {"orphan_erased": 1}
    assert await office.log.brakes() == []


async def test_a_release_covers_only_the_orphans_that_a_person_was_shown(office: Office) -> None:
    """P5: one file without a row was shown; by now there are two."""
    first = await office.orphan(1, days_old=40)
    await office.reconcile()
    (on,) = await office.log.brakes()
    await office.log.release(on.token, actor=OLGA, at=NOON)
    second = await office.orphan(2, days_old=40)
    assert await office.reconcile() == {"orphan": 2}
    assert {first, second} <= set(office.files)
    (again,) = await office.log.brakes()
    assert (again.detail, again.released) == ("2 files have no row", False)


async def test_a_row_without_its_file_is_an_incident_once(office: Office) -> None:
    await office.add(1)
    missing = await office.add(2)
    office.file(missing, NOON - timedelta(days=3)).unlink()
    for _ in range(2):
        assert await office.reconcile() == {"missing": 1}
    assert await office.incidents() == [("recording_missing", str(missing))]


async def test_a_vault_that_is_not_mounted_misses_nothing(office: Office) -> None:
    await office.add(1)
    (office.directory / "vault").rename(office.directory / "away")
    (office.directory / "vault").mkdir()
    with pytest.raises(VaultUnavailable, match="mounted"):
        await office.reconcile()
    assert await office.incidents() == []


async def test_the_stored_day_is_a_cache_that_is_put_right(office: Office) -> None:
    recording = await office.add(1)
    row = tables.RecordingTable
    async with office.engine.begin() as connection:
        await connection.execute(update(row).values(erase_by=NOON))
    assert await office.reconcile() == {"corrected": 1}
    (stored,) = await office.inventory.page(None, limit=9)
    assert stored.id == recording
    assert stored.erase_by == NOON + timedelta(days=27)


async def test_audio_that_nobody_seals_is_told_and_does_not_outlive_its_days(
    office: Office,
) -> None:
    spool = DiskSpool(office.directory / "spool")
    ids = [numbered(number)[0] for number in range(3)]
    for each, days in zip(ids, (0, 2, 31), strict=True):
        path = spool.audio_path(each)
        path.write_bytes(b"audio")
        office.age(path, NOON - timedelta(days=days))
    assert await office.reconcile() == {"spool": 1, "spool_erased": 1}
    assert set(spool.all_audio()) == set(ids[:2])
    kinds = [kind for kind, _ in await office.incidents()]
    assert kinds == ["orphan_audio"] * 2


async def test_a_recording_that_its_decision_does_not_permit_is_an_alarm(office: Office) -> None:
    """R3.4g: not from outside, or not to be recorded at all."""
    await office.add(1)
    internal, declined = await office.add(2), await office.add(3)
    call = tables.CallTable
    for recording_id, changed in (
        (internal, {"scope_reason": "not_from_a_trunk"}),
        (declined, {"outcome": "not_recorded", "reason": "declined"}),
    ):
        of = select(tables.RecordingTable.call_id).where(tables.RecordingTable.id == recording_id)
        async with office.engine.begin() as connection:
            await connection.execute(
                update(call).where(call.id == of.scalar_subquery()).values(changed)
            )
    assert await office.reconcile() == {"unpermitted": 2}
    assert await office.reconcile() == {"unpermitted": 2}
    kind = "recorded_unpermitted"
    assert set(await office.incidents()) == {(kind, str(internal)), (kind, str(declined))}
    assert len(await office.incidents()) == 2, "once a day"


async def test_audio_in_the_spool_that_capture_told_is_not_told_again(office: Office) -> None:
    spool = DiskSpool(office.directory / "spool")
    recording_id, _ = numbered(1)
    path = spool.audio_path(recording_id)
    path.write_bytes(b"audio")
    office.age(path, NOON - timedelta(days=2))
    inspector = Inspector(
        journals=FakeJournals(),
        spool=spool,
        ledger=PostgresLedger(office.engine),
        clock=office.clock,
        fold=fold,
        in_hand=list,
    )
    await inspector.look()
    assert await office.incidents() == [("orphan_audio", f"spool: {recording_id}")]
    office.clock.pass_by(25 * HOUR_S)
    assert await office.reconcile() == {"spool": 1}
    assert len(await office.incidents()) == 1


async def test_a_foreign_file_is_told_without_its_name_and_left(office: Office) -> None:
    await office.add(1)
    foreign = office.directory / "vault" / "Jan Nowak 600123456.wav"
    foreign.write_bytes(b"x")
    assert await office.reconcile() == {"foreign": 1}
    assert foreign.exists()
    assert "Nowak" not in str(await office.incidents())


async def test_a_key_of_nothing_goes_once_it_is_old(office: Office) -> None:
    await office.add(1)
    nothing = RecordingId(UUID(int=5))
    office.vault._keys.create(nothing)
    assert await office.reconcile() == {"key_erased": 1}
    assert nothing not in set(office.vault.keys_present())


async def test_the_scrub_finds_a_changed_byte_and_goes_round(office: Office) -> None:
    ids = [await office.add(number) for number in range(3)]
    path = office.file(ids[0], NOON - timedelta(days=3))
    audio = bytearray(path.read_bytes())
    audio[-1] ^= 1
    path.write_bytes(audio)
    seen = [await office.work.scrub(quietly) for _ in range(3)]
    assert sorted(seen) == ["1 verified, 0 damaged"] * 2 + ["1 verified, 1 damaged"]
    assert [kind for kind, _ in await office.incidents()] == ["recording_damaged"]


async def test_a_day_reports_expired_as_erased_and_held_and_nothing_failed(
    office: Office,
) -> None:
    """§ 7.2: the sum is right, and what did not go shows as failed."""
    # Their days end on 12 November, noon: 30 days after 13 October.
    for number in range(3):
        await office.add(number, days_old=30)
    held = await office.add(3, days_old=30)
    await PostgresHolds(office.engine).place([a_hold(held)], actor=OLGA)
    assert await office.work.purge(quietly) == "3 erased, 0 finished, 1 held, 0 failed"
    office.clock.at = datetime(2026, 11, 13, 8, tzinfo=UTC)
    assert await office.work.report_deletions(quietly) == "1 days"
    assert await office.work.report_deletions(quietly) == "0 days"
    (report,) = await office.reports.newest(limit=5)
    assert report.day == date(2026, 11, 12)
    assert (report.expired, report.erased, report.held) == (4, 3, 1)
    assert (report.failed, report.by_hand) == (0, 0)


async def test_what_did_not_go_is_counted_as_failed(office: Office) -> None:
    await office.add(1, days_old=30)
    office.clock.at = datetime(2026, 11, 13, 8, tzinfo=UTC)
    await office.work.report_deletions(quietly)
    (report,) = await office.reports.newest(limit=5)
    assert (report.expired, report.failed) == (1, 1)


async def test_an_overdue_review_is_an_incident_once(office: Office) -> None:
    """R7.3d."""
    held = await office.add(1)
    await PostgresHolds(office.engine).place([a_hold(held)], actor=OLGA)
    assert await office.work.review_holds(quietly) == "0 reviews newly overdue"
    office.clock.pass_by(90 * 24 * HOUR_S)
    assert await office.work.review_holds(quietly) == "1 reviews newly overdue"
    assert await office.work.review_holds(quietly) == "0 reviews newly overdue"
    assert [kind for kind, _ in await office.incidents()] == ["review_overdue"]


async def test_old_files_of_the_pbx_are_told_by_their_names_alone(office: Office) -> None:
    for name, days in (("Master.csv", 31), ("messages.log", 2)):
        path = office.directory / "cdr" / name
        path.write_text("600123456", encoding="ascii")
        office.age(path, NOON - timedelta(days=days))
    assert await office.work.find_strays(quietly) == "1 strays"
    (incident,) = await office.incidents()
    assert incident[0] == "stray_traces"
    assert incident[1].endswith("Master.csv")
    assert "600123456" not in incident[1]
