"""The retention process itself: catches up at start, one of many works, another takes over."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import structlog

from recorder.adapters.audit_files import create_key
from recorder.adapters.kernel_clock import KernelClock
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.jobs import PostgresJobs, PostgresReports, PostgresWorkerLock
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.embedded.postgres import EmbeddedPostgres, free_port
from recorder.errors import LedgerUnavailable
from recorder.retention.model import Job, JobState, Tell
from recorder.retention.service import JobRunner
from tests.builders_keeping import PURGE
from tests.fakes import FakeClock
from tests.keys import MASTER_KEY_TEXT, a_vault
from tests.postgres.test_erasing_crashes import seal
from tests.tcp_proxy import TcpProxy

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parents[2]
WITHIN_S = 60.0
EVERY = {
    "purge",
    "review_holds",
    "forget_numbers",
    "scrub",
    "reconcile",
    "report_deletions",
    "find_strays",
    "keep_trail",
    "forget_sign_in_attempts",
    "destroy_key_backups",
    "export_erasures",
    "completeness",
    "count_calls",
    "announcements",
}


@contextmanager
def retention(url: str, directory: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RECORDER_")}  # noqa: TID251 - handed on
    settings = {
        "RECORDER_NODE": name,
        "RECORDER_DATABASE_URL": url,
        "RECORDER_VAULT_DIR": str(directory / "vault"),
        "RECORDER_KEY_DIR": str(directory / "keys"),
        "RECORDER_MASTER_KEY": MASTER_KEY_TEXT,
        "RECORDER_SPOOL_DIR": str(directory / "spool"),
        "RECORDER_REGULATION_FILE": str(ROOT / "regulation.toml"),
        "RECORDER_PBX_LOG_DIRS": str(directory / "cdr"),
        "RECORDER_AUDIT_KEY_FILE": str(directory / "audit.key"),
        "RECORDER_AUDIT_CHECKPOINT_DIR": str(directory / "checkpoints"),
    }
    with (directory / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "retention.py")],
            cwd=directory,
            env=environment | settings,
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=20)


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(query.encode()).fetchall()


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


def workers(url: str) -> dict[object, object]:
    return dict(
        ask(
            url, "SELECT name, split_part(worker, ':', 1) FROM job WHERE last_succeeded IS NOT NULL"
        )  # type: ignore[arg-type]
    )


def test_it_catches_up_at_start_and_another_takes_over_when_it_dies(
    database_url: str, retention_url: str, tmp_path: Path
) -> None:
    """P6, P7: kill -9 of the worker; the second process does the next purge. By its own login."""
    vault = a_vault(tmp_path)
    (tmp_path / "cdr").mkdir()
    create_key(tmp_path / "audit.key", name="office/audit")
    stray = tmp_path / "cdr" / "Master.csv"
    stray.write_text("600123456\n", encoding="ascii")
    # Of the spool reconciliation tells: a name there may be anybody's, and its lock is old.
    (tmp_path / "spool").mkdir(exist_ok=True)
    for name in (".lock", "600123456.journal"):
        (tmp_path / "spool" / name).write_bytes(b"")
        os.utime(tmp_path / "spool" / name, (0, 0))
    os.utime(stray, (0, 0))

    async def fill() -> None:
        async with connect(database_url) as engine:
            await PostgresPurgeLog(engine, actor=PURGE).passed(KernelClock().read())
            for number in range(5):
                await seal(engine, vault, tmp_path, number, days_old=60 if number else 1)

    asyncio.run(fill())
    with (
        retention(retention_url, tmp_path, "one") as first,
        retention(retention_url, tmp_path, "two") as second,
    ):
        wait_until(lambda: set(workers(database_url)) == EVERY)
        assert len(set(workers(database_url).values())) == 1, "one of the two works"
        assert ask(database_url, "SELECT count(*) FROM tombstone") == [(4,)]
        assert len(list(vault.present())) == 1
        incidents = ask(database_url, "SELECT kind, detail FROM incident")
        assert {kind for kind, _ in incidents} == {"stray_traces", "journal_unreadable"}
        assert ".lock" not in str(incidents)
        assert [each.name for each in (tmp_path / "spool").iterdir()] == [".lock"]
        assert "600123456" not in str(incidents)
        assert len(list((tmp_path / "checkpoints").iterdir())) == 1
        worker = workers(database_url)["purge"]
        (first if worker == "one" else second).kill()
        dead = worker
        with retention(retention_url, tmp_path, "three"):
            wait_until(lambda: workers(database_url).get("purge") != dead)
    log = (tmp_path / f"{dead}.log").read_text(encoding="utf-8")
    assert "job_done" in log
    assert "600123456" not in log


def test_without_its_keys_it_does_not_start_and_says_so(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    with retention(database_url, tmp_path, "one") as process:
        assert process.wait(timeout=30) == 3
    assert "RECORDER_KEY_DIR" in (tmp_path / "one.log").read_text(encoding="utf-8")


async def test_of_two_locks_one_is_held_and_released_it_goes_to_the_other(
    database_url: str,
) -> None:
    async with connect(database_url) as engine, connect(database_url) as other:
        one, two = PostgresWorkerLock(engine), PostgresWorkerLock(other)
        assert await one.held()
        assert await one.held()
        assert not await two.held()
        await one.release()
        assert await two.held()
        assert not await one.held()
        await two.release()


async def test_a_lock_whose_connection_was_cut_is_taken_again(database_url: str) -> None:
    async with connect(database_url) as engine:
        lock = PostgresWorkerLock(engine)
        assert await lock.held()
        ask(
            database_url,
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        assert await lock.held()
        await lock.release()


class Work:
    """A job that fails in ways of choice."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    async def __call__(self, tell: Tell) -> str:
        await tell("half")
        if self.error is not None:
            raise self.error
        return "all"


@pytest.mark.parametrize("error", [LedgerUnavailable("600123456"), ZeroDivisionError("600123456")])
async def test_a_job_that_failed_goes_on_at_its_next_tick_and_tells_only_the_type(
    database_url: str, error: Exception
) -> None:
    work, clock = Work(), FakeClock()
    async with connect(database_url) as engine:
        rows, lock = PostgresJobs(engine), PostgresWorkerLock(engine)
        job = Job(name="purge", every=timedelta(minutes=5), work=work)
        runner = JobRunner(jobs=[job], rows=rows, lock=lock, clock=clock, worker="w")
        assert await runner.run_if_due("purge")
        assert not await runner.run_if_due("purge"), "not due yet"
        work.error = error
        clock.pass_by(300)
        assert not await runner.run_if_due("purge")
        (state,) = await rows.states()
        assert (state.last_error, state.progress) == (type(error).__name__, "half")
        assert state.last_succeeded is not None
        work.error = None
        clock.pass_by(300)
        assert await runner.run_if_due("purge")
        (state,) = await rows.states()
        assert state == JobState(
            name="purge",
            worker="w",
            last_started=clock.at,
            last_succeeded=clock.at,
            last_failed=clock.at - timedelta(minutes=5),
            last_error="",
            progress="all",
            next_due=clock.at + job.every,
        )
        assert await PostgresReports(engine).newest(limit=1) == []
        await lock.release()


async def test_what_a_dead_worker_began_its_successor_begins_again_at_once(
    database_url: str,
) -> None:
    """P7: a job of every six hours does not wait six hours because its worker was killed."""
    clock, done = FakeClock(), Work()
    job = Job(name="reconcile", every=timedelta(hours=6), work=done)
    async with connect(database_url) as engine:
        rows, lock = PostgresJobs(engine), PostgresWorkerLock(engine)
        due = clock.at + job.every
        await rows.started("reconcile", worker="dead", at=clock.at, next_due=due)
        runner = JobRunner(jobs=[job], rows=rows, lock=lock, clock=clock, worker="new")
        assert await runner.run_if_due("reconcile")
        assert not await runner.run_if_due("reconcile")
        (state,) = await rows.states()
        assert (state.worker, state.progress) == ("new", "all")
        await lock.release()


async def test_the_first_purge_comes_as_soon_as_postgresql_is_back(
    database_url: str, postgres: EmbeddedPostgres
) -> None:
    """P6: though the last purge was a moment ago; one line says that it waits."""
    clock, done = FakeClock(), Work()
    job = Job(name="purge", every=timedelta(minutes=5), work=done)
    proxy = TcpProxy(free_port())
    async with proxy.running():
        url = database_url.replace(f":{postgres.port}/", f":{proxy.port}/")
        async with connect(url) as engine, connect(database_url) as beside:
            rows = PostgresJobs(beside)
            await rows.started("purge", worker="before", at=clock.at, next_due=clock.at + job.every)
            await rows.succeeded("purge", at=clock.at, progress="all")
            lock = PostgresWorkerLock(engine)
            runner = JobRunner(
                jobs=[job],
                rows=PostgresJobs(engine),
                lock=lock,
                clock=clock,
                worker="new",
                at_start=["purge"],
            )
            with structlog.testing.capture_logs() as logged:
                assert not await runner.run_if_due("purge")
                assert not await runner.run_if_due("purge")
            assert [each["event"] for each in logged] == ["job_waits"]
            proxy.forward_to(postgres.port)
            assert await runner.run_if_due("purge")
            assert not await runner.run_if_due("purge"), "once, and then by its row"
            await lock.release()
