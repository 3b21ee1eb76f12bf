"""What the kernel saw happen in a folder: no file can come and go unseen between two looks."""

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

IN_MODIFY, IN_MOVED_TO, IN_CREATE = 0x2, 0x80, 0x100
IN_Q_OVERFLOW = 0x4000
NONBLOCK = 0o4000
HEAD = struct.Struct("iIII")

_libc = ctypes.CDLL(None, use_errno=True)


class Watched:
    """Names of files that came, and of those that were written to, since the watch began."""

    def __init__(self) -> None:
        self.came: set[str] = set()
        self.written: set[str] = set()
        self.overflowed = False

    def audio_that_came(self) -> set[str]:
        return {name for name in self.came if name.endswith(".raw")}

    def audio_written(self) -> set[str]:
        return {name for name in self.written if name.endswith(".raw")}


@contextmanager
def watching(folder: Path) -> Iterator[Watched]:
    """Have the kernel note what comes into ``folder``; to be read after the block."""
    handle = _libc.inotify_init1(NONBLOCK)
    assert handle >= 0, os.strerror(ctypes.get_errno())
    watched = Watched()
    try:
        mask = IN_MODIFY | IN_MOVED_TO | IN_CREATE
        watch = _libc.inotify_add_watch(handle, os.fsencode(folder), mask)
        assert watch >= 0, os.strerror(ctypes.get_errno())
        yield watched
        for name, events in _events(handle):
            watched.overflowed |= bool(events & IN_Q_OVERFLOW)
            if events & (IN_CREATE | IN_MOVED_TO):
                watched.came.add(name)
            if events & IN_MODIFY:
                watched.written.add(name)
        assert not watched.overflowed, "the kernel could not keep up"
    finally:
        os.close(handle)


def _events(handle: int) -> Iterator[tuple[str, int]]:
    while True:
        try:
            batch = os.read(handle, 1 << 16)
        except BlockingIOError:
            return
        while batch:
            _, events, _, length = HEAD.unpack_from(batch)
            name = batch[HEAD.size : HEAD.size + length].rstrip(b"\0")
            yield os.fsdecode(name), events
            batch = batch[HEAD.size + length :]
