"""The audit trail: read with filters, verified, handed out (R8.1e, R8.1f)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from recorder.access.model import Permission, View
from recorder.adapters.postgres.trail_reading import Wanted
from recorder.audit.event import AuditEvent, Scalar, kept_object
from recorder.audit.rules import Entry
from recorder.errors import RuleViolation
from recorder.web.acts import ACTS, DETAILS, FAULTS, OBJECTS, OTHERS, TRUTH
from recorder.web.api.audit import own_lines
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.forms import fields_of, see
from recorder.web.pages.kept import KIND, keep, kept
from recorder.web.pages.people import names_of
from recorder.web.problems import Kind, Problem
from recorder.web.reading import read_day
from recorder.web.routes import Routes
from recorder.web.services import Services
from recorder.web.told import BRAKES, INCIDENTS, NOTED
from recorder.web.words import GROUNDS, REASONS, REFUSED
from recorder.web.words import ROUTES as HOW_ERASED

PAGE_ROWS = 50
FIELDS = ("person", "act", "about", "since", "until")
EMPTY = dict.fromkeys(FIELDS, "")
NO_DAY = later("Day: write it as 12.11.2026 or 12 listopada.")
NO_ID = later("Number of a call, recording or hold: as it stands on its page.")
NO_PROOF = later(
    "Nothing was exported: without a checkpoint nobody could prove that it is whole. One is "
    "signed each day; see OPERATIONS.md, “The audit trail”."
)
WHY = {**HOW_ERASED, **GROUNDS, **BRAKES, **INCIDENTS, **NOTED, **REASONS, **REFUSED}
READ, VERIFY, EXPORT = Permission.AUDIT_READ, Permission.AUDIT_VERIFY, Permission.AUDIT_EXPORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry as a person reads it."""

    seq: int
    at: datetime
    who: str
    act: str
    subject: str
    """``recording:<uuid>`` as it is kept."""
    path: str
    """Where it is shown; empty = nowhere."""
    reason: str
    details: Mapping[str, str]
    """What it says beside, each under its word."""
    personal: Mapping[str, str]


@needs(READ)
async def show(request: Request) -> Response:
    """Show the newest entries."""
    return await _page(request, EMPTY)


@needs(READ, a_minute=60)
async def ask(request: Request) -> Response:
    """Keep what is wanted, and lead to its answer."""
    await asker_of(request).require(READ)
    given = dict(zip(FIELDS, await fields_of(request, *FIELDS), strict=True))
    _, faults = wanted_of(given, request)
    if faults:
        return await _page(request, given, faults=faults)
    return await keep(request, "/audit/search", given | {KIND: "trail"})


@needs(READ)
async def found(request: Request) -> Response:
    """Answer a search that was kept."""
    return await _page(request, await _given(request), before=request.query_params.get("before"))


@needs(READ, a_minute=60)
async def revealed(request: Request) -> Response:
    """Show one page with its numbers and texts, which leaves an entry of its own."""
    (before,) = await fields_of(request, "before")
    return await _page(request, await _given(request), before=before, reveal=True)


@needs(VERIFY)
async def verification(request: Request) -> Response:
    """Show what verifying found, or that it goes on."""
    services, asker = services_of(request), asker_of(request)
    await asker.require(VERIFY)
    running = services.verifications
    return services.drawing.page(
        "verification.html",
        request.scope,
        since=running.since,
        failed=running.failed,
        last=running.last,
        head=await services.trail.head(),
        faults=FAULTS,
        now=asker.now,
    )


@needs(VERIFY, a_minute=10)
async def verify(request: Request) -> Response:
    """Begin verifying every entry; it goes on when the page is left."""
    asker = asker_of(request)
    await asker.require(VERIFY)
    services_of(request).verifications.begin(asker.actor)
    return see("/audit/verification")


@needs(EXPORT, a_minute=10)
async def export(request: Request) -> Response:
    """Hand the trail out with its proofs; to who sees only the own, the own."""
    services, asker = services_of(request), asker_of(request)
    decision = await asker.require(EXPORT)
    if decision.view is View.OWN:
        pieces: AsyncIterator[bytes] = own_lines(services, str(asker.account.id))
        name, kind = "audit.jsonl", "application/jsonl"
    else:
        try:
            pieces = await services.export_trail()
        except RuleViolation:
            raise Problem(kind=Kind.CONFLICT, detail=NO_PROOF) from None
        name, kind = "audit.zip", "application/zip"
    await services.trail.record(
        AuditEvent(action="audit:exported", at=asker.now, actor=asker.actor)
    )
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type=kind, headers=disposition)


def wanted_of(given: Mapping[str, str], request: Request) -> tuple[Wanted, dict[str, str]]:
    """Return the entries that a form asks for, and what is wrong by field."""
    services, say = services_of(request), speaker(language_of(request.scope))
    today = asker_of(request).now.astimezone(services.zone).date()
    faults: dict[str, str] = {}
    days: dict[str, datetime | None] = {}
    for name in ("since", "until"):
        day = read_day(given[name], today=today) if given[name].strip() else None
        if given[name].strip() and day is None:
            faults[name] = say(NO_DAY)
        days[name] = datetime.combine(day, time(), services.zone) if day else None
    about = given["about"].strip()
    try:
        subjects = tuple(f"{each}:{UUID(about)}" for each in OBJECTS) if about else ()
    except ValueError:
        subjects, faults["about"] = (), say(NO_ID)
    until = days["until"]
    wanted = Wanted(
        actor=given["person"] or None,
        action=given["act"] or None,
        subjects=subjects,
        since=days["since"],
        until=until + timedelta(days=1) if until else None,
        limit=PAGE_ROWS + 1,
    )
    return wanted, faults


def lines_of(entries: Sequence[Entry], names: Mapping[str, str], *, reveal: bool) -> list[Line]:
    """Return entries as people read them."""
    return [_line(each, names, reveal=reveal) for each in entries]


async def _given(request: Request) -> Mapping[str, Any]:
    await asker_of(request).require(READ)
    given = await kept(request, request.path_params["search_id"], kind="trail")
    if given is None:
        raise Problem(kind=Kind.NOT_FOUND)
    return given


async def _page(
    request: Request,
    given: Mapping[str, str],
    *,
    before: str | None = None,
    reveal: bool = False,
    faults: Mapping[str, str] | None = None,
) -> Response:
    services, asker = services_of(request), asker_of(request)
    decision = await asker.require(READ)
    own = decision.view is View.OWN
    if own and reveal:
        raise Problem(kind=Kind.FORBIDDEN, reason="role_lacks_it")
    wanted, _ = wanted_of(given, request)
    after = int(before) if before and before.isdecimal() and len(before) < 19 else None  # noqa: PLR2004 - 63 bits
    entries = (
        []
        if faults
        else await _find(wanted, services, after, str(asker.account.id) if own else None)
    )
    page = entries[:PAGE_ROWS]
    if reveal and any(each.personal for each in page):
        # First the entry, then the numbers (RG.15).
        seen = {"entries": len(page), "newest": page[0].seq, "oldest": page[-1].seq}
        await services.trail.record(
            AuditEvent(action="audit:revealed", at=asker.now, actor=asker.actor, details=seen)
        )
    names = await names_of(services)
    return services.drawing.page(
        "trail.html",
        request.scope,
        status=422 if faults else 200,
        given={**EMPTY, **given},
        faults=faults or {},
        own=own,
        lines=lines_of(page, names, reveal=reveal),
        older=page[-1].seq if len(entries) > PAGE_ROWS else None,
        before=before or "",
        search_id=request.path_params.get("search_id"),
        reveal=reveal,
        people=[] if own else await _people(services),
        others=OTHERS,
        acts=ACTS,
        objects=OBJECTS,
        head=await services.trail.head(),
        last=services.verifications.last,
        may_verify=VERIFY in asker.able,
        now=asker.now,
    )


async def _find(
    wanted: Wanted, services: Services, before: int | None, own: str | None
) -> Sequence[Entry]:
    return await services.trail.find(
        Wanted(
            actor=own or wanted.actor,
            action=wanted.action,
            subjects=wanted.subjects,
            since=wanted.since and wanted.since.astimezone(UTC),
            until=wanted.until and wanted.until.astimezone(UTC),
            before=before,
            limit=wanted.limit,
        )
    )


async def _people(services: Services) -> list[tuple[str, str]]:
    accounts = await services.people.store.accounts()
    return [(str(each.id), each.name) for each in sorted(accounts, key=lambda each: each.name)]


def _line(entry: Entry, names: Mapping[str, str], *, reveal: bool) -> Line:
    noun, _, number = entry.subject.partition(":")
    paths = {"call": "/calls/", "hold": "/holds/"}
    return Line(
        seq=entry.seq,
        at=entry.at,
        who=names.get(entry.actor.name, f"{entry.actor.name} ({entry.actor.kind.value})"),
        act=ACTS.get(entry.action, entry.action),
        subject=entry.subject,
        path=f"{paths[noun]}{number}" if noun in paths and number else "",
        reason=WHY.get(entry.reason, entry.reason),
        details=_worded(kept_object(entry.details)),
        personal=_worded(kept_object(entry.personal.data)) if entry.personal and reveal else {},
    )


def _worded(kept: Mapping[str, Scalar]) -> dict[str, str]:
    return {
        DETAILS.get(name, name): TRUTH[value] if isinstance(value, bool) else str(value)
        for name, value in kept.items()
    }


ROUTES: Routes = (
    ("GET", "/audit", show),
    ("POST", "/audit/search", ask),
    ("GET", "/audit/search/{search_id:uuid}", found),
    ("POST", "/audit/search/{search_id:uuid}/revealed", revealed),
    ("POST", "/audit/export", export),
    ("GET", "/audit/verification", verification),
    ("POST", "/audit/verification", verify),
)
