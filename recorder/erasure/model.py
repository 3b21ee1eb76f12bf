"""The nouns of erasing (§ 7.2)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from recorder.audit.event import Actor
from recorder.erasure.brakes import Brake
from recorder.model import CallId, RecordingId

TombstoneId = NewType("TombstoneId", UUID)
"""Random, UUIDv4: it tells nothing of when."""


class Stage(StrEnum):
    """Where a recording with a row is. One without a row is gone, or never was."""

    KEPT = "kept"
    ERASING = "erasing"
    """Claimed: its bytes may be gone, and it is finished whatever happens."""


class Route(StrEnum):
    """Which of the two ways of § 7.2."""

    AUTOMATIC = "automatic"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What erasing needs to know of a recording; nothing of who called."""

    id: RecordingId
    call_id: CallId
    stored_on: str
    """Folder in the vault."""
    ended_at: datetime
    """The period counts from here (§ 7.2)."""
    sealed_at: datetime
    stage: Stage
    failures: int = 0
    """How many attempts at erasing have failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What remains of an erased recording; no number, no name of who called (R7.2g)."""

    id: TombstoneId
    recording_id: RecordingId
    call_id: CallId
    first_sample_at: datetime
    ended_at: datetime
    erase_by: datetime
    claimed_at: datetime
    erased_at: datetime
    route: Route
    actor: str
    """``kind:name`` of who decided; the purge is ``process:retention``."""
    rule_version: str
    retention_days: int
    sha256: str
    """Of the audio that was, so that a copy can still be recognised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The decision to erase, as it is written before anything is destroyed."""

    route: Route
    why: str
    actor: Actor
    at: datetime
    rule_version: str
    retention_days: int
    reason: str = ""
    """Free text of the person who erases by hand: personal data."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The retention that was put in force last."""

    days: int
    written: int
    """What regulation.toml said when the purge, or a person, last looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionChange:
    """One change of the days, and what whoever decided was shown."""

    at: datetime
    from_days: int | None
    """None = the first days that held."""
    to_days: int
    proposed_by: str
    """Empty = one person decided, or the process followed a raised regulation.toml."""
    decided_by: str
    reason: str
    """In the words of whoever proposed; empty where nobody did."""
    at_once: int
    """Recordings that it made due at once."""
    held: int
    """Recordings that it would have made due, and that a hold keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBrake:
    """A brake that is on, or released and not yet used."""

    brake: Brake
    at: datetime
    detail: str
    token: str
    """What a person types to release it."""
    released: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeReport:
    """What one run did."""

    finished: int = 0
    """Left half done by an earlier run, and done now."""
    erased: int = 0
    held: int = 0
    """Due, and kept by a hold or a restriction."""
    failed: int = 0
    braked_by: tuple[OpenBrake, ...] = ()
    """Not empty = nothing new was erased."""
