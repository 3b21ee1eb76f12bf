"""Sends audio piece by piece, for as long as the listener may listen and does (A3, A8, R8.1b)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

import structlog
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from recorder.errors import RecorderError

log = structlog.get_logger(__name__)

MOST_OF_ONE = 8
"""Streams that one person may have at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast, and how often it is asked whether it may go on."""

    at_once: int = 512 << 10
    """Bytes sent without pause: enough to begin, and for a seek."""
    bytes_a_second: int = 128_000
    """Then: four times as fast as it is heard. Who may no longer listen has little in hand."""
    asked_every_s: float = 2.0
    stalled_after_s: float = 60.0
    """A listener who takes nothing for so long is let go; a player comes back by itself."""


class Streams:
    """Counts what one person has sent at once by this process.

    A player takes one, two while it seeks. Without a limit one listener takes every place that
    the process has, and nobody else gets a page.
    """

    def __init__(self, most: int = MOST_OF_ONE) -> None:
        self._most = most
        self._running: Counter[UUID] = Counter()

    def begin(self, account_id: UUID) -> bool:
        """Count one more; False when there are enough."""
        if self._running[account_id] >= self._most:
            return False
        self._running[account_id] += 1
        return True

    def end(self, account_id: UUID) -> None:
        """Count one less."""
        self._running[account_id] -= 1
        if self._running[account_id] <= 0:
            del self._running[account_id]

    def of(self, account_id: UUID) -> int:
        """Return how many are sent to one person now."""
        return self._running.get(account_id, 0)


class Outcome(Enum):
    """How a stream ended."""

    WHOLE = "whole"
    LEFT = "left"
    """The listener went away."""
    FORBIDDEN = "forbidden"
    FAILED = "failed"
    STALLED = "stalled"


class Broken(Exception):
    """The answer is not what its head promised; the connection ends."""


class AudioStream(Response):
    """One range of one recording. The first piece is read before the head is sent."""

    def __init__(
        self,
        first: bytes,
        rest: AsyncIterator[bytes],
        *,
        status: int,
        headers: Mapping[str, str],
        pace: Pace,
        may_go_on: Callable[[], Awaitable[bool]],
        on_sent: Callable[[int], Awaitable[None]],
        on_end: Callable[[Outcome], Awaitable[None]],
    ) -> None:
        super().__init__(None, status, headers=dict(headers), media_type="audio/wav")
        self._first, self._rest, self._pace = first, rest, pace
        self._may_go_on, self._on_sent, self._on_end = may_go_on, on_sent, on_end
        self._sent = 0

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end, or until one of the reasons to stop."""
        outcome = Outcome.LEFT
        try:
            async with asyncio.TaskGroup() as tasks:
                running = {
                    tasks.create_task(each, name=name)
                    for name, each in (
                        ("sending", self._send_all(send)),
                        ("asking", self._ask()),
                        ("watching", _until_left(receive)),
                    )
                }
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                outcome = min((each.result() for each in done), key=list(Outcome).index)
                for each in running:
                    each.cancel()
        finally:
            try:
                await self._on_sent(self._sent)
            finally:
                await self._on_end(outcome)
        if outcome not in {Outcome.WHOLE, Outcome.LEFT}:
            raise Broken(outcome.value)

    async def _send_all(self, send: Send) -> Outcome:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        piece = self._first
        try:
            while piece:
                async with asyncio.timeout(self._pace.stalled_after_s):
                    await send(_body(piece))
                self._sent += len(piece)
                ahead = (self._sent - self._pace.at_once) / self._pace.bytes_a_second
                await asyncio.sleep(max(0.0, began + ahead - loop.time()))
                piece = await anext(self._rest, b"")
            await send(_body(b"", more=False))
        except TimeoutError:
            return Outcome.STALLED
        except RecorderError as error:
            log.warning("playback_failed", error=type(error).__name__)
            return Outcome.FAILED
        return Outcome.WHOLE

    async def _ask(self) -> Outcome:
        while True:
            await asyncio.sleep(self._pace.asked_every_s)
            try:
                if not await self._may_go_on():
                    return Outcome.FORBIDDEN
                await self._on_sent(self._sent)
            except RecorderError as error:
                # Whoever cannot be asked may not go on.
                log.warning("playback_failed", error=type(error).__name__)
                return Outcome.FAILED


async def _until_left(receive: Receive) -> Outcome:
    while (await receive())["type"] != "http.disconnect":
        pass
    return Outcome.LEFT


def _body(piece: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": piece, "more_body": more}
