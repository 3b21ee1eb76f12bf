"""Orders from pages and from the prompt: placed, and waited for."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from recorder.audit.event import Actor
from recorder.live.model import Act, Answer, InProgress, Node, Order, OrderId
from recorder.live.ports import OrderBook
from recorder.live.rules import hindrance
from recorder.model import CallId
from recorder.ports import Clock

LOOK_EVERY_S = 0.1
ANSWER_WITHIN_S = 4.0
"""Longer than anything that capture does about an order; then the answer is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTheBoard:
    """What there is to be seen."""

    nodes: Sequence[Node]
    calls: Sequence[InProgress]

    def call(self, call_id: UUID) -> InProgress | None:
        """Return one call, None if it is not in progress."""
        return next((each for each in self.calls if each.call_id == call_id), None)

    def node_of(self, call: InProgress) -> Node | None:
        """Return the process that has a call in hand."""
        return next((each for each in self.nodes if each.name == call.node), None)


class LiveController:
    """Shows calls in progress and gives orders. Who may is asked before, by the access rules."""

    def __init__(self, *, book: OrderBook, clock: Clock, new_id: Callable[[], UUID]) -> None:
        self._book = book
        self._clock = clock
        self._new_id = new_id

    async def board(self) -> OnTheBoard:
        """Return the calls in progress and the processes that have them in hand."""
        nodes, calls = await self._book.in_progress()
        return OnTheBoard(nodes=nodes, calls=calls)

    async def order(
        self, call: InProgress, act: Act, *, node: Node | None, by: Actor, reason: str
    ) -> OrderId:
        """Give an order; when nothing can reach the call, it is refused and noted at once."""
        now = self._clock.now()
        order = Order(
            id=OrderId(self._new_id()),
            call_id=CallId(call.call_id),
            act=act,
            by=by,
            asked_at=now,
        )
        await self._book.place(order, node=call.node, reason=reason, answer=hindrance(node, now))
        return order.id

    async def answer(
        self, order_id: OrderId, *, within_s: float = ANSWER_WITHIN_S
    ) -> tuple[Order, Answer | None]:
        """Return an order and its answer, waiting for it; None = none came in time.

        Raises ``NotFound``.
        """
        deadline = self._clock.monotonic() + within_s
        while True:
            order, answer, _ = await self._book.answer(order_id)
            if answer is not None or self._clock.monotonic() >= deadline:
                return order, answer
            await asyncio.sleep(LOOK_EVERY_S)
