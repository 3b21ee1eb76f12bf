"""One backup as it lies on disk: its folder, its manifest, and how both are proved."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from recorder.adapters import key_part
from recorder.adapters.backup_files import UNFINISHED, written_to
from recorder.adapters.master_key import MasterKey
from recorder.backup.model import File, Manifest
from recorder.errors import BackupDamaged, KeyUnavailable, NotFound, RecordingDamaged, RuleViolation

MANIFEST, PROOF, DUMP = "manifest.json", "manifest.mac", "database.dump"
ANNOUNCEMENTS, REGULATION, CHECKPOINTS = "announcements", "regulation.toml", "checkpoints"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A backup whose manifest and keys are proved to be what was made."""

    folder: Path
    manifest: Manifest
    keys: dict[UUID, bytes]
    """Wrapped, by recording."""
    dump_key: bytes


def sets_in(directory: Path) -> Iterator[Path]:
    """Yield every finished backup, the newest first."""
    with written_to():
        folders = [each for each in directory.iterdir() if (each / MANIFEST).is_file()]
    yield from sorted(
        (each for each in folders if each.suffix != UNFINISHED), key=lambda each: each.name
    )[::-1]


def find_set(directory: Path) -> Path:
    """Return the backup that ``directory`` is, or the newest in it. Raises ``NotFound``."""
    if (directory / MANIFEST).is_file() and directory.suffix != UNFINISHED:
        return directory
    if directory.suffix == UNFINISHED:
        raise RuleViolation("this backup was not finished: nothing can be restored from it")
    newest = next(sets_in(directory), None) if directory.is_dir() else None
    if newest is None:
        raise NotFound("there is no finished backup; `recorder backup DIRECTORY` makes one")
    return newest


def read_manifest(folder: Path) -> tuple[Manifest, bytes]:
    """Return the manifest and its bytes, not proved yet. Raises ``BackupDamaged``."""
    with written_to():
        content = (folder / MANIFEST).read_bytes()
    try:
        return Manifest.model_validate_json(content), content
    except ValidationError:
        raise BackupDamaged("the manifest is damaged, or a newer release's") from None


def open_set(folder: Path, *, keys_at: Path, master: MasterKey) -> Opened:
    """Prove manifest and keys. Raises ``BackupDamaged``, ``RuleViolation``, ``KeyUnavailable``."""
    manifest, content = read_manifest(folder)
    if manifest.master_key_id != master.id.hex():
        raise KeyUnavailable(
            "the backup lies under another master key: name the one that was in force when it "
            "was made in RECORDER_MASTER_KEY_FILE"
        )
    path = keys_at / manifest.keys.path
    with written_to():
        if not path.is_file():
            raise RuleViolation(
                f"{manifest.keys.path} is not in {keys_at}: without its keys nothing in the "
                f"backup can be read. They are destroyed by {manifest.destroy_by:%Y-%m-%d %H:%M} "
                "UTC; elsewhere? --keys-from"
            )
        kept = path.read_bytes()
    keys = key_part.read_part(kept, backup_id=manifest.id)
    try:
        dump_key = master.unwrap(keys.pop(manifest.id), manifest.id)
    except (KeyError, RecordingDamaged, KeyUnavailable):
        raise BackupDamaged("the file of keys is damaged") from None
    with written_to():
        given = (folder / PROOF).read_bytes().strip()
    if not hmac.compare_digest(given, prove(content, dump_key).encode()):
        raise BackupDamaged("the manifest is not what was written: somebody changed it")
    if hashlib.sha256(kept).hexdigest() != manifest.keys.sha256:
        raise BackupDamaged("the file of keys is not the one of the manifest")
    return Opened(folder=folder, manifest=manifest, keys=keys, dump_key=dump_key)


def prove(manifest: bytes, dump_key: bytes) -> str:
    """Return what only the holder of the keys can write beside a manifest (HMAC-SHA256)."""
    secret = hashlib.sha256(b"rejestrator manifest" + dump_key).digest()
    return hmac.new(secret, manifest, "sha256").hexdigest()


def require_same(found: tuple[int, str] | None, told: File) -> None:
    """Raise ``BackupDamaged`` unless a file is there and is what the manifest says."""
    if found is None:
        raise BackupDamaged(f"{told.path} is missing from the backup")
    if found != (told.size, told.sha256):
        raise BackupDamaged(f"{told.path} is not what was backed up")
