"""Reads a whole backup and says whether it is what was made."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from recorder.adapters.backup_files import hash_of, written_to
from recorder.adapters.backup_set import Opened, require_same
from recorder.adapters.key_part import KEYS
from recorder.adapters.master_key import MasterKey
from recorder.adapters.sealed_stream import open_stream
from recorder.adapters.vault import SEALED
from recorder.backup.model import File, Stored
from recorder.errors import BackupDamaged, BackupUnavailable, KeyUnavailable, RecordingDamaged

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a backup; ``of`` None = with all of it, else with one recording."""

    of: UUID | None
    says: str


def problems_of(
    backup: Opened, *, vault: Path, master: MasterKey, progress: Progress
) -> list[Problem]:
    """Read every file and open every key; return what is wrong."""
    manifest = backup.manifest
    found = [
        Problem(None, says)
        for file in (*manifest.files, manifest.dump)
        for says in _compared(backup.folder, file)
    ]
    found += [Problem(None, says) for says in _dump(backup)] if not found else []
    for done, each in enumerate(manifest.recordings):
        progress("reading", done, len(manifest.recordings))
        wrong = [*_audio(vault, container_of(each)), *_key(backup, each, master)]
        found += [Problem(each.id, says) for says in wrong]
    progress("reading", len(manifest.recordings), len(manifest.recordings))
    return found


def dump_of(backup: Opened) -> Iterator[bytes]:
    """Yield the database's dump, opened. Raises ``BackupDamaged``."""
    with written_to():
        source = (backup.folder / backup.manifest.dump.path).open("rb")
    with source:
        yield from open_stream(source, backup.dump_key, owner=backup.manifest.id)


def container_of(each: Stored) -> File:
    """Return the file of a recording below the backup's own vault."""
    return File(path=f"{each.folder}/{each.id}{SEALED}", size=each.size, sha256=each.sha256)


def compare(root: Path, file: File) -> None:
    """Read one file of a backup. Raises ``BackupDamaged``."""
    folder, _, name = file.path.rpartition("/")
    with written_to():
        found = hash_of(root, folder, name)
    require_same(found, file)


def _audio(vault: Path, container: File) -> list[str]:
    try:
        return _compared(vault, container)
    except BackupUnavailable as error:
        # A bad sector, or a link in its place: told by name, and it keeps no other from being read.
        return [f"{container.path}: {error}"]


def _compared(root: Path, file: File) -> list[str]:
    try:
        compare(root, file)
    except BackupDamaged as error:
        return [str(error)]
    return []


def _dump(backup: Opened) -> list[str]:
    try:
        for _ in dump_of(backup):
            pass
    except BackupDamaged as error:
        return [str(error)]
    return []


def _key(backup: Opened, each: Stored, master: MasterKey) -> list[str]:
    try:
        master.unwrap(backup.keys[each.id], each.id)
    except (KeyError, RecordingDamaged, KeyUnavailable):
        return [f"the key of {each.id} in {backup.folder.name}{KEYS} is missing or damaged"]
    return []
