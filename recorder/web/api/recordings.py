"""Recordings: found by the four fields of § 7.5, and shown."""

from datetime import datetime
from uuid import UUID

from recorder.access.model import Permission
from recorder.adapters.postgres.rows import RecordingRow
from recorder.audit.event import AuditEvent
from recorder.commands.output import masked
from recorder.web.api import routing
from recorder.web.api.routing import Parts, Told, Who
from recorder.web.api.search import Search, next_of
from recorder.web.gate import needs
from recorder.web.problems import Kind, Problem
from recorder.web.services import Services

router = routing.router("recordings")
SEARCHES_A_MINUTE = 60


class Recording(Told):
    """One recording. The caller's number has its middle hidden."""

    id: UUID
    call_id: UUID
    arrived_at: datetime
    caller_number: str | None
    line: str
    answered_by: str
    seconds: float
    sha256: str
    size_bytes: int
    sample_rate: int
    caller_dbfs: float
    office_dbfs: float
    silent: bool
    one_sided: bool
    truncated: bool
    incomplete: bool
    first_sample_at: datetime
    ended_at: datetime
    sealed_at: datetime
    erase_by: datetime


class Recordings(Told):
    """One page, newest call first."""

    recordings: list[Recording]
    next: str | None
    """The cursor of the next page; null = this is the last."""


@router.post("/recordings/search")
@needs(Permission.CALL_LIST, a_minute=SEARCHES_A_MINUTE)
async def search(wanted: Search, asker: Who, parts: Parts) -> Recordings:
    """Find recordings by what is known of their calls."""
    found = list(
        await parts.finder.recordings(wanted.criteria(), wanted.entry("recording:searched", asker))
    )
    after = next_of([(each.arrived_at, each.call_id) for each in found], wanted.limit)
    return Recordings(recordings=[told(each) for each in found[: wanted.limit]], next=after)


@router.get("/recordings/{recording_id}")
@needs(Permission.CALL_LIST)
async def show(recording_id: UUID, asker: Who, parts: Parts) -> Recording:
    """Return one recording; its audio is another matter."""
    row = await one(recording_id, parts)
    entry = AuditEvent(
        action="recording:shown",
        at=asker.now,
        actor=asker.actor,
        subject=f"recording:{recording_id}",
    )
    await parts.finder.note(entry)
    return told(row)


def told(row: RecordingRow) -> Recording:
    """Return a recording as it is told."""
    values = {
        name: getattr(row, name) for name in Recording.model_fields if name != "caller_number"
    }
    number = masked(row.caller_number) if row.caller_number else row.caller_number
    return Recording(**values, caller_number=number)


async def one(recording_id: UUID, parts: Services) -> RecordingRow:
    """Return a recording's row. Raises ``Problem``."""
    row = await parts.finder.recording(recording_id)
    if row is None:
        raise Problem(kind=Kind.NOT_FOUND)
    return row
