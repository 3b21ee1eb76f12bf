"""The audit trail's rows: appended in the transaction of the act they record (RG.15)."""

import os
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from recorder.adapters.postgres import tables_audit
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import translated
from recorder.audit.event import Actor, AuditEvent, Scalar
from recorder.audit.rules import Entry, Position, chain_all
from recorder.errors import RecorderError, TrailUnavailable

SALT_BYTES = 32
PERSONAL, HEAD = tables_audit.AuditPersonalTable, tables_audit.AuditHeadTable

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


_TAKES = text(
    "SELECT has_table_privilege('audit_event', 'INSERT') "
    "AND has_table_privilege('audit_personal', 'INSERT') "
    "AND current_setting('transaction_read_only') = 'off' AND EXISTS (SELECT FROM audit_head)"
)


async def require_open(connection: AsyncConnection) -> None:
    """Raise ``TrailUnavailable`` where no entry could be written, told without writing one."""
    try:
        with translated():
            takes = await connection.scalar(_TAKES)
    except RecorderError as error:
        raise TrailUnavailable(f"the audit trail cannot be written: {error}") from None
    if not takes:
        raise TrailUnavailable("the audit trail takes nothing: `recorder audit verify`")


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
