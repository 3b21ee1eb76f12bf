"""Capture's side of the board: shows what is recorded, takes orders, tells what became of them.

The call path never waits for it. While the database is away calls are recorded as before, no
order arrives, and answers wait here and in the journals of their calls.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from recorder.errors import Unavailable
from recorder.live.model import InProgress, Links, Node, Order, Settled
from recorder.live.ports import Board
from recorder.model import CallId
from recorder.ports import Clock

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.4
"""How often orders are looked for. A clerk waits 2 s at most for all (RG.12)."""

REPORT_EVERY_S = 2.0
AWAY_PAUSE_S = 2.0


class Hands(Protocol):
    """Whoever has the calls in hand."""

    def in_progress(self) -> Sequence[InProgress]:
        """Return the calls that are being recorded."""

    def order(self, order: Order) -> Settled | None:
        """Hand an order to its call; None = its answer follows. Never blocks."""


class OrderDesk:
    """Works until cancelled; no failure of it ends or delays a call."""

    def __init__(
        self,
        *,
        board: Board,
        hands: Hands,
        node: str,
        clock: Clock,
        links: Callable[[], Links],
    ) -> None:
        """``links`` tells what this process is connected with now."""
        self._board = board
        self._hands = hands
        self._node = node
        self._clock = clock
        self._links = links
        self._untold: list[Settled] = []
        self._wake = asyncio.Event()
        self._shown: dict[CallId, InProgress] | None = None
        """What the board shows; None = not known."""
        self._reported: tuple[float, Links] | None = None
        self._away = False

    def tell(self, settled: Settled) -> None:
        """Take an answer to be told; never blocks."""
        self._untold.append(settled)
        self._wake.set()

    async def run(self) -> None:
        """Look, take, tell, until cancelled."""
        while True:
            pause = LOOK_EVERY_S
            try:
                await self._turn()
                if self._away:
                    log.info("live_control_back")
                self._away = False
            except Unavailable as error:
                if not self._away:
                    log.warning("live_control_away", why=str(error))
                self._away, self._shown, pause = True, None, AWAY_PAUSE_S
            # Whatever goes wrong here, the calls go on.
            except Exception:
                log.exception("live_control_failed")
                self._shown, pause = None, AWAY_PAUSE_S
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _turn(self) -> None:
        self._wake.clear()
        await self._tell()
        if self._shown is None:
            await self._board.clear(self._node)
            self._shown, self._reported = {}, None
        for order in await self._board.take(self._node, at=self._clock.now()):
            settled = self._hands.order(order)
            if settled is not None:
                self._untold.append(settled)
        await self._show(self._shown)
        await self._tell()

    async def _tell(self) -> None:
        if telling := list(self._untold):
            await self._board.settle(telling)
            del self._untold[: len(telling)]

    async def _show(self, shown: dict[CallId, InProgress]) -> None:
        now = {each.call_id: each for each in self._hands.in_progress()}
        changed = [each for each in now.values() if shown.get(each.call_id) != each]
        gone = shown.keys() - now.keys()
        links = self._links()
        mono = self._clock.monotonic()
        fresh = self._reported is not None and (
            mono - self._reported[0] < REPORT_EVERY_S and self._reported[1] == links
        )
        if changed or gone or not fresh:
            node = Node(
                name=self._node,
                seen_at=self._clock.now(),
                switchboard=links.switchboard,
                linked=links.linked,
                control_set=links.control_set,
            )
            await self._board.show(node, changed=changed, gone=gone)
            self._reported = (mono, links)
            self._shown = now
