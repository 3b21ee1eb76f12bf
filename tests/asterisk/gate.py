"""Between capture and ARI: a proxy in a thread of its own that can hold one request."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.tcp_proxy import Hold, TcpProxy


@contextmanager
def gate_before(port: int) -> Iterator[TcpProxy]:
    """Run a proxy before a port of this machine; its attributes may be changed from here."""
    proxy = TcpProxy(port)
    runs = threading.Event()
    ending: list[Callable[[], object]] = []

    async def serve() -> None:
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        ending.append(lambda: loop.call_soon_threadsafe(over.set))
        async with proxy.running():
            runs.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert runs.wait(5)
    try:
        yield proxy
    finally:
        proxy.holds.clear()
        ending[0]()
        thread.join(5)


def hold(proxy: TcpProxy, request: str) -> Hold:
    """Hold the next request that ``request`` (a regular expression) matches, and what follows."""
    made = Hold(request.encode())
    proxy.holds.append(made)
    return made
