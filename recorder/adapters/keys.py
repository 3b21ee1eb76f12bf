"""The keys of recordings: one small file each, outside database and vault (RG.4).

``<recording id>.key`` holds the key wrapped by the master key; ``master.check`` a known text
wrapped the same way, by which a wrong master key is found before it does anything.
"""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from recorder.adapters.files import folder_beneath, is_there, overwrite_and_unlink
from recorder.adapters.master_key import KEY_BYTES, MasterKey, wrapped_by
from recorder.errors import ConfigurationError, KeyUnavailable, RuleViolation
from recorder.model import RecordingId

FILE_MODE, FOLDER_MODE = 0o600, 0o700
KEY, UNFINISHED, REPLACED = ".key", ".part", ".old"
SUFFIXES = (KEY, UNFINISHED, REPLACED)
NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?:key|part|old)")
CHECK = "master"
CHECK_FILE = f"{CHECK}.check"
CHECK_ID = UUID(int=0)
KNOWN_TEXT = b"this master key opens these keys"
LOCK = ".lock"
PENDING = "restore.pending"
"""While this file is there no key is given out and none is made: a restore is not finished."""
NOT_FINISHED = "a restore is not finished: `recorder restore --finish`"


class DiskKeys:
    """Key files under one directory. See ``recorder.ports.Keys`` for the promises.

    Whoever reads, writes or destroys a key holds the directory's lock shared; a rotation holds
    it alone for the moment of each step. So no key is written under a master key just replaced,
    none comes back that was destroyed, and none is read while it is overwritten.
    """

    def __init__(self, directory: Path, master: MasterKey) -> None:
        self._directory, self._master = directory, master

    def check(self) -> None:
        """Refuse a master key that does not open these keys. Raises ``ConfigurationError``."""
        with self._open() as folder:
            self._check(folder)

    def check_master(self) -> None:
        """Do the same while a restore is at work. Raises ``ConfigurationError``."""
        with self._open() as folder:
            self._check_master(folder)

    def create(self, recording_id: RecordingId) -> bytes:
        """Return a fresh key, on disk; an earlier one of this recording is destroyed."""
        key = secrets.token_bytes(KEY_BYTES)
        with self._open() as folder, locked(folder, fcntl.LOCK_SH):
            # A rotation may have put another master key in force since this process started.
            try:
                self._check(folder)
            except ConfigurationError as error:
                raise KeyUnavailable(str(error)) from None
            put(folder, str(recording_id), self._master.wrap(key, recording_id))
        return key

    def get(self, recording_id: RecordingId) -> bytes | None:
        """Return the key, None if there is none."""
        # Under the lock: a rotation overwrites the file that it has just replaced.
        with self._open() as folder, locked(folder, fcntl.LOCK_SH):
            if is_there(PENDING, folder=folder):
                raise KeyUnavailable(NOT_FINISHED)
            wrapped = read(folder, f"{recording_id}{KEY}")
        return None if wrapped is None else self._master.unwrap(wrapped, recording_id)

    def destroy(self, recording_id: RecordingId) -> None:
        """Overwrite and remove the key and whatever a crash left of it."""
        with self._open() as folder, locked(folder, fcntl.LOCK_SH):
            for suffix in SUFFIXES:
                overwrite_and_unlink(f"{recording_id}{suffix}", folder=folder)
            os.fsync(folder)

    def holds(self, recording_id: RecordingId) -> bool:
        """Tell whether anything of a key is there."""
        with self._open() as folder:
            return any(is_there(f"{recording_id}{each}", folder=folder) for each in SUFFIXES)

    def present(self) -> Iterator[RecordingId]:
        """Yield every recording of which anything of a key is there, each once."""
        with self._open() as folder:
            yield from recordings_in(folder)

    def _check(self, folder: int) -> None:
        if is_there(PENDING, folder=folder):
            raise ConfigurationError(NOT_FINISHED)
        self._check_master(folder)

    def _check_master(self, folder: int) -> None:
        wrapped = read(folder, CHECK_FILE)
        if wrapped is None:
            raise ConfigurationError(
                "the key directory has no master.check: is its volume mounted? A new one is "
                "prepared once by `recorder keys init`"
            )
        if wrapped_by(wrapped) != self._master.id:
            raise ConfigurationError(
                "the master key is not the one of the key directory: give the right one, or, "
                "after `recorder keys rotate`, the new one"
            )
        if self._master.unwrap(wrapped, CHECK_ID) != KNOWN_TEXT:
            raise ConfigurationError("the key directory's master.check is damaged")

    @contextmanager
    def _open(self) -> Iterator[int]:
        with opened(self._directory) as folder:
            yield folder


def prepare(directory: Path, master: MasterKey) -> None:
    """Bind a new key directory to its master key. Raises ``RuleViolation`` over an old one."""
    with opened(directory, make_with=FOLDER_MODE) as folder, locked(folder, fcntl.LOCK_EX):
        if is_there(CHECK_FILE, folder=folder):
            raise RuleViolation("the key directory has its master key; `recorder keys rotate`")
        if any(recordings_in(folder)):
            raise RuleViolation(
                "the key directory holds keys but no master.check: restore it from the backup"
            )
        put(folder, CHECK, master.wrap(KNOWN_TEXT, CHECK_ID), suffix=".check")


def is_bound(directory: Path) -> bool:
    """Tell whether a key directory has its master key."""
    return (directory / CHECK_FILE).exists()


@contextmanager
def opened(directory: Path, *, make_with: int | None = None) -> Iterator[int]:
    """Open the key directory. What the disk refuses is ``KeyUnavailable``."""
    try:
        with folder_beneath(directory, "", make_with=make_with) as folder:
            yield folder
    except OSError as error:
        raise KeyUnavailable(
            f"the key directory cannot be read or written ({error.strerror}); check "
            "RECORDER_KEY_DIR and its owner"
        ) from error


@contextmanager
def locked(folder: int, how: int) -> Iterator[None]:
    """Hold the directory's lock, shared or alone. Ends with the process, however it ends."""
    # Read-only is enough to hold a lock, and a process that only reads may mount keys so.
    flags = os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(LOCK, flags, FILE_MODE, dir_fd=folder)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def read(folder: int, name: str) -> bytes | None:
    """Return a key file's bytes, None if it is not there."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        return os.read(handle, 1024)
    finally:
        os.close(handle)


def put(folder: int, stem: str, content: bytes, *, suffix: str = KEY) -> None:
    """Write a key file, whole or not at all; what it replaces is overwritten.

    The replaced file keeps a second name until then, so that a crash loses sight of nothing.
    """
    tidy(folder, stem)
    name, unfinished, replaced = f"{stem}{suffix}", f"{stem}{UNFINISHED}", f"{stem}{REPLACED}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(unfinished, flags, FILE_MODE, dir_fd=folder)
    try:
        os.fchmod(handle, FILE_MODE)
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    replaces = is_there(name, folder=folder)
    if replaces:
        os.link(name, replaced, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        os.fsync(folder)
    os.rename(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)
    if replaces:
        overwrite_and_unlink(replaced, folder=folder)
        os.fsync(folder)


def tidy(folder: int, stem: str) -> None:
    """Finish or undo what a crash left of ``put``."""
    overwrite_and_unlink(f"{stem}{UNFINISHED}", folder=folder)
    replaced = f"{stem}{REPLACED}"
    try:
        names = os.stat(replaced, dir_fd=folder, follow_symlinks=False).st_nlink
    except FileNotFoundError:
        return
    if names > 1:
        # Not replaced yet: the bytes are still the key's own.
        os.unlink(replaced, dir_fd=folder)
    else:
        overwrite_and_unlink(replaced, folder=folder)


def recordings_in(folder: int) -> Iterator[RecordingId]:
    """Yield every recording of which the directory holds anything, each once."""
    seen: set[RecordingId] = set()
    for name in os.listdir(folder):
        match = NAME.fullmatch(name)
        if match and (recording_id := RecordingId(UUID(match[1]))) not in seen:
            seen.add(recording_id)
            yield recording_id
