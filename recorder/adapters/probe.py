"""What the dialplan asks before it hands a caller over, and Prometheus every few seconds."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import cast

from prometheus_client import CONTENT_TYPE_LATEST

LONGEST_REQUEST = 8192
"""Bytes; what is longer is no question of the dialplan."""

SILENT_S = 5.0
"""Who has asked nothing by then is let go: each that waits holds a descriptor (F19)."""

PLAIN = "text/plain"
ANSWER = (
    "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
    "Connection: close\r\n\r\n"
)


@asynccontextmanager
async def serve_probe(
    hosts: str | Sequence[str],
    port: int,
    *,
    is_ready: Callable[[], bool],
    figures: Callable[[], bytes] = bytes,
) -> AsyncIterator[None]:
    """Answer ``/probe``, ``/healthz`` and ``/metrics`` from the very loop that handles calls.

    A frozen loop answers nothing, and the dialplan's one second runs out; that is the point.
    ``/probe`` says ``ok`` only while calls are served: with the link to Asterisk up, and whoever
    was found waiting after a connection let go first. ``figures`` must not wait for a disk.
    """
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Question(is_ready, figures), hosts, port)
    try:
        yield
    finally:
        server.close()


class _Question(asyncio.Protocol):
    """One connection, one question. Every call asks; a web framework would cost it a tenth."""

    def __init__(self, is_ready: Callable[[], bool], figures: Callable[[], bytes]) -> None:
        self._is_ready = is_ready
        self._figures = figures
        self._asked = b""
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(SILENT_S, self._transport.abort)

    def connection_lost(self, _: Exception | None) -> None:
        """Wait no longer."""
        if self._patience is not None:
            self._patience.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer once the question is whole."""
        self._asked += data
        if self._transport is None or self._transport.is_closing():
            return
        if b"\r\n\r\n" in self._asked:
            status, kind, text = self._answer()
            head = ANSWER.format(status=status, kind=kind, length=len(text))
            self._transport.write(head.encode("ascii") + text)
        elif len(self._asked) <= LONGEST_REQUEST:
            return
        self._transport.close()

    def _answer(self) -> tuple[str, str, bytes]:
        method, _, rest = self._asked.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method != b"GET" or path not in {b"/probe", b"/healthz", b"/metrics"}:
            return "404 Not Found", PLAIN, b"no"
        if path == b"/metrics":
            return "200 OK", CONTENT_TYPE_LATEST, self._figures()
        if path == b"/healthz" or self._is_ready():
            return "200 OK", PLAIN, b"ok"
        return "503 Service Unavailable", PLAIN, b"no"
