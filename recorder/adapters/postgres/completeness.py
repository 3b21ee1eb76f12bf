"""What comparing with the PBX needs of the database, and what it leaves there (RG.13)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.adapters.postgres import trail
from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.erasures import raise_incident
from recorder.adapters.postgres.tables import CallTable, IncidentTable
from recorder.adapters.postgres.tables_oversight import CallDayTable, CompletenessTable
from recorder.approvals.model import signature
from recorder.audit.event import Actor
from recorder.completeness.model import Compared, Comparison, Known, PbxCall
from recorder.completeness.rules import AROUND, records_are_missing
from recorder.incidents import events
from recorder.incidents.model import Incident
from recorder.model import CallId, IncidentKind

CALL, INCIDENT, KEPT, DAY = CallTable, IncidentTable, CompletenessTable, CallDayTable
MOST_LISTED = 200
"""Of rows without a record; the number of all of them stands beside."""
LOCK = text("SELECT pg_advisory_xact_lock(hashtext('completeness'))")
"""A comparison by hand and the job's write one incident of one call."""


class PostgresComparisons:
    """See ``recorder.completeness.ports.Comparisons`` for the promises."""

    def __init__(self, engine: AsyncEngine, *, actor: Actor, trunks: Collection[str]) -> None:
        self._engine = engine
        self._actor = actor
        self._trunks = trunks

    async def known(self, since: datetime, until: datetime) -> Sequence[Known]:
        """Return the rows of calls that came by a trunk between two instants."""
        query = select(CALL.id, CALL.channel_id, CALL.arrived_at, CALL.pbx_lost).where(
            CALL.arrived_at >= since, CALL.arrived_at < until, CALL.endpoint.in_(self._trunks)
        )
        async with asking(self._engine) as connection:
            return [
                Known(
                    call_id=CallId(row.id),
                    channel_id=row.channel_id,
                    arrived_at=row.arrived_at,
                    pbx_lost=row.pbx_lost,
                )
                for row in await connection.execute(query)
            ]

    async def settled(self, since: date) -> Mapping[date, datetime]:
        """Return until when each day from this one on was settled."""
        query = select(KEPT.day, KEPT.settled_until).where(KEPT.day >= since)
        async with asking(self._engine) as connection:
            return {each.day: each.settled_until for each in await connection.execute(query)}

    async def keep(self, comparison: Comparison) -> int:
        """Keep a day's comparison and its incidents; return how many are new."""
        row = {
            "day": comparison.day,
            "compared_at": comparison.compared_at,
            "settled_until": comparison.settled_until,
            "pbx_calls": comparison.pbx_calls,
            "explained": comparison.explained,
            "never_answered": comparison.never_answered,
            "in_hand": comparison.in_hand,
            "unexplained": [each.channel_id for each in comparison.unexplained],
            "without_record": [str(each) for each in comparison.without_record[:MOST_LISTED]],
            "without_record_count": len(comparison.without_record),
        }
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(LOCK)
                before = (
                    await connection.scalars(
                        select(KEPT.unexplained).where(KEPT.day == comparison.day)
                    )
                ).first() or []
                await connection.execute(
                    insert(KEPT).values(row).on_conflict_do_update(index_elements=["day"], set_=row)
                )
                new = await self._raise(connection, comparison.unexplained)
                cured = set(before) - {each.channel_id for each in comparison.unexplained}
                await self._cure(connection, cured, at=comparison.compared_at)
                if records_are_missing(comparison):
                    await self._tell_of_missing(connection, comparison)
                return new

    async def _raise(self, connection: AsyncConnection, calls: Sequence[PbxCall]) -> int:
        """Write an incident for each call that has none yet."""
        if not calls:
            return 0
        began = [each.started_at for each in calls]
        # Around: what is added to a record later may move its beginning.
        query = select(INCIDENT.detail).where(
            INCIDENT.kind == IncidentKind.UNEXPLAINED_CALL.value,
            INCIDENT.at >= min(began) - AROUND,
            INCIDENT.at <= max(began) + AROUND,
        )
        told = set(await connection.scalars(query))
        new = [each for each in calls if each.channel_id not in told]
        for each in new:
            await raise_incident(
                connection,
                IncidentKind.UNEXPLAINED_CALL,
                at=each.started_at,
                detail=each.channel_id,
            )
        return len(new)

    async def _cure(
        self, connection: AsyncConnection, channels: Collection[str], *, at: datetime
    ) -> None:
        """Close what is explained by now: its row came late."""
        if not channels:
            return
        statement = (
            update(INCIDENT)
            .where(
                INCIDENT.kind == IncidentKind.UNEXPLAINED_CALL.value,
                INCIDENT.detail.in_(channels),
                INCIDENT.closed_at.is_(None),
            )
            .values(closed_at=at, closed_by=signature(self._actor))
            .returning(*INCIDENT.__table__.columns)
        )
        closed = [Incident(**row._mapping) for row in await connection.execute(statement)]  # noqa: SLF001 - SQLAlchemy's public name
        if closed:
            entries = [events.closed(each, actor=self._actor, at=at) for each in closed]
            await trail.append(connection, entries)

    async def _tell_of_missing(self, connection: AsyncConnection, comparison: Comparison) -> None:
        kind, detail = IncidentKind.PBX_RECORDS_MISSING, comparison.day.isoformat()
        told = select(INCIDENT.id).where(INCIDENT.kind == kind.value, INCIDENT.detail == detail)
        if (await connection.scalars(told)).first() is None:
            await raise_incident(connection, kind, at=comparison.compared_at, detail=detail)

    async def of_day(self, day: date) -> Compared | None:
        """Return what one day's comparison found, None if it was not compared."""
        found = await self._fetch(select(*KEPT.__table__.columns).where(KEPT.day == day))
        return found[0] if found else None

    async def newest(self, *, limit: int) -> Sequence[Compared]:
        """Return the newest days, newest first."""
        query = select(*KEPT.__table__.columns).order_by(KEPT.day.desc()).limit(limit)
        return await self._fetch(query)

    async def count_calls(self, day: date, *, since: datetime, until: datetime) -> int:
        """Count the calls of a day by outcome and reason anew; return how many there are."""
        counted = (
            select(CALL.outcome, CALL.reason, func.count())
            .where(CALL.arrived_at >= since, CALL.arrived_at < until)
            .group_by(CALL.outcome, CALL.reason)
        )
        with translated():
            async with self._engine.begin() as connection:
                found = (await connection.execute(counted)).all()
                rows = [
                    {"day": day, "outcome": outcome, "reason": reason, "calls": calls}
                    for outcome, reason, calls in found
                ]
                await connection.execute(delete(DAY).where(DAY.day == day))
                if rows:
                    await connection.execute(insert(DAY).values(rows))
                return sum(calls for *_, calls in found)

    async def _fetch(self, query: Any) -> Sequence[Compared]:  # noqa: ANN401 - a select
        async with asking(self._engine) as connection:
            return [_compared(row) for row in await connection.execute(query)]


def _compared(row: Row[Any]) -> Compared:
    known = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    known["unexplained"] = tuple(known["unexplained"])
    known["without_record"] = tuple(CallId(each) for each in known["without_record"])
    return Compared(**known)
