"""A server that speaks ARI over real sockets, well or as badly as a test asks."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

USER, PASSWORD = "recorder", "gołąb:7/?"
STALL_S = 30.0

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talk = Callable[[web.WebSocketResponse], Awaitable[None]]


class HostileAri:
    """Well-behaved by default; ``rest`` and ``talk`` are replaced to misbehave."""

    def __init__(self) -> None:
        self.rest: Behaviour = as_asterisk
        self.talk: Talk = listen
        self.refuse_with: int | None = None
        """Status with which a websocket is refused."""
        self.requests: list[tuple[str, str]] = []
        """Method and raw path, as they came over the wire."""
        self.connected_at: list[float] = []
        self.most_at_once = 0
        self.url = ""
        self._port = 0

    async def start(self) -> None:
        self._server = web.Server(self._serve, handler_cancellation=True)
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            self._server, "127.0.0.1", self._port, backlog=256
        )
        self._port = self._listener.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}/ari"

    async def stop(self) -> None:
        """Go away as a killed Asterisk does; ``start`` comes back on the same port."""
        self._listener.close()
        for connection in self._server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await self._server.shutdown(0.0)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append((request.method, request.raw_path))
        self.most_at_once = max(self.most_at_once, len(self._server.connections))
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return web.json_response({"message": "Authentication required"}, status=401)
        if not request.path.endswith("/events"):
            return await self.rest(request)  # type: ignore[arg-type]
        if self.refuse_with is not None:
            return web.Response(status=self.refuse_with)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.connected_at.append(asyncio.get_running_loop().time())
        with contextlib.suppress(ConnectionError):
            await self.talk(socket)
        return socket


@contextlib.asynccontextmanager
async def hostile_ari() -> AsyncIterator[HostileAri]:
    server = HostileAri()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def event(kind: str, **more: Any) -> dict[str, Any]:
    stamp = "2026-11-24T05:02:31.123+0000"
    return {"type": kind, "application": "recorder", "timestamp": stamp, **more}


async def listen(socket: web.WebSocketResponse) -> None:
    """Answer pings until the client leaves."""
    async for message in socket:
        if message.type is WSMsgType.PING:
            await socket.pong(message.data)


def saying(*messages: str | bytes | dict[str, Any], then: Talk = listen) -> Talk:
    """Send text (as given, bytes in a text frame, or JSON), then go on as ``then``."""

    async def talk(socket: web.WebSocketResponse) -> None:
        for message in messages:
            text = json.dumps(message) if isinstance(message, dict) else message
            if isinstance(text, bytes):
                await socket.send_frame(text, WSMsgType.TEXT)
            else:
                await socket.send_str(text)
        await then(socket)

    return talk


async def fall_silent(socket: web.WebSocketResponse) -> None:
    """Neither answer a ping nor close, as a frozen process or a cut line does."""
    async for _ in socket:
        pass


async def close(socket: web.WebSocketResponse) -> None:
    await socket.close()


def breaking_off_in_a_frame() -> Talk:
    async def talk(socket: web.WebSocketResponse) -> None:
        transport = _transport(socket)
        # A text frame that announces 100 bytes and ends after five.
        transport.write(b"\x81\x64" + b'{"typ')
        transport.close()

    return talk


def _transport(response: web.WebSocketResponse) -> asyncio.WriteTransport:
    request = response._req  # the only way to the bare connection
    assert request is not None
    assert request.transport is not None
    return request.transport


async def as_asterisk(request: web.Request) -> web.StreamResponse:
    """Lists are empty, everything else is done; the ids say which error is wanted."""
    if "gone" in request.raw_path:
        return web.json_response({"message": "Channel not found"}, status=404)
    if "elsewhere" in request.raw_path:
        return web.json_response({"message": "Channel not in Stasis application"}, status=409)
    if request.method == "GET":
        return web.json_response([] if request.path.endswith(("channels", "bridges")) else {})
    return web.Response(status=204)


def answering(
    status: int, body: bytes, kind: str = "application/json", **headers: str
) -> Behaviour:
    async def rest(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, content_type=kind, headers=headers)

    return rest


async def stall(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(STALL_S)
    return web.json_response({})


async def reset(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def send_chunked_garbage(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\nnonsense\r\n"
    )
    request.transport.close()
    return web.Response()
