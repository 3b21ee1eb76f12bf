"""Granting an authorisation: who, what for, which numbers, from when until when (§ 8.1)."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.accounts.model import Account, Role
from recorder.authorisations.rules import ROLES_OF_PAPER, problem_of_grant
from recorder.errors import RuleViolation
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.forms import form_of, see, text_of
from recorder.web.pages.home import ROLES
from recorder.web.problems import Kind, Problem
from recorder.web.reading import read_day
from recorder.web.routes import Routes

GRANT = Permission.AUTHORISATION_GRANT
FIELDS = ("account", "lines", "recording", "since", "until")
LONGEST_LINE, MOST_LINES = 32, 100
LONGEST_LIST = (LONGEST_LINE + 2) * MOST_LINES
NOBODY = later("Person: choose one.")
BAD_LINES = later("Telephone numbers: at most 100, each of at most 32 characters.")
BAD_RECORDING = later("Recording: give its number as the page of the call shows it.")
BAD_SINCE = later("From: give a day, for example 1.12.2026.")
NO_UNTIL = later("To: give a day, for example 31.12.2026.")
OVER = later("To: this day is over.")
CHANGED = later("Nothing was granted: the account was changed meanwhile.")
PROBLEMS = {
    "nobody grants an authorisation to himself": (
        "account", later("Person: nobody grants an authorisation to himself."),
    ),
    "an authorisation names at least one role": ("roles", later("What for: choose at least one.")),
    "an authorisation is for listeners, copy makers and, for one recording, the DPO": (
        "roles", later("What for: choose at least one."),
    ),
    "the account does not have that role: recorder user roles": (
        "roles", later("What for: this person's account does not have that role."),
    ),
    "the DPO is authorised for one recording at a time": (
        "recording",
        later("Recording: the data protection officer is authorised for one at a time."),
    ),
    "the account is disabled": ("account", NOBODY),
    "this person changes the first password, which somebody else gave, before that": (
        "account", later("Person: has first to sign in and set a password of their own."),
    ),
    "this person sets a second factor before that": (
        "account", later("Person: has first to sign in and set the second factor."),
    ),
    "its period would be over already": ("until", OVER),
    "its period lies in this century or the next": ("until", NO_UNTIL),
    "it would end before it begins": ("until", later("To: it would end before it begins.")),
}  # fmt: skip
"""At which field it is said, and how, by what the rules say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An authorisation as it was asked for."""

    holder: Account
    roles: frozenset[Role]
    lines: tuple[str, ...] | None
    recording_id: UUID | None
    valid_from: datetime
    valid_until: datetime


@needs(GRANT)
async def new(request: Request) -> Response:
    """Ask whom to authorise, and for what."""
    return await _page(request)


@needs(GRANT)
async def check(request: Request) -> Response:
    """Say what the authorisation will open, before it is granted or proposed."""
    services = services_of(request)
    wanted, given, roles = await _wanted(request)
    return services.drawing.page(
        "paper_new_confirm.html",
        request.scope,
        wanted=wanted,
        given=given,
        chosen=roles,
        roles=ROLES,
        four_eyes=services.people.registrar.four_eyes,
    )


@needs(GRANT)
async def grant(request: Request) -> Response:
    """Grant; with four eyes another administrator confirms it before it counts."""
    wanted, _, _ = await _wanted(request)
    try:
        paper = await services_of(request).people.registrar.grant(
            wanted.holder,
            roles=wanted.roles,
            lines=wanted.lines,
            recording_id=wanted.recording_id,
            valid_from=wanted.valid_from,
            valid_until=wanted.valid_until,
            by=asker_of(request).account.id,
        )
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=CHANGED) from None
    done = "granted" if paper.number is not None else "proposed"
    return see(f"/authorisations/{paper.id}?done={done}")


async def _wanted(request: Request) -> tuple[Wanted, dict[str, str], list[str]]:
    asker = asker_of(request)
    form = await form_of(request)
    given = {name: text_of(form.get(name, ""), longest=LONGEST_LIST).strip() for name in FIELDS}
    roles = [each for each in map(text_of, form.getlist("roles")) if each in ROLES_OF_PAPER]
    faults: dict[str, str] = {}
    holder = {str(each.id): each for each in await _people(request)}.get(given["account"])
    if holder is None:
        faults["account"] = NOBODY
    lines = given["lines"].replace(",", "\n").replace(";", "\n").split("\n")
    lines = list(dict.fromkeys(each.strip() for each in lines if each.strip()))
    given["lines"] = "\n".join(lines)
    if len(lines) > MOST_LINES or any(len(each) > LONGEST_LINE for each in lines):
        faults["lines"] = BAD_LINES
    recording_id = _id(given["recording"])
    if given["recording"] and recording_id is None:
        faults["recording"] = BAD_RECORDING
    since = _start(request, given["since"]) if given["since"] else asker.now
    if since is None:
        faults["since"] = BAD_SINCE
    until = _start(request, given["until"], days=1)
    if until is None or until <= asker.now:
        faults["until"] = NO_UNTIL if until is None else OVER
    if holder is not None and since is not None and until is not None:
        problem = problem_of_grant(
            holder=holder.id,
            holder_roles=holder.roles,
            grantor=asker.account.id,
            roles=frozenset(map(Role, roles)),
            one_recording=bool(given["recording"]),
            valid_from=since,
            valid_until=until,
            now=asker.now,
        ) or await services_of(request).people.registrar.problem_of_holder(holder.id)
        if problem:
            field, said = PROBLEMS[problem]
            faults.setdefault(field, said)
    if holder is None or since is None or until is None or faults:
        raise AskAgain(await _page(request, given=given, chosen=roles, faults=faults))
    wanted = Wanted(
        holder=holder,
        roles=frozenset(map(Role, roles)),
        lines=tuple(lines) or None,
        recording_id=recording_id,
        valid_from=since,
        valid_until=until,
    )
    return wanted, given, roles


def _start(request: Request, text: str, *, days: int = 0) -> datetime | None:
    """Return when the day begins at the office, or the one so many days after it."""
    zone = services_of(request).zone
    day = read_day(text, today=asker_of(request).now.astimezone(zone).date())
    if day is None:
        return None
    try:
        begins = datetime.combine(day + timedelta(days=days), time(), tzinfo=zone)
        return begins.astimezone(UTC)
    except OverflowError:
        return None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _people(request: Request) -> list[Account]:
    """Return whom this person may authorise at all, by name."""
    found = await services_of(request).people.store.accounts()
    able = [each for each in found if each.disabled_at is None and each.roles & ROLES_OF_PAPER]
    own = asker_of(request).account.id
    return sorted((each for each in able if each.id != own), key=lambda each: each.name)


async def _page(
    request: Request,
    *,
    given: dict[str, str] | None = None,
    chosen: list[str] | None = None,
    faults: dict[str, str] | None = None,
) -> Response:
    services = services_of(request)
    say = speaker(language_of(request.scope))
    people = await _people(request)
    return services.drawing.page(
        "paper_new.html",
        request.scope,
        status=422 if faults else 200,
        people={str(each.id): f"{each.name}, {each.post} ({each.login})" for each in people},
        offered=[each.value for each in Role if each in ROLES_OF_PAPER],
        roles=ROLES,
        given=given or dict.fromkeys(FIELDS, ""),
        chosen=chosen or [],
        faults={name: say(text) for name, text in (faults or {}).items()},
    )


ROUTES: Routes = (
    ("GET", "/authorisations/new", new),
    ("POST", "/authorisations/check", check),
    ("POST", "/authorisations", grant),
)
