"""The nouns of keeping longer (§ 7.3)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from recorder.model import RecordingId

HoldId = NewType("HoldId", UUID)
"""UUIDv7 of one hold on one recording."""

BatchId = NewType("BatchId", UUID)
"""UUIDv7 of one act of placing: the frozen list of what it met (R7.3h)."""


class Ground(StrEnum):
    """Why a recording must not disappear (R7.3a)."""

    REQUEST_OF_PERSON = "request_of_person"
    """§ 7.4: a person who wants it kept for proceedings to come."""

    REQUEST_OF_AUTHORITY = "request_of_authority"
    """§ 7.1, § 7.3: police, court, prosecutor."""

    OWN_INFORMATION = "own_information"
    """Clause 4: the office itself learnt that it may be evidence."""

    RESTRICTION = "restriction"
    """§ 8.3, R8.3b: neither heard nor erased while a right is weighed."""


class Ending(StrEnum):
    """How a hold came to its end."""

    LIFTED = "lifted"
    LAPSED = "lapsed"
    """Provisional, and nobody confirmed it in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One reason to keep one recording. ``reason`` is free text: personal data."""

    id: HoldId
    recording_id: RecordingId
    batch_id: BatchId
    ground: Ground
    reference: str
    """The case number or the request's number."""
    reason: str
    placed_by: str
    placed_at: datetime
    review_by: datetime
    """By then a person looks at it again; nothing ends by itself (R7.3d)."""
    lapses_at: datetime | None
    """Provisional until then; None = it stays until lifted."""
    reviewed_at: datetime | None = None
    ended_at: datetime | None = None
    """None = it stands."""
    ended_by: str = ""
    ending: Ending | None = None
    end_reference: str = ""
    """What closed the proceedings (R7.3e)."""
