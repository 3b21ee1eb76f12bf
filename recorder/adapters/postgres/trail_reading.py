"""Reading the audit trail, and the two ways in which a part of it is forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Executable, Select, case, delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import tables_audit, trail
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.audit.event import Actor, ActorKind, AuditEvent
from recorder.audit.ports import Start
from recorder.audit.rules import Entry, Personal, Position

EVENT, PERSONAL = tables_audit.AuditEventTable, tables_audit.AuditPersonalTable
HEAD, START = tables_audit.AuditHeadTable, tables_audit.AuditStartTable
EARLIEST, LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""What Python can hold in any zone. PostgreSQL holds more: infinity, and years before Christ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries a person looks for. Everything given must hold."""

    actor: str | None = None
    action: str | None = None
    """Whole, or its noun alone: ``recording``."""
    subject: str | None = None
    subjects: tuple[str, ...] = ()
    """About any of these; empty = about anything."""
    since: datetime | None = None
    until: datetime | None = None
    """Excluded."""
    before: int | None = None
    """Only entries with a smaller number: where the page before ended."""
    limit: int = 50
    offset: int = 0


class PostgresTrail:
    """The trail as PostgreSQL keeps it. See ``recorder.audit.ports.Trail`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def head(self) -> Position | None:
        """Return where the trail says that it ends; None = it does not say."""
        row = await self._first(select(HEAD.seq, HEAD.hash))
        return Position(seq=row.seq, hash=row.hash) if row else None

    async def start(self) -> Start | None:
        """Return where its kept part begins; None = it does not say."""
        row = await self._first(select(START.seq, START.hash, START.note))
        if row is None:
            return None
        return Start(position=Position(seq=row.seq, hash=row.hash), note=row.note)

    async def entries_after(self, seq: int, *, limit: int) -> Sequence[Entry]:
        """Return entries in the order of their numbers, each with what is left of it."""
        query = _entries().where(EVENT.seq > seq).order_by(EVENT.seq).limit(limit)
        return await self._fetch(query)

    async def find(self, wanted: Wanted) -> Sequence[Entry]:
        """Return entries, newest first."""
        query = _entries().where(*_conditions(wanted)).order_by(EVENT.seq.desc())
        return await self._fetch(query.limit(wanted.limit).offset(wanted.offset))

    async def count(self) -> int:
        """Return how many entries there are."""
        row = await self._first(select(func.count().label("entries")).select_from(EVENT))
        return int(row.entries)

    async def last_before(self, at: datetime) -> int:
        """Return the last number up to which every entry is older; 0 = none."""
        # Clocks differ: an old entry behind a young one stays with it. The newest entry stays in
        # any case: the chain goes on from it.
        stays = select(func.min(EVENT.seq)).where(EVENT.at >= at).scalar_subquery()
        newest = select(HEAD.seq).scalar_subquery()
        last = func.max(EVENT.seq).label("last")
        row = await self._first(
            select(last).where(EVENT.seq < newest, EVENT.seq < func.coalesce(stays, newest))
        )
        return int(row.last or 0)

    async def forget(self, through: Position, *, note: str, event: AuditEvent) -> int:
        """Drop all entries up to this one, leave the note, tell the trail; return how many."""
        with translated():
            async with self._engine.begin() as connection:
                dropped = await connection.scalar(select(func.audit_forget(through.seq, note)))
                await trail.append(connection, [event])
        return int(dropped or 0)

    async def forget_personal(self, *, before: datetime, event: AuditEvent) -> int:
        """Drop personal parts of older entries, and tell the trail if there were any."""
        older = select(EVENT.seq).where(EVENT.at < before)
        statement = delete(PERSONAL).where(PERSONAL.seq.in_(older))
        with translated():
            async with self._engine.begin() as connection:
                dropped = (await connection.execute(statement)).rowcount
                if dropped:
                    details = {**event.details, "entries": dropped}
                    await trail.append(connection, [replace(event, details=details)])
        return dropped

    async def record(self, event: AuditEvent) -> None:
        """Write one entry about an act that changes no row. Raises ``TrailUnavailable``."""
        with translated():
            async with self._engine.begin() as connection:
                await trail.append(connection, [event])

    async def editable(self) -> bool:
        """Tell whether whoever is connected could edit the trail: an owner or a superuser."""
        may = func.has_table_privilege("audit_event", "UPDATE, DELETE, TRUNCATE")
        row = await self._first(select(may.label("may")))
        return bool(row.may)

    async def _first(self, query: Executable) -> Any:  # noqa: ANN401 - a row of SQLAlchemy
        async with asking(self._engine) as connection:
            return (await connection.execute(query)).first()

    async def _fetch(self, query: Select[Any]) -> list[Entry]:
        async with asking(self._engine) as connection:
            return [_entry(row) for row in await connection.execute(query)]


def _entries() -> Select[Any]:
    columns = [each for each in EVENT.__table__.columns if each.name != "at"]
    # Whatever a superuser wrote there must be read, to be found.
    readable = case((EVENT.at.between(EARLIEST, LATEST), EVENT.at), else_=EARLIEST).label("at")
    query = select(*columns, readable, PERSONAL.salt, PERSONAL.data)
    return query.outerjoin(PERSONAL, PERSONAL.seq == EVENT.seq)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.actor is not None:
        conditions.append(EVENT.actor_name == clean(wanted.actor))
    if wanted.action is not None:
        action = clean(wanted.action)
        conditions.append(
            EVENT.action == action
            if ":" in action
            else EVENT.action.startswith(f"{action}:", autoescape=True)
        )
    if wanted.subject is not None:
        conditions.append(EVENT.subject == clean(wanted.subject))
    if wanted.subjects:
        conditions.append(EVENT.subject.in_([clean(each) for each in wanted.subjects]))
    if wanted.since is not None:
        conditions.append(EVENT.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(EVENT.at < wanted.until)
    if wanted.before is not None:
        conditions.append(EVENT.seq < wanted.before)
    return conditions


def _entry(row: Any) -> Entry:  # noqa: ANN401 - a row of SQLAlchemy
    return Entry(
        seq=row.seq,
        at=row.at,
        actor=_actor(row.actor_kind, row.actor_name),
        action=row.action,
        subject=row.subject,
        reason=row.reason,
        details=row.details,
        commitment=row.commitment,
        previous=row.previous,
        hash=row.hash,
        personal=Personal(salt=row.salt, data=row.data) if row.salt is not None else None,
    )


def _actor(kind: str, name: str) -> Actor:
    """Return who acted; a kind that is none shows in the name, and its entry does not verify."""
    try:
        return Actor(kind=ActorKind(kind), name=name)
    except ValueError:
        return Actor(kind=ActorKind.PROCESS, name=f"{kind}: {name}")
