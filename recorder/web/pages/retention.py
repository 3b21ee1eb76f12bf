"""How long recordings are kept: what other days would do, proposed and confirmed (R7.2c)."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.approvals.model import Action, Approval, ApprovalId, signature
from recorder.approvals.rules import VALID_FOR, Why, is_void, judge_confirming
from recorder.erasure.changing import EffectGrew, proposed
from recorder.erasure.effect import Effect
from recorder.erasure.rules import NoChange, RetentionInForce, problem_of_change
from recorder.errors import RuleViolation
from recorder.regulation import LONGEST_RETENTION_DAYS
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.forms import fields_of, see
from recorder.web.pages.holding import NO_REASON, SECOND
from recorder.web.pages.people import names_of
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes

CHANGE = Permission.RETENTION_CHANGE
HERE = "/settings/retention"
LONGEST_REASON = 500
MOST_DIGITS = 6
DONE = {
    "proposed": later("The change is proposed. Another administrator must confirm it."),
    "changed": later("The days are in force. What is due by them goes at the next run."),
    "refused": later("The proposal is refused; the days stay as they are."),
}
TOO_LONG = later("Reason: at most 500 characters.")
MEANWHILE = later("It was answered, or the days were changed, meanwhile; nothing was done.")
STARTED_ELSEWHERE = later(
    "Other days hold now than when it was proposed: refuse the proposal and propose anew."
)
PROPOSED_ALREADY = later("A change is proposed already: answer that proposal first.")
NO_CHANGE = {
    NoChange.OUT_OF_BOUNDS: later("Days: from 1 to 30 (§ 7.2)."),
    NoChange.ABOVE_THE_FILE: later(
        "Days: at most what regulation.toml says, because callers are told that. To keep longer, "
        "raise it there; it holds at once."
    ),
    NoChange.IN_FORCE: later("Days: so many are in force already."),
}


@needs(Permission.CONFIG_READ)
async def overview(request: Request) -> Response:
    """Show what holds, what waits, and every earlier change."""
    return await _page(request)


@needs(CHANGE)
async def check(request: Request) -> Response:
    """Say what other days would do, before they are proposed."""
    days, reason = await _form(request)
    effect = await services_of(request).keeping.retention.effect(days)
    return await _confirm(request, effect, reason=reason)


@needs(CHANGE)
async def propose(request: Request) -> Response:
    """Propose other days; where the office wants no second person, put them in force."""
    services, asker = services_of(request), asker_of(request)
    days, reason = await _form(request)
    seen = await _seen(request)
    try:
        proposal = await services.keeping.retention.ask(
            days, reason=reason, seen=seen, actor=asker.actor
        )
    except EffectGrew as grew:
        raise AskAgain(await _confirm(request, grew.effect, reason=reason, shown=seen)) from None
    except RuleViolation:
        detail = PROPOSED_ALREADY if services.keeping.retention.four_eyes else MEANWHILE
        raise Problem(kind=Kind.CONFLICT, detail=detail) from None
    return see(f"{HERE}?done={'proposed' if proposal else 'changed'}")


@needs(CHANGE)
async def check_confirm(request: Request) -> Response:
    """Show a second person what was proposed, and what it would do now."""
    approval = await _proposal(request)
    effect = await _effect_of(request, approval)
    return await _confirm(request, effect, reason=approval.reason, approval=approval)


@needs(CHANGE)
async def confirm(request: Request) -> Response:
    """Put in force what another person proposed."""
    services, asker = services_of(request), asker_of(request)
    approval = await _proposal(request)
    await _effect_of(request, approval)
    seen = await _seen(request)
    try:
        await services.keeping.retention.confirm(approval, seen=seen, actor=asker.actor)
    except EffectGrew as grew:
        again = await _confirm(
            request, grew.effect, reason=approval.reason, approval=approval, shown=seen
        )
        raise AskAgain(again) from None
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=MEANWHILE) from None
    return see(f"{HERE}?done=changed")


@needs(CHANGE)
async def refuse(request: Request) -> Response:
    """Answer no to a proposal, one's own included; the days stay."""
    services, asker = services_of(request), asker_of(request)
    approval = await _approval(request)
    if not await services.keeping.approvals.refuse(approval.id, actor=asker.actor, at=asker.now):
        raise Problem(kind=Kind.CONFLICT, detail=SECOND[Why.ALREADY_DECIDED])
    return see(f"{HERE}?done=refused")


async def _approval(request: Request) -> Approval:
    approval_id: UUID = request.path_params["approval_id"]
    approval = await services_of(request).keeping.approvals.get(ApprovalId(approval_id))
    if approval is None or approval.action is not Action.CHANGE_RETENTION:
        raise Problem(kind=Kind.NOT_FOUND)
    return approval


async def _proposal(request: Request) -> Approval:
    asker, approval = asker_of(request), await _approval(request)
    why = judge_confirming(approval, person=signature(asker.actor), now=asker.now)
    if why is not Why.SECOND_PERSON:
        raise Problem(kind=Kind.CONFLICT, reason=why.value, detail=SECOND[why])
    return approval


async def _effect_of(request: Request, approval: Approval) -> Effect:
    """Return what a proposal would do now. Raises ``Problem`` when other days hold by now."""
    asked, desk = proposed(approval), services_of(request).keeping.retention
    if (await desk.in_force()).days != asked.from_days:
        raise Problem(kind=Kind.CONFLICT, detail=STARTED_ELSEWHERE)
    try:
        return await desk.effect(asked.to_days)
    except RuleViolation:
        # The file was lowered below it meanwhile.
        raise Problem(kind=Kind.CONFLICT, detail=STARTED_ELSEWHERE) from None


async def _form(request: Request) -> tuple[int, str]:
    days, reason = await fields_of(request, "days", "reason")
    retention = await services_of(request).keeping.retention.in_force()
    number, faults = _number(days), {}
    if why := problem_of_change(number, in_force=retention):
        faults["days"] = NO_CHANGE[why]
    if not reason.strip():
        faults["reason"] = NO_REASON
    elif len(reason.strip()) > LONGEST_REASON:
        faults["reason"] = TOO_LONG
    if faults:
        raise AskAgain(await _page(request, faults=faults, days=days, reason=reason))
    return number, reason.strip()


async def _seen(request: Request) -> int:
    """Return how many recordings the person was shown; what is no number counts as none."""
    (seen,) = await fields_of(request, "seen")
    return _number(seen)


def _number(given: str) -> int:
    text = given.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else 0


async def _page(
    request: Request, *, faults: dict[str, str] | None = None, days: str = "", reason: str = ""
) -> Response:
    services, asker = services_of(request), asker_of(request)
    desk, say = services.keeping.retention, speaker(language_of(request.scope))
    retention = await desk.in_force()
    waiting = await desk.waiting()
    return services.drawing.page(
        "retention.html",
        request.scope,
        status=422 if faults else 200,
        retention=retention,
        waiting=waiting,
        void=waiting is not None and is_void(waiting.approval, now=asker.now),
        void_at=waiting and waiting.approval.proposed_at + VALID_FOR,
        my_own=waiting is not None and waiting.approval.proposed_by == signature(asker.actor),
        changes=await desk.changes(),
        may_change=CHANGE in asker.able,
        most=min(retention.configured, LONGEST_RETENTION_DAYS),
        four_eyes=desk.four_eyes,
        days=days or _suggested(retention),
        reason=reason,
        names=await names_of(services),
        faults={name: say(text) for name, text in (faults or {}).items()},
        done=say(DONE.get(request.query_params.get("done", ""), "")),
        now=asker.now,
    )


def _suggested(retention: RetentionInForce) -> str:
    """Return what regulation.toml wants and what waits for persons; else nothing."""
    return str(retention.configured) if retention.waits_for_a_person else ""


async def _confirm(
    request: Request,
    effect: Effect,
    *,
    reason: str,
    approval: Approval | None = None,
    shown: int | None = None,
) -> Response:
    """Say what will happen; ``shown`` = so few it was when the person agreed, and it grew."""
    services = services_of(request)
    return services.drawing.page(
        "retention_confirm.html",
        request.scope,
        status=200 if shown is None else 409,
        effect=effect,
        reason=reason,
        asked=None if approval is None else proposed(approval),
        shown=shown,
        four_eyes=services.keeping.retention.four_eyes,
        names=await names_of(services),
    )


ROUTES: Routes = (
    ("GET", HERE, overview),
    ("POST", f"{HERE}/check", check),
    ("POST", HERE, propose),
    ("POST", f"{HERE}/proposals/{{approval_id:uuid}}/check", check_confirm),
    ("POST", f"{HERE}/proposals/{{approval_id:uuid}}/confirm", confirm),
    ("POST", f"{HERE}/proposals/{{approval_id:uuid}}/refuse", refuse),
)
