"""The rows of recordings as they are compared with the vault."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import trail
from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.erasures import raise_incident
from recorder.adapters.postgres.tables import CallTable, IncidentTable, RecordingTable
from recorder.adapters.postgres.tables_keeping import HoldTable, TombstoneTable
from recorder.audit.event import Actor
from recorder.erasure import events
from recorder.erasure.model import Stage
from recorder.model import CallId, IncidentKind, Outcome, RecordingId
from recorder.retention.model import Stored
from recorder.retention.rules import PERMITTED

RECORDING = RecordingTable
COLUMNS = (
    RECORDING.id,
    RECORDING.call_id,
    RECORDING.stored_on,
    RECORDING.sha256,
    RECORDING.ended_at,
    RECORDING.erase_by,
    RECORDING.missing_at,
)
KEPT = RECORDING.stage == Stage.KEPT.value
AGAIN_AFTER = timedelta(days=1)
"""The same incident is written again once a day, not at every tick."""


class PostgresInventory:
    """See ``recorder.retention.ports.Inventory`` for the promises. ``actor`` signs entries."""

    def __init__(self, engine: AsyncEngine, *, actor: Actor) -> None:
        self._engine = engine
        self._actor = actor

    async def rows_among(self, ids: Collection[RecordingId]) -> frozenset[RecordingId]:
        """Return which of these have a row."""
        return await self._ids(select(RECORDING.id).where(RECORDING.id.in_(ids)))

    async def tombstones_among(self, ids: Collection[RecordingId]) -> frozenset[RecordingId]:
        """Return which of these have a tombstone."""
        stone = TombstoneTable.recording_id
        return await self._ids(select(stone).where(stone.in_(ids)))

    async def page(self, after: RecordingId | None, *, limit: int) -> Sequence[Stored]:
        """Return kept recordings in the order of ids, from behind ``after``."""
        query = select(*COLUMNS).where(KEPT).order_by(RECORDING.id).limit(limit)
        return await self._fetch(query if after is None else query.where(RECORDING.id > after))

    async def to_verify(self, *, share: int) -> Sequence[Stored]:
        """Return so many kept recordings, the longest unseen first."""
        seen = func.coalesce(RECORDING.verified_at, RECORDING.sealed_at)
        query = select(*COLUMNS).where(KEPT).order_by(seen, RECORDING.id).limit(share)
        return await self._fetch(query)

    async def unpermitted(self, *, limit: int) -> Sequence[Stored]:
        """Return kept recordings whose call's row does not say that it was to be recorded."""
        permitted = [each.value for each in PERMITTED]
        says_so = and_(
            CallTable.outcome == Outcome.RECORDED.value,
            CallTable.reason.in_(permitted),
            CallTable.scope_reason.in_(permitted),
        )
        query = select(*COLUMNS).join(CallTable, CallTable.id == RECORDING.call_id)
        return await self._fetch(query.where(KEPT, ~says_so).order_by(RECORDING.id).limit(limit))

    async def count(self) -> int:
        """Return how many recordings are kept."""
        with translated():
            async with self._engine.connect() as connection:
                query = select(func.count()).select_from(RECORDING).where(KEPT)
                return await connection.scalar(query) or 0

    async def next_limit(self) -> datetime | None:
        """Return the earliest day that a recording not on hold must be gone by (R7.2i)."""
        held = exists().where(HoldTable.recording_id == RECORDING.id, HoldTable.ended_at.is_(None))
        with translated():
            async with self._engine.connect() as connection:
                return await connection.scalar(select(func.min(RECORDING.erase_by)).where(~held))

    async def correct_erase_by(self, corrected: Mapping[RecordingId, datetime]) -> None:
        """Put right the stored day, which is a cache."""
        table = RECORDING.__table__
        statement = (
            update(table)  # type: ignore[arg-type]
            .where(table.c.id == bindparam("of"))
            .values(erase_by=bindparam("right"))
        )
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(
                    statement, [{"of": each, "right": at} for each, at in corrected.items()]
                )

    async def verified(self, ids: Collection[RecordingId], *, at: datetime) -> None:
        """Note that these were read."""
        statement = update(RECORDING).where(RECORDING.id.in_(ids)).values(verified_at=at)
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(statement)

    async def found_missing(self, recording: Stored, *, at: datetime) -> None:
        """Mark a recording's file missing, with one incident."""
        statement = (
            update(RECORDING)
            .where(RECORDING.id == recording.id, RECORDING.missing_at.is_(None), KEPT)
            .values(missing_at=at)
            .returning(RECORDING.call_id)
        )
        with translated():
            async with self._engine.begin() as connection:
                call_id = await connection.scalar(statement)
                if call_id is not None:
                    await raise_incident(
                        connection,
                        IncidentKind.RECORDING_MISSING,
                        at=at,
                        call_id=call_id,
                        detail=str(recording.id),
                    )

    async def orphan_erased(self, subject: str, why: str, *, at: datetime) -> None:
        """Write the entry of a file without a row that was erased."""
        with translated():
            async with self._engine.begin() as connection:
                entry = events.stray_erased(subject, why, actor=self._actor, at=at)
                await trail.append(connection, [entry])

    async def report(
        self,
        kind: IncidentKind,
        detail: str,
        *,
        at: datetime,
        call_id: CallId | None = None,
        once: bool = False,
    ) -> None:
        """Write an incident, unless the same one was written within a day; with ``once``, ever."""
        same = exists().where(IncidentTable.kind == kind.value, IncidentTable.detail == detail)
        if not once:
            same = same.where(IncidentTable.at > at - AGAIN_AFTER)
        with translated():
            async with self._engine.begin() as connection:
                if not await connection.scalar(select(same)):
                    await raise_incident(connection, kind, at=at, call_id=call_id, detail=detail)

    async def remind_of_reviews(self, *, overdue_at: datetime, at: datetime) -> int:
        """Write an incident for each hold whose review is overdue and untold; return how many."""
        statement = (
            update(HoldTable)
            .where(
                HoldTable.ended_at.is_(None),
                HoldTable.lapses_at.is_(None),
                HoldTable.reminded_at.is_(None),
                HoldTable.review_by <= overdue_at,
            )
            .values(reminded_at=at)
            .returning(HoldTable.id)
        )
        with translated():
            async with self._engine.begin() as connection:
                overdue = (await connection.scalars(statement)).all()
                for each in overdue:
                    await raise_incident(
                        connection, IncidentKind.REVIEW_OVERDUE, at=at, detail=f"hold {each}"
                    )
                return len(overdue)

    async def _ids(self, query: Select[UUID]) -> frozenset[RecordingId]:
        with translated():
            async with self._engine.connect() as connection:
                found = await connection.scalars(query)
                return frozenset(RecordingId(each) for each in found)

    async def _fetch(self, query: Any) -> Sequence[Stored]:  # noqa: ANN401 - a select
        with translated():
            async with self._engine.connect() as connection:
                rows = await connection.execute(query)
                return [Stored(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name
