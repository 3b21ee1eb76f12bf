"""One PostgreSQL for the session, one migrated database for each test."""

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

from recorder.adapters.postgres import migrate
from recorder.embedded.postgres import EmbeddedPostgres

_names = count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"))
    server.start()
    try:
        forget_power_cuts(server)
        create(server, "template")
        migrate.upgrade(url_of(server, "template"))
        yield server
    finally:
        server.stop()


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> str:
    name = f"test_{next(_names)}"
    create(postgres, name, template="template")
    return url_of(postgres, name)


@pytest.fixture
def empty_url(postgres: EmbeddedPostgres) -> str:
    name = f"test_{next(_names)}"
    create(postgres, name)
    return url_of(postgres, name)


@pytest.fixture
def runtime_url(postgres: EmbeddedPostgres, database_url: str) -> str:
    """The same database, as capture and the web application see it."""
    return member_url_of(postgres, database_url, "recorder_runtime")


@pytest.fixture
def retention_url(postgres: EmbeddedPostgres, database_url: str) -> str:
    """The same database, as the retention process sees it."""
    return member_url_of(postgres, database_url, "recorder_retention")


def member_url_of(postgres: EmbeddedPostgres, url: str, role: str) -> str:
    return f"{postgres.member_url(role).rpartition('/')[0]}/{url.rpartition('/')[2]}"


def url_of(postgres: EmbeddedPostgres, name: str) -> str:
    return postgres.url.rpartition("/")[0] + f"/{name}"


def create(postgres: EmbeddedPostgres, name: str, *, template: str = "template1") -> None:
    with psycopg.connect(postgres.plain_url, autocommit=True) as connection:
        # Without waiting for the disk copying files is quicker than writing them to the log.
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY".encode()
        )


def forget_power_cuts(postgres: EmbeddedPostgres) -> None:
    """Have the server not wait for the disk: here it may be killed, but the power never fails.

    What it told the kernel outlives it. How an office has it: ``tests/postgres/test_embedded.py``.
    """
    with psycopg.connect(postgres.plain_url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
