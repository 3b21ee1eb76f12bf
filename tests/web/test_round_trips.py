"""What a page costs in questions to the database; counted where it waits, at the wire (ADR 0069).

A number that changes is for a person to write down anew, who then knows why.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import make_url, text

from recorder.accounts.model import Role
from recorder.adapters.postgres.connect import asking, connect
from tests.tcp_proxy import TcpProxy
from tests.web.office import open_office

pytestmark = pytest.mark.postgres
READY = b"Z\x00\x00\x00\x05"
"""With this PostgreSQL ends each of its answers."""
ROUND_TRIPS = {"form": 13, "found": 21, "nothing found": 19, "call": 25, "home": 9}
"""With the foot of the page, which is asked for once in some seconds alone: 5 of each."""


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[TcpProxy]:
    port = make_url(database_url).port
    assert port is not None
    async with TcpProxy(port).running() as running:
        yield running


def through(proxy: TcpProxy, url: str) -> str:
    return make_url(url).set(port=proxy.port).render_as_string(hide_password=False)


async def test_a_search_its_answer_and_a_call_ask_no_more_than_they_did(
    proxy: TcpProxy, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.web.footing.KEPT_S", -1.0)
    async with open_office(through(proxy, database_url), tmp_path) as office:
        call = await office.call(seconds=1, line="746640800")
        browser = await office.at_work(Role.LISTENER)

        async def form(called: str = "746640800") -> httpx.Response:
            return await browser.post("/search", data={"called": called})

        found_at = (await form()).headers["location"]
        nothing_at = (await form("746640899")).headers["location"]
        asked: dict[str, Callable[[], Awaitable[httpx.Response]]] = {
            "form": form,
            "found": lambda: browser.get(found_at),
            "nothing found": lambda: browser.get(nothing_at),
            "call": lambda: browser.get(f"/calls/{call.id}"),
            "home": lambda: browser.get("/"),
        }
        found = {}
        for name, ask in asked.items():
            # What is asked often is prepared first, which takes one more.
            for _ in range(7):
                await ask()
            said: list[tuple[int, bytes]] = []
            proxy.said = said
            assert (await ask()).status_code < 400
            found[name] = b"".join(each for _, each in said).count(READY)
    assert found == ROUND_TRIPS


async def test_a_question_is_one_round_trip_and_two_after_a_pause(
    proxy: TcpProxy, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect(through(proxy, database_url)) as engine:

        async def round_trips() -> int:
            said: list[tuple[int, bytes]] = []
            proxy.said = said
            async with asking(engine) as connection:
                assert await connection.scalar(text("SELECT 1")) == 1
            return b"".join(each for _, each in said).count(READY)

        await round_trips()
        assert await round_trips() == 1
        monkeypatch.setattr("recorder.adapters.postgres.connect.TRUSTED_S", 0.0)
        assert await round_trips() == 2


@pytest.mark.parametrize("how", ["the server ends them", "the network resets them"])
async def test_no_page_fails_when_every_connection_died_a_moment_ago(
    proxy: TcpProxy, database_url: str, tmp_path: Path, how: str
) -> None:
    """F6: as after a restart of PostgreSQL."""
    # The proxy would bring the server's good-bye later than a network does.
    url = database_url if how == "the server ends them" else through(proxy, database_url)
    async with open_office(url, tmp_path) as office:
        browser = await office.at_work(Role.LISTENER)

        async def statuses() -> list[int]:
            answers = await asyncio.gather(*(browser.get("/") for _ in range(8)))
            return [each.status_code for each in answers]

        assert set(await statuses()) == {200}
        if how == "the server ends them":
            ended = end_all(database_url)
            assert ended > 1
        else:
            proxy.reset()
        assert set(await statuses()) == {200}


def end_all(url: str) -> int:
    """End the web's connections as a server does that is stopped in order; return how many."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found = connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'web'"
        ).fetchall()
        return sum(each for (each,) in found)
