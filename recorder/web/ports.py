"""What the routes ask of the world, each a small promise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from recorder.access.playback import Playback
from recorder.accounts.model import AccountId, SessionId
from recorder.adapters.postgres.queries import Criteria
from recorder.adapters.postgres.rows import (
    CallDetails,
    CallRow,
    DayCall,
    ErasedRow,
    IncidentRow,
    OutcomeCount,
    PlayedRow,
    RecordingRow,
    Standing,
    TombstoneRow,
)
from recorder.audit.event import AuditEvent
from recorder.erasure.coming import DueDay
from recorder.holds.model import BatchId, Hold
from recorder.model import CallId


class Finder(Protocol):
    """Looks calls and recordings up. Raises ``LedgerUnavailable`` and ``TrailUnavailable``.

    What is looked for leaves its entry in the transaction that finds it: no entry, no answer.
    """

    async def calls(self, criteria: Criteria, entry: AuditEvent) -> Sequence[CallRow]:
        """Return calls, newest first."""

    async def recordings(self, criteria: Criteria, entry: AuditEvent) -> Sequence[RecordingRow]:
        """Return recordings, newest call first."""

    async def call(self, call_id: UUID) -> CallDetails | None:
        """Return one call, None if there is none."""

    async def recording(self, recording_id: UUID) -> RecordingRow | None:
        """Return one recording, None if there is none."""

    async def announcements_of(self, call_id: UUID) -> Sequence[PlayedRow]:
        """Return the proof of announcement of one call, in order (R8.2c)."""

    async def incidents_of(self, call_id: UUID) -> Sequence[IncidentRow]:
        """Return the incidents of one call."""

    async def note(self, entry: AuditEvent) -> None:
        """Leave an entry of something that was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What belongs to some calls, by the id of each call."""

    recordings: Mapping[UUID, RecordingRow]
    tombstones: Mapping[UUID, TombstoneRow]
    holds: Mapping[UUID, Sequence[Hold]]
    """Those that stand."""


class Desk(Protocol):
    """What pages show beside a call. Raises ``LedgerUnavailable``."""

    async def around(self, call_ids: Sequence[UUID]) -> Around:
        """Return what belongs to these calls."""

    async def call_of(self, recording_id: UUID) -> UUID | None:
        """Return the call of a recording, erased or not; None if there was none."""

    async def holds_of(self, recording_id: UUID) -> Sequence[Hold]:
        """Return every hold that a recording ever had, the last placed first."""

    async def batch(self, batch_id: BatchId) -> Sequence[Hold]:
        """Return the holds of one act of placing."""

    async def heard_by(
        self, account_id: AccountId, *, before: datetime | None, limit: int
    ) -> Sequence[tuple[Playback, UUID | None]]:
        """Return what a person listened to, newest first, each with its call."""

    async def listeners(self, recording_id: UUID) -> Sequence[Playback]:
        """Return who listened to a recording, newest first."""


class Searches(Protocol):
    """What people look for, kept beside their session. Raises ``LedgerUnavailable``."""

    async def keep(
        self, search_id: UUID, wanted: Mapping[str, Any], *, session_id: SessionId, at: datetime
    ) -> None:
        """Keep one."""

    async def get(self, search_id: UUID, *, session_id: SessionId) -> Mapping[str, Any] | None:
        """Return one of this very session, None if there is none."""

    async def forget(self, now: datetime) -> None:
        """Drop what nobody looks at any more."""


class Erasing(Protocol):
    """What is due and what was erased, for pages. Raises ``LedgerUnavailable``."""

    async def due(self, since: datetime, until: datetime) -> Mapping[date, DueDay]:
        """Return the days of the office that have any, between two instants."""

    async def past(self, now: datetime) -> tuple[int, int]:
        """Return how many recordings are past their time: without a hold, and held."""

    async def size_of_past(self, before: datetime) -> int:
        """Return what recordings take whose time ended before: held ones, mostly."""

    async def erased(
        self,
        since: datetime,
        until: datetime,
        *,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> Sequence[ErasedRow]:
        """Return what was erased between two instants, in order, from behind ``after``."""

    async def by_hand(self, since: datetime, *, limit: int) -> Sequence[ErasedRow]:
        """Return what was erased by hand since then, newest first."""

    async def erased_at(self, tombstone_id: UUID) -> datetime | None:
        """Return when the recording of a tombstone was erased, None if there is none."""


class Overview(Protocol):
    """What the pages of oversight show of calls. Raises ``LedgerUnavailable``."""

    async def calls(
        self,
        since: datetime,
        until: datetime,
        *,
        reason: str | None,
        after: UUID | None,
        limit: int,
    ) -> Sequence[DayCall]:
        """Return calls that arrived between two instants, in order, from behind ``after``."""

    async def outcomes(self, since: datetime, until: datetime) -> Sequence[OutcomeCount]:
        """Return how many calls that arrived between two instants ended how."""

    async def days(self, since: date, until: date) -> Mapping[date, Sequence[OutcomeCount]]:
        """Return the counted days from the one to before the other."""

    async def some(self, ids: Sequence[CallId]) -> Sequence[DayCall]:
        """Return these calls, oldest first."""

    async def standing(self, now: datetime) -> Standing:
        """Return how recordings, holds and the trail stand."""
