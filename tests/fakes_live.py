"""A board in memory. Passes ``tests/contracts/test_live_board.py`` beside the real one."""

from collections.abc import Collection, Sequence
from datetime import datetime

from recorder.errors import LedgerUnavailable, NotFound
from recorder.live.model import Answer, InProgress, Node, Order, OrderId, Settled
from recorder.live.rules import entry_of
from recorder.model import CallId


class FakeBoard:
    """State in plain attributes; ``away`` makes it unreachable, ``trail_away`` its trail."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.calls: dict[CallId, InProgress] = {}
        self.orders: dict[OrderId, tuple[Order, str]] = {}
        self.taken: set[OrderId] = set()
        self.answers: dict[OrderId, Settled] = {}
        self.trail: list[tuple[str, str]] = []
        self.away = self.trail_away = False

    async def clear(self, node: str) -> None:
        self._answer()
        self.calls = {name: each for name, each in self.calls.items() if each.node != node}

    async def show(
        self, node: Node, *, changed: Sequence[InProgress], gone: Collection[CallId]
    ) -> None:
        self._answer()
        self.nodes[node.name] = node
        self.calls |= {each.call_id: each for each in changed}
        self.calls = {name: each for name, each in self.calls.items() if name not in gone}

    async def take(self, node: str, *, at: datetime) -> Sequence[Order]:
        self._answer()
        mine = [
            order
            for order, whose in self.orders.values()
            if whose == node and order.id not in self.taken
        ]
        self.taken |= {each.id for each in mine}
        return sorted(mine, key=lambda each: each.id)

    async def settle(self, settled: Sequence[Settled]) -> None:
        self._answer()
        if settled and self.trail_away:
            raise LedgerUnavailable("the trail")
        for each in settled:
            self._settle(each)

    async def in_progress(self) -> tuple[Sequence[Node], Sequence[InProgress]]:
        self._answer()
        by_age = sorted(self.calls.values(), key=lambda each: (each.arrived_at, each.call_id))
        return list(self.nodes.values()), by_age

    async def place(
        self, order: Order, *, node: str, reason: str, answer: Answer | None = None
    ) -> None:
        self._answer()
        if self.trail_away:
            raise LedgerUnavailable("the trail")
        self.orders[order.id] = (order, node)
        self.trail.append(("order:placed", f"call:{order.call_id}"))
        if answer is not None:
            self.taken.add(order.id)
            self._settle(Settled(order=order, answer=answer, at=order.asked_at))

    async def answer(self, order_id: OrderId) -> tuple[Order, Answer | None, datetime | None]:
        self._answer()
        if order_id not in self.orders:
            raise NotFound("no order has this id")
        found = self.answers.get(order_id)
        order, _ = self.orders[order_id]
        return order, found.answer if found else None, found.at if found else None

    def _settle(self, settled: Settled) -> None:
        known = self.answers.get(settled.order.id)
        in_doubt = known is not None and known.answer is Answer.DOUBTFUL
        if known is not None and not (in_doubt and settled.answer is not Answer.DOUBTFUL):
            return
        self.orders.setdefault(settled.order.id, (settled.order, ""))
        self.taken.add(settled.order.id)
        self.answers[settled.order.id] = settled
        action = entry_of(settled.order.act, settled.answer)
        self.trail.append((action, f"call:{settled.order.call_id}"))

    def _answer(self) -> None:
        if self.away:
            raise LedgerUnavailable("away")
