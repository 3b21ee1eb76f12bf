"""The incidents: read, explained, closed."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import trail
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.tables import IncidentTable
from recorder.approvals.model import signature
from recorder.audit.event import Actor, AuditEvent
from recorder.incidents import events
from recorder.incidents.model import Count, Incident, IncidentId, State

INCIDENT = IncidentTable
OF_STATE = {
    State.OPEN: (INCIDENT.closed_at.is_(None), INCIDENT.explained_at.is_(None)),
    State.EXPLAINED: (INCIDENT.closed_at.is_(None), INCIDENT.explained_at.is_not(None)),
    State.CLOSED: (INCIDENT.closed_at.is_not(None),),
}
MOST_ALIKE = 5000
"""An outage of a day; what is beyond is explained in a second act."""


class PostgresIncidents:
    """See ``recorder.incidents.ports.Incidents`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get(self, incident_id: IncidentId) -> Incident | None:
        """Return one, None if there is none."""
        found = await self._fetch(_columns().where(INCIDENT.id == incident_id))
        return found[0] if found else None

    async def page(
        self, state: State | None, *, kind: str | None, after: IncidentId | None, limit: int
    ) -> Sequence[Incident]:
        """Return incidents, newest first, from behind ``after``."""
        query = _columns().where(*(OF_STATE[state] if state else ()))
        if kind is not None:
            query = query.where(INCIDENT.kind == clean(kind))
        if after is not None:
            behind = select(INCIDENT.at, INCIDENT.id).where(INCIDENT.id == after).subquery()
            here = tuple_(INCIDENT.at, INCIDENT.id)
            query = query.where(here < select(behind.c.at, behind.c.id).scalar_subquery())
        return await self._fetch(
            query.order_by(INCIDENT.at.desc(), INCIDENT.id.desc()).limit(limit)
        )

    async def alike(
        self, incident: Incident, *, since: datetime, until: datetime
    ) -> Sequence[Incident]:
        """Return the open ones of the same kind between two instants, itself included."""
        return await self._fetch(
            _columns()
            .where(
                *OF_STATE[State.OPEN],
                INCIDENT.kind == incident.kind,
                INCIDENT.at >= since,
                INCIDENT.at < until,
            )
            .order_by(INCIDENT.at)
            .limit(MOST_ALIKE)
        )

    async def of_details(self, kind: str, details: Collection[str]) -> Sequence[Incident]:
        """Return incidents of a kind with these details."""
        query = _columns().where(INCIDENT.kind == kind, INCIDENT.detail.in_(details))
        return await self._fetch(query) if details else ()

    async def counts(self) -> Sequence[Count]:
        """Return how many are not closed, by kind."""
        opened = INCIDENT.explained_at.is_(None)
        query = (
            select(
                INCIDENT.kind,
                func.count().filter(opened).label("open"),
                func.count().filter(~opened).label("explained"),
                func.min(INCIDENT.at).label("oldest_at"),
            )
            .where(INCIDENT.closed_at.is_(None))
            .group_by(INCIDENT.kind)
            .order_by(INCIDENT.kind)
        )
        async with asking(self._engine) as connection:
            return [Count(**row) for row in (await connection.execute(query)).mappings()]

    async def explain(
        self, ids: Collection[IncidentId], explanation: str, *, actor: Actor, at: datetime
    ) -> int:
        """Say what they were; return how many were not closed and have it now."""
        text = clean(explanation)
        values = {
            "explained_at": at,
            "explained_by": signature(actor),
            "explanation": text,
        }
        return await self._change(
            (INCIDENT.id.in_(ids), INCIDENT.closed_at.is_(None)),
            values,
            lambda each: events.explained(each, text, actor=actor, at=at),
        )

    async def close(self, ids: Collection[IncidentId], *, actor: Actor, at: datetime) -> int:
        """Close what is explained; return how many were."""
        return await self._change(
            (INCIDENT.id.in_(ids), *OF_STATE[State.EXPLAINED]),
            {"closed_at": at, "closed_by": signature(actor)},
            lambda each: events.closed(each, actor=actor, at=at),
        )

    async def _change(
        self,
        conditions: tuple[Any, ...],
        values: dict[str, Any],
        entry: Callable[[Incident], AuditEvent],
    ) -> int:
        statement = (
            update(INCIDENT)
            .where(*conditions)
            .values(values)
            .returning(*_columns().selected_columns)
        )
        with translated():
            async with self._engine.begin() as connection:
                changed = [_incident(each) for each in await connection.execute(statement)]
                if changed:
                    await trail.append(connection, [entry(each) for each in changed])
                return len(changed)

    async def _fetch(self, query: Select[Any]) -> Sequence[Incident]:
        async with asking(self._engine) as connection:
            return [_incident(each) for each in await connection.execute(query)]


def _columns() -> Select[Any]:
    return select(*INCIDENT.__table__.columns)


def _incident(row: Row[Any]) -> Incident:
    return Incident(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
