"""The marker in the key directory that keeps every process out until a restore is finished."""

import os
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from recorder.adapters.backup_files import put_file
from recorder.adapters.files import sync_directory
from recorder.adapters.keys import FOLDER_MODE, PENDING, opened
from recorder.errors import BackupDamaged, KeyUnavailable


class Marker(BaseModel):
    """Which restore is at work, and how far it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backup: UUID
    folder: str
    """Of the backup, for whoever looks."""
    ledger: str | None
    """The file of the ledger of erasures; None = restored without."""
    erased: tuple[UUID, ...] = ()
    """Recordings erased while the backup was made."""
    is_back: bool = False
    """All is back; what remains is to erase what is due."""


def set_marker(directory: Path, marker: Marker) -> None:
    """Put the marker, on disk when this returns. Raises ``KeyUnavailable``."""
    with opened(directory, make_with=FOLDER_MODE):
        try:
            put_file(directory / PENDING, marker.model_dump_json().encode())
        except OSError as error:
            raise KeyUnavailable(
                f"the key directory cannot be written ({error.strerror})"
            ) from error


def read_marker(directory: Path) -> Marker | None:
    """Return the marker, None if no restore is at work."""
    try:
        content = (directory / PENDING).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyUnavailable(f"the key directory cannot be read ({error.strerror})") from error
    try:
        return Marker.model_validate_json(content)
    except ValidationError:
        raise BackupDamaged("restore.pending is damaged: restore again, with --replace") from None


def remove_marker(directory: Path) -> None:
    """Let processes start: nothing that is due is left."""
    os.unlink(directory / PENDING)  # noqa: PTH108 - the file operations that crash tests count
    sync_directory(directory)
