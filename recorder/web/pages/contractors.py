"""The maintenance contractor, let in for one fault and no longer (§ 6.3)."""

import re
from datetime import timedelta
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.accounts.model import Account, Role
from recorder.authorisations.rules import LONGEST_CONTRACTOR_ACCESS, open_access
from recorder.errors import RuleViolation
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.forms import fields_of, see
from recorder.web.pages.people import names_of
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes

READ, OPEN, CLOSE = (
    Permission.CONTRACTOR_READ,
    Permission.CONTRACTOR_OPEN,
    Permission.CONTRACTOR_CLOSE,
)
SHOWN = 100
LONGEST = {"contract": 120, "reason": 500}
FIELDS = ("account", "contract", "reason", "hours")
USUAL_HOURS = "4"
HOURS = re.compile(r"[0-9](?:[.,][0-9]{1,2})?")
DONE = {
    "noted": later("You took note of the openings; it is in the trail."),
    "opened": later("Access is open; it closes by itself."),
    "closed": later("Access is closed; the contractor is signed out."),
}
NOBODY = later("Contractor: choose one.")
NO_CONTRACT = later("Contract: give its number, for example UM/12/2026; at most 120 characters.")
NO_REASON = later("Fault: say what is broken; at most 500 characters.")
NO_HOURS = later("Hours: at most 8, for example 4 or 1.5 (§ 6.3).")
NOT_OPEN = later("Nothing is open for this contractor; nothing was done.")
NOT_THE_DPO = later("The data protection officer takes note of openings.")
NOT_OPENED = later("Access was not opened: the account was changed meanwhile.")


@needs(READ)
async def overview(request: Request) -> Response:
    """List the openings, newest first, and what stands open now."""
    return await _page(request)


@needs(OPEN)
async def check(request: Request) -> Response:
    """Say what opening lets in, before it is done."""
    holder, given = await _form(request)
    until = asker_of(request).now + timedelta(hours=_hours(given["hours"]))
    return services_of(request).drawing.page(
        "contractor_confirm.html",
        request.scope,
        act="open",
        holder=holder,
        given=given,
        until=until,
    )


@needs(OPEN)
async def open_for(request: Request) -> Response:
    """Let a contractor in for one fault; it closes by itself (R6.3c)."""
    holder, given = await _form(request)
    try:
        await services_of(request).people.contractors.open(
            holder,
            contract=given["contract"],
            reason=given["reason"],
            hours=_hours(given["hours"]),
            by=asker_of(request).actor,
        )
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=NOT_OPENED) from None
    return see("/contractor?done=opened")


@needs(CLOSE)
async def check_close(request: Request) -> Response:
    """Say what closing ends, before it is done."""
    return services_of(request).drawing.page(
        "contractor_confirm.html",
        request.scope,
        act="close",
        holder=await _holder(request),
        given={},
        until=None,
    )


@needs(CLOSE)
async def close(request: Request) -> Response:
    """Close before its time; sessions end at once."""
    holder = await _holder(request)
    try:
        await services_of(request).people.contractors.close(holder, by=asker_of(request).actor)
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=NOT_OPEN) from None
    return see("/contractor?done=closed")


@needs(READ)
async def note(request: Request) -> Response:
    """Take note, as the data protection officer, of every opening not noted before."""
    asker = asker_of(request)
    try:
        await services_of(request).people.contractors.note(asker.account, by=asker.actor)
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=NOT_THE_DPO) from None
    return see("/contractor?done=noted")


async def _holder(request: Request) -> Account:
    account_id: UUID = request.path_params["account_id"]
    for each in await services_of(request).people.store.accounts():
        if each.id == account_id and Role.CONTRACTOR in each.roles:
            return each
    raise Problem(kind=Kind.NOT_FOUND)


async def _form(request: Request) -> tuple[Account, dict[str, str]]:
    texts = await fields_of(request, *FIELDS)
    given = {name: text.strip() for name, text in zip(FIELDS, texts, strict=True)}
    holder = {str(each.id): each for each in await _contractors(request)}.get(given["account"])
    faults = {} if holder is not None else {"account": NOBODY}
    faults |= {
        field: said
        for field, said in (("contract", NO_CONTRACT), ("reason", NO_REASON))
        if not given[field] or len(given[field]) > LONGEST[field]
    }
    if not timedelta() < timedelta(hours=_hours(given["hours"])) <= LONGEST_CONTRACTOR_ACCESS:
        faults["hours"] = NO_HOURS
    if holder is None or faults:
        raise AskAgain(await _page(request, given=given, faults=faults))
    return holder, given


def _hours(text: str) -> float:
    """Return the hours that are meant; 0 = none.

    >>> _hours("1,5"), _hours("8"), _hours("8h")
    (1.5, 8.0, 0.0)
    """
    return float(text.replace(",", ".")) if HOURS.fullmatch(text) else 0.0


async def _contractors(request: Request) -> list[Account]:
    found = await services_of(request).people.store.accounts()
    able = [each for each in found if Role.CONTRACTOR in each.roles and each.disabled_at is None]
    return sorted(able, key=lambda each: each.name)


async def _page(
    request: Request,
    *,
    given: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
) -> Response:
    services, asker = services_of(request), asker_of(request)
    say = speaker(language_of(request.scope))
    openings = (await services.people.accesses.accesses())[:SHOWN]
    return services.drawing.page(
        "contractor.html",
        request.scope,
        status=422 if faults else 200,
        openings=openings,
        open_now={each.id for each in openings if open_access([each], asker.now)},
        shown=SHOWN,
        people={
            str(each.id): f"{each.name} ({each.login})" for each in await _contractors(request)
        },
        names=await names_of(services),
        may_open=OPEN in asker.able,
        unnoted=any(each.noted_at is None for each in openings) and Role.DPO in asker.account.roles,
        may_close=CLOSE in asker.able,
        given=given or dict.fromkeys(FIELDS, "") | {"hours": USUAL_HOURS},
        faults={name: say(text) for name, text in (faults or {}).items()},
        done=say(DONE.get(request.query_params.get("done", ""), "")),
        now=asker.now,
    )


ROUTES: Routes = (
    ("GET", "/contractor", overview),
    ("POST", "/contractor/check", check),
    ("POST", "/contractor", open_for),
    ("POST", "/contractor/note", note),
    ("POST", "/contractor/{account_id:uuid}/close/check", check_close),
    ("POST", "/contractor/{account_id:uuid}/close", close),
)
