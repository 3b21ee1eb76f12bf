"""Finding calls: the four fields of § 7.5 first, and an answer that says why it is empty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Ground, Permission
from recorder.adapters.postgres.queries import WITHHELD, Criteria
from recorder.adapters.postgres.rows import CallRow
from recorder.commands.output import masked
from recorder.dates import erase_by
from recorder.holds.rules import may_still_exist
from recorder.model import Reason
from recorder.web.api.routing import asker_of, services_of
from recorder.web.api.search import Search, next_of, place_of
from recorder.web.asker import Asker
from recorder.web.drawing import number
from recorder.web.gate import needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.forms import fields_of
from recorder.web.pages.kept import keep, kept
from recorder.web.ports import Around
from recorder.web.problems import Kind, Problem
from recorder.web.reading import read_day, read_hour
from recorder.web.routes import Routes
from recorder.web.services import Services
from recorder.web.words import FLAGS, GROUNDS, OUTCOMES, REASONS

PAGE_ROWS = 25
FIELDS = (
    *("caller", "withheld", "called", "day", "hour", "window", "begins", "ends"),
    *("outcome", "reason", "employee", "purpose", "request"),
)
WINDOWS = ("15", "30", "60", "120", "240")
EMPTY = dict.fromkeys(FIELDS, "") | {"window": "60"}
CHOSEN = {"window": WINDOWS, "outcome": OUTCOMES, "reason": frozenset(map(str, Reason))}
"""What is chosen from a list: anything else was sent by no page of ours, and counts as nothing."""

NOTHING_GIVEN = later("Say at least one thing about the call, for example the day.")
NO_DAY = later("Day: write it as 12.11.2026 or 12 listopada.")
NO_HOUR = later("Hour: write it as 14:30.")
HOUR_WANTS_DAY = later("Day: an hour needs its day.")
NO_DIGITS = later("Digits: at least three, for example 600.")
NO_LAST_DIGITS = later("Last digits: at least four, for example 3456.")
TOO_LONG = later("Number: at most 64 characters.")
WRONG_DIGITS = {"caller_begins": ("begins", NO_DIGITS), "caller_ends": ("ends", NO_LAST_DIGITS)}
SAY_WHY = later("Purpose: a search by employee names a purpose of § 3.1 or a request (§ 4).")
OVER = later("This search is not kept any more. Search again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One call as the list shows it."""

    call: CallRow
    caller: str
    """Masked; empty = withheld, ``?`` = forgotten."""
    outcome: str
    reason: str
    seconds: float
    erased_at: datetime | None
    hold: str
    """The ground of a hold that stands; empty = none."""
    flags: Sequence[str]


@needs(Permission.CALL_LIST, a_minute=60)
async def ask(request: Request) -> Response:
    """Keep what is wanted beside the session, and lead to its answer."""
    services, asker = services_of(request), asker_of(request)
    say = speaker(language_of(request.scope))
    given = dict(zip(FIELDS, await fields_of(request, *FIELDS), strict=True))
    for name, known in CHOSEN.items():
        given[name] = given[name] if given[name] in known else EMPTY[name]
    today = asker.now.astimezone(services.zone).date()
    _, faults = wanted_of(given, today=today)
    if not faults and given["employee"].strip():
        try:
            await asker.require(Permission.EMPLOYEE_SEARCH, ground=_ground(given))
        except Problem as problem:
            if problem.kind is not Kind.PURPOSE_NEEDED:
                raise
            faults = {"purpose": SAY_WHY}
    if faults:
        told = {name: say(text) for name, text in faults.items()}
        return form_page(request, given=given, faults=told, status=422)
    return await keep(request, "/search", given)


@needs(Permission.CALL_LIST, a_minute=60)
async def results(request: Request) -> Response:
    """Answer a search that was kept; reading it again asks and notes it again."""
    services, asker = services_of(request), asker_of(request)
    search_id: UUID = request.path_params["search_id"]
    given = await kept(request, search_id)
    if given is None:
        say = speaker(language_of(request.scope))
        return form_page(request, faults={"": say(OVER)}, status=404)
    after = request.query_params.get("after")
    found = await find(given, request, after=after, limit=PAGE_ROWS + 1)
    rows = found[:PAGE_ROWS]
    around = await services.desk.around([each.id for each in rows])
    today = asker.now.astimezone(services.zone).date()
    wanted, _ = wanted_of(given, today=today)
    return services.drawing.page(
        "results.html",
        request.scope,
        search_id=search_id,
        given={**EMPTY, **given},
        rows=[row_of(each, around) for each in rows],
        following=next_of([(each.arrived_at, each.id) for each in found], PAGE_ROWS),
        later_page=after is not None,
        day=wanted.day if wanted else None,
        may_hold=Permission.HOLD_PLACE_PROVISIONAL in asker.able,
        why_empty=await _why_empty(wanted, services, asker) if wanted and not found else None,
        now=asker.now,
        reasons=REASONS,
        # Each once: to read a number takes as long as to draw the rest of its row.
        lines={line: number(line) for line in {each.line for each in rows}},
        **choices(services, asker),
    )


async def find(
    given: Mapping[str, Any], request: Request, *, after: str | None, limit: int
) -> list[CallRow]:
    """Return the calls of a kept search; finding them leaves its entry."""
    services, asker = services_of(request), asker_of(request)
    today = asker.now.astimezone(services.zone).date()
    wanted, faults = wanted_of(given, today=today)
    if wanted is None or faults:
        raise Problem(kind=Kind.NOT_FOUND)
    employee = given["employee"].strip() or None
    ground = _ground(given) if employee else None
    entry = wanted.entry("call:searched", asker, ground=ground)
    if employee is not None:
        decision = await asker.require(Permission.EMPLOYEE_SEARCH, ground=_ground(given))
        marks = {"marks": ", ".join(sorted(decision.marks))}
        personal = {**entry.personal, "employee": employee}
        entry = replace(entry, details={**entry.details, **marks}, personal=personal)
    criteria: Criteria = wanted.criteria(employee=employee)
    place = place_of(after) if after else None
    found = await services.finder.calls(replace(criteria, after=place, limit=limit), entry)
    return list(found)


def wanted_of(given: Mapping[str, str], *, today: date) -> tuple[Search | None, dict[str, str]]:
    """Return the search that a form asks for, or what is wrong by field."""
    faults: dict[str, str] = {}
    day = read_day(given["day"], today=today) if given["day"].strip() else None
    if given["day"].strip() and day is None:
        faults["day"] = NO_DAY
    hour = read_hour(given["hour"]) if given["hour"].strip() else None
    if given["hour"].strip() and hour is None:
        faults["hour"] = NO_HOUR
    if hour is not None and not given["day"].strip():
        faults["day"] = HOUR_WANTS_DAY
    values: dict[str, Any] = {
        "caller": WITHHELD if given["withheld"] else given["caller"].strip() or None,
        "called": given["called"].strip() or None,
        "caller_begins": given["begins"].strip() or None,
        "caller_ends": given["ends"].strip() or None,
        "outcome": given["outcome"] or None,
        "reason": given["reason"] or None,
    }
    if not faults and day is None and not given["employee"].strip() and not any(values.values()):
        faults["caller"] = NOTHING_GIVEN
    if faults:
        return None, faults
    try:
        search = Search(day=day, hour=hour, window_minutes=int(given["window"]), **values)
    except ValidationError as error:
        for each in error.errors():
            field = str(each["loc"][0]) if each["loc"] else "caller"
            name, text = WRONG_DIGITS.get(field, (field, TOO_LONG))
            faults[name] = text
        return None, faults
    return search, {}


def row_of(call: CallRow, around: Around) -> Row:
    """Return a call as the list shows it."""
    recording = around.recordings.get(call.id)
    tombstone = around.tombstones.get(call.id)
    holds = around.holds.get(call.id, ())
    flags = [
        text
        for name, text in FLAGS.items()
        if name != "damaged" and recording is not None and getattr(recording, name)
    ]
    return Row(
        call=call,
        caller=masked(call.caller_number) if call.caller_number else _absent(call.caller_number),
        outcome=OUTCOMES.get(call.outcome, call.outcome),
        reason=REASONS.get(call.reason, call.reason),
        seconds=recording.seconds if recording else call.bridged_seconds,
        erased_at=tombstone.erased_at if tombstone else None,
        hold=GROUNDS[holds[0].ground] if holds else "",
        flags=flags,
    )


def form_page(
    request: Request,
    *,
    given: Mapping[str, str] = EMPTY,
    faults: Mapping[str, str] | None = None,
    status: int = 200,
    **more: Any,  # noqa: ANN401 - values of the page
) -> Response:
    """Return the page with the form."""
    services, asker = services_of(request), asker_of(request)
    return services.drawing.page(
        "search.html",
        request.scope,
        status=status,
        given={**EMPTY, **given},
        faults=faults or {},
        findings=more.get("findings", []),
        **choices(services, asker),
    )


def choices(services: Services, asker: Asker) -> dict[str, Any]:
    """Return what the form lets choose from."""
    return {
        "windows": WINDOWS,
        "outcomes": OUTCOMES,
        "all_reasons": {each.value: REASONS[each.value] for each in Reason},
        "purposes": services.purposes,
        "by_employee": Permission.EMPLOYEE_SEARCH in asker.able,
    }


def _absent(number: str | None) -> str:
    return "?" if number is None else ""


def _ground(given: Mapping[str, str]) -> Ground:
    return Ground(purpose=given["purpose"], request=given["request"].strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyEmpty:
    """What may be the cause when nothing was found."""

    gone_since: date | None
    """Recordings of that day were erased by then at the latest (§ 7.2)."""
    to_come: bool
    by_number: bool
    by_hour: bool
    days: int
    """How long recordings are kept now."""


async def _why_empty(wanted: Search, services: Services, asker: Asker) -> WhyEmpty:
    gone, to_come, days = None, False, await services.days_in_force()
    if wanted.day is not None:
        to_come = wanted.day > asker.now.astimezone(services.zone).date()
        there = may_still_exist(
            wanted.day, now=asker.now, retention_days=days, office_zone=services.zone
        )
        if not there:
            end = datetime.combine(wanted.day + timedelta(days=1), datetime.min.time())
            ended = end.replace(tzinfo=services.zone)
            last = erase_by(ended, days=days, office_zone=services.zone)
            # Midnight belongs to the day that it ends.
            gone = (last - timedelta(seconds=1)).astimezone(services.zone).date()
    return WhyEmpty(
        gone_since=gone,
        to_come=to_come,
        by_number=any((wanted.caller, wanted.caller_begins, wanted.caller_ends)),
        by_hour=wanted.hour is not None,
        days=days,
    )


ROUTES: Routes = (
    ("POST", "/search", ask),
    ("GET", "/search/{search_id:uuid}", results),
)
