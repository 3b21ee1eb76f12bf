"""The database while it is restored: is it free, is it empty, and what the ledger changes."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import psycopg
from sqlalchemy import make_url, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.accounts.model import Ended
from recorder.adapters.postgres import guards, trail
from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.holds import fetch
from recorder.adapters.postgres.tables import RecordingTable
from recorder.adapters.postgres.tables_access import FirstRunTokenTable, SessionTable
from recorder.adapters.postgres.tables_keeping import HoldTable, TombstoneTable
from recorder.audit.event import Actor, AuditEvent
from recorder.backup import events
from recorder.backup.model import ErasedLine, HoldLine
from recorder.erasure.model import Stage
from recorder.errors import LedgerUnavailable
from recorder.holds import events as hold_events
from recorder.holds.model import BatchId, Hold, HoldId
from recorder.model import RecordingId

PROCESSES = ("capture", "retention", "web", "pg_restore")
BUSY = """SELECT DISTINCT application_name FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = ANY(%s)"""
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY(%s)"
TELLING = ("call", "audit_event")
"""Tables that are empty in a database in which nothing ever happened."""
STANDS = HoldTable.ended_at.is_(None)


def processes_at(url: str) -> list[str]:
    """Return which processes are connected that must not be. Raises ``LedgerUnavailable``."""
    with _plain(url) as connection:
        return sorted(str(row[0]) for row in connection.execute(BUSY, [list(PROCESSES)]))


def is_empty(url: str) -> bool:
    """Tell whether nothing ever happened in the database. Raises ``LedgerUnavailable``."""
    with _plain(url) as connection:
        found = connection.execute(TABLES, [list(TELLING)]).fetchone()
        if found != (len(TELLING),):
            return True
        return all(
            connection.execute(f"SELECT FROM {name} LIMIT 1".encode()).fetchone() is None
            for name in TELLING
        )


def clear(url: str) -> None:
    """Drop everything, and see that the roles are there. Raises ``LedgerUnavailable``."""
    try:
        with _plain(url) as connection:
            connection.execute("DROP SCHEMA IF EXISTS public CASCADE")
            connection.execute("CREATE SCHEMA public")
            connection.execute("ALTER SCHEMA public OWNER TO pg_database_owner")
            connection.execute(guards.ROLES.encode())
    except psycopg.Error as error:
        raise LedgerUnavailable(
            f"the database cannot be emptied ({error.sqlstate}): take its owner's login, and make "
            "the roles first (OPERATIONS.md, Install, 2)"
        ) from None


class Restored:
    """The rows that a restore puts right before anything opens. ``actor`` signs."""

    def __init__(self, engine: AsyncEngine, *, actor: Actor) -> None:
        self._engine, self._actor = engine, actor

    async def kept_among(self, ids: Collection[UUID]) -> frozenset[RecordingId]:
        """Return which of these came back with the backup."""
        query = select(RecordingTable.id).where(
            RecordingTable.id.in_(ids), RecordingTable.stage == Stage.KEPT.value
        )
        with translated():
            async with self._engine.connect() as connection:
                return frozenset(RecordingId(each) for each in await connection.scalars(query))

    async def held_among(self, ids: Collection[UUID]) -> frozenset[UUID]:
        """Return on which of these a hold stands."""
        query = select(HoldTable.recording_id).where(STANDS, HoldTable.recording_id.in_(ids))
        with translated():
            async with self._engine.connect() as connection:
                return frozenset(await connection.scalars(query))

    async def apply_holds(self, lines: Sequence[HoldLine], *, at: datetime) -> int:
        """Bring holds to where the ledger has them; return how many changed."""
        with translated():
            async with self._engine.begin() as connection:
                entries = [
                    entry
                    for line in lines
                    if (entry := await self._apply(connection, line, at)) is not None
                ]
                await trail.append(connection, entries)
                return len(entries)

    async def end_sessions(self, *, at: datetime) -> int:
        """End every session that came back, and void tokens; return how many sessions."""
        ending = {"ended_at": at, "ending": Ended.RESTORED.value}
        with translated():
            async with self._engine.begin() as connection:
                ended = await connection.execute(
                    update(SessionTable).where(SessionTable.ended_at.is_(None)).values(ending)
                )
                await connection.execute(
                    update(FirstRunTokenTable)
                    .where(FirstRunTokenTable.used_at.is_(None))
                    .values(used_at=at)
                )
                return ended.rowcount

    async def append(self, entries: Iterable[AuditEvent]) -> None:
        """Write entries of their own."""
        with translated():
            async with self._engine.begin() as connection:
                await trail.append(connection, list(entries))

    async def _apply(
        self, connection: AsyncConnection, line: HoldLine, at: datetime
    ) -> AuditEvent | None:
        hold = hold_of(line)
        known = await fetch(connection, HoldTable.id == line.hold)
        exists = select(RecordingTable.id).where(RecordingTable.id == line.recording)
        if not known and await connection.scalar(exists) is None:
            return None
        before = known[0] if known else None
        if before is not None and before.ended_at is not None:
            return None
        changed = {
            "review_by": line.review_by,
            "lapses_at": line.lapses_at,
            "reviewed_at": line.reviewed_at,
            "ended_at": line.ended_at,
            "ended_by": line.ended_by,
            "ending": line.ending.value if line.ending else None,
            "end_reference": line.end_reference,
        }
        row = {
            "id": line.hold,
            "recording_id": line.recording,
            "batch_id": line.batch,
            "ground": line.ground.value,
            "reference": line.reference,
            "reason": "",
            "placed_by": line.placed_by,
            "placed_at": line.placed_at,
            **changed,
        }
        await connection.execute(
            insert(HoldTable).values(row).on_conflict_do_update(index_elements=["id"], set_=changed)
        )
        if hold.ending is not None:
            return hold_events.ended(
                hold,
                ending=hold.ending,
                reason="",
                reference=hold.end_reference,
                actor=self._actor,
                at=at,
            )
        if before is None or _dates(before) != _dates(hold):
            return events.hold_restored(hold, actor=self._actor, at=at)
        return None


async def ledger_of(engine: AsyncEngine) -> tuple[list[ErasedLine], list[HoldLine]]:
    """Return every tombstone and every hold, for the ledger that is kept off the machine."""
    stones = select(TombstoneTable.recording_id, TombstoneTable.erased_at)
    with translated():
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            erased = [
                ErasedLine(erased=row.recording_id, at=row.erased_at)
                for row in await connection.execute(stones.order_by(TombstoneTable.erased_at))
            ]
            return erased, [_line_of(each) for each in await fetch(connection)]


def _dates(hold: Hold) -> tuple[datetime, datetime | None]:
    return hold.review_by, hold.lapses_at


def hold_of(line: HoldLine) -> Hold:
    """Return a hold as the ledger knows it: without its reason."""
    return Hold(
        id=HoldId(line.hold),
        recording_id=RecordingId(line.recording),
        batch_id=BatchId(line.batch),
        ground=line.ground,
        reference=line.reference,
        reason="",
        placed_by=line.placed_by,
        placed_at=line.placed_at,
        review_by=line.review_by,
        lapses_at=line.lapses_at,
        reviewed_at=line.reviewed_at,
        ended_at=line.ended_at,
        ended_by=line.ended_by,
        ending=line.ending,
        end_reference=line.end_reference,
    )


def _line_of(hold: Hold) -> HoldLine:
    return HoldLine(
        hold=hold.id,
        recording=hold.recording_id,
        batch=hold.batch_id,
        ground=hold.ground,
        reference=hold.reference,
        placed_by=hold.placed_by,
        placed_at=hold.placed_at,
        review_by=hold.review_by,
        lapses_at=hold.lapses_at,
        reviewed_at=hold.reviewed_at,
        ended_at=hold.ended_at,
        ended_by=hold.ended_by,
        ending=hold.ending,
        end_reference=hold.end_reference,
    )


def _plain(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        return psycopg.connect(address, connect_timeout=5, application_name="restore")
    except psycopg.Error as error:
        raise LedgerUnavailable(
            f"PostgreSQL does not answer ({type(error).__name__}); check RECORDER_DATABASE_URL"
        ) from None
