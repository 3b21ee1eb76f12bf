"""What the services wrote, newest first: ids and events, no numbers and no names (R6.3b, RG.16)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.errors import ConfigurationError, Unavailable
from recorder.maintenance.lines import LEVELS, Wanted, moment_of, rest_of
from recorder.maintenance.model import FoundLines
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.forms import fields_of
from recorder.web.pages.kept import KIND, keep, kept
from recorder.web.problems import Kind, Problem
from recorder.web.reading import EARLIEST, LATEST, read_day, read_hour
from recorder.web.routes import Routes

READ = Permission.LOG_READ
PAGE_LINES = 50
MOST_SKIPPED = 2000
LONGEST = 200
LONGEST_VALUE = 600
FIELDS = ("call", "component", "level", "since", "until", "text")
EMPTY = dict.fromkeys(FIELDS, "") | {"level": "info"}
SEARCH = "/maintenance/logs/search"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
NO_MOMENT = later("Time: write it as 12.11.2026 14:30, 12.11.2026, or 14:30 for today.")
NO_CALL = later("Number of a call: as it stands on its page.")
TOO_LONG = later("At most 200 characters.")
LEVELS_NAMED = {
    "debug": later("everything"),
    "info": later("events"),
    "warning": later("warnings"),
    "error": later("errors"),
    "critical": later("the gravest errors alone"),
}
"""From which level on, as the form asks it."""
GRAVE = {"warning": "warning", "error": "danger", "critical": "danger"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line as a person reads it."""

    at: datetime | None
    level: str
    kind: str
    """Of its chip."""
    event: str
    service: str
    logger: str
    rest: Sequence[tuple[str, str]]


@needs(READ, a_minute=60)
async def show(request: Request) -> Response:
    """Show the newest lines."""
    return await _page(request, EMPTY)


@needs(READ, a_minute=60)
async def ask(request: Request) -> Response:
    """Keep what is wanted, and lead to its answer: what is looked for is in no address."""
    await asker_of(request).require(READ)
    given = dict(zip(FIELDS, await fields_of(request, *FIELDS), strict=True))
    _, faults = wanted_of(given, request)
    if faults:
        raise AskAgain(await _page(request, given, faults=faults))
    return await keep(request, SEARCH, given | {KIND: "logs"})


@needs(READ, a_minute=60)
async def found(request: Request) -> Response:
    """Answer a search that was kept."""
    await asker_of(request).require(READ)
    given = await kept(request, request.path_params["search_id"], kind="logs")
    if given is None:
        raise Problem(kind=Kind.NOT_FOUND)
    return await _page(request, given)


def wanted_of(given: Mapping[str, str], request: Request) -> tuple[Wanted, dict[str, str]]:
    """Return the lines that a form asks for, and what is wrong by field."""
    services, say = services_of(request), speaker(language_of(request.scope))
    now = asker_of(request).now.astimezone(services.zone)
    faults = {name: TOO_LONG for name in ("component", "text") if len(given[name]) > LONGEST}
    moments: dict[str, datetime | None] = {}
    for name in ("since", "until"):
        text = given[name].strip()
        moments[name] = read_moment(text, now=now, end=name == "until") if text else None
        if text and moments[name] is None:
            faults[name] = NO_MOMENT
    call = given["call"].strip()
    try:
        call_id = str(UUID(call)) if call else None
    except ValueError:
        call_id, faults["call"] = None, NO_CALL
    wanted = Wanted(
        call_id=call_id,
        component=given["component"].strip().lower() or None,
        text=given["text"].strip(),
        level=given["level"] if given["level"] in LEVELS else "info",
        since=moments["since"],
        until=moments["until"],
    )
    return wanted, {name: say(text) for name, text in faults.items()}


def read_moment(text: str, *, now: datetime, end: bool) -> datetime | None:
    """Return the moment that is meant, None if it is none; ``end`` = a bare day is meant whole.

    >>> from zoneinfo import ZoneInfo
    >>> now = datetime(2026, 11, 25, 8, tzinfo=ZoneInfo("Europe/Warsaw"))
    >>> [str(read_moment(each, now=now, end=True)) for each in ("7:30", "wczoraj", "24.11 7:30")]
    ['2026-11-25 07:30:00+01:00', '2026-11-25 00:00:00+01:00', '2026-11-24 07:30:00+01:00']
    """
    *before, last = text.split()
    hour = read_hour(last) if ":" in last else None
    if hour is None:
        before = [*before, last]
    day = read_day(" ".join(before), today=now.date()) if before else now.date()
    if day is None:
        return None
    if hour is None and end:
        day += timedelta(days=1)
    return datetime.combine(day, hour or time(), now.tzinfo)


def lines_of(found_lines: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Return lines as people read them."""
    return [
        Line(
            at=moment_of(each),
            level=str(each.get("level", "")),
            kind=GRAVE.get(str(each.get("level", "")), "neutral"),
            event=_cut(str(each["event"])),
            service=str(each.get("file", "")),
            logger=_cut(str(each.get("logger", ""))),
            rest=[(name, _cut(value)) for name, value in rest_of(each) if name != "file"],
        )
        for each in found_lines
    ]


async def _page(
    request: Request, given: Mapping[str, str], *, faults: Mapping[str, str] | None = None
) -> Response:
    services, asker = services_of(request), asker_of(request)
    await asker.require(READ)
    say = speaker(language_of(request.scope))
    before, skip = _place(request)
    wanted, _ = wanted_of(given, request)
    failed, answer = False, FoundLines(lines=(), back_to=None, unread=())
    if not faults:
        try:
            answer = await services.maintenance.logs(_before(wanted, before), PAGE_LINES + 1 + skip)
        except (ConfigurationError, Unavailable):
            failed = True
    rest = _behind(answer.lines, before, skip)
    page = rest[:PAGE_LINES]
    here = request.url.path if request.method == "GET" else ""
    return services.drawing.page(
        "service_logs.html",
        request.scope,
        status=422 if faults else 200,
        given={**EMPTY, **given},
        faults=faults or {},
        levels_said={code: say(text) for code, text in LEVELS_NAMED.items()},
        lines=lines_of(page),
        failed=failed,
        unread=answer.unread,
        back_to=answer.back_to if len(rest) <= PAGE_LINES else None,
        older=_older(here, rest, answer, before=before, skip=skip),
        newest=here if before else "",
        searched="search_id" in request.path_params,
        now=asker.now,
    )


def _place(request: Request) -> tuple[datetime | None, int]:
    """Return from which moment on older lines are wanted, and how many of it were shown."""
    before, skip = (request.query_params.get(name, "") for name in ("before", "skip"))
    if not before:
        return None, 0
    if not MOMENT.fullmatch(before) or not re.fullmatch(r"\d{0,4}", skip, re.ASCII):
        raise Problem(kind=Kind.NOT_FOUND)
    try:
        at = datetime.fromisoformat(before)
    except ValueError:
        raise Problem(kind=Kind.NOT_FOUND) from None
    if not EARLIEST <= at.date() < LATEST or int(skip or 0) > MOST_SKIPPED:
        raise Problem(kind=Kind.NOT_FOUND)
    return at, int(skip or 0)


def _before(wanted: Wanted, before: datetime | None) -> Wanted:
    if before is None:
        return wanted
    # Of that very moment too: several lines may have been written in it.
    until = before + timedelta(microseconds=1)
    return replace(wanted, until=until if wanted.until is None else min(until, wanted.until))


def _behind(
    lines: Sequence[Mapping[str, Any]], before: datetime | None, skip: int
) -> list[Mapping[str, Any]]:
    """Return the lines without those of the moment ``before`` that were shown."""
    shown = 0
    while shown < min(skip, len(lines)) and moment_of(lines[shown]) == before:
        shown += 1
    return list(lines[shown:])


def _older(
    here: str,
    rest: Sequence[Mapping[str, Any]],
    answer: FoundLines,
    *,
    before: datetime | None,
    skip: int,
) -> str:
    """Return the address of the next page; empty = there is none."""
    if not here:
        return ""
    if len(rest) <= PAGE_LINES:
        return f"{here}?before={_spelt(answer.back_to)}" if answer.back_to else ""
    last = moment_of(rest[PAGE_LINES - 1])
    if last is None:
        return ""
    shown = sum(moment_of(each) == last for each in rest[:PAGE_LINES])
    again = shown + (skip if last == before else 0)
    return f"{here}?before={_spelt(last)}&skip={again}"


def _spelt(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


ROUTES: Routes = (
    ("GET", "/maintenance/logs", show),
    ("POST", "/maintenance/logs/search", ask),
    ("GET", "/maintenance/logs/search/{search_id:uuid}", found),
)
