"""How the service is, and what callers are told. Nothing of anybody."""

from datetime import datetime
from uuid import UUID

from recorder.access.model import Permission
from recorder.web.api import routing
from recorder.web.api.routing import Parts, Told
from recorder.web.gate import needs

router = routing.router("status")


class PartTold(Told):
    """One part that the web needs."""

    name: str
    reachable: bool
    says: str


class Status(Told):
    """Part by part."""

    ready: bool
    parts: list[PartTold]


class JobTold(Told):
    """How one job went; ``last_error`` is a kind, never a message."""

    name: str
    worker: str
    last_started: datetime | None
    last_succeeded: datetime | None
    last_failed: datetime | None
    last_error: str
    progress: str
    next_due: datetime | None


class Jobs(Told):
    """Every job that ever started."""

    jobs: list[JobTold]


class AnnouncementTold(Told):
    """One version of one announcement (R8.2d)."""

    id: UUID
    layer: str
    language: str
    text: str
    sha256: str
    length_ms: int
    level_dbfs: float
    added_at: datetime
    active_from: list[datetime]
    """From when callers hear it, oldest first; empty = never."""


class Announcements(Told):
    """Every version ever added, oldest first."""

    announcements: list[AnnouncementTold]


@router.get("/status")
@needs(Permission.STATUS_READ)
async def status(parts: Parts) -> Status:
    """Say how each part is."""
    found = await parts.supervision.parts.ask()
    return Status(
        ready=all(each.reachable for each in found),
        parts=[
            PartTold(name=each.name, reachable=each.reachable, says=each.says) for each in found
        ],
    )


@router.get("/jobs")
@needs(Permission.REPORT_READ)
async def jobs(parts: Parts) -> Jobs:
    """Say when each job of retention last did its work."""
    found = await parts.jobs()
    return Jobs(
        jobs=[
            JobTold(**{name: getattr(each, name) for name in JobTold.model_fields})
            for each in found
        ]
    )


@router.get("/announcements")
@needs(Permission.ANNOUNCEMENT_READ)
async def announcements(parts: Parts) -> Announcements:
    """Return what callers were and are told."""
    versions, activations = await parts.announcements()
    heard: dict[UUID, list[datetime]] = {}
    for each in activations:
        if each.active_from is not None:
            heard.setdefault(each.id, []).append(each.active_from)
    told = []
    for each in versions:
        known = {name: getattr(each, name) for name in AnnouncementTold.model_fields}
        known |= {"layer": each.layer.value, "active_from": sorted(heard.get(each.id, []))}
        told.append(AnnouncementTold(**known))
    return Announcements(announcements=told)
