"""REST requests of the ARI client to a server that answers wrongly, late or not at all (B2)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from recorder.adapters.ari import AriError, AriHTTPError, AriUnreachable
from tests.contracts import hostile_ari as hostile
from tests.contracts.ari_session import Session
from tests.contracts.hostile_ari import HostileAri

DEEP = "[" * 100_000 + "]" * 100_000


@pytest.fixture
async def server() -> AsyncIterator[HostileAri]:
    async with hostile.hostile_ari() as server:
        yield server


async def test_a_list_that_cannot_be_read_is_never_an_empty_list(server: HostileAri) -> None:
    """Else a bad answer would count every call as ended."""
    for body in (b"", b"<html>", b"{}", b'[{"id": "1"}, null]', b"null"):
        server.rest = hostile.answering(200, body)
        async with Session(server.url).client as client:
            with pytest.raises(AriUnreachable):
                await client.channels.list()


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (hostile.answering(500, b'{"message": "Allocation failed"}'), "500 Allocation failed"),
        (hostile.answering(500, b'{"message": {"x": 1}}'), "500"),
        (hostile.answering(400, b"<html><b>Bad</b>", "text/html"), "400"),
        (hostile.answering(302, b"", Location="/ari/channels"), "302"),
        (hostile.answering(503, DEEP.encode()), "503"),
        (hostile.answering(422, b'{"message": "a\\nb\\u001b[31m"}'), "422 a b [31m"),
    ],
)
async def test_an_error_keeps_its_status_and_asterisks_own_words(
    server: HostileAri, rest: hostile.Behaviour, expected: str
) -> None:
    """B2."""
    server.rest = rest
    async with Session(server.url).client as client:
        with pytest.raises(AriHTTPError) as caught:
            await client.channels.setChannelVar(channelId="1.2", variable="V", value="600100200")
    assert str(caught.value) == f"setChannelVar: {expected}"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "rest",
    [
        hostile.answering(200, b"<html>", "text/html"),
        hostile.reset,
        hostile.send_chunked_garbage,
    ],
)
async def test_an_answer_that_is_none_is_unreachable_and_a_post_is_sent_once(
    server: HostileAri, rest: hostile.Behaviour
) -> None:
    """B2: a POST may have been carried out."""
    async with Session(server.url).client as client:
        await client.channels.answer(channelId="1.2")  # leaves a kept-alive connection
        server.rest = rest
        server.requests.clear()
        with pytest.raises(AriUnreachable) as caught:
            await client.channels.answer(channelId="1.2")
    assert caught.value.sent
    assert server.requests == [("POST", "/ari/channels/1.2/answer")]


async def test_a_get_is_asked_again_once_when_a_kept_alive_connection_was_dead(
    server: HostileAri,
) -> None:
    async with Session(server.url).client as client:
        await client.channels.list()
        server.rest = hostile.reset
        server.requests.clear()
        with pytest.raises(AriUnreachable):
            await client.channels.list()
    assert len(server.requests) == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_late_answer_is_given_up_in_time_and_not_asked_for_again(
    server: HostileAri, method: str
) -> None:
    """B2: 2 s on the path of a call, whatever Asterisk does; here 0.2 s."""
    server.rest = hostile.stall
    loop = asyncio.get_running_loop()
    async with Session(server.url, timeout_s=0.2).client as client:
        asked_at = loop.time()
        asking = (
            client.channels.list() if method == "GET" else client.channels.answer(channelId="1")
        )
        with pytest.raises(AriUnreachable, match="Timeout"):
            await asking
        assert 0.2 <= loop.time() - asked_at < 0.4
    assert len(server.requests) == 1


async def test_an_absent_asterisk_is_told_from_one_that_may_have_acted(
    server: HostileAri,
) -> None:
    await server.stop()
    async with Session(server.url).client as client:
        with pytest.raises(AriUnreachable) as caught:
            await client.channels.answer(channelId="1.2")
    assert not caught.value.sent
    await server.start()


async def test_a_hundred_and_fifty_requests_at_once_share_sixteen_connections(
    server: HostileAri,
) -> None:
    """Asterisk drops the 101st connection without a word."""

    async def slowly(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.02)
        return await hostile.as_asterisk(request)

    server.rest = slowly
    session = Session(server.url)

    async def burst() -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(150):
                tasks.create_task(session.client.channels.answer(channelId=f"{number}"))

    session.prepare = burst
    await session.run_until(lambda: "prepared" in session.order)
    assert len(server.requests) == 151
    assert 2 < server.most_at_once <= 16


async def test_an_id_cannot_leave_its_place_in_the_path(server: HostileAri) -> None:
    """RG.7."""
    async with Session(server.url).client as client:
        await client.channels.answer(channelId="../a?b#c/%2e")
    assert server.requests == [
        ("POST", "/ari/channels/..%2Fa%3Fb%23c%2F%252e/answer"),
    ]


async def test_every_failure_is_an_error_of_this_package(server: HostileAri) -> None:
    for rest in (hostile.reset, hostile.send_chunked_garbage, hostile.answering(200, b"\x00")):
        server.rest = rest
        async with Session(server.url).client as client:
            for ask in (client.channels.list, client.bridges.list, client.asterisk.getInfo):
                with pytest.raises(AriError):
                    await ask()
