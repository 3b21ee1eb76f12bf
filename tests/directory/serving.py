"""A provider in a process of its own, which says on its first line where it is."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = (sys.executable, "-m", "tests.directory.provider")
"""The provider that lies as it is told."""


@contextmanager
def serving(
    command: Sequence[str] = OURS, *, cwd: Path = ROOT, stderr: int | None = None
) -> Iterator[str]:
    """Give the issuer of the provider that a command runs, until it is no longer needed."""
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=stderr, text=True)
    assert process.stdout
    with process, process.stdout:
        yield process.stdout.readline().strip()
        process.kill()
