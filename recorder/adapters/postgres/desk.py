"""What pages show beside calls, and what people search for while they look at it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.access.playback import Playback
from recorder.accounts.model import AccountId, SessionId
from recorder.adapters.postgres import holds, queries
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.playbacks import PostgresPlaybacks
from recorder.adapters.postgres.tables import RecordingTable
from recorder.adapters.postgres.tables_access import SessionTable
from recorder.adapters.postgres.tables_keeping import HoldTable, TombstoneTable
from recorder.adapters.postgres.tables_web import SearchTable
from recorder.holds.model import BatchId, Hold
from recorder.model import RecordingId
from recorder.web.ports import Around

SEARCH = SearchTable
KEPT_FOR = timedelta(hours=12)
"""A search holds numbers: it goes with its session, and after a working day in any case."""


class PostgresDesk:
    """See ``recorder.web.ports.Desk`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def around(self, call_ids: Sequence[UUID]) -> Around:
        """Return what belongs to these calls."""
        if not call_ids:
            return Around(recordings={}, tombstones={}, holds={})
        async with asking(self._engine) as connection:
            found = await queries.recordings_of(connection, call_ids)
            on_these = HoldTable.recording_id.in_([each.id for each in found])
            standing = await holds.fetch(connection, holds.STANDS, on_these) if found else ()
            gone = await queries.tombstones_of(connection, call_ids)
        by_recording: dict[UUID, list[Hold]] = {}
        for hold in standing:
            by_recording.setdefault(hold.recording_id, []).append(hold)
        return Around(
            recordings={each.call_id: each for each in found},
            tombstones={each.call_id: each for each in gone},
            holds={each.call_id: by_recording.get(each.id, []) for each in found},
        )

    async def call_of(self, recording_id: UUID) -> UUID | None:
        """Return the call of a recording, erased or not; None if there was none."""
        here = select(RecordingTable.call_id).where(RecordingTable.id == recording_id)
        gone = select(TombstoneTable.call_id).where(TombstoneTable.recording_id == recording_id)
        async with asking(self._engine) as connection:
            return await connection.scalar(here) or await connection.scalar(gone)

    async def holds_of(self, recording_id: UUID) -> Sequence[Hold]:
        """Return every hold that a recording ever had, the last placed first."""
        found = await self._holds(HoldTable.recording_id == recording_id)
        return sorted(found, key=lambda each: each.placed_at, reverse=True)

    async def batch(self, batch_id: BatchId) -> Sequence[Hold]:
        """Return the holds of one act of placing."""
        return await self._holds(HoldTable.batch_id == batch_id)

    async def heard_by(
        self, account_id: AccountId, *, before: datetime | None, limit: int
    ) -> Sequence[tuple[Playback, UUID | None]]:
        """Return what a person listened to, newest first, each with its call."""
        found = await PostgresPlaybacks(self._engine).of_account(
            account_id, before=before, limit=limit
        )
        ids = {each.recording_id for each in found}
        here = select(RecordingTable.id, RecordingTable.call_id).where(RecordingTable.id.in_(ids))
        gone = select(TombstoneTable.recording_id, TombstoneTable.call_id).where(
            TombstoneTable.recording_id.in_(ids)
        )
        async with asking(self._engine) as connection:
            rows = (await connection.execute(here.union_all(gone))).all()
        calls: dict[UUID, UUID | None] = {row[0]: row[1] for row in rows}
        return [(each, calls.get(each.recording_id)) for each in found]

    async def listeners(self, recording_id: UUID) -> Sequence[Playback]:
        """Return who listened to a recording, newest first."""
        return await PostgresPlaybacks(self._engine).of_recording(RecordingId(recording_id))

    async def _holds(self, condition: Any) -> Sequence[Hold]:  # noqa: ANN401 - a column
        async with asking(self._engine) as connection:
            return await holds.fetch(connection, condition)


class PostgresSearches:
    """See ``recorder.web.ports.Searches`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def keep(
        self, search_id: UUID, wanted: Mapping[str, Any], *, session_id: SessionId, at: datetime
    ) -> None:
        """Keep one."""
        kept = {
            name: clean(value) if isinstance(value, str) else value
            for name, value in wanted.items()
        }
        row = {"id": search_id, "session_id": session_id, "at": at, "wanted": kept}
        with translated():
            async with self._engine.begin() as connection:
                # Lost in a crash of PostgreSQL, it is asked for anew, as after its hours.
                await connection.execute(text("SET LOCAL synchronous_commit = off"))
                await connection.execute(insert(SEARCH).values(row))

    async def get(self, search_id: UUID, *, session_id: SessionId) -> Mapping[str, Any] | None:
        """Return one of this very session, None if there is none."""
        query = select(SEARCH.wanted).where(SEARCH.id == search_id, SEARCH.session_id == session_id)
        async with asking(self._engine) as connection:
            found: Mapping[str, Any] | None = await connection.scalar(query)
            return found

    async def forget(self, now: datetime) -> None:
        """Drop what is older than a working day, or whose session is over."""
        over = select(SessionTable.id).where(SessionTable.ended_at.is_not(None))
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(
                    delete(SEARCH).where((SEARCH.at < now - KEPT_FOR) | SEARCH.session_id.in_(over))
                )
