"""What the pages of oversight show of calls: a day's list, each day's counts, how things stand."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking
from recorder.adapters.postgres.rows import DayCall, OutcomeCount, Standing
from recorder.adapters.postgres.tables import CallTable, RecordingTable
from recorder.adapters.postgres.tables_oversight import CallDayTable
from recorder.model import CallId

CALL, RECORDING, DAY = CallTable, RecordingTable, CallDayTable
STANDING = text("""
SELECT
    (SELECT min(ended_at) FROM recording) AS oldest,
    (SELECT r.ended_at FROM recording r WHERE NOT EXISTS
        (SELECT FROM hold h WHERE h.recording_id = r.id AND h.ended_at IS NULL)
        ORDER BY r.ended_at LIMIT 1) AS oldest_unheld,
    (SELECT count(*) FROM (SELECT FROM recording
        WHERE damaged_at IS NOT NULL OR missing_at IS NOT NULL LIMIT 1000) u) AS unwell,
    (SELECT count(*) FROM hold WHERE ended_at IS NULL) AS holds,
    (SELECT count(*) FROM hold WHERE ended_at IS NULL AND review_by <= :now
        AND lapses_at IS NULL) AS reviews_overdue
""")


class PostgresOverview:
    """See ``recorder.web.ports.Overview`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def calls(
        self,
        since: datetime,
        until: datetime,
        *,
        reason: str | None,
        after: UUID | None,
        limit: int,
    ) -> Sequence[DayCall]:
        """Return calls that arrived between two instants, in order, from behind ``after``."""
        query = select(CALL.id, CALL.arrived_at, CALL.line, CALL.outcome, CALL.reason).where(
            CALL.arrived_at >= since, CALL.arrived_at < until
        )
        if reason is not None:
            query = query.where(CALL.reason == clean(reason))
        if after is not None:
            behind = select(CALL.arrived_at, CALL.id).where(CALL.id == after).subquery()
            here = tuple_(CALL.arrived_at, CALL.id)
            query = query.where(here > select(behind.c.arrived_at, behind.c.id).scalar_subquery())
        rows = await self._fetch(query.order_by(CALL.arrived_at, CALL.id).limit(limit))
        return [DayCall(**each) for each in rows]

    async def outcomes(self, since: datetime, until: datetime) -> Sequence[OutcomeCount]:
        """Return how many calls that arrived between two instants ended how."""
        counted = func.count().label("calls")
        rows = await self._fetch(
            select(CALL.outcome, CALL.reason, counted)
            .where(CALL.arrived_at >= since, CALL.arrived_at < until)
            .group_by(CALL.outcome, CALL.reason)
            .order_by(CALL.outcome, counted.desc())
        )
        return [OutcomeCount(**each) for each in rows]

    async def days(self, since: date, until: date) -> Mapping[date, Sequence[OutcomeCount]]:
        """Return the counted days from the one to before the other."""
        rows = await self._fetch(
            select(DAY.day, DAY.outcome, DAY.reason, DAY.calls)
            .where(DAY.day >= since, DAY.day < until)
            .order_by(DAY.day, DAY.outcome, DAY.calls.desc())
        )
        found: dict[date, list[OutcomeCount]] = {}
        for each in rows:
            found.setdefault(each["day"], []).append(
                OutcomeCount(outcome=each["outcome"], reason=each["reason"], calls=each["calls"])
            )
        return found

    async def some(self, ids: Sequence[CallId]) -> Sequence[DayCall]:
        """Return these calls, oldest first."""
        query = select(CALL.id, CALL.arrived_at, CALL.line, CALL.outcome, CALL.reason)
        rows = await self._fetch(query.where(CALL.id.in_(ids)).order_by(CALL.arrived_at))
        return [DayCall(**each) for each in rows]

    async def standing(self, now: datetime) -> Standing:
        """Return how recordings, holds and the trail stand."""
        async with asking(self._engine) as connection:
            row = (await connection.execute(STANDING, {"now": now})).mappings().one()
        return Standing(**row)

    async def _fetch(self, query: Any) -> Sequence[Mapping[str, Any]]:  # noqa: ANN401 - a select
        async with asking(self._engine) as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]
