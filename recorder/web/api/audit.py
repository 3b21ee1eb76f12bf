"""The audit trail: read, verified, handed out (R8.1e, R8.1f)."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field
from starlette.responses import Response, StreamingResponse

from recorder.access.model import Permission, View
from recorder.adapters.postgres.trail_reading import Wanted
from recorder.audit.event import AuditEvent, kept_object
from recorder.audit.rules import Entry
from recorder.web.api import routing
from recorder.web.api.routing import Body, Parts, Told, Who
from recorder.web.gate import needs
from recorder.web.problems import Kind, Problem
from recorder.web.services import Services

router = routing.router("audit")
PAGE = 2000
VERIFICATIONS_A_MINUTE = 4
LINES: dict[int | str, dict[str, Any]] = {200: {"content": {"application/jsonl": {}}}}


class EntryTold(Told):
    """One entry."""

    seq: int
    at: datetime
    actor_kind: str
    actor: str
    action: str
    subject: str
    reason: str
    details: dict[str, Any]
    personal: dict[str, str] | None
    """What of it can be forgotten; null = not asked for, none, or forgotten."""


class Entries(Told):
    """One page, newest first."""

    entries: list[EntryTold]
    next: int | None
    """``before`` of the next page; null = this is the last."""


class WantedEntries(Body):
    """Which entries. Everything given must hold."""

    actor: Annotated[str, Field(max_length=120)] | None = None
    action: Annotated[str, Field(max_length=80)] | None = None
    """Whole, or its noun alone: ``recording``."""
    subject: Annotated[str, Field(max_length=120)] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    before: Annotated[int, Field(ge=0, le=2**62)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    reveal: bool = False
    """With numbers and texts, which leaves an entry of its own."""


class Verification(Told):
    """What verifying found."""

    sound: bool
    entries: int
    fault: str | None
    """The first bad entry and what is wrong with it."""
    checkpoints: int
    bad_checkpoints: dict[str, str]


@router.post("/audit/entries/search")
@needs(Permission.AUDIT_READ)
async def search(wanted: WantedEntries, asker: Who, parts: Parts) -> Entries:
    """Return entries; who sees only the own sees the own."""
    decision = await asker.require(Permission.AUDIT_READ)
    own = str(asker.account.id) if decision.view is View.OWN else None
    if own is not None and wanted.actor not in {None, own}:
        raise Problem(kind=Kind.NOT_FOUND)
    if own is not None and wanted.reveal:
        raise Problem(kind=Kind.FORBIDDEN, reason="role_lacks_it")
    found = await parts.trail.find(
        Wanted(
            actor=own or wanted.actor,
            action=wanted.action,
            subject=wanted.subject,
            since=wanted.since,
            until=wanted.until,
            before=wanted.before,
            limit=wanted.limit + 1,
        )
    )
    page = list(found[: wanted.limit])
    if wanted.reveal and any(each.personal for each in page):
        # First the entry, then the numbers (RG.15).
        seen = {"entries": len(page), "newest": page[0].seq, "oldest": page[-1].seq}
        await parts.trail.record(
            AuditEvent(action="audit:revealed", at=asker.now, actor=asker.actor, details=seen)
        )
    after = page[-1].seq if len(found) > wanted.limit else None
    return Entries(entries=[_told(each, reveal=wanted.reveal) for each in page], next=after)


@router.post("/audit/verifications")
@needs(Permission.AUDIT_VERIFY, a_minute=VERIFICATIONS_A_MINUTE)
async def verify(parts: Parts) -> Verification:
    """Verify every entry, and compare with every checkpoint on this machine."""
    report = await parts.verify_trail()
    return Verification(
        sound=report.sound,
        entries=report.last.seq,
        fault=str(report.fault) if report.fault else None,
        checkpoints=len(report.notes),
        bad_checkpoints=dict(report.bad_notes),
    )


@router.post(
    "/audit/export",
    response_class=Response,
    responses={200: {"content": {"application/jsonl": {}}}},
)
@needs(Permission.AUDIT_EXPORT, a_minute=VERIFICATIONS_A_MINUTE)
async def export(asker: Who, parts: Parts) -> Response:
    """Hand out every entry as JSON lines, without what can be forgotten."""
    decision = await asker.require(Permission.AUDIT_EXPORT)
    own = str(asker.account.id) if decision.view is View.OWN else None
    await parts.trail.record(AuditEvent(action="audit:exported", at=asker.now, actor=asker.actor))

    disposition = {"Content-Disposition": 'attachment; filename="audit.jsonl"'}
    return StreamingResponse(
        own_lines(parts, own), media_type="application/jsonl", headers=disposition
    )


async def own_lines(parts: Services, own: str | None) -> AsyncIterator[bytes]:
    """Return every entry as JSON lines; with ``own``, those of this account alone."""
    seq = 0
    while page := await parts.trail.entries_after(seq, limit=PAGE):
        mine = [each for each in page if own is None or each.actor.name == own]
        yield b"".join(_line(each) for each in mine)
        seq = page[-1].seq


def _line(entry: Entry) -> bytes:
    return f"{_told(entry, reveal=False).model_dump_json()}\n".encode()


def _told(entry: Entry, *, reveal: bool) -> EntryTold:
    personal = entry.personal if reveal else None
    return EntryTold(
        seq=entry.seq,
        at=entry.at,
        actor_kind=entry.actor.kind.value,
        actor=entry.actor.name,
        action=entry.action,
        subject=entry.subject,
        reason=entry.reason,
        details=kept_object(entry.details),
        personal=(
            {name: str(value) for name, value in kept_object(personal.data).items()}
            if personal
            else None
        ),
    )
