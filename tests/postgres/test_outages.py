"""PostgreSQL dead, slow, silent, full or read-only: unavailable in bounded time, whole after it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import migrate
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.embedded.postgres import EmbeddedPostgres
from recorder.errors import LedgerUnavailable, RowRefused
from recorder.model import CallId, Incident, IncidentKind
from tests.builders import CALL, IN_SCOPE, NOON, a_call
from tests.postgres.conftest import url_of
from tests.tcp_proxy import TcpProxy

pytestmark = pytest.mark.postgres
A_CALL = a_call(scope=IN_SCOPE)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server that a test may kill."""
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    try:
        migrate.upgrade(server.url)
        yield server
    finally:
        server.stop()


@pytest.fixture
async def proxy(postgres: EmbeddedPostgres) -> AsyncIterator[TcpProxy]:
    async with TcpProxy(postgres.port).running() as proxy:
        yield proxy


@asynccontextmanager
async def through(
    proxy: TcpProxy, postgres: EmbeddedPostgres, url: str, *, answer_within_s: float = 5.0
) -> AsyncIterator[AsyncEngine]:
    """Give an engine whose connections go through the proxy, with one of them open."""
    proxied = url.replace(f":{postgres.port}/", f":{proxy.port}/")
    async with connect(proxied, answer_within_s=answer_within_s) as engine:
        await PostgresLedger(engine).knows_channel("pbx1", "none")
        yield engine


async def write(engine: AsyncEngine) -> bool:
    return await PostgresLedger(engine).record_call(A_CALL, recording=None, incidents=[], at=NOON)


def rows(url: str) -> int:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT count(*) FROM call").fetchone()
        return int(found[0]) if found else 0


async def test_a_killed_postgresql_is_unavailable_and_back_after_its_start(
    own_server: EmbeddedPostgres,
) -> None:
    """F6: the same ledger goes on; nothing is restarted but the server."""
    async with connect(own_server.url) as engine:
        ledger = PostgresLedger(engine)
        assert not await ledger.knows_channel("pbx1", "none")
        own_server.kill()
        with pytest.raises(LedgerUnavailable):
            await write(engine)
        own_server.start()
        assert await write(engine)
        assert not await write(engine)


async def test_what_was_written_survives_the_death_of_postgresql(
    own_server: EmbeddedPostgres,
) -> None:
    """F6: a call whose row was acknowledged may lose its journal."""
    async with connect(own_server.url) as engine:
        assert await write(engine)
    own_server.kill()
    own_server.start()
    assert rows(own_server.url) == 1


async def test_a_slow_postgresql_is_waited_for(
    proxy: TcpProxy, postgres: EmbeddedPostgres, database_url: str
) -> None:
    """F7."""
    async with through(proxy, postgres, database_url) as engine:
        proxy.latency_s = 0.2
        assert await write(engine)


async def test_a_silent_postgresql_is_given_up_in_time_and_holds_nobody_else(
    proxy: TcpProxy, postgres: EmbeddedPostgres, database_url: str
) -> None:
    """F7: the network swallows everything, so the server's own limits never reach us."""
    longest = 0.0

    async def watch_the_loop() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before)

    async with through(proxy, postgres, database_url, answer_within_s=0.5) as engine:
        proxy.silent = True
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(watch_the_loop())
            started = time.monotonic()
            with pytest.raises(LedgerUnavailable):
                await write(engine)
            took = time.monotonic() - started
            watch.cancel()
        # One unanswered ping, then a new connection that is not answered either.
        assert took < 6
        assert longest < 0.5, "the loop stood still"
        proxy.silent = False
        proxy.reset()
        assert await write(engine)
    assert rows(database_url) == 1


@pytest.mark.parametrize("answer_lost_only", [False, True], ids=["commit lost", "answer lost"])
async def test_a_connection_that_breaks_at_the_commit_makes_no_second_row(
    proxy: TcpProxy,
    postgres: EmbeddedPostgres,
    database_url: str,
    answer_lost_only: bool,
) -> None:
    """F7, I1: whether it was committed cannot be known, so it is tried again."""
    async with through(proxy, postgres, database_url) as engine:
        # With the end of the text: ``BEGIN ISOLATION LEVEL READ COMMITTED`` is no commit.
        proxy.reset_at, proxy.reset_lets_it_pass = b"COMMIT\0", answer_lost_only
        with pytest.raises(LedgerUnavailable):
            await write(engine)
        assert proxy.resets == 1
        assert await write(engine) is not answer_lost_only
    assert rows(database_url) == 1


async def test_postgresql_without_free_connections_is_unavailable_until_one_is_free(
    postgres: EmbeddedPostgres, database_url: str
) -> None:
    """F8."""
    plain = database_url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as owner:
        owner.execute("CREATE ROLE modest LOGIN PASSWORD 'modest' CONNECTION LIMIT 1")
        owner.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO modest")
    modest = url_of(postgres, database_url.rpartition("/")[2]).replace(
        postgres.url.partition("//")[2].partition("@")[0], "modest:modest"
    )
    async with connect(modest) as engine:
        with psycopg.connect(modest.replace("+psycopg", "")), pytest.raises(LedgerUnavailable):
            await write(engine)
        assert await write(engine)


async def test_more_writers_than_connections_wait_for_one_another(database_url: str) -> None:
    """F8: the pool is bounded."""
    async with connect(database_url) as engine:
        ledger = PostgresLedger(engine)
        async with asyncio.TaskGroup() as tasks:
            for number in range(40):
                id_ = CallId(UUID(int=number + 10))
                call = a_call(scope=IN_SCOPE, id=id_, channel_id=str(number))
                tasks.create_task(ledger.record_call(call, recording=None, incidents=[], at=NOON))
    assert rows(database_url) == 40


async def test_a_row_that_can_never_be_written_is_no_outage(database_url: str) -> None:
    """A defect must not keep every later call from being sealed."""
    unknown_call = Incident(kind=IncidentKind.AUDIO_GAP, at=NOON, call_id=CALL)
    async with connect(database_url) as engine:
        with pytest.raises(RowRefused) as caught:
            await PostgresLedger(engine).record_incident(unknown_call)
    assert str(CALL) not in str(caught.value)


async def test_a_database_that_was_not_migrated_asks_for_it(empty_url: str) -> None:
    async with connect(empty_url) as engine:
        with pytest.raises(LedgerUnavailable, match="recorder db upgrade"):
            await write(engine)
