"""Migrations: there and back, alone and at once, and never over a newer release."""

import os
import subprocess
import sys

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from recorder.adapters.postgres import migrate
from recorder.adapters.postgres.tables import Base
from recorder.errors import ConfigurationError

pytestmark = pytest.mark.postgres


def test_there_and_back_and_there(empty_url: str) -> None:
    """R5.2a."""
    assert migrate.upgrade(empty_url) == "0001"
    migrate.downgrade(empty_url, to="base")
    assert migrate.current(empty_url) is None
    assert migrate.upgrade(empty_url) == "0001"


def test_the_migrated_schema_is_the_one_in_the_code(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_five_upgrades_at_once_converge(empty_url: str) -> None:
    """F18: five processes, as five containers would."""
    command = [sys.executable, "-m", "recorder", "db", "upgrade"]
    environment = {**os.environ, "RECORDER_DATABASE_URL": empty_url}  # noqa: TID251 - handed on
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    said = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0] * 5
    assert set(said) == {"The database is at revision 0001.\n"}


def test_a_database_of_a_newer_release_is_refused(database_url: str) -> None:
    """F18."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="9999"):
        migrate.upgrade(database_url)
