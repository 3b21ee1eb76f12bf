"""Making files last, making them go, and reaching them without following a link."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

BLOCK = 1 << 20
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def sync_directory(directory: Path) -> None:
    """Put a directory's entries on disk: a rename without it may be lost with the power."""
    handle = os.open(directory, OPEN_FOLDER)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(path: Path) -> None:
    """Put a file's bytes on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes (hex), read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def overwrite_and_remove(path: Path) -> None:
    """Overwrite a file once, then remove it (the letter of § 7.2). Gone already is done."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    _overwrite(handle, bytes)
    path.unlink(missing_ok=True)


def overwrite_and_unlink(name: str, *, folder: int) -> None:
    """Overwrite a file in an open folder once with random bytes, then remove it.

    Gone already is done. The removal is on disk once the folder is synced.
    """
    try:
        # A pipe in a file's place would keep whoever opens it waiting, and every run behind them.
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        return
    _overwrite(handle, os.urandom)
    os.unlink(name, dir_fd=folder)


def _overwrite(handle: int, filling: Callable[[int], bytes]) -> None:
    try:
        left = os.fstat(handle).st_size
        while left > 0:
            left -= os.write(handle, filling(min(BLOCK, left)))
        os.fsync(handle)
    finally:
        os.close(handle)


def is_there(name: str, *, folder: int) -> bool:
    """Tell whether an open folder has an entry of this name, a dangling link included."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def folder_beneath(root: Path, folder: str, *, make_with: int | None = None) -> Iterator[int]:
    """Open ``folder`` under ``root``, one step at a time, following no link below ``root`` (A15).

    ``make_with`` is the mode of folders to make on the way, each on disk before the next;
    None = make none.
    """
    if make_with is not None:
        _make_root(root, make_with)
    handle = os.open(root, OPEN_FOLDER)
    try:
        for name in filter(None, folder.split("/")):
            inner = _step(handle, name, make_with)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def _step(outer: int, name: str, make_with: int | None) -> int:
    try:
        return os.open(name, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=outer)
    except FileNotFoundError:
        if make_with is None:
            raise
    try:
        os.mkdir(name, make_with, dir_fd=outer)
        made = True
    except FileExistsError:
        made = False
    inner = os.open(name, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=outer)
    if made:
        # mkdir's mode is cut by the umask.
        os.fchmod(inner, make_with)
        os.fsync(outer)
    return inner


def _make_root(root: Path, mode: int) -> None:
    if not root.is_dir():
        _make_root(root.parent, mode)
        root.mkdir(mode=mode, exist_ok=True)
        root.chmod(mode)
        sync_directory(root.parent)
