"""What the vault holds, as custody speaks of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from recorder.model import RecordingId


class SealedAs(StrEnum):
    """In which form a recording's audio lies in the vault (`docs/vault-format.md`)."""

    WAV = "wav"
    """Plain, as before there were keys; ``recorder keys adopt`` takes these over."""

    REC1 = "rec1"
    """Encrypted in chunks under a key of its own (RG.4)."""


class FileKind(StrEnum):
    """What a file in the vault is, told by its name alone."""

    SEALED = "sealed"
    PLAIN = "plain"
    """A WAV from before there were keys."""

    UNFINISHED = "unfinished"
    """Left by a crash while it was written; the next sealing of the same call replaces it."""

    FOREIGN = "foreign"
    """Nothing that this service ever wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file in the vault. Never its name: a foreign one may hold anything."""

    id: RecordingId | None
    """None = a foreign file."""
    kind: FileKind
    folder: str
    """``YYYY/MM/DD``; empty = the file lies in no folder of ours."""
    created_at: datetime
    """When its last byte was written."""
    size_bytes: int

    @property
    def described(self) -> str:
        """Say what it is without its name."""
        where = f"in {self.folder}" if self.folder else "outside the days' folders"
        return f"a {self.kind} file of {self.size_bytes} bytes {where}"
