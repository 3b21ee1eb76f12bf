"""An ARI client in use, and what it reported; for every server of the contract suite."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine

from recorder.adapters.ari import AriClient, Event
from tests.contracts.hostile_ari import PASSWORD, USER


class Session:
    """A client in use, and what it reported."""

    def __init__(self, url: str, **more: float | str) -> None:
        self.events: list[Event] = []
        self.order: list[str] = []
        self.connections = 0
        self.prepare: Callable[[], Awaitable[None]] | None = None
        self.client = AriClient(
            url=url,
            user=USER,
            password=str(more.get("password", PASSWORD)),
            application="recorder",
            on_event=self._take,
            on_connect=self._connected,
            on_disconnect=lambda: self.order.append("disconnected"),
            timeout_s=float(more.get("timeout_s", 2.0)),
            heartbeat_s=float(more.get("heartbeat_s", 5.0)),
        )

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self.order.append(event.type)
        if event.type == "Poison":
            raise ZeroDivisionError

    async def _connected(self) -> None:
        self.connections += 1
        if self.prepare is not None:
            await self.prepare()
        self.order.append("prepared")

    async def heard_when(self, done: Callable[[], bool]) -> None:
        """Wait until ``done``, looking again after whatever happens."""
        async with asyncio.timeout(30):
            while not done():  # noqa: ASYNC110 - ``done`` looks at anything
                await asyncio.sleep(0.005)

    async def run_until(self, done: Callable[[], bool]) -> None:
        """Run the client until ``done``; what ``run`` raises comes out."""
        await self.run_while(self.heard_when(done))

    async def run_while(self, script: Coroutine[None, None, None]) -> None:
        """Run the client beside ``script``; what either raises comes out."""
        async with self.client:
            try:
                async with asyncio.TaskGroup() as tasks:
                    running = tasks.create_task(self.client.run())
                    await script
                    running.cancel()
            except ExceptionGroup as group:
                raise group.exceptions[0] from None

    def heard(self, *types: str) -> Callable[[], bool]:
        return lambda: [each.type for each in self.events][-len(types) :] == list(types)
