"""What live control asks of the world. Every method raises ``LedgerUnavailable``."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from recorder.live.model import Answer, InProgress, Node, Order, OrderId, Settled
from recorder.model import CallId


class Board(Protocol):
    """Where capture shows its calls and takes orders; one capture process under each name."""

    async def clear(self, node: str) -> None:
        """Forget the calls that an earlier process of this name showed, and what is long past."""

    async def show(
        self,
        node: Node,
        *,
        changed: Sequence[InProgress],
        gone: Collection[CallId],
    ) -> None:
        """Say that this process lives and whether it can act; put calls up, take calls down."""

    async def take(self, node: str, *, at: datetime) -> Sequence[Order]:
        """Take the orders for this process, oldest first. What was taken is never given again."""

    async def settle(self, settled: Sequence[Settled]) -> None:
        """Write answers, each with its entry in the trail, in one transaction.

        An answer is written once, however often it comes; only a doubtful one may be followed by
        another. Raises ``TrailUnavailable`` as well.
        """


class OrderBook(Protocol):
    """Where people see calls in progress and give orders."""

    async def in_progress(self) -> tuple[Sequence[Node], Sequence[InProgress]]:
        """Return the capture processes, and the calls with the oldest first."""

    async def place(
        self, order: Order, *, node: str, reason: str, answer: Answer | None = None
    ) -> None:
        """Give an order, with its entry in the trail, in one transaction.

        ``answer``: it is refused already, which is written too. Raises ``TrailUnavailable``.
        """

    async def answer(self, order_id: OrderId) -> tuple[Order, Answer | None, datetime | None]:
        """Return an order and its answer, None while there is none. Raises ``NotFound``."""
