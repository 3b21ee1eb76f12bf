"""Migrations: there and back, alone and at once, and never over a newer release."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from recorder.adapters.postgres import migrate
from recorder.adapters.postgres.schema import METADATA
from recorder.embedded.postgres import EmbeddedPostgres, binaries
from recorder.errors import ConfigurationError, LedgerUnavailable
from tests.postgres.conftest import member_url_of
from tests.postgres.test_commands import seal

pytestmark = pytest.mark.postgres


def test_there_and_back_and_there(empty_url: str) -> None:
    """R5.2a."""
    assert migrate.upgrade(empty_url) == migrate.head()
    migrate.downgrade(empty_url, to="base")
    assert migrate.current(empty_url) is None
    assert migrate.upgrade(empty_url) == migrate.head()


def test_an_owner_who_is_no_superuser_migrates_where_the_roles_are_there(
    postgres: EmbeddedPostgres, empty_url: str
) -> None:
    """As OPERATIONS.md has it: the roles come from the server's administrator."""
    name = empty_url.rpartition("/")[2]
    with psycopg.connect(postgres.plain_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS plain_owner")
        connection.execute("CREATE ROLE plain_owner LOGIN PASSWORD 'x'")
        connection.execute(f"ALTER DATABASE {name} OWNER TO plain_owner".encode())
    try:
        url = f"postgresql+psycopg://plain_owner:x@127.0.0.1:{postgres.port}/{name}"
        assert migrate.upgrade(url) == migrate.head()
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("SELECT audit_forget(seq, '') FROM audit_event")
        migrate.downgrade(url, to="base")
    finally:
        with psycopg.connect(postgres.plain_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            connection.execute("DROP ROLE plain_owner")


def test_a_process_is_told_that_only_the_owner_migrates(
    postgres: EmbeddedPostgres, empty_url: str
) -> None:
    with pytest.raises(ConfigurationError, match="owner"):
        migrate.upgrade(member_url_of(postgres, empty_url, "recorder_runtime"))


def test_what_was_stored_before_there_were_keys_is_plain(database_url: str, tmp_path: Path) -> None:
    """Down to before the keys and up again, with a recording marked damaged."""
    sealed = seal(database_url, tmp_path, number=1)
    query = "SELECT id, sealed_as, damaged_at FROM recording"
    mark = "INSERT INTO incident VALUES (gen_random_uuid(), 'recording_damaged', now(), NULL, '')"
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        assert connection.execute(query).fetchall() == [(UUID(sealed.stem), "rec1", None)]
        connection.execute(mark.encode())
        migrate.downgrade(database_url, to="0001")
        assert connection.execute("SELECT count(*) FROM incident").fetchone() == (0,)
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(mark.encode())
        migrate.upgrade(database_url)
        assert connection.execute(query).fetchall() == [(UUID(sealed.stem), "wav", None)]
        with pytest.raises(psycopg.errors.NotNullViolation):
            connection.execute("UPDATE recording SET sealed_as = NULL")
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE recording SET sealed_as = 'rec2'")


def test_the_migrated_schema_is_the_one_in_the_code(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_constraints_and_indexes_are_those_in_the_code_to_the_letter(
    database_url: str, empty_url: str
) -> None:
    """Alembic compares no CHECK and no condition of an index; PostgreSQL's own dump has all."""
    engine = create_engine(empty_url)
    METADATA.create_all(engine)
    engine.dispose()
    assert schema_of(database_url) == schema_of(empty_url)


def schema_of(url: str) -> list[str]:
    """Return the statements that make the schema, the version table left out."""
    command = [str(binaries() / "pg_dump"), "--schema-only", "--exclude-table=alembic_version"]
    dump = subprocess.run(
        [*command, "--no-owner", url.replace("+psycopg", "")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # Lines that name a backslash carry a random key of the dump.
    return [line for line in dump.splitlines() if not line.startswith("\\")]


def test_a_migration_that_fails_leaves_nothing_and_no_lock(
    empty_url: str,
) -> None:
    """A table in the way: the whole migration is undone, and the next attempt may run."""
    with psycopg.connect(empty_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE TABLE recording (id int)")
        with pytest.raises(LedgerUnavailable, match="42P07"):
            migrate.upgrade(empty_url)
        assert migrate.current(empty_url) is None
        connection.execute("DROP TABLE recording")
    assert migrate.upgrade(empty_url) == migrate.head()


def test_an_unknown_revision_is_wrong_use(database_url: str) -> None:
    with pytest.raises(ConfigurationError, match="7777"):
        migrate.upgrade(database_url, to="7777")


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(LedgerUnavailable) as caught:
        migrate.upgrade("postgresql+psycopg://recorder:hush@127.0.0.1:1/recorder")
    assert "RECORDER_DATABASE_URL" in str(caught.value)
    assert "hush" not in str(caught.value)


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
    assert set(said) == {f"The database is at revision {migrate.head()}.\n"}


def test_a_database_of_a_newer_release_is_refused(database_url: str) -> None:
    """F18."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="9999"):
        migrate.upgrade(database_url)
