"""Audio and unreadable journals in the spool, as reconciliation sees them."""

import fcntl
import os
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from recorder.adapters.files import overwrite_and_remove, sync_directory
from recorder.adapters.journals import SUFFIX as JOURNAL
from recorder.adapters.spool import SUFFIX as AUDIO
from recorder.capture.journal import decode, fold
from recorder.errors import SpoolUnavailable
from recorder.retention.model import Spooled, SpoolStray, Swept

KINDS = {AUDIO: Spooled.AUDIO, JOURNAL: Spooled.JOURNAL}
CANNOT_OPEN = "SpoolUnavailable"
"""As capture tells of it."""


class DiskSpoolStrays:
    """See ``recorder.retention.ports.SpoolStrays`` for the promises."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def found(self) -> Sequence[SpoolStray]:
        """Return all audio, and the journals that no call can be read from, in order of names."""
        try:
            paths = sorted(each for each in self._directory.iterdir() if each.suffix in KINDS)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SpoolUnavailable(f"the spool cannot be read ({error.strerror})") from error
        return [stray for each in paths if (stray := _look_at(each)) is not None]

    def erase(self, stray: SpoolStray) -> Swept:
        """Overwrite and remove it, unless capture works on it or it can be read by now."""
        try:
            path = self._path(stray)
            if path is None:
                return Swept.GONE
            if path.lstat().st_ino != stray.place or not _erase(path, stray):
                return Swept.IN_USE
            sync_directory(self._directory)
        except FileNotFoundError:
            return Swept.GONE
        except OSError as error:
            raise SpoolUnavailable(f"it cannot be overwritten ({error.strerror})") from error
        return Swept.ERASED

    def _path(self, stray: SpoolStray) -> Path | None:
        suffix = AUDIO if stray.kind is Spooled.AUDIO else JOURNAL
        if stray.id is not None:
            return self._directory / f"{stray.id}{suffix}"
        nameless = (each for each in self._directory.iterdir() if each.suffix == suffix)
        return next((each for each in nameless if each.lstat().st_ino == stray.place), None)


def _erase(path: Path, stray: SpoolStray) -> bool:
    if stray.kind is Spooled.AUDIO:
        overwrite_and_remove(path)
        return True
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # Capture holds a shared lock on every journal that it writes.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stray.id is not None and not _why_unreadable(path.read_bytes()):
            return False
        overwrite_and_remove(path)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def _look_at(path: Path) -> SpoolStray | None:
    """Return what it is, None if it is gone or a journal that can be read."""
    kind, id_, why = KINDS[path.suffix], _id_of(path), ""
    try:
        found = path.lstat()
        if kind is Spooled.JOURNAL and id_ is not None:
            why = _judged(path, found)
            if not why:
                return None
    except FileNotFoundError:
        return None
    return SpoolStray(
        kind=kind,
        id=id_,
        place=found.st_ino,
        why=why,
        written_at=datetime.fromtimestamp(found.st_mtime, UTC),
        changed_at=datetime.fromtimestamp(found.st_ctime, UTC),
    )


def _judged(path: Path, found: os.stat_result) -> str:
    """Return why a journal cannot be read, empty if it can."""
    if not stat.S_ISREG(found.st_mode):
        return CANNOT_OPEN
    try:
        return _why_unreadable(path.read_bytes())
    except FileNotFoundError:
        raise
    except OSError:
        return CANNOT_OPEN


def _why_unreadable(stored: bytes) -> str:
    """Return the type of what is wrong with a journal, empty if a call can be read from it."""
    try:
        fold(decode(stored))
    # Whatever is wrong with it: damaged, or of a newer release.
    except Exception as error:  # noqa: BLE001 - the boundary of one journal
        return type(error).__name__
    return ""


def _id_of(path: Path) -> UUID | None:
    try:
        return found if str(found := UUID(path.stem)) == path.stem else None
    except ValueError:
        return None
