"""The journals of live calls: one append-only file each in the spool."""

import errno
import fcntl
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from recorder.adapters.files import sync_directory
from recorder.capture.journal import decode, encode
from recorder.errors import ConfigurationError, SpoolUnavailable
from recorder.model import CallId

SUFFIX = ".journal"


class DiskJournals:
    """Journals as ``<call id>.journal`` under one directory, open while their call lives."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[CallId, int] = {}
        self._unnamed: set[CallId] = set()
        """Open journals whose name may not survive a power cut: the directory is not synced."""

    def append(self, call_id: CallId, entry: Mapping[str, object], *, durable: bool) -> None:
        """Add one entry in one write. When ``durable``, it survives a power cut on return."""
        line = encode(entry)
        try:
            handle = self._open.get(call_id)
            if handle is None:
                handle = self._open_for_append(call_id)
            _write_whole(handle, line)
            if durable:
                os.fsync(handle)
                if call_id in self._unnamed:
                    sync_directory(self._directory)
                    self._unnamed.discard(call_id)
        except OSError as error:
            # Opened anew, should anything follow, it gets its torn line closed.
            self.close(call_id)
            raise SpoolUnavailable(f"the spool cannot be written ({error.strerror})") from error

    def read(self, call_id: CallId) -> Sequence[Mapping[str, Any]]:
        """Return the entries in order; a torn last line is not an entry."""
        try:
            return decode(self._path(call_id).read_bytes())
        except FileNotFoundError as error:
            # Without its folder, nothing says that there never was a journal.
            if not self._directory.is_dir():
                raise SpoolUnavailable(f"the spool is missing ({error.strerror})") from error
            return []
        except OSError as error:
            raise SpoolUnavailable(f"the spool cannot be read ({error.strerror})") from error

    def recall(self, call_id: CallId) -> Sequence[Mapping[str, Any]]:
        """Return what can still be read after ``append`` failed; empty rather than raising."""
        try:
            return self.read(call_id)
        except SpoolUnavailable:
            return []

    def all_calls(self) -> Sequence[CallId]:
        """Return every call with a journal, oldest first; an unreadable spool has none."""
        try:
            found = sorted(each.stem for each in self._directory.glob(f"*{SUFFIX}"))
        except OSError:
            return []
        return [CallId(UUID(stem)) for stem in found if _is_uuid(stem)]

    def close(self, call_id: CallId) -> None:
        """Release the journal's file handle; the journal stays."""
        self._unnamed.discard(call_id)
        handle = self._open.pop(call_id, None)
        if handle is not None:
            os.close(handle)

    def wipe(self, call_id: CallId) -> None:
        """Remove the journal. Removing what is gone is a success."""
        self.close(call_id)
        try:
            self._path(call_id).unlink(missing_ok=True)
        except OSError as error:
            raise SpoolUnavailable(f"the spool cannot be written ({error.strerror})") from error

    def _open_for_append(self, call_id: CallId) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(self._path(call_id), flags, 0o640)
        self._open[call_id] = handle
        with suppress(OSError):
            # Whoever would erase it sees that it is written; the call waits for nobody.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        self._unnamed.add(call_id)
        self._close_torn_line(call_id, handle)
        return handle

    def _close_torn_line(self, call_id: CallId, handle: int) -> None:
        size = os.fstat(handle).st_size
        if size == 0:
            return
        with self._path(call_id).open("rb") as journal:
            journal.seek(-1, os.SEEK_END)
            torn = journal.read(1) != b"\n"
        if torn:
            os.write(handle, b"\n")

    def _path(self, call_id: CallId) -> Path:
        return self._directory / f"{call_id}{SUFFIX}"


class SpoolLock:
    """Keeps a second capture off the same spool: two would decide every call twice (F15)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._handle = -1

    def __enter__(self) -> Self:
        """Take the lock. Raises ``ConfigurationError`` when somebody has it, or no spool is."""
        try:
            self._directory.mkdir(mode=0o2770, parents=True, exist_ok=True)
            self._handle = os.open(self._directory / ".lock", os.O_RDWR | os.O_CREAT, 0o640)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._handle)
            raise ConfigurationError(
                "another capture process works on this spool; stop it, or give each its own "
                "RECORDER_SPOOL_DIR"
            ) from error
        except OSError as error:
            raise ConfigurationError(
                f"the spool {self._directory} cannot be used ({error.strerror}); "
                "RECORDER_SPOOL_DIR must name a directory that this user may write"
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Give the lock back."""
        os.close(self._handle)


def _write_whole(handle: int, line: bytes) -> None:
    # A full disk takes part of a line; it is torn and will be read as such.
    if os.write(handle, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
