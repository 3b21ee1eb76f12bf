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


def url_of(postgres: EmbeddedPostgres, name: str) -> str:
    return postgres.url.rpartition("/")[0] + f"/{name}"


def create(postgres: EmbeddedPostgres, name: str, *, template: str = "template1") -> None:
    with psycopg.connect(postgres.plain_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
