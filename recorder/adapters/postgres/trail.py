"""The audit trail's rows: appended in the transaction of the act they record (RG.15)."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.adapters.postgres import tables
from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.ledger import clean
from recorder.audit.event import Actor, ActorKind, AuditEvent, Scalar
from recorder.audit.rules import Entry, Personal, Position, chain_all
from recorder.errors import RecorderError, TrailUnavailable

SALT_BYTES = 32
EVENT, PERSONAL = tables.AuditEventTable, tables.AuditPersonalTable
HEAD, START = tables.AuditHeadTable, tables.AuditStartTable

COLUMNS = {
    "seq": "bigint",
    "at": "timestamptz",
    "actor_kind": "text",
    "actor_name": "text",
    "action": "text",
    "subject": "text",
    "reason": "text",
    "details": "text",
    "commitment": "bytea",
    "previous": "bytea",
    "hash": "bytea",
}
# One statement and a fixed number of parameters, however many entries.
_INSERT = text(
    f"INSERT INTO audit_event ({', '.join(COLUMNS)}) SELECT * FROM unnest("  # noqa: S608 - our own names
    + ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in COLUMNS.items())
    + ")"
)


async def append(connection: AsyncConnection, events: Sequence[AuditEvent]) -> None:
    """Write entries in the caller's transaction: they are there if and only if it commits.

    Locks the head of the trail until the transaction ends, so that numbers have no gap. Call it
    last, when every other row is locked and written: then others wait briefly, and no two
    transactions wait for each other. Hundreds of events in one call cost little more than one.

    Raises ``TrailUnavailable``; the transaction is then lost, and with it the act.
    """
    if not events:
        return
    try:
        with translated():
            await _append(connection, events)
    except RecorderError as error:
        raise TrailUnavailable(f"the audit trail cannot be written: {error}") from None


async def _append(connection: AsyncConnection, events: Sequence[AuditEvent]) -> None:
    row = (await connection.execute(select(HEAD.seq, HEAD.hash).with_for_update())).first()
    if row is None:
        raise TrailUnavailable("its head is missing: `recorder audit verify`")
    entries = chain_all(
        [_storable(each) for each in events],
        after=Position(seq=row.seq, hash=row.hash),
        salts=(os.urandom(SALT_BYTES) for _ in events),
    )
    rows = [_row(each) for each in entries]
    await connection.execute(_INSERT, {name: [row[name] for row in rows] for name in COLUMNS})
    personal = [
        {"seq": each.seq, "salt": each.personal.salt, "data": each.personal.data}
        for each in entries
        if each.personal is not None
    ]
    if personal:
        await connection.execute(insert(PERSONAL), personal)
    last = entries[-1].position
    await connection.execute(update(HEAD).values(seq=last.seq, hash=last.hash))


async def entries_after(engine: AsyncEngine, seq: int, *, limit: int) -> Sequence[Entry]:
    """Return entries in order, from behind the number ``seq``, each with what is left of it."""
    query = (
        select(*EVENT.__table__.columns, PERSONAL.salt, PERSONAL.data)
        .outerjoin(PERSONAL, PERSONAL.seq == EVENT.seq)
        .where(EVENT.seq > seq)
        .order_by(EVENT.seq)
        .limit(limit)
    )
    with translated():
        async with engine.connect() as connection:
            return [_entry(row) for row in await connection.execute(query)]


async def head(engine: AsyncEngine) -> Position | None:
    """Return where the trail says that it ends; None = its head is missing."""
    return await _position(engine, select(HEAD.seq, HEAD.hash))


async def start(engine: AsyncEngine) -> Position | None:
    """Return where the kept part of the trail begins; None = nothing says so."""
    return await _position(engine, select(START.seq, START.hash))


async def _position(engine: AsyncEngine, query: Select[int, bytes]) -> Position | None:
    with translated():
        async with engine.connect() as connection:
            row = (await connection.execute(query)).first()
            return Position(seq=row.seq, hash=row.hash) if row else None


def _storable(event: AuditEvent) -> AuditEvent:
    """Return the event with texts as PostgreSQL can keep them: what is hashed is what is there."""
    return replace(
        event,
        actor=Actor(kind=event.actor.kind, name=clean(event.actor.name)),
        subject=clean(event.subject),
        reason=clean(event.reason),
        details={name: _clean_scalar(value) for name, value in event.details.items()},
        personal={name: clean(value) for name, value in event.personal.items()},
    )


def _clean_scalar(value: Scalar) -> Scalar:
    return clean(value) if isinstance(value, str) else value


def _row(entry: Entry) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at,
        "actor_kind": entry.actor.kind.value,
        "actor_name": entry.actor.name,
        "action": entry.action,
        "subject": entry.subject,
        "reason": entry.reason,
        "details": entry.details,
        "commitment": entry.commitment,
        "previous": entry.previous,
        "hash": entry.hash,
    }


def _entry(row: Any) -> Entry:  # noqa: ANN401 - a row of SQLAlchemy
    return Entry(
        seq=row.seq,
        at=row.at,
        actor=Actor(kind=ActorKind(row.actor_kind), name=row.actor_name),
        action=row.action,
        subject=row.subject,
        reason=row.reason,
        details=row.details,
        commitment=row.commitment,
        previous=row.previous,
        hash=row.hash,
        personal=Personal(salt=row.salt, data=row.data) if row.salt is not None else None,
    )
