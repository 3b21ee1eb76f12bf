"""The nouns of backing up: what a manifest says, and what the ledger of erasures says."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from recorder.holds.model import Ending, Ground

FORMAT = 1
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Folder = Annotated[str, Field(pattern=r"^\d{4}/\d{2}/\d{2}$")]
Beneath = Annotated[
    str, Field(pattern=r"^[^/.\x00-\x1f][^/\x00-\x1f]*(/[^/.\x00-\x1f][^/\x00-\x1f]*)*$")
]
"""A path below a folder of ours that leads nowhere else."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class File(_Part):
    """One file of a backup."""

    path: Beneath
    size: int
    sha256: Sha256


class Stored(_Part):
    """The container of one recording, as it lies in the vault and in the backup."""

    id: UUID
    folder: Folder
    size: int
    sha256: Sha256
    """Of the container, not of the WAV in it."""
    written_ns: int
    """When the vault wrote it; kept by a restore, for the purge compares it with the row."""


class Without(_Part):
    """A recording with a row in the dump and no audio in the backup."""

    id: UUID
    folder: Folder


class Manifest(_Part):
    """What one backup is: ids, sizes, hashes and dates; no number, no name."""

    format: int
    id: UUID
    release: str
    at: AwareDatetime
    """Nothing in it is younger; its days count from here."""
    finished_at: AwareDatetime
    destroy_by: AwareDatetime
    """By then its keys are destroyed, and nothing in it can be read (RG.17)."""
    retention_days: int
    key_days: int
    server: int
    """PostgreSQL's major version."""
    revision: str
    """Of the database's schema."""
    trail_seq: int
    """A checkpoint of the audit trail: its last entry in the dump, and that entry's hash."""
    trail_hash: Sha256
    master_key_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    dump: File
    keys: File
    """By its name alone; where it lies is up to who keeps it."""
    vault: str
    """The folder that the recordings were copied to."""
    recordings: tuple[Stored, ...]
    erased: tuple[Without, ...]
    """Due at the beginning, or erased while the backup was made: erased again by a restore."""
    missing: tuple[Without, ...]
    """Kept, but without audio or key in vault and key directory already."""
    files: tuple[File, ...]
    """Announcements and the regulation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What went of the keys of backups, and what would not."""

    destroyed: tuple[UUID, ...] = ()
    """Backups whose keys are gone; torn files of keys are not counted."""
    stuck: tuple[str, ...] = ()
    """Files of keys that would not go, and places that cannot be read."""


class ErasedLine(_Part):
    """The ledger: this recording was erased."""

    erased: UUID
    at: AwareDatetime


class HoldLine(_Part):
    """The ledger: this hold was placed, and how it stands. Its reason stays in the database."""

    hold: UUID
    recording: UUID
    batch: UUID
    ground: Ground
    reference: str
    placed_by: str
    placed_at: AwareDatetime
    review_by: AwareDatetime
    lapses_at: AwareDatetime | None
    reviewed_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    ended_by: str
    ending: Ending | None
    end_reference: str


class Opening(_Part):
    """The ledger's first line."""

    ledger: int
    at: AwareDatetime
    lines: int


class ErasureLedger(_Part):
    """What must not come back with a backup, and what must stay: kept off the machine."""

    at: datetime
    erased: tuple[ErasedLine, ...]
    holds: tuple[HoldLine, ...]
