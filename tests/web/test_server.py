"""The real server against clients that are slow, silent, too many or no HTTP at all."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from recorder.errors import ConfigurationError
from recorder.web.rules import Origin, parse_origin
from recorder.web.server import listen, server_for
from tests.web.test_door import WANTED, Front, greeting

DEMO = parse_origin("http://127.0.0.1:1")


@asynccontextmanager
async def served(app: ASGIApp, **limits: float) -> AsyncIterator[int]:
    listening = listen("127.0.0.1", 0)
    port: int = listening.getsockname()[1]
    async with served_at(listening, app, DEMO, **limits):
        yield port


@asynccontextmanager
async def served_at(
    listening: socket.socket, app: ASGIApp, origin: Origin, **limits: float
) -> AsyncIterator[None]:
    server = server_for(app, origin=origin, **limits)  # type: ignore[arg-type]
    task = asyncio.ensure_future(server.run_until_cancelled(listening))
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn sets a flag, no event
            await asyncio.sleep(0.01)
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        listening.close()


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


async def test_a_client_that_says_nothing_is_not_waited_for() -> None:
    async with served(hello, head_within_s=0.2) as port:
        for said in (b"", b"GET / HTTP/1.1\r\nHost: a\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()


async def test_a_client_that_drips_its_head_is_not_waited_for() -> None:
    async with served(hello, head_within_s=0.3) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n")
        began = time.monotonic()
        with suppress(ConnectionError):
            for number in range(100):
                writer.write(b"X-%d: a\r\n" % number)
                await writer.drain()
                if reader.at_eof():
                    break
                await asyncio.sleep(0.05)
        assert time.monotonic() - began < 3
        writer.close()


async def test_one_connection_serves_many_requests_and_its_idle_time_is_short() -> None:
    async with (
        served(hello, head_within_s=0.5) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        for _ in range(20):
            answer = await client.get("/")
            assert answer.text == "hello"
            assert "server" not in answer.headers


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x00\xa5\x01\x00\x00",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: x\r\n\r\nabcd",
        b"GET / HTTP/1.1\nHost: a\x00\n\n",
    ],
)
async def test_what_is_no_http_is_answered_with_all_headers(said: bytes) -> None:
    async with served(hello) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        async with asyncio.timeout(5):
            answer = (await reader.read()).decode("ascii")
        writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 4")
    names = {line.partition(":")[0].lower() for line in head.split("\r\n")[1:]}
    assert names >= WANTED - {"strict-transport-security", "cache-control"}
    assert body == "Invalid HTTP request received."


async def test_a_body_in_pieces_is_refused_in_time_over_the_wire() -> None:
    front = Front(greeting, origin=DEMO)
    async with served(front.app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nOrigin: http://127.0.0.1:1\r\n"
            b"Content-Length: 100\r\n\r\na"
        )
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        writer.close()


async def test_more_requests_than_the_limit_are_told_to_come_back() -> None:
    release, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        begun.release()
        await release.wait()
        await PlainTextResponse("done")(scope, receive, send)

    front = Front(waits)
    front.app._free = 2
    first = [asyncio.ensure_future(front.client.get("/x")) for _ in range(2)]
    for _ in first:
        await begun.acquire()
    told = await front.client.get("/x")
    assert (told.status_code, told.headers["retry-after"]) == (503, "30")
    release.set()
    assert [(await each).status_code for each in first] == [200, 200]
    assert (await front.client.get("/x")).status_code == 200


async def test_what_is_being_answered_is_finished_when_the_process_stops() -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await release.wait()
        await PlainTextResponse("finished")(scope, receive, send)

    async with httpx.AsyncClient() as client:
        async with served(waits) as port:
            asking = asyncio.ensure_future(client.get(f"http://127.0.0.1:{port}/"))
            await begun.wait()
            asyncio.get_running_loop().call_later(0.2, release.set)
        assert (await asking).text == "finished"


async def test_an_address_in_use_is_told_with_its_remedy() -> None:
    taken = listen("127.0.0.1", 0)
    with pytest.raises(ConfigurationError, match="RECORDER_WEB_PORT"):
        listen("127.0.0.1", taken.getsockname()[1])
    taken.close()
