"""F19: retention without descriptors and without memory tells it, and catches up by itself."""

import json
import resource
from pathlib import Path

import psycopg
import pytest

from recorder.adapters.audit_files import create_key
from tests.keys import a_vault
from tests.limits import FILES, NO_MEMORY, limited
from tests.postgres.test_retention_process import EVERY, ask, retention, wait_until, workers

pytestmark = pytest.mark.postgres


def make_due(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE job SET next_due = now() - interval '1 second'")


def succeeded_after(url: str, instant: object) -> set[object]:
    query = f"SELECT name FROM job WHERE last_succeeded > '{instant}'"
    return {name for (name,) in ask(url, query)}


def complaints(log: Path) -> set[str]:
    # The last line may still be on its way.
    lines = log.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
    told = [json.loads(line) for line in lines if line.startswith("{")]
    return {each["event"] for each in told if each["level"] in {"warning", "error"}}


def test_it_works_with_few_descriptors_and_catches_up_after_it_had_no_memory(
    database_url: str, retention_url: str, tmp_path: Path
) -> None:
    a_vault(tmp_path)
    (tmp_path / "spool").mkdir()
    create_key(tmp_path / "audit.key", name="office/audit")
    log = tmp_path / "one.log"
    with retention(retention_url, tmp_path, "one") as process:
        with limited(process.pid, resource.RLIMIT_NOFILE, FILES):
            wait_until(lambda: set(workers(database_url)) == EVERY)
        before = complaints(log)
        with limited(process.pid, resource.RLIMIT_AS, NO_MEMORY):
            make_due(database_url)
            wait_until(lambda: bool(complaints(log) - before))
        ((now,),) = ask(database_url, "SELECT now()")
        make_due(database_url)
        wait_until(lambda: succeeded_after(database_url, now) == EVERY)
        assert process.poll() is None
