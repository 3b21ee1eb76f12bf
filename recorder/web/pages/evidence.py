"""Everything about one person's listening, one call or one number, on one page for an authority.

§ 8.4: the supervisory authority asks what was done with somebody's call. The page is printed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.listening import BYTES_A_SECOND
from recorder.access.model import AccessDecision, Permission, View
from recorder.access.playback import Playback, seconds_of
from recorder.accounts.model import AccountId
from recorder.adapters.postgres.rows import CallDetails, IncidentRow, PlayedRow
from recorder.adapters.postgres.trail_reading import Wanted
from recorder.audit.event import AuditEvent
from recorder.commands.output import masked
from recorder.holds.model import Hold
from recorder.phone_numbers import normalise
from recorder.web.api.routing import asker_of, services_of
from recorder.web.api.search import next_of
from recorder.web.gate import needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.call import Line, call_of, timeline_of
from recorder.web.pages.forms import fields_of
from recorder.web.pages.kept import KIND, keep, kept
from recorder.web.pages.people import names_of
from recorder.web.pages.search import EMPTY, find
from recorder.web.pages.trail import Line as Entry
from recorder.web.pages.trail import lines_of
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.web.told import INCIDENTS
from recorder.web.words import (
    DETAILS,
    ENDINGS,
    GROUNDS,
    LAYERS,
    MOMENTS,
    OUTCOMES,
    PLAYED,
    SPOKEN,
)
from recorder.web.words import ROUTES as HOW_ERASED

READ = Permission.AUDIT_READ
PAGE_ROWS, CALLS_AT_ONCE, ENTRIES = 50, 10, 200
WORDS = {
    "endings": ENDINGS, "grounds": GROUNDS, "layers": LAYERS, "moments": MOMENTS,
    "outcomes": OUTCOMES, "played": PLAYED, "reasons": DETAILS, "spoken": SPOKEN,
    "erased": HOW_ERASED, "incidents": INCIDENTS,
}  # fmt: skip
NUMBER = re.compile(r"[0-9*#+ ()/.-]{2,64}", re.ASCII)
"""What is none of the public network may be a number too, for example an extension."""
NO_NUMBER = later("Number: write it whole, for example 600 123 456.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All that is known of one call."""

    call: CallDetails
    caller: str | None
    recording: Any
    tombstone: Any
    played: Sequence[PlayedRow]
    lines: Sequence[Line]
    incidents: Sequence[IncidentRow]
    holds: Sequence[Hold]
    listened: Sequence[tuple[Playback, float]]
    """Each with the seconds that were heard."""
    entries: Sequence[Entry]
    more: bool
    """Whether there are entries besides."""


@needs(READ)
async def listening(request: Request) -> Response:
    """Show what one person listened to and why, newest first."""
    services, asker = services_of(request), asker_of(request)
    decision = await asker.require(READ)
    own = decision.view is View.OWN
    person = _id(asker.account.id if own else request.query_params.get("person"))
    before = _instant(request.query_params.get("before"))
    found = (
        await services.desk.heard_by(AccountId(person), before=before, limit=PAGE_ROWS + 1)
        if person
        else ()
    )
    accounts = await services.people.store.accounts()
    names = await names_of(services)
    return services.drawing.page(
        "heard.html",
        request.scope,
        own=own,
        people=[] if own else [(str(each.id), each.name) for each in accounts],
        person=str(person) if person else "",
        name=names.get(str(person), ""),
        heard=[
            (each, call_id, seconds_of(each.heard, bytes_a_second=BYTES_A_SECOND))
            for each, call_id in found[:PAGE_ROWS]
        ],
        older=found[PAGE_ROWS - 1][0].opened_at.isoformat() if len(found) > PAGE_ROWS else "",
        later_page=before is not None,
    )


@needs(READ, a_minute=60)
async def of_call(request: Request) -> Response:
    """Show everything about one call."""
    decision = await asker_of(request).require(READ)
    call = await call_of(request)
    return await _page(request, [await _gathered(call, request, decision)], decision)


@needs(READ)
async def number_form(request: Request) -> Response:
    """Ask which number."""
    await asker_of(request).require(READ)
    return _form(request)


@needs(READ, a_minute=60)
async def ask_number(request: Request) -> Response:
    """Keep the number beside the session, and lead to what is known of it."""
    await asker_of(request).require(READ)
    (number,) = await fields_of(request, "number")
    if not (normalise(number) or NUMBER.fullmatch(number.strip())):
        say = speaker(language_of(request.scope))
        return _form(request, number=number, faults={"number": say(NO_NUMBER)})
    return await keep(request, "/audit/number", {KIND: "number", "number": number.strip()})


@needs(READ, a_minute=60)
async def of_number(request: Request) -> Response:
    """Show everything about the calls of one number that is still known by it."""
    decision = await asker_of(request).require(READ)
    wanted = await kept(request, request.path_params["search_id"], kind="number")
    if wanted is None:
        raise Problem(kind=Kind.NOT_FOUND)
    after = request.query_params.get("after")
    given = EMPTY | {"caller": wanted["number"]}
    found = await find(given, request, after=after, limit=CALLS_AT_ONCE + 1)
    calls = [
        call
        for each in found[:CALLS_AT_ONCE]
        if (call := await services_of(request).finder.call(each.id)) is not None
    ]
    gathered = [await _gathered(each, request, decision) for each in calls]
    following = next_of([(each.arrived_at, each.id) for each in found], CALLS_AT_ONCE)
    return await _page(
        request, gathered, decision, number=wanted["number"], following=following, after=after or ""
    )


async def _gathered(call: CallDetails, request: Request, decision: AccessDecision) -> Gathered:
    services, asker = services_of(request), asker_of(request)
    around = await services.desk.around([call.id])
    recording, tombstone = around.recordings.get(call.id), around.tombstones.get(call.id)
    recording_id = recording.id if recording else tombstone.recording_id if tombstone else None
    holds = await services.desk.holds_of(recording_id) if recording_id else ()
    listened = await services.desk.listeners(recording_id) if recording_id else ()
    own = str(asker.account.id) if decision.view is View.OWN else None
    subjects = [f"call:{call.id}", *(f"hold:{each.id}" for each in holds)]
    if recording_id:
        subjects.append(f"recording:{recording_id}")
    entries = await services.trail.find(
        Wanted(actor=own, subjects=tuple(subjects), limit=ENTRIES + 1)
    )
    entry = AuditEvent(
        action="call:gathered", at=asker.now, actor=asker.actor, subject=f"call:{call.id}"
    )
    await services.finder.note(entry)
    played = await services.finder.announcements_of(call.id)
    return Gathered(
        call=call,
        caller=masked(call.caller_number) if call.caller_number else call.caller_number,
        recording=recording,
        tombstone=tombstone,
        played=played,
        lines=timeline_of(call, played),
        incidents=await services.finder.incidents_of(call.id),
        holds=holds,
        listened=[
            (each, seconds_of(each.heard, bytes_a_second=BYTES_A_SECOND))
            for each in listened
            if own is None or each.account_id == asker.account.id
        ],
        entries=lines_of(entries[:ENTRIES], await names_of(services), reveal=False),
        more=len(entries) > ENTRIES,
    )


async def _page(
    request: Request,
    gathered: Sequence[Gathered],
    decision: AccessDecision,
    *,
    number: str = "",
    following: str | None = None,
    after: str = "",
) -> Response:
    services, asker = services_of(request), asker_of(request)
    return services.drawing.page(
        "evidence.html",
        request.scope,
        gathered=gathered,
        number=number,
        following=following,
        after=after,
        search_id=request.path_params.get("search_id"),
        own=decision.view is View.OWN,
        names=await names_of(services),
        words=WORDS,
        head=await services.trail.head(),
        now=asker.now,
        retention_days=await services.days_in_force(),
    )


def _form(
    request: Request, *, number: str = "", faults: Mapping[str, str] | None = None
) -> Response:
    return services_of(request).drawing.page(
        "evidence_number.html",
        request.scope,
        status=422 if faults else 200,
        number=number,
        faults=faults or {},
    )


def _id(text: object) -> UUID | None:
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None


def _instant(text: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return instant if instant and instant.tzinfo else None


ROUTES: Routes = (
    ("GET", "/audit/listening", listening),
    ("GET", "/audit/calls/{call_id:uuid}", of_call),
    ("GET", "/audit/number", number_form),
    ("POST", "/audit/number", ask_number),
    ("GET", "/audit/number/{search_id:uuid}", of_number),
)
