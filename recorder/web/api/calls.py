"""Calls: every one that entered, recorded or not, and why."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from recorder.access.model import Permission, Target
from recorder.adapters.postgres.rows import CallDetails, CallRow
from recorder.audit.event import AuditEvent
from recorder.commands.output import masked
from recorder.web.api import routing
from recorder.web.api.routing import Parts, Told, Who
from recorder.web.api.search import Grounded, Search, next_of
from recorder.web.gate import needs
from recorder.web.problems import Kind, Problem

router = routing.router("calls")
SEARCHES_A_MINUTE = 60


class Call(Told):
    """One call in a list. Numbers and names have their middle hidden."""

    id: UUID
    arrived_at: datetime
    ended_at: datetime | None
    caller_number: str | None
    """Empty = withheld, null = forgotten (R7.2k)."""
    caller_name: str | None
    line: str
    outcome: str
    reason: str
    answered_by: str
    bridged_seconds: float
    recording_id: UUID | None
    erase_by: datetime | None


class Calls(Told):
    """One page, newest first."""

    calls: list[Call]
    next: str | None
    """The cursor of the next page; null = this is the last."""


class CallWhole(Call):
    """One call with the evidence behind its decision."""

    rule_version: str
    scope_reason: str
    mode: str | None
    language: str
    endpoint: str
    context: str
    keys: list[dict[str, Any]]
    bridged: list[dict[str, Any]]
    answered_at: datetime | None
    parties: list[str]
    timeline: list[dict[str, Any]]
    hangup_cause: int | None
    pbx_lost: bool
    unwatched: bool
    quality: dict[str, float]
    numbers_forgotten_at: datetime | None
    announcements: list[dict[str, Any]]
    incidents: list[dict[str, Any]]


class Revealed(Told):
    """Who called, whole."""

    caller_number: str | None
    caller_name: str | None
    caller_e164: str | None


class SearchByEmployee(Search, Grounded):
    """Whose calls of the office: only for a purpose, and marked in the trail (R4.2b)."""

    employee: Annotated[str, Field(min_length=1, max_length=80)]
    """Extension or endpoint of the person."""


@router.post("/calls/search")
@needs(Permission.CALL_LIST, a_minute=SEARCHES_A_MINUTE)
async def search(wanted: Search, asker: Who, parts: Parts) -> Calls:
    """Find calls by what is known of them."""
    found = await parts.finder.calls(wanted.criteria(), wanted.entry("call:searched", asker))
    return _page(list(found), wanted.limit)


@router.post("/calls/search-by-employee")
@needs(Permission.EMPLOYEE_SEARCH, a_minute=SEARCHES_A_MINUTE)
async def search_by_employee(wanted: SearchByEmployee, asker: Who, parts: Parts) -> Calls:
    """Find the calls that one person of the office took. Never counted, never compared (R4.2a)."""
    decision = await asker.require(Permission.EMPLOYEE_SEARCH, ground=wanted.ground)
    entry = wanted.entry("call:searched", asker, ground=wanted.ground)
    marked = AuditEvent(
        action=entry.action,
        at=entry.at,
        actor=entry.actor,
        reason=entry.reason,
        details={**entry.details, "marks": ", ".join(sorted(decision.marks))},
        personal=entry.personal,
    )
    found = await parts.finder.calls(wanted.criteria(employee=wanted.employee), marked)
    return _page(list(found), wanted.limit)


@router.get("/calls/{call_id}")
@needs(Permission.CALL_LIST)
async def show(call_id: UUID, asker: Who, parts: Parts) -> CallWhole:
    """Return one call."""
    call = await _one(call_id, parts)
    entry = AuditEvent(
        action="call:shown", at=asker.now, actor=asker.actor, subject=f"call:{call_id}"
    )
    await parts.finder.note(entry)
    played = await parts.finder.announcements_of(call_id)
    incidents = await parts.finder.incidents_of(call_id)
    return CallWhole(
        **told(call),
        **{name: getattr(call, name) for name in EVIDENCE},
        announcements=[plain(each) for each in played],
        incidents=[plain(each) for each in incidents],
    )


@router.post("/calls/{call_id}/reveal")
@needs(Permission.NUMBER_REVEAL)
async def reveal(call_id: UUID, why: Grounded, asker: Who, parts: Parts) -> Revealed:
    """Show who called, whole, for a purpose or a request."""
    call = await _one(call_id, parts)
    await asker.require(Permission.NUMBER_REVEAL, target=Target(line=call.line), ground=why.ground)
    entry = AuditEvent(
        action="number:revealed",
        at=asker.now,
        actor=asker.actor,
        subject=f"call:{call_id}",
        reason=why.request or why.purpose,
    )
    await parts.finder.note(entry)
    return Revealed(
        caller_number=call.caller_number,
        caller_name=call.caller_name,
        caller_e164=call.caller_e164,
    )


EVIDENCE = tuple(
    name
    for name in CallWhole.model_fields
    if name not in Call.model_fields and name not in {"announcements", "incidents"}
)


def told(row: CallRow) -> dict[str, Any]:
    """Return a call as a list shows it."""
    values = {name: getattr(row, name) for name in Call.model_fields}
    for name in ("caller_number", "caller_name"):
        values[name] = masked(values[name]) if values[name] else values[name]
    return values


def plain(row: Any) -> dict[str, Any]:  # noqa: ANN401 - one of several small rows
    """Return a small row of ours field by field."""
    return {name: getattr(row, name) for name in row.__dataclass_fields__ if name != "call_id"}


def _page(rows: list[CallRow], limit: int) -> Calls:
    after = next_of([(each.arrived_at, each.id) for each in rows], limit)
    return Calls(calls=[Call(**told(each)) for each in rows[:limit]], next=after)


async def _one(call_id: UUID, parts: Parts) -> CallDetails:
    call = await parts.finder.call(call_id)
    if call is None:
        raise Problem(kind=Kind.NOT_FOUND)
    return call
