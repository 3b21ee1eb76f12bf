"""The nouns of the retention process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from recorder.model import CallId, RecordingId

Tell = Callable[[str], Awaitable[None]]
"""Tells how far a job is."""
RECONCILE = "reconcile"
"""The job that puts right what is stored with each recording; a change of the days wants it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something done regularly. ``work`` returns what it did, in a few words."""

    name: str
    every: timedelta
    work: Callable[[Tell], Awaitable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """How a job went. ``last_error`` is a type, never a message."""

    name: str
    worker: str
    last_started: datetime | None
    last_succeeded: datetime | None
    last_failed: datetime | None
    last_error: str
    progress: str
    next_due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A recording as its row describes it, for comparing with the vault."""

    id: RecordingId
    call_id: CallId
    stored_on: str
    sha256: str
    ended_at: datetime
    erase_by: datetime
    missing_at: datetime | None


class Spooled(StrEnum):
    """What a file in the spool is, told by the end of its name."""

    AUDIO = "audio"
    JOURNAL = "journal"


class Swept(StrEnum):
    """What became of a file in the spool that was to be erased."""

    ERASED = "erased"
    GONE = "gone"
    IN_USE = "in_use"
    """Capture works on it, or it can be read by now: it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolStray:
    """A file in the spool that capture does not seal. Never its name: it may hold anything."""

    kind: Spooled
    id: UUID | None
    """Of the recording or of the call; None = its name is none of capture's."""
    place: int
    """Its inode, by which a file is told that has no id."""
    why: str
    """Why a journal cannot be read: a type."""
    written_at: datetime
    changed_at: datetime
    """When anything about it changed last; nobody can set it."""

    @property
    def described(self) -> str:
        """Say which it is, in the words of whoever tells of it first."""
        named = str(self.id) if self.id else f"a file without an id, inode {self.place}"
        if self.kind is Spooled.AUDIO:
            return f"spool: {named}"
        return f"{named}.journal: {self.why}" if self.id else f"spool: {named}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionReport:
    """One day of the office: expired = erased + held + failed, and failed is 0 (§ 7.2)."""

    day: date
    expired: int
    """Recordings whose days ended on it."""
    erased: int
    held: int
    failed: int
    by_hand: int
    """Erased by hand before their day; not among the expired."""
    made_at: datetime
