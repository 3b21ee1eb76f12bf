"""The board between capture and people: calls in progress, orders, answers. Polled, not notified.

See ``recorder.live.ports`` for the promises and ADR 0053 for why.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.tables_live import (
    CaptureNodeTable,
    LiveCallTable,
    LiveOrderTable,
)
from recorder.adapters.postgres.trail import append
from recorder.audit.event import Actor, ActorKind, AuditEvent
from recorder.errors import NotFound
from recorder.live.model import Act, Answer, InProgress, Node, Order, OrderId, Settled, State
from recorder.live.rules import entry_of
from recorder.model import CallId

NODE, CALL, ORDER = CaptureNodeTable, LiveCallTable, LiveOrderTable
NODES = select(*NODE.__table__.c).order_by(NODE.name)

ORDERS_KEPT_FOR = timedelta(days=40)
"""Longer than any call waits to be sealed: an answer that is here is not told a second time. The
trail keeps orders for as long as it keeps anything."""

NODES_KEPT_FOR = timedelta(days=1)
"""A process that was away for so long has no calls in hand."""


class PostgresBoard:
    """Capture's side. See ``recorder.live.ports.Board``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # One statement is a transaction of its own.
        self._asking = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def clear(self, node: str) -> None:
        """Forget the calls that an earlier process of this name showed, and what is long past."""
        newest = select(NODE.seen_at).order_by(NODE.seen_at.desc()).limit(1).scalar_subquery()
        old = select(NODE.name).where(NODE.seen_at < newest - NODES_KEPT_FOR)
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(
                    delete(CALL).where(or_(CALL.node == node, CALL.node.in_(old)))
                )
                await connection.execute(delete(NODE).where(NODE.name.in_(old)))
                await connection.execute(
                    delete(ORDER).where(ORDER.asked_at < newest - ORDERS_KEPT_FOR)
                )

    async def show(
        self, node: Node, *, changed: Sequence[InProgress], gone: Collection[CallId]
    ) -> None:
        """Say that this process lives; put calls up, take calls down."""
        seen = asdict(node)
        here = insert(NODE).values(seen)
        here = here.on_conflict_do_update(index_elements=["name"], set_=seen)
        with translated():
            async with self._engine.begin() as connection:
                if changed:
                    rows = [_call_row(each) for each in changed]
                    up = insert(CALL)
                    new = {name: up.excluded[name] for name in rows[0] if name != "call_id"}
                    up = up.on_conflict_do_update(index_elements=["call_id"], set_=new)
                    await connection.execute(up.values(rows))
                if gone:
                    await connection.execute(delete(CALL).where(CALL.call_id.in_(gone)))
                await connection.execute(here)

    async def take(self, node: str, *, at: datetime) -> Sequence[Order]:
        """Take the orders for this process. What was taken is never given again."""
        mine = update(ORDER).where(ORDER.node == node, ORDER.taken_at.is_(None))
        with translated():
            async with self._asking.connect() as connection:
                taken = (
                    await connection.execute(mine.values(taken_at=at).returning(*_ORDER))
                ).all()
        return sorted((_order(row) for row in taken), key=lambda each: each.id)

    async def settle(self, settled: Sequence[Settled]) -> None:
        """Write answers, each with its entry in the trail, in one transaction."""
        with translated():
            async with self._engine.begin() as connection:
                await settle_all(connection, settled, node=None)


class PostgresOrderBook:
    """People's side. See ``recorder.live.ports.OrderBook``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def in_progress(self) -> tuple[Sequence[Node], Sequence[InProgress]]:
        """Return the capture processes, and the calls with the oldest first."""
        async with asking(self._engine) as connection:
            nodes = await connection.execute(NODES)
            calls = await connection.execute(
                select(*CALL.__table__.c).order_by(CALL.arrived_at, CALL.call_id)
            )
            return (
                [_node(row) for row in nodes],
                [_call(row) for row in calls],
            )

    async def nodes(self) -> Sequence[Node]:
        """Return the capture processes."""
        async with asking(self._engine) as connection:
            return [_node(row) for row in await connection.execute(NODES)]

    async def place(
        self, order: Order, *, node: str, reason: str, answer: Answer | None = None
    ) -> None:
        """Give an order, with its entry in the trail, in one transaction."""
        row = _order_row(order, node)
        entries = [_entry("order:placed", order, order.asked_at, reason=reason)]
        if answer is not None:
            row |= {
                "taken_at": order.asked_at,
                "answered_at": order.asked_at,
                "answer": answer.value,
            }
            entries.append(_outcome(Settled(order=order, answer=answer, at=order.asked_at)))
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(insert(ORDER).values(row))
                await append(connection, entries)

    async def answer(self, order_id: OrderId) -> tuple[Order, Answer | None, datetime | None]:
        """Return an order and its answer, None while there is none. Raises ``NotFound``."""
        query = select(*_ORDER, ORDER.answer, ORDER.answered_at).where(ORDER.id == order_id)
        async with asking(self._engine) as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise NotFound("no order has this id")
        return _order(row), Answer(row.answer) if row.answer else None, row.answered_at


async def settle_all(
    connection: AsyncConnection,
    settled: Sequence[Settled],
    *,
    node: str | None,
    more: Sequence[AuditEvent] = (),
) -> None:
    """Write answers that are not there, then their entries and ``more``, in this transaction.

    An order from a telephone has no row before its answer; ``node`` None = it has, or its call
    is in progress.
    """
    entries = []
    for each in settled:
        row = _order_row(each.order, node or "") | {
            "taken_at": each.at,
            "answered_at": each.at,
            "answer": each.answer.value,
        }
        certain = each.answer is not Answer.DOUBTFUL
        # Once; only what was in doubt may still be made certain.
        unanswered = ORDER.answer.is_(None)
        write = (
            insert(ORDER)
            .values(row)
            .on_conflict_do_update(
                index_elements=["id"],
                set_={"answered_at": each.at, "answer": each.answer.value},
                where=unanswered | (ORDER.answer == Answer.DOUBTFUL.value)
                if certain
                else unanswered,
            )
            .returning(ORDER.id)
        )
        if (await connection.execute(write)).first() is not None:
            entries.append(_outcome(each))
    await append(connection, [*entries, *more])


def _outcome(settled: Settled) -> AuditEvent:
    order, answer = settled.order, settled.answer
    return _entry(entry_of(order.act, answer), order, settled.at, details={"answer": answer.value})


def _entry(
    action: str,
    order: Order,
    at: datetime,
    *,
    reason: str = "",
    details: Mapping[str, str] | None = None,
) -> AuditEvent:
    return AuditEvent(
        action=action,
        at=at,
        actor=order.by,
        subject=f"call:{order.call_id}",
        details={"order": str(order.id), "act": order.act.value, **(details or {})},
        # A person's own words, which may name somebody.
        personal={"reason": reason} if reason else {},
    )


def _node(row: Any) -> Node:  # noqa: ANN401 - a row
    return Node(
        name=row.name,
        seen_at=row.seen_at,
        switchboard=row.switchboard,
        linked=row.linked,
        control_set=row.control_set,
    )


_ORDER = (
    *(ORDER.id, ORDER.call_id, ORDER.act),
    *(ORDER.actor_kind, ORDER.actor_name, ORDER.asked_at),
)


def _order_row(order: Order, node: str) -> dict[str, Any]:
    return {
        "id": order.id,
        "call_id": order.call_id,
        "node": node,
        "act": order.act.value,
        "actor_kind": order.by.kind.value,
        "actor_name": clean(order.by.name),
        "asked_at": order.asked_at,
    }


def _order(row: Any) -> Order:  # noqa: ANN401 - a row
    return Order(
        id=OrderId(row.id),
        call_id=CallId(row.call_id),
        act=Act(row.act),
        by=Actor(kind=ActorKind(row.actor_kind), name=row.actor_name),
        asked_at=row.asked_at,
    )


def _call_row(call: InProgress) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "node": call.node,
        "arrived_at": call.arrived_at,
        "line": clean(call.line),
        "caller": clean(call.caller),
        "answered_at": call.answered_at,
        "parties": [clean(each) for each in call.parties],
        "connected": call.connected,
        "state": call.state.value,
        "since": call.since,
        "in_doubt": call.in_doubt,
    }


def _call(row: Any) -> InProgress:  # noqa: ANN401 - a row
    return InProgress(
        call_id=CallId(row.call_id),
        node=row.node,
        arrived_at=row.arrived_at,
        line=row.line,
        caller=row.caller,
        answered_at=row.answered_at,
        parties=tuple(row.parties),
        connected=row.connected,
        state=State(row.state),
        since=row.since,
        in_doubt=row.in_doubt,
    )
