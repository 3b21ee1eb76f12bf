"""Serves the application: uvicorn, with limits for whoever is slow or silent (A8, A11)."""

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import h11
from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from recorder.errors import ConfigurationError
from recorder.web.headers import headers_for
from recorder.web.rules import Origin

HEAD_WITHIN_S = 10.0
"""A connection that has sent no whole request head by then is closed."""
LARGEST_HEAD = 16 << 10
KEEP_ALIVE_S = 5
CONNECTIONS = 1000
"""More are closed as they come; requests have a lower limit of their own, in the envelope."""
BACKLOG = 256
END_WITHIN_S = 10
"""What is still being answered gets so long when the process is to stop."""


class Web(Server):
    """A server that leaves signals to the process and stops when it is cancelled."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to the process."""
        yield

    async def run_until_cancelled(self, listening: socket.socket) -> None:
        """Serve; on cancelling finish what is being answered, within its time."""
        serving = asyncio.ensure_future(self.serve(sockets=[listening]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self.should_exit = True
            await serving
            raise


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises ``ConfigurationError``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigurationError(
            f"the web cannot listen on {host} port {port} ({error.strerror}); "
            "check RECORDER_WEB_HOST and RECORDER_WEB_PORT"
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """What a connection is allowed."""

    head_within_s: float = HEAD_WITHIN_S
    connections: int = CONNECTIONS
    headers: Mapping[bytes, bytes] = field(default_factory=dict)
    """Of what is answered before the application is asked."""


class Bounded(H11Protocol):
    """HTTP/1.1 that does not wait for ever and says nothing without its headers."""

    def __init__(self, patience: Patience, *args: Any, **rest: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **rest)
        self._patience = patience
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._expect_head()
        if len(self.connections) > self._patience.connections:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Stop waiting once a head is whole; dripping it buys no time."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Wait for the next head, which may be here already."""
        self._expect_head()
        super().on_response_complete()
        self._look()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
        headers += self._patience.headers.items()
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=msg.encode("ascii")),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _expect_head(self) -> None:
        self._head_came()
        self._late = self.loop.call_later(self._patience.head_within_s, self._give_up)

    def _look(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._head_came()

    def _head_came(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def server_for(
    app: ASGIApp,
    *,
    origin: Origin,
    head_within_s: float = HEAD_WITHIN_S,
    connections: int = CONNECTIONS,
) -> Web:
    """Return the server, not started yet."""
    patience = Patience(
        head_within_s=head_within_s, connections=connections, headers=headers_for(origin)
    )
    return Web(
        Config(
            app,
            http=partial(Bounded, patience),  # type: ignore[arg-type]
            ws="none",
            lifespan="off",
            # Which address asks is told by our own rule, and only by the named proxy (R6.2b).
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            # What it would say, the envelope says; a stranger's noise is not for a log.
            log_level="critical",
            h11_max_incomplete_event_size=LARGEST_HEAD,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=END_WITHIN_S,
        )
    )
