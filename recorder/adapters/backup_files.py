"""Files of backups: copied whole, hashed on the way, linked where an earlier one has them."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recorder.adapters.files import BLOCK, OPEN_FOLDER, folder_beneath, sync_directory
from recorder.backup.model import File
from recorder.errors import BackupUnavailable, RuleViolation

FILE_MODE, FOLDER_MODE = 0o600, 0o700
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
UNFINISHED = ".unfinished"
LOCK = ".lock"


@contextmanager
def written_to() -> Iterator[None]:
    """Turn what the disk says into ``BackupUnavailable``. Its own paths are not repeated."""
    try:
        yield
    except OSError as error:
        raise BackupUnavailable(
            f"the place of the backup cannot be read or written ({error.strerror or error})"
        ) from error


@contextmanager
def only_one(directory: Path, name: str = LOCK) -> Iterator[None]:
    """Hold a place of backups alone. Raises ``RuleViolation``. Ends with the process."""
    with written_to():
        make_folder(directory)
        handle = os.open(directory / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuleViolation("another backup, prune or restore is at work there") from None
        yield
    finally:
        os.close(handle)


def make_folder(directory: Path) -> None:
    """Make a folder for its owner alone, and all above it."""
    if not directory.is_dir():
        make_folder(directory.parent)
        directory.mkdir(mode=FOLDER_MODE, exist_ok=True)
        directory.chmod(FOLDER_MODE)
        sync_directory(directory.parent)


def copy_between(
    source: Path, target: Path, folder: str, name: str, *, modes: tuple[int, int]
) -> tuple[int, str, int] | None:
    """Copy ``folder/name`` from one root to another, whole or absent, with its time.

    Returns size, SHA-256 and time; None if the source has no such file. ``modes`` are those of
    files and folders. The name is on disk once ``sync_tree`` was called.
    """
    try:
        with folder_beneath(source, folder) as outer:
            reading = os.open(name, READ, dir_fd=outer)
    except FileNotFoundError:
        return None
    unfinished = f"{name}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    digest, size = hashlib.sha256(), 0
    with os.fdopen(reading, "rb") as file, folder_beneath(target, folder, make_with=modes[1]) as to:
        changed = os.fstat(file.fileno()).st_mtime_ns
        with os.fdopen(os.open(unfinished, flags, modes[0], dir_fd=to), "wb") as copy:
            while block := file.read(BLOCK):
                digest.update(block)
                size += len(block)
                copy.write(block)
            copy.flush()
            os.fchmod(copy.fileno(), modes[0])
            os.utime(copy.fileno(), ns=(changed, changed))
            os.fsync(copy.fileno())
        os.rename(unfinished, name, src_dir_fd=to, dst_dir_fd=to)
    return size, digest.hexdigest(), changed


def link_from(earlier: Path, target: Path, folder: str, name: str) -> bool:
    """Give a file of an earlier backup a second name in this one; False where that cannot be."""
    try:
        with (
            folder_beneath(earlier, folder) as source,
            folder_beneath(target, folder, make_with=FOLDER_MODE) as to,
        ):
            os.link(name, name, src_dir_fd=source, dst_dir_fd=to, follow_symlinks=False)
    except OSError:
        # Not every file system knows links; copying is always right.
        return False
    return True


def look_at(root: Path, folder: str, name: str) -> tuple[int, int] | None:
    """Return a file's size and time, None if it is not there or no file."""
    try:
        with folder_beneath(root, folder) as handle:
            found = os.stat(name, dir_fd=handle, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size, found.st_mtime_ns


def hash_of(root: Path, folder: str, name: str) -> tuple[int, str] | None:
    """Return a file's size and SHA-256, reading all of it; None if it is not there."""
    digest, size = hashlib.sha256(), 0
    try:
        with folder_beneath(root, folder) as handle:
            file = os.open(name, READ, dir_fd=handle)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with os.fdopen(file, "rb") as source:
        while block := source.read(BLOCK):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def copy_tree(source: Path, target: Path, *, beneath: str, modes: tuple[int, int]) -> list[File]:
    """Copy all files of a folder to ``target/beneath``; return them by their new paths."""
    found = []
    for path in sorted(source.rglob("*")) if source.is_dir() else ():
        hidden = any(part.startswith(".") for part in path.relative_to(source).parts)
        # What is hidden is a lock or unfinished.
        if hidden or path.is_symlink() or not path.is_file():
            continue
        inner = path.parent.relative_to(source).as_posix()
        folder = "" if inner == "." else inner
        copied = copy_between(source, target / beneath, folder, path.name, modes=modes)
        if copied is not None:
            where = (Path(beneath) / folder / path.name).as_posix()
            found.append(File(path=where, size=copied[0], sha256=copied[1]))
    return found


def sync_tree(root: Path) -> None:
    """Put every name below ``root``, and ``root``'s own, on disk."""
    for where, folders, _, handle in os.fwalk(root):
        del where, folders
        os.fsync(handle)
    sync_directory(root.parent)


def remove_tree(root: Path) -> None:
    """Remove a folder of a backup. Its files may have names in later ones: they are not touched."""
    shutil.rmtree(root, ignore_errors=False) if root.exists() else None


def put_file(path: Path, content: bytes) -> None:
    """Write a small file for its owner alone, whole or absent, on disk."""
    unfinished = path.with_name(f"{path.name}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(unfinished, flags, FILE_MODE), "wb") as file:
        os.fchmod(file.fileno(), FILE_MODE)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    handle = os.open(path.parent, OPEN_FOLDER)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
