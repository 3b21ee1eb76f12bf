"""The dialplan's question, asked over real connections, on both event loops."""

import asyncio
import contextlib
import http.client
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from recorder.adapters import probe
from recorder.adapters.probe import LONGEST_REQUEST, serve_probe
from recorder.embedded.postgres import free_port

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


def run(loop: Callable[[], asyncio.AbstractEventLoop], what: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(what)


def ask(port: int, path: str, method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


async def send(port: int, *pieces: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        # So that the other side reads it before the next is sent.
        await asyncio.sleep(0)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


@pytest.mark.parametrize("loop", LOOPS)
def test_the_probe_says_ok_only_while_calls_are_served(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """R5.1b: whoever is not served is not handed over."""

    async def questions() -> None:
        port, serves = free_port(), [True, False]
        async with serve_probe("127.0.0.1", port, is_ready=serves.pop):
            assert await asyncio.to_thread(ask, port, "/probe") == (503, b"no")
            assert await asyncio.to_thread(ask, port, "/probe") == (200, b"ok")
            assert await asyncio.to_thread(ask, port, "/healthz") == (200, b"ok")
            assert await asyncio.to_thread(ask, port, "/other") == (404, b"no")
            assert await asyncio.to_thread(ask, port, "/probe", "POST") == (404, b"no")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.to_thread(ask, port, "/healthz")

    run(loop, questions())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_question_may_come_in_pieces_and_a_flood_is_cut_off(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def questions() -> None:
        port = free_port()
        async with serve_probe("127.0.0.1", port, is_ready=lambda: True):
            answer = await send(port, b"GET /pro", b"be HTTP/1.1\r\nHost: x\r\n", b"\r\n")
            assert answer.endswith(b"\r\n\r\nok")
            assert await send(port, b"x" * (LONGEST_REQUEST + 1)) == b""
            assert (await send(port, b"\xff\x00\r\n\r\n")).startswith(b"HTTP/1.1 404 ")

    run(loop, questions())


@pytest.mark.parametrize("loop", LOOPS)
def test_who_asks_nothing_is_let_go(
    loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """F19: each silent connection holds a descriptor."""
    monkeypatch.setattr(probe, "SILENT_S", 0.1)

    async def check() -> None:
        port = free_port()
        async with probe.serve_probe("127.0.0.1", port, is_ready=lambda: True):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /pro")
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
            assert await asyncio.to_thread(ask, port, "/probe") == (200, b"ok")

    run(loop, check())
