"""Who may do what to the audit trail: the database itself refuses (A13)."""

from collections.abc import Callable

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.trail_reading import PostgresTrail
from recorder.audit.rules import Fault, Why, verify
from tests.postgres.test_trail import append, entries, fault, some_events

pytestmark = pytest.mark.postgres

EDITS = (
    "UPDATE audit_event SET reason = 'other'",
    "UPDATE audit_event SET reason = 'other' WHERE false",
    "DELETE FROM audit_event",
    "TRUNCATE audit_event CASCADE",
    "UPDATE audit_personal SET data = '{}'",
    "TRUNCATE audit_personal",
    "UPDATE audit_head SET seq = 1",
    "UPDATE audit_head SET id = 2, seq = 99",
    "DELETE FROM audit_head",
    "TRUNCATE audit_head",
    "UPDATE audit_start SET seq = 2",
    "DELETE FROM audit_start",
    "TRUNCATE audit_start",
)
"""Refused to whoever works here, the owner included."""

OF_THE_OWNER = (
    "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    "ALTER TABLE audit_event ADD COLUMN more text",
    "ALTER TABLE audit_event RENAME TO elsewhere",
    "DROP TABLE audit_event CASCADE",
    "DROP TRIGGER audit_event_append_only ON audit_event",
    "DROP FUNCTION audit_refuse() CASCADE",
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
    "CREATE RULE gone AS ON INSERT TO audit_event DO INSTEAD NOTHING",
    "CREATE TABLE elsewhere (id int)",
    "DO $$ BEGIN LOCK TABLE audit_event IN ACCESS EXCLUSIVE MODE; END $$",
    "SET session_replication_role = replica",
    "INSERT INTO audit_head VALUES (2, 9, '')",
    "INSERT INTO audit_start VALUES (2, 9, '', '')",
    "UPDATE alembic_version SET version_num = '0000'",
    "SET ROLE recorder",
)
"""Refused to the processes."""


async def written(url: str) -> None:
    async with connect(url) as engine:
        await append(engine, some_events(5, personal={"caller": "600123456"}))


def plain(url: str) -> str:
    return url.replace("+psycopg", "")


@pytest.mark.parametrize("role", ["runtime_url", "retention_url"])
async def test_the_processes_write_and_read_the_trail(
    role: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(role)
    await written(url)
    async with connect(url) as engine:
        assert len(await entries(engine)) == 5
        assert await fault(engine) is None


@pytest.mark.parametrize("role", ["runtime_url", "retention_url"])
async def test_no_process_can_edit_the_trail(role: str, request: pytest.FixtureRequest) -> None:
    """A13: every verb, also for one who knows how forgetting is switched on."""
    url = request.getfixturevalue(role)
    await written(url)
    with psycopg.connect(plain(url), autocommit=True) as connection:
        for first in ("SELECT 1", "SET recorder.audit_forgetting = 'yes'"):
            connection.execute(first.encode())
            for edit in (*EDITS, *OF_THE_OWNER):
                assert refusal(connection, edit), edit
        # Only a warning; and it grants nothing.
        connection.execute("GRANT ALL ON audit_event TO PUBLIC")
        assert refusal(connection, "DELETE FROM audit_event")
    async with connect(url) as engine:
        assert len(await entries(engine)) == 5
        assert await fault(engine) is None


async def test_not_even_the_owner_edits_the_trail_by_mistake(database_url: str) -> None:
    await written(database_url)
    with psycopg.connect(plain(database_url), autocommit=True) as connection:
        for edit in EDITS:
            said = refusal(connection, edit)
            assert "append-only" in said or "only grows" in said, edit


def refusal(connection: psycopg.Connection, statement: str) -> str:
    """Return what PostgreSQL says when it refuses for want of a right; empty if it obeys."""
    try:
        connection.execute(statement.encode())
    except InsufficientPrivilege as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize("wanted", ["DELETE FROM audit_personal", "SELECT audit_forget(1, 'note')"])
async def test_only_retention_forgets(wanted: str, runtime_url: str) -> None:
    await written(runtime_url)
    with (
        psycopg.connect(plain(runtime_url)) as connection,
        pytest.raises(InsufficientPrivilege),
    ):
        connection.execute(wanted.encode())


async def test_the_callers_are_forgotten_and_the_trail_verifies(retention_url: str) -> None:
    """R8.1e."""
    await written(retention_url)
    with psycopg.connect(plain(retention_url)) as connection:
        assert connection.execute("DELETE FROM audit_personal").rowcount == 5
    async with connect(retention_url) as engine:
        assert {each.personal for each in await entries(engine)} == {None}
        assert await fault(engine) is None


async def test_what_is_younger_than_a_year_is_not_forgotten_by_retention_either(
    retention_url: str,
) -> None:
    """R8.1f."""
    await written(retention_url)
    with (
        psycopg.connect(plain(retention_url)) as connection,
        pytest.raises(InsufficientPrivilege, match="too young"),
    ):
        connection.execute("SELECT audit_forget(1, 'note')")


def swapped(connection: psycopg.Connection) -> None:
    connection.execute("UPDATE audit_event SET seq = 99 WHERE seq = 3")
    connection.execute("UPDATE audit_event SET seq = 3 WHERE seq = 4")
    connection.execute("UPDATE audit_event SET seq = 4 WHERE seq = 99")


def replayed(connection: psycopg.Connection) -> None:
    copied = "at, actor_kind, actor_name, action, subject, reason, details, commitment"
    connection.execute(
        f"INSERT INTO audit_event SELECT 6, {copied}, previous, hash FROM audit_event WHERE seq = 3"
    )


def run(*statements: str) -> Callable[[psycopg.Connection], None]:
    def tamper(connection: psycopg.Connection) -> None:
        for statement in statements:
            connection.execute(statement.encode())

    return tamper


NO_CHECK = "ALTER TABLE audit_event DROP CONSTRAINT ck_audit_event_actor_kind_known"
UNREADABLE = (
    "UPDATE audit_event SET details = 'nonsense' WHERE seq = 3",
    "UPDATE audit_event SET at = 'infinity' WHERE seq = 3",
    "UPDATE audit_event SET at = '4000-01-01 BC' WHERE seq = 3",
    "UPDATE audit_event SET at = '10000-01-01' WHERE seq = 3",
    f"{NO_CHECK}; UPDATE audit_event SET actor_kind = 'ghost' WHERE seq = 3",
)
"""What no program of ours would write."""


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (run("UPDATE audit_event SET reason = 'other' WHERE seq = 3"), (3, Why.ALTERED)),
        (run("UPDATE audit_event SET at = at + interval '1 us' WHERE seq = 3"), (3, Why.ALTERED)),
        (run("UPDATE audit_event SET details = details || ' ' WHERE seq = 3"), (3, Why.ALTERED)),
        (run("UPDATE audit_event SET hash = '' WHERE seq = 3"), (3, Why.ALTERED)),
        *((run(each), (3, Why.ALTERED)) for each in UNREADABLE),
        (run("DELETE FROM audit_event WHERE seq = 3"), (3, Why.MISSING)),
        (run("DELETE FROM audit_event WHERE seq = 1"), (1, Why.MISSING)),
        (run("DELETE FROM audit_event WHERE seq = 5"), (5, Why.CUT_OFF)),
        (run("TRUNCATE audit_event, audit_personal"), (1, Why.CUT_OFF)),
        (
            run(
                "DELETE FROM audit_event WHERE seq = 3",
                "UPDATE audit_event SET seq = seq - 1 WHERE seq > 3",
            ),
            (3, Why.ALTERED),
        ),
        (swapped, (3, Why.ALTERED)),
        (replayed, (6, Why.ALTERED)),
        (run("UPDATE audit_personal SET data = '{}' WHERE seq = 3"), (3, Why.PERSONAL_ALTERED)),
        (run("UPDATE audit_head SET seq = 4"), (5, Why.REPLACED)),
    ],
)
async def test_what_a_superuser_edits_is_found_and_the_first_bad_entry_named(
    tamper: Callable[[psycopg.Connection], None], found: tuple[int, Why], database_url: str
) -> None:
    """A13."""
    await written(database_url)
    with psycopg.connect(plain(database_url)) as superuser:
        superuser.execute("SET session_replication_role = replica")
        tamper(superuser)
    async with connect(database_url) as engine:
        assert await fault(engine) == Fault(seq=found[0], why=found[1])


async def test_a_tail_cut_with_its_head_is_found_against_a_checkpoint(database_url: str) -> None:
    """A13."""
    await written(database_url)
    async with connect(database_url) as engine:
        signed = {each.seq: each.hash for each in await entries(engine)}
    with psycopg.connect(plain(database_url)) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute("DELETE FROM audit_event WHERE seq > 3")
        superuser.execute(
            "UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit_event WHERE seq = 3)"
        )
    async with connect(database_url) as engine:
        assert await fault(engine) is None
        head = await PostgresTrail(engine).head()
        cut = verify(await entries(engine), head=head, signed=signed)
        assert cut == Fault(seq=4, why=Why.CUT_OFF)
