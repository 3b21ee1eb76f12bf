"""The connection: one websocket for events, a bounded pool for REST."""

import asyncio
import json
import logging
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp

from recorder.adapters.ari import model
from recorder.adapters.ari.errors import (
    AriError,
    AriHTTPError,
    AriRefused,
    AriReplaced,
    AriUnreachable,
    http_error,
)
from recorder.adapters.ari.events import Event, parse_event

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 16
"""Asterisk drops the hundred-and-first session without a word; this leaves room for others."""

KEEPALIVE_S = 10.0
"""Asterisk closes an idle connection after 15 s; ours must be the first to let go."""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
"""Pauses between attempts to connect double from the first to the longest, with jitter."""

STEADY_S = 5.0
"""A connection that lived this long resets the pauses."""

LONGEST_BACKLOG = 100_000
"""Events kept while ``on_connect`` runs; what comes beyond is counted and dropped."""

REFUSALS = frozenset({401, 403})
_NOT_JSON = object()


class AriClient(AbstractAsyncContextManager["AriClient"]):
    """ARI with ari-py's names: ``client.channels.answer(channelId=…)``, ``client.bridges.list()``.

    ``on_event`` is called by the reader for every event, in order, and must not block.
    ``on_connect`` is awaited after each connection, before that connection's events are
    delivered; what arrives meanwhile is kept. An ``AriError`` out of it ends the connection and
    a new one is made; another exception ends ``run``. ``on_disconnect`` is called when a
    connection ends.

    A POST is sent once. aiohttp itself repeats a GET, PUT or DELETE once when a kept-alive
    connection turns out to be dead; these may be repeated.
    """

    def __init__(
        self,
        *,
        url: str,
        user: str,
        password: str,
        application: str,
        on_event: Callable[[Event], None],
        on_connect: Callable[[], Awaitable[None]],
        on_disconnect: Callable[[], None],
        timeout_s: float = 2.0,
        heartbeat_s: float = 5.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._application = application
        self._on_event = on_event
        self._on_connect = on_connect
        self._on_disconnect = on_disconnect
        self._timeout_s = timeout_s
        self._heartbeat_s = heartbeat_s
        # In a header, never as api_key in the URL: URLs end in logs.
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        self._session: aiohttp.ClientSession | None = None
        self.connected = False
        self.counters: Counter[str] = Counter()
        """events, rubbish, overflow, failed_events, connections, lost_connections."""
        self._waiting: deque[Event] | None = None
        self.channels = model.Channels(self._request)
        self.playbacks = model.Playbacks(self._request)
        self.bridges = model.Bridges(self._request)
        self.applications = model.Applications(self._request)
        self.asterisk = model.Asterisk(self._request)

    async def __aenter__(self) -> Self:
        """Open the pool of connections; nothing is sent yet."""
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS, keepalive_timeout=KEEPALIVE_S),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def run(self) -> None:
        """Keep connected and deliver events until cancelled.

        Raises ``AriRefused`` when the account is wrong and ``AriReplaced`` when another client
        took the application's name.
        """
        pause = FIRST_PAUSE_S
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._connect_and_read()
            except AriUnreachable as error:
                log.warning("ari_connection_lost: %s", error)
            finally:
                if self.connected:
                    self.connected = False
                    self.counters["lost_connections"] += 1
                    self._on_disconnect()
            if loop.time() - began > STEADY_S:
                pause = FIRST_PAUSE_S
            # Jitter keeps several clients of one restarted PBX from knocking all at once.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - not a secret
            pause = min(LONGEST_PAUSE_S, pause * 2)

    async def _connect_and_read(self) -> None:
        params = {"app": self._application, "subscribeAll": "false"}
        try:
            async with self._pool.ws_connect(
                f"{self._url}/events",
                params=params,
                heartbeat=self._heartbeat_s,
                timeout=aiohttp.ClientWSTimeout(ws_close=self._timeout_s),
                max_msg_size=1 << 22,
                # Bytes, because a broken character must cost its event, not the connection.
                decode_text=False,
            ) as socket:
                self.connected = True
                self.counters["connections"] += 1
                self._waiting = deque()
                async with asyncio.TaskGroup() as tasks:
                    preparing = tasks.create_task(self._prepare())
                    await self._read(socket)
                    preparing.cancel()
        except aiohttp.WSServerHandshakeError as error:
            if error.status in REFUSALS:
                raise AriRefused(f"Asterisk refuses the account ({error.status})") from error
            raise AriUnreachable(f"no websocket ({error.status})") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise AriUnreachable(type(error).__name__) from error
        except BaseExceptionGroup as group:
            raise _the_one_that_counts(group) from group
        raise AriUnreachable("closed by Asterisk")

    async def _prepare(self) -> None:
        await self._on_connect()
        # No await from here on: nothing can arrive between the last of the backlog and the
        # moment from which events are delivered directly.
        backlog, self._waiting = self._waiting or deque(), None
        for event in backlog:
            self._deliver(event)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse[Literal[False]]) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.ERROR:
                break
            event = parse_event(message.data) if message.type is aiohttp.WSMsgType.TEXT else None
            if event is None:
                self.counters["rubbish"] += 1
            elif event.type == "ApplicationReplaced":
                raise AriReplaced("another client uses this application's name")
            elif self._waiting is None:
                self._deliver(event)
            elif len(self._waiting) < LONGEST_BACKLOG:
                self._waiting.append(event)
            else:
                self.counters["overflow"] += 1
                if self.counters["overflow"] == 1:
                    log.error("ari_backlog_full: events are dropped")
        error = socket.exception()
        if error is not None:
            raise AriUnreachable(type(error).__name__)

    def _deliver(self, event: Event) -> None:
        self.counters["events"] += 1
        try:
            self._on_event(event)
        # One event that cannot be handled must not cost the others.
        except Exception as error:  # noqa: BLE001 - the boundary of one event
            self.counters["failed_events"] += 1
            log.error("ari_event_failed: %s on %s", type(error).__name__, event.type[:64])  # noqa: TRY400 - a traceback may hold a number

    @property
    def serves(self) -> bool:
        """Tell whether events are delivered: connected, and ``on_connect`` is done."""
        return self.connected and self._waiting is None

    @property
    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("use the client as a context manager")
        return self._session

    async def _request(
        self,
        operation: str,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever Asterisk answers
        try:
            async with self._pool.request(
                method, self._url + path, params=params, json=body, allow_redirects=False
            ) as answer:
                content = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            unsent = isinstance(error, aiohttp.ClientConnectorError)
            raise AriUnreachable(f"{operation}: {type(error).__name__}", sent=not unsent) from None
        try:
            parsed = json.loads(content) if content else None
        except (ValueError, RecursionError):
            parsed = _NOT_JSON
        if status >= 300:  # noqa: PLR2004 - a redirect is no answer either
            message = parsed.get("message") if isinstance(parsed, Mapping) else None
            raise http_error(operation, status, message if isinstance(message, str) else "")
        # An empty or unreadable list must never be taken for "nothing lives".
        if parsed is _NOT_JSON or (parsed is None and method == "GET"):
            raise AriUnreachable(f"{operation}: {status} without a readable answer")
        return parsed


def _the_one_that_counts(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return what ended a connection: what needs a person first, then what needs a retry."""
    for error in _leaves(group):
        if isinstance(error, (AriReplaced, AriRefused)):
            return error
        if isinstance(error, AriHTTPError) and error.status in REFUSALS:
            return AriRefused(str(error))
    lost = (AriError, aiohttp.ClientError, OSError, TimeoutError)
    others = [error for error in _leaves(group) if not isinstance(error, lost)]
    if others:
        return others[0]
    error = next(_leaves(group))
    return AriUnreachable(str(error) if isinstance(error, AriError) else type(error).__name__)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
