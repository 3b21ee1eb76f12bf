"""What is due when, and what became of one day's erasures: for pages and reports."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres.connect import asking
from recorder.adapters.postgres.rows import ErasedRow
from recorder.adapters.postgres.tables import RecordingTable
from recorder.adapters.postgres.tables_keeping import TombstoneTable
from recorder.erasure.coming import DueDay
from recorder.erasure.model import Route
from recorder.retention.rules import day_of_office

TOMBSTONE, RECORDING = TombstoneTable, RecordingTable
DUE = text("""
SELECT bound.day, found.due, found.size
FROM unnest(CAST(:days AS date[]), CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[]))
    AS bound(day, since, until)
CROSS JOIN LATERAL (
    SELECT count(*) AS due, coalesce(sum(size_bytes), 0)::bigint AS size FROM recording
    WHERE erase_by >= bound.since AND erase_by < bound.until
) found
WHERE found.due > 0
""")
"""By one index alone, and no row is asked for its day: a page waits for it."""
HELD = text("""
SELECT (r.erase_by AT TIME ZONE :zone)::date AS day, count(*) AS held
FROM (SELECT DISTINCT recording_id FROM hold WHERE ended_at IS NULL) h
JOIN recording r ON r.id = h.recording_id
WHERE r.erase_by >= :since AND r.erase_by < :until GROUP BY 1
""")
PAST = text("""
SELECT (SELECT count(*) FROM recording WHERE erase_by < :now) AS past,
(SELECT count(*) FROM (SELECT DISTINCT recording_id FROM hold WHERE ended_at IS NULL) h
 JOIN recording r ON r.id = h.recording_id WHERE r.erase_by < :now) AS held
""")


class PostgresComing:
    """See ``recorder.web.ports.Erasing`` for the promises."""

    def __init__(self, engine: AsyncEngine, *, office_zone: ZoneInfo) -> None:
        self._engine = engine
        self._zone = office_zone

    async def due(self, since: datetime, until: datetime) -> dict[date, DueDay]:
        """Return the days of the office that have any, between two instants."""
        whole = {"since": since, "until": until, "zone": self._zone.key}
        first, last = (each.astimezone(self._zone).date() for each in (since, until))
        bounds = [
            (day, *day_of_office(day, office_zone=self._zone))
            for day in (first + timedelta(days=n) for n in range((last - first).days + 1))
        ]
        asked = {
            "days": [day for day, _, _ in bounds],
            "since": [max(begin, since) for _, begin, _ in bounds],
            "until": [min(end, until) for _, _, end in bounds],
        }
        async with asking(self._engine) as connection:
            rows = (await connection.execute(DUE, asked)).all()
            held: dict[date, int] = {
                each.day: each.held for each in await connection.execute(HELD, whole)
            }
        found = {}
        for row in rows:
            # Two questions, two instants: a hold placed between them may count more than there is.
            kept = min(held.get(row.day, 0), row.due)
            found[row.day] = DueDay(day=row.day, due=row.due - kept, held=kept, size_bytes=row.size)
        return found

    async def past(self, now: datetime) -> tuple[int, int]:
        """Return how many recordings are past their time: without a hold, and held."""
        async with asking(self._engine) as connection:
            row = (await connection.execute(PAST, {"now": now})).one()
        return max(row.past - row.held, 0), row.held

    async def size_of_past(self, before: datetime) -> int:
        """Return what recordings take whose time ended before: held ones, mostly."""
        query = select(func.coalesce(func.sum(RECORDING.size_bytes), 0)).where(
            RECORDING.erase_by < before
        )
        async with asking(self._engine) as connection:
            return int(await connection.scalar(query) or 0)

    async def erased(
        self,
        since: datetime,
        until: datetime,
        *,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> Sequence[ErasedRow]:
        """Return what was erased between two instants, in order, from behind ``after``."""
        query = _tombstones().where(TOMBSTONE.erased_at >= since, TOMBSTONE.erased_at < until)
        if after is not None:
            query = query.where(tuple_(TOMBSTONE.erased_at, TOMBSTONE.id) > after)
        return await self._fetch(query.order_by(TOMBSTONE.erased_at, TOMBSTONE.id).limit(limit))

    async def by_hand(self, since: datetime, *, limit: int) -> Sequence[ErasedRow]:
        """Return what was erased by hand since then, newest first."""
        query = _tombstones().where(
            TOMBSTONE.erased_at >= since, TOMBSTONE.route == Route.BY_HAND.value
        )
        return await self._fetch(query.order_by(TOMBSTONE.erased_at.desc()).limit(limit))

    async def erased_at(self, tombstone_id: UUID) -> datetime | None:
        """Return when the recording of a tombstone was erased, None if there is none."""
        async with asking(self._engine) as connection:
            query = select(TOMBSTONE.erased_at).where(TOMBSTONE.id == tombstone_id)
            return (await connection.scalars(query)).first()

    async def _fetch(self, query: Select[Any]) -> Sequence[ErasedRow]:
        async with asking(self._engine) as connection:
            return [ErasedRow(**row) for row in (await connection.execute(query)).mappings()]


def _tombstones() -> Select[Any]:
    wanted = {each.name for each in fields(ErasedRow)}
    return select(*(each for each in TOMBSTONE.__table__.columns if each.name in wanted))
