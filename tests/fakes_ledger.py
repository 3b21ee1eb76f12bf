"""A ledger in memory. Passes ``tests/contracts/test_ledger.py`` beside the real one."""

from collections.abc import Sequence
from datetime import datetime

from recorder.audit.event import AuditEvent
from recorder.erasure.model import Applied
from recorder.erasure.rules import retention_in_force
from recorder.errors import LedgerUnavailable
from recorder.live.model import Settled
from recorder.model import (
    Announcement,
    AnnouncementId,
    CallId,
    CallRecord,
    Incident,
    IncidentKind,
    Recording,
    RecordingId,
)


class FakeLedger:
    """State in plain attributes; ``away`` makes it unreachable."""

    def __init__(self) -> None:
        self.calls: dict[CallId, CallRecord] = {}
        self.recordings: dict[RecordingId, Recording] = {}
        self.incidents: list[Incident] = []
        self.announcements: dict[AnnouncementId, Announcement] = {}
        self.written_at: dict[CallId, datetime] = {}
        self.damaged_at: dict[RecordingId, datetime] = {}
        self.orders: list[Settled] = []
        self.entries: list[AuditEvent] = []
        self.applied: Applied | None = None
        self.away = False

    async def record_call(
        self,
        call: CallRecord,
        *,
        recording: Recording | None,
        incidents: Sequence[Incident],
        at: datetime,
        orders: Sequence[Settled] = (),
        entries: Sequence[AuditEvent] = (),
    ) -> bool:
        self._answer()
        if call.id in self.calls or self._has_channel(call.node, call.channel_id):
            return False
        self.calls[call.id] = call
        self.written_at[call.id] = at
        if recording is not None:
            self.recordings[recording.id] = recording
        self.incidents += incidents
        self.orders += orders
        self.entries += entries
        return True

    async def knows_channel(self, node: str, channel_id: str) -> bool:
        self._answer()
        return self._has_channel(node, channel_id)

    async def retention_days(self, configured: int) -> int:
        self._answer()
        return retention_in_force(configured=configured, applied=self.applied).days

    async def record_incident(self, incident: Incident, *, once: bool = False) -> bool:
        self._answer()
        known = {(each.kind, each.detail) for each in self.incidents}
        if once and (incident.kind, incident.detail) in known:
            return False
        self.incidents.append(incident)
        return True

    async def mark_damaged(self, recording_id: RecordingId, *, at: datetime, detail: str) -> bool:
        self._answer()
        if recording_id not in self.recordings or recording_id in self.damaged_at:
            return False
        self.damaged_at[recording_id] = at
        call_id = self.recordings[recording_id].call_id
        kind = IncidentKind.RECORDING_DAMAGED
        self.incidents.append(Incident(kind=kind, at=at, call_id=call_id, detail=detail))
        return True

    async def keep_announcement(self, announcement: Announcement) -> None:
        self._answer()
        self.announcements[announcement.id] = announcement

    def _has_channel(self, node: str, channel_id: str) -> bool:
        return any(
            (each.node, each.channel_id) == (node, channel_id) for each in self.calls.values()
        )

    def _answer(self) -> None:
        if self.away:
            raise LedgerUnavailable("PostgreSQL does not answer")
