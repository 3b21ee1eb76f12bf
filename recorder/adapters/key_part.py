"""The part of a backup that opens it: one file of wrapped keys, destroyed as one.

Header: magic, id of the backup, by when the file must be gone (seconds since 1970, UTC), number
of keys. Then for each key 16 bytes of id and the 84 bytes of a key file; the first is the
backup's own, which seals its dump. Without the master key nothing of it opens; without this
file nothing of the backup does, the master key or not.
"""

import os
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from recorder.adapters.files import folder_beneath, overwrite_and_unlink
from recorder.adapters.master_key import WRAPPED_BYTES
from recorder.errors import BackupDamaged, BackupUnavailable

HEADER = struct.Struct("<8s16sqQ")
MAGIC = b"REJKBK1\n"
KEYS, UNFINISHED = ".keys", ".keys.part"
MODE, FOLDER_MODE = 0o600, 0o700
RECORD = 16 + WRAPPED_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPart:
    """A file of keys and when it must go. ``destroy_by`` None = it does not say, being torn."""

    name: str
    backup_id: UUID | None
    destroy_by: datetime | None
    written_at: datetime


def write_part(
    place: Path, name: str, keys: Mapping[UUID, bytes], *, backup_id: UUID, destroy_by: datetime
) -> None:
    """Write the file, on disk and whole when this returns. Raises ``BackupUnavailable``."""
    unfinished, finished = f"{name}{UNFINISHED}", f"{name}{KEYS}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with folder_beneath(place, "", make_with=FOLDER_MODE) as folder:
            handle = os.open(unfinished, flags, MODE, dir_fd=folder)
            with os.fdopen(handle, "wb") as file:
                # The date first and on disk: whatever a crash leaves can be judged by it.
                seconds = int(destroy_by.timestamp())
                file.write(HEADER.pack(MAGIC, backup_id.bytes, seconds, len(keys)))
                file.flush()
                os.fsync(file.fileno())
                for owner, wrapped in keys.items():
                    file.write(owner.bytes + wrapped)
                file.flush()
                os.fsync(file.fileno())
            os.rename(unfinished, finished, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
    except OSError as error:
        raise BackupUnavailable(f"the keys cannot be written ({error.strerror})") from error


def read_part(content: bytes, *, backup_id: UUID) -> dict[UUID, bytes]:
    """Return the wrapped keys by their owners. Raises ``BackupDamaged``."""
    body = content[HEADER.size :]
    if len(content) < HEADER.size or len(body) % RECORD:
        raise BackupDamaged("the file of keys is cut")
    magic, owner, _, count = HEADER.unpack(content[: HEADER.size])
    if magic != MAGIC or UUID(bytes=owner) != backup_id or count != len(body) // RECORD:
        raise BackupDamaged("the file of keys is not this backup's")
    return {
        UUID(bytes=body[at : at + 16]): body[at + 16 : at + RECORD]
        for at in range(0, len(body), RECORD)
    }


def parts_in(place: Path) -> Iterator[KeyPart]:
    """Yield every file of keys, finished or not. Raises ``BackupUnavailable``."""
    try:
        names = sorted(each.name for each in place.iterdir())
        for name in names:
            if name.endswith((KEYS, UNFINISHED)):
                yield _look_at(place / name)
    except OSError as error:
        raise BackupUnavailable(
            f"a place of key backups cannot be read ({error.strerror}); check "
            "RECORDER_BACKUP_KEY_DIRS"
        ) from error


def destroy_part(place: Path, name: str) -> None:
    """Overwrite and remove a file of keys, then sync. Gone already is done."""
    try:
        with folder_beneath(place, "") as folder:
            overwrite_and_unlink(name, folder=folder)
            os.fsync(folder)
    except OSError as error:
        raise BackupUnavailable(f"keys cannot be destroyed ({error.strerror})") from error


def destroy_parts(
    place: Path, judge: Callable[[KeyPart], bool]
) -> tuple[list[KeyPart], list[KeyPart]]:
    """Destroy what ``judge`` says; return what is gone, and what would not go."""
    gone, stuck = [], []
    for each in list(parts_in(place)):
        if not judge(each):
            continue
        try:
            destroy_part(place, each.name)
        except BackupUnavailable:
            # One file that will not go must not keep the others.
            stuck.append(each)
        else:
            gone.append(each)
    return gone, stuck


def _look_at(path: Path) -> KeyPart:
    with path.open("rb") as file:
        header = file.read(HEADER.size)
        written = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    if len(header) < HEADER.size or not header.startswith(MAGIC):
        return KeyPart(name=path.name, backup_id=None, destroy_by=None, written_at=written)
    _, owner, seconds, _ = HEADER.unpack(header)
    return KeyPart(
        name=path.name,
        backup_id=UUID(bytes=owner),
        destroy_by=datetime.fromtimestamp(seconds, UTC),
        written_at=written,
    )
