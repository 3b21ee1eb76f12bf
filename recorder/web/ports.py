"""What the routes ask of the world, each a small promise."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from recorder.adapters.postgres.queries import Criteria
from recorder.adapters.postgres.rows import (
    CallDetails,
    CallRow,
    IncidentRow,
    PlayedRow,
    RecordingRow,
)
from recorder.audit.event import AuditEvent


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
