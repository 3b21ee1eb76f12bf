"""What the catalogue of announcements writes down, and reads back only if it makes sense."""

import hashlib
from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from recorder.model import Announcement, AnnouncementId, Layer

LINEAR = "sound.sln"
BYTES_PER_MS = 16
"""Of the linear samples: 8 a millisecond, 2 bytes each."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Card(BaseModel):
    # A newer version of this program may know more; what it added is not our concern.
    model_config = ConfigDict(frozen=True, extra="ignore")


class SoundFile(_Card):
    """What one sound file of a version must be."""

    sha256: Digest
    size: Annotated[int, Field(gt=0)]


class VersionCard(_Card):
    """``announcement.json``: a version without its activations."""

    id: UUID
    layer: Layer
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    text: Annotated[str, Field(min_length=1)]
    sha256: Digest
    length_ms: Annotated[int, Field(gt=0)]
    level_dbfs: float
    added_at: AwareDatetime
    files: dict[Annotated[str, Field(pattern=r"^sound\.(alaw|ulaw|sln)$")], SoundFile]

    @model_validator(mode="after")
    def _speaks_of_one_sound(self) -> "VersionCard":
        linear = self.files.get(LINEAR)
        if linear is None or linear.sha256 != self.sha256:
            raise ValueError("sha256 is not that of the sound")
        # The length decides whether a caller heard all of it: it must be the file's own.
        if abs(linear.size / BYTES_PER_MS - self.length_ms) > 1:
            raise ValueError("length_ms is not that of the sound")
        return self

    def announcement(self) -> Announcement:
        """Return the version, not activated."""
        return Announcement(
            id=AnnouncementId(self.id),
            layer=self.layer,
            language=self.language,
            text=self.text,
            sha256=self.sha256,
            length_ms=self.length_ms,
            level_dbfs=self.level_dbfs,
            added_at=self.added_at,
        )


class ActivationCard(_Card):
    """One activation of one version."""

    id: UUID
    announcement_id: UUID
    active_from: AwareDatetime
    activated_at: AwareDatetime
    activated_by: str = ""
    """As people sign in a row; empty for one of before this was noted."""
    proposed_by: str = ""
    """The first of two persons; empty where one was enough."""


def sha256(content: bytes) -> str:
    """Return the SHA-256 of ``content`` (hex)."""
    return hashlib.sha256(content).hexdigest()


def describe(encoded: Mapping[str, bytes]) -> dict[str, SoundFile]:
    """Return what the card of a version says of its sound files, given by extension."""
    return {
        f"sound.{extension}": SoundFile(sha256=sha256(content), size=len(content))
        for extension, content in encoded.items()
    }
