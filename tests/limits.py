"""The kernel's own limits, put on a process that runs (F19)."""

import contextlib
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

FILES = 64
NO_MEMORY = 1 << 20
"""Bytes of address space: less than any process has, so that it is given no more."""


def address_space(pid: int) -> int:
    """Return how many bytes of address space a running process has."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()


@contextlib.contextmanager
def limited(pid: int, what: int, most: int) -> Iterator[None]:
    """Let a running process have no more than ``most``, and then as much as before."""
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (most, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, what, before)


@contextlib.contextmanager
def crowd(port: int, many: int = 2 * FILES) -> Iterator[list[socket.socket]]:
    """Connect so many times to a port of this machine and say nothing."""
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            for _ in range(many)
        ]
