"""The nouns of the retention process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from recorder.model import CallId, RecordingId

Tell = Callable[[str], Awaitable[None]]
"""Tells how far a job is."""


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
