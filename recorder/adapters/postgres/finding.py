"""Searches that leave their entry in the transaction that finds (RG.15)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import queries, trail
from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.queries import Criteria
from recorder.adapters.postgres.rows import (
    CallDetails,
    CallRow,
    IncidentRow,
    PlayedRow,
    RecordingRow,
)
from recorder.audit.event import AuditEvent

Found = TypeVar("Found")


class PostgresFinder:
    """See ``recorder.web.ports.Finder`` for the promises."""

    def __init__(self, engine: AsyncEngine, *, office_zone: ZoneInfo) -> None:
        self._engine, self._zone = engine, office_zone

    async def calls(self, criteria: Criteria, entry: AuditEvent) -> Sequence[CallRow]:
        """Return calls, newest first."""
        query = queries.search_statement(criteria, office_zone=self._zone)
        return await self._search(query, CallRow, entry)

    async def recordings(self, criteria: Criteria, entry: AuditEvent) -> Sequence[RecordingRow]:
        """Return recordings, newest call first."""
        query = queries.recording_search_statement(criteria, office_zone=self._zone)
        return await self._search(query, RecordingRow, entry)

    async def call(self, call_id: UUID) -> CallDetails | None:
        """Return one call, None if there is none."""
        return await queries.get_call(self._engine, call_id)

    async def recording(self, recording_id: UUID) -> RecordingRow | None:
        """Return one recording, None if there is none."""
        return await queries.get_recording(self._engine, recording_id)

    async def announcements_of(self, call_id: UUID) -> Sequence[PlayedRow]:
        """Return the proof of announcement of one call, in order (R8.2c)."""
        return await queries.announcements_of(self._engine, call_id)

    async def incidents_of(self, call_id: UUID) -> Sequence[IncidentRow]:
        """Return the incidents of one call."""
        return await queries.incidents_of(self._engine, call_id)

    async def note(self, entry: AuditEvent) -> None:
        """Leave an entry of something that was shown."""
        with translated():
            async with self._engine.begin() as connection:
                await trail.append(connection, [entry])

    async def _search(
        self, query: Select[Any], kind: type[Found], entry: AuditEvent
    ) -> list[Found]:
        with translated():
            async with self._engine.begin() as connection:
                # A general plan does not know how rare a number is.
                await connection.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
                found = [kind(**row) for row in (await connection.execute(query)).mappings()]
                counted = {**entry.details, "found": len(found)}
                await trail.append(connection, [replace(entry, details=counted)])
                return found
