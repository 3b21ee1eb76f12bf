"""What the queries answer: plain values, so that no row of SQLAlchemy leaves this package."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One call in a list. Holds personal data until its numbers are forgotten."""

    id: UUID
    arrived_at: datetime
    ended_at: datetime | None
    caller_number: str | None
    """As delivered; empty = withheld, None = forgotten (R7.2k)."""
    caller_name: str | None
    line: str
    """The office's number that was dialled, as delivered."""
    outcome: str
    reason: str
    answered_by: str
    bridged_seconds: float
    recording_id: UUID | None
    """None = there is no audio."""
    erase_by: datetime | None
    """§ 7.2; None = there is no audio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDetails(CallRow):
    """One call whole, as it was written, with the evidence behind its decision (R3.4f)."""

    node: str
    channel_id: str
    linked_id: str
    endpoint: str
    context: str
    line_e164: str | None
    caller_e164: str | None
    rule_version: str
    scope_reason: str
    mode: str | None
    language: str
    keys: Sequence[Mapping[str, Any]]
    bridged: Sequence[Mapping[str, Any]]
    answered_at: datetime | None
    parties: Sequence[str]
    timeline: Sequence[Mapping[str, Any]]
    hangup_cause: int | None
    pbx_lost: bool
    unwatched: bool
    quality: Mapping[str, float]
    written_at: datetime
    numbers_forgotten_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRow:
    """One sealed recording, with who called whom and when."""

    id: UUID
    call_id: UUID
    arrived_at: datetime
    caller_number: str | None
    line: str
    answered_by: str
    stored_on: str
    """Folder in the vault."""
    sha256: str
    size_bytes: int
    frames: int
    sample_rate: int
    caller_dbfs: float
    office_dbfs: float
    silent: bool
    one_sided: bool
    first_sample_at: datetime
    ended_at: datetime
    erase_by: datetime
    sealed_at: datetime
    truncated: bool
    incomplete: bool
    stage: str
    """``kept``, or ``erasing``: then it is handed out no more."""
    damaged_at: datetime | None
    """When stored audio was first found not to be what was sealed (RG.3)."""
    sealed_as: str
    """``wav`` = plain, from before there were keys."""

    @property
    def seconds(self) -> float:
        """Length of the audio."""
        return self.frames / self.sample_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class TombstoneRow:
    """What is told of a recording that was erased (R7.2g)."""

    id: UUID
    recording_id: UUID
    call_id: UUID
    erase_by: datetime
    erased_at: datetime
    rule_version: str
    retention_days: int
    route: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedRow(TombstoneRow):
    """And who decided, when: for the list of a day."""

    ended_at: datetime
    claimed_at: datetime
    actor: str
    """``kind:name``; the purge is ``process:retention``."""
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedRow:
    """Proof of one playing of an announcement (R8.2c)."""

    announcement_id: UUID
    layer: str
    language: str
    sha256: str
    length_ms: int
    started_at: datetime | None
    finished_at: datetime | None
    measured_ms: int | None
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """Something a person must look at."""

    kind: str
    at: datetime
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCount:
    """How many calls ended so."""

    outcome: str
    reason: str
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCall:
    """One call in the list of a day; nothing of who called."""

    id: UUID
    arrived_at: datetime
    line: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How recordings and holds stand."""

    oldest: datetime | None
    """End of the call of the oldest recording; None = none is kept."""
    oldest_unheld: datetime | None
    """Of the oldest that no hold keeps (R7.2i)."""
    unwell: int
    """Damaged or missing; counted to a thousand."""
    holds: int
    reviews_overdue: int
