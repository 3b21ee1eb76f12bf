"""The ARI client against a server that does everything wrong (B1, B2, F3, F5)."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from recorder.adapters.ari import (
    AriRefused,
    AriReplaced,
)
from recorder.adapters.ari import client as module
from tests.contracts import hostile_ari as hostile
from tests.contracts.ari_session import Session
from tests.contracts.hostile_ari import PASSWORD, HostileAri, event, saying


@pytest.fixture
async def server() -> AsyncIterator[HostileAri]:
    async with hostile.hostile_ari() as server:
        yield server


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.08)


LAST = event("Last")
DEEP = "[" * 100_000 + "]" * 100_000
RUBBISH: list[str | bytes] = [
    "",
    "not JSON",
    "[]",
    "null",
    "7",
    '{"type": 7}',
    "{}",
    DEEP,
    '{"type": "X", "y": NaN}',
    '{"type": "X", "y": ' + "9" * 5000 + "}",
    '{"type": "' + "x" * (1 << 21) + '"}',
    b"\xff\xfe",
]


async def test_rubbish_is_counted_and_the_events_after_it_arrive(server: HostileAri) -> None:
    """B1."""
    server.talk = saying(*RUBBISH, LAST)
    session = Session(server.url)
    await session.run_until(session.heard("Last"))
    assert session.client.counters["rubbish"] == len(RUBBISH)
    assert session.connections == 1


async def test_a_broken_character_costs_neither_the_event_nor_the_connection(
    server: HostileAri,
) -> None:
    """B1: what a caller put into a name must not cut us off."""
    name = b'{"type": "Named", "name": "Kowa\xb3ski \\ud800"}'
    server.talk = saying(name, LAST)
    session = Session(server.url)
    await session.run_until(session.heard("Named", "Last"))
    assert session.events[0].text("name") == "Kowa\ufffdski \ufffd"
    assert session.connections == 1


async def test_a_binary_frame_is_rubbish(server: HostileAri) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b'{"type": "Binary"}')
        await saying(LAST)(socket)

    server.talk = talk
    session = Session(server.url)
    await session.run_until(session.heard("Last"))
    assert session.client.counters == {"rubbish": 1, "events": 1, "connections": 1} | {
        "lost_connections": 1
    }


async def test_events_sent_twice_are_delivered_in_order_and_end_nothing(
    server: HostileAri,
) -> None:
    """F14: whoever follows the call decides what a repetition means."""
    server.talk = saying(event("One"), event("One"), event("Two"), event("Two"))
    session = Session(server.url)
    await session.run_until(session.heard("One", "One", "Two", "Two"))


async def test_an_event_that_cannot_be_handled_does_not_cost_the_next(
    server: HostileAri, caplog: pytest.LogCaptureFixture
) -> None:
    server.talk = saying(event("Poison", number="600100200"), LAST)
    session = Session(server.url)
    await session.run_until(session.heard("Poison", "Last"))
    assert session.client.counters["failed_events"] == 1
    assert "ZeroDivisionError on Poison" in caplog.text
    assert "600100200" not in caplog.text


async def test_events_wait_until_the_connection_is_prepared(server: HostileAri) -> None:
    """RG.6: first what Asterisk says lives, then what happens."""
    server.talk = saying(event("Early"), event("Later"))
    session = Session(server.url)

    async def ask() -> None:
        # The answer comes after the events: they were sent before it was asked for.
        await session.client.channels.list()
        await asyncio.sleep(0.05)

    session.prepare = ask
    await session.run_until(session.heard("Early", "Later"))
    assert session.order[:3] == ["prepared", "Early", "Later"]


async def test_it_serves_only_once_the_connection_is_prepared(server: HostileAri) -> None:
    """F1: until then the probe sends new callers past us; those who wait are let go first."""
    server.talk = saying(event("Early"))
    session = Session(server.url)
    serves = []

    async def ask() -> None:
        await session.client.channels.list()
        serves.append((session.client.connected, session.client.serves))

    session.prepare = ask
    assert not session.client.serves
    await session.run_until(lambda: session.client.serves)
    assert serves == [(True, False)]
    assert not session.client.serves, "nor once the connection is over"


async def test_a_connection_that_cannot_be_prepared_is_made_anew(server: HostileAri) -> None:
    server.talk = saying(LAST)
    server.rest = hostile.answering(500, b'{"message": "Allocation failed"}')
    session = Session(server.url)

    async def ask() -> None:
        if session.connections == 3:
            server.rest = hostile.as_asterisk
        await session.client.channels.list()

    session.prepare = ask
    await session.run_until(session.heard("Last"))
    assert session.connections == 3
    assert session.order == ["disconnected", "disconnected", "prepared", "Last", "disconnected"]


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(hostile.close, id="closes"),
        pytest.param(hostile.breaking_off_in_a_frame(), id="breaks off in a frame"),
        pytest.param(hostile.fall_silent, id="goes silent"),
    ],
)
async def test_a_lost_connection_is_noticed_and_replaced(
    server: HostileAri, talk: hostile.Talk
) -> None:
    """F3, F5: with the default heartbeat of 5 s silence is noticed within 15 s."""

    async def once(socket: web.WebSocketResponse) -> None:
        server.talk = saying(LAST)
        await talk(socket)

    server.talk = once
    session = Session(server.url, heartbeat_s=0.1)
    await session.run_until(session.heard("Last"))
    assert session.client.counters["connections"] == 2
    assert session.client.counters["lost_connections"] == 2


async def test_silence_is_noticed_within_three_heartbeats(server: HostileAri) -> None:
    """F3."""
    server.talk = hostile.fall_silent
    session = Session(server.url, heartbeat_s=0.4)
    await session.run_until(lambda: session.client.counters["lost_connections"] > 0)
    noticed_after_s = asyncio.get_running_loop().time() - server.connected_at[0]
    assert 0.4 <= noticed_after_s < 3 * 0.4


async def test_attempts_are_spaced_by_growing_pauses_with_one_line_each(
    server: HostileAri, caplog: pytest.LogCaptureFixture
) -> None:
    """F5: no busy loop."""
    caplog.set_level(logging.INFO, logger="recorder.adapters.ari")
    server.talk = hostile.close
    session = Session(server.url)
    await session.run_until(lambda: len(server.connected_at) == 8)
    gaps = [b - a for a, b in zip(server.connected_at, server.connected_at[1:], strict=False)]
    # Jitter takes away at most half.
    pauses = [0.01, 0.02, 0.04, 0.08, 0.08, 0.08, 0.08]
    assert all(gap >= pause / 2 for gap, pause in zip(gaps, pauses, strict=True))
    # The server's own lines, which another test may have let through, are not the client's.
    told = [each for each in caplog.records if each.name.startswith("recorder.")]
    assert 0 < len(told) <= len(server.connected_at)


async def test_asterisk_that_is_away_and_comes_back_is_found(server: HostileAri) -> None:
    """F4, F5."""
    session = Session(server.url)
    said = asyncio.Event()

    async def tell(socket: web.WebSocketResponse) -> None:
        said.set()
        await hostile.listen(socket)

    server.talk = saying(event("Before"), then=tell)

    async def restart() -> None:
        await said.wait()
        await server.stop()
        server.talk = saying(LAST)
        await asyncio.sleep(0.1)  # long enough for attempts that find nobody
        assert not session.client.connected
        await server.start()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(restart())
        await session.run_until(session.heard("Before", "Last"))
    assert session.order[-3:] == ["prepared", "Last", "disconnected"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_account_ends_the_client(server: HostileAri, status: int) -> None:
    server.refuse_with = status
    with pytest.raises(AriRefused):
        await Session(server.url).run_until(lambda: False)


async def test_a_wrong_password_is_not_taken_for_an_absent_asterisk(server: HostileAri) -> None:
    with pytest.raises(AriRefused):
        await Session(server.url, password=PASSWORD[:-1]).run_until(lambda: False)


async def test_asterisk_that_is_still_loading_is_waited_for(server: HostileAri) -> None:
    server.refuse_with = 404
    session = Session(server.url)

    def loaded() -> bool:
        if len(server.requests) == 3:
            server.refuse_with = None
        return session.client.connected

    await session.run_until(loaded)


async def test_the_older_of_two_clients_ends(server: HostileAri) -> None:
    server.talk = saying(event("One"), event("ApplicationReplaced"), LAST)
    session = Session(server.url)
    with pytest.raises(AriReplaced):
        await session.run_until(lambda: False)
    assert "Last" not in session.order
    assert session.order[-1] == "disconnected"


async def test_an_error_of_ours_while_preparing_comes_out_as_it_is(server: HostileAri) -> None:
    session = Session(server.url)

    async def fail() -> None:
        raise LookupError

    session.prepare = fail
    with pytest.raises(LookupError):
        await session.run_until(lambda: False)
