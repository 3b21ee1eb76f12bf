"""Holds at pages: what stands, what is to be reviewed, and one hold with what can be done to it."""

from collections.abc import Mapping
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.approvals.model import Action, Approval, ApprovalId
from recorder.approvals.rules import Why, judge_confirming
from recorder.errors import RuleViolation
from recorder.holds.model import BatchId, Hold, HoldId
from recorder.holds.rules import LONGEST_REVIEW, is_open, is_overdue, review_is_near
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.forms import fields_of, see
from recorder.web.pages.people import names_of
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.web.words import ENDINGS, GROUNDS

REVIEW, LIFT = Permission.HOLD_REVIEW, Permission.HOLD_LIFT
DONE = {
    "reviewed": later("The hold stays, until its next review."),
    "lifted": later("The hold is lifted."),
    "proposed": later("The lifting is proposed. Another person must confirm it within seven days."),
    "refused": later("The proposal is refused; the hold stays."),
}
NO_REASON = later("Reason: say in your own words why.")
NO_REFERENCE = later(
    "Reference: give the number of the case or of the request, for example W/31/2026."
)
NO_DAYS = later("Days: from 1 to 90 (§ 7.3).")
OVER = later("The hold has ended meanwhile; nothing was done.")
SECOND = {
    Why.SAME_PERSON: later("You proposed it yourself: another person must confirm it."),
    Why.ALREADY_DECIDED: later("It has been answered already."),
    Why.TOO_OLD: later("The proposal is older than seven days and void."),
}


@needs(Permission.HOLD_LIST)
async def standing(request: Request) -> Response:
    """List the holds that stand, those to be reviewed first."""
    services, asker = services_of(request), asker_of(request)
    holds = await services.keeping.hold_rows.standing()
    due = [each for each in holds if review_is_near(each, now=asker.now)]
    waiting = [
        each
        for each in await services.keeping.approvals.waiting()
        if each.action is Action.LIFT_HOLD
    ]
    return services.drawing.page(
        "holds.html",
        request.scope,
        due=due,
        provisional=[each for each in holds if each.lapses_at is not None],
        others=[each for each in holds if each not in due and each.lapses_at is None],
        overdue={each.id for each in due if is_overdue(each, now=asker.now)},
        waiting=waiting,
        names=await names_of(services),
        grounds=GROUNDS,
        now=asker.now,
    )


@needs(Permission.HOLD_LIST)
async def one(request: Request) -> Response:
    """Show one hold."""
    say = speaker(language_of(request.scope))
    hold = await _hold(request)
    return await _page(request, hold, done=say(DONE.get(request.query_params.get("done", ""), "")))


@needs(Permission.HOLD_LIST)
async def batch(request: Request) -> Response:
    """Show what one act of placing held (R7.3h)."""
    services = services_of(request)
    batch_id: UUID = request.path_params["batch_id"]
    holds = await services.desk.batch(BatchId(batch_id))
    if not holds:
        raise Problem(kind=Kind.NOT_FOUND)
    refused = request.query_params.get("refused", "")
    return services.drawing.page(
        "batch.html",
        request.scope,
        holds=holds,
        refused=int(refused) if refused.isascii() and refused.isdigit() and len(refused) < 4 else 0,  # noqa: PLR2004 - a page holds less
        calls={each.id: await services.desk.call_of(each.recording_id) for each in holds},
        names=await names_of(services),
        grounds=GROUNDS,
        now=asker_of(request).now,
    )


@needs(REVIEW)
async def check_review(request: Request) -> Response:
    """Say what keeping a hold on will do, before it is done."""
    hold = await _hold(request)
    reason, days = await _review_form(request, hold)
    return _confirm(
        request, hold, act="review", fields={"reason": reason, "days": str(days)}, days=days
    )


@needs(REVIEW)
async def review(request: Request) -> Response:
    """Keep a hold on until its next review (R7.3d)."""
    services, asker = services_of(request), asker_of(request)
    hold = await _hold(request)
    reason, days = await _review_form(request, hold)
    try:
        await services.keeping.holds.review(
            hold.id, reason=reason, actor=asker.actor, review_days=days
        )
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=OVER) from None
    return see(f"/holds/{hold.id}?done=reviewed")


@needs(LIFT)
async def check_lift(request: Request) -> Response:
    """Say what lifting will do, before it is proposed."""
    hold = await _hold(request)
    reason, reference = await _lift_form(request, hold)
    return _confirm(request, hold, act="lift", fields={"reason": reason, "reference": reference})


@needs(LIFT)
async def lift(request: Request) -> Response:
    """Propose to lift a hold; where the office wants no second person, lift it (R7.3e)."""
    services, asker = services_of(request), asker_of(request)
    hold = await _hold(request)
    reason, reference = await _lift_form(request, hold)
    try:
        proposal = await services.keeping.holds.lift(
            hold.id, reason=reason, reference=reference, actor=asker.actor
        )
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=OVER) from None
    return see(f"/holds/{hold.id}?done={'proposed' if proposal else 'lifted'}")


@needs(LIFT)
async def check_confirm(request: Request) -> Response:
    """Show a second person what they are to confirm."""
    approval, hold = await _proposal(request)
    return _confirm(request, hold, act="confirm", fields={}, approval=approval)


@needs(LIFT)
async def confirm(request: Request) -> Response:
    """Lift what another person proposed."""
    services, asker = services_of(request), asker_of(request)
    approval, hold = await _proposal(request)
    try:
        await services.keeping.holds.confirm_lifting(approval, actor=asker.actor)
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=OVER) from None
    return see(f"/holds/{hold.id}?done=lifted")


@needs(LIFT)
async def refuse(request: Request) -> Response:
    """Answer no to a proposal; the hold stays."""
    services, asker = services_of(request), asker_of(request)
    approval_id: UUID = request.path_params["approval_id"]
    approval = await services.keeping.approvals.get(ApprovalId(approval_id))
    if approval is None or approval.action is not Action.LIFT_HOLD:
        raise Problem(kind=Kind.NOT_FOUND)
    if not await services.keeping.approvals.refuse(approval.id, actor=asker.actor, at=asker.now):
        raise Problem(kind=Kind.CONFLICT, detail=SECOND[Why.ALREADY_DECIDED])
    return see(f"/holds/{approval.subject}?done=refused")


async def _hold(request: Request) -> Hold:
    hold_id: UUID = request.path_params["hold_id"]
    hold = await services_of(request).keeping.hold_rows.get(HoldId(hold_id))
    if hold is None:
        raise Problem(kind=Kind.NOT_FOUND)
    return hold


async def _proposal(request: Request) -> tuple[Approval, Hold]:
    services, asker = services_of(request), asker_of(request)
    approval_id: UUID = request.path_params["approval_id"]
    approval = await services.keeping.approvals.get(ApprovalId(approval_id))
    if approval is None or approval.action is not Action.LIFT_HOLD:
        raise Problem(kind=Kind.NOT_FOUND)
    signed = f"{asker.actor.kind}:{asker.actor.name}"
    why = judge_confirming(approval, person=signed, now=asker.now)
    if why is not Why.SECOND_PERSON:
        raise Problem(kind=Kind.CONFLICT, reason=why.value, detail=SECOND[why])
    hold = await services.keeping.hold_rows.get(HoldId(approval.subject))
    if hold is None:
        raise Problem(kind=Kind.NOT_FOUND)
    return approval, hold


async def _review_form(request: Request, hold: Hold) -> tuple[str, int]:
    reason, days = await fields_of(request, "reason", "days")
    faults = {} if reason.strip() else {"review-reason": NO_REASON}
    number = int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 0  # noqa: PLR2004 - days
    if not 1 <= number <= LONGEST_REVIEW.days:
        faults["days"] = NO_DAYS
    if faults:
        given = {"review-reason": reason, "days": days}
        raise AskAgain(await _page(request, hold, faults=faults, given=given))
    return reason.strip(), number


async def _lift_form(request: Request, hold: Hold) -> tuple[str, str]:
    reason, reference = await fields_of(request, "reason", "reference")
    faults = {} if reason.strip() else {"lift-reason": NO_REASON}
    if not reference.strip():
        faults["lift-reference"] = NO_REFERENCE
    if faults:
        given = {"lift-reason": reason, "lift-reference": reference}
        raise AskAgain(await _page(request, hold, faults=faults, given=given))
    return reason.strip(), reference.strip()


async def _page(
    request: Request,
    hold: Hold,
    *,
    done: str = "",
    faults: dict[str, str] | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:
    services, asker = services_of(request), asker_of(request)
    say = speaker(language_of(request.scope))
    waiting = await services.keeping.approvals.waiting_for(Action.LIFT_HOLD, hold.id)
    return services.drawing.page(
        "hold.html",
        request.scope,
        status=422 if faults else 200,
        hold=hold,
        stands=is_open(hold),
        waiting=waiting,
        my_own=waiting is not None and waiting.proposed_by.endswith(str(asker.account.id)),
        call_id=await services.desk.call_of(hold.recording_id),
        names=await names_of(services),
        grounds=GROUNDS,
        endings=ENDINGS,
        may_review=REVIEW in asker.able,
        may_lift=LIFT in asker.able,
        longest=LONGEST_REVIEW.days,
        given=given or {},
        faults={name: say(text) for name, text in (faults or {}).items()},
        done=done,
        now=asker.now,
    )


def _confirm(
    request: Request,
    hold: Hold,
    *,
    act: str,
    fields: dict[str, str],
    days: int = 0,
    approval: Approval | None = None,
) -> Response:
    return services_of(request).drawing.page(
        "hold_confirm.html",
        request.scope,
        hold=hold,
        act=act,
        fields=fields,
        days=days,
        approval=approval,
        grounds=GROUNDS,
    )


ROUTES: Routes = (
    ("GET", "/holds", standing),
    ("GET", "/holds/batches/{batch_id:uuid}", batch),
    ("GET", "/holds/{hold_id:uuid}", one),
    ("POST", "/holds/{hold_id:uuid}/review/check", check_review),
    ("POST", "/holds/{hold_id:uuid}/review", review),
    ("POST", "/holds/{hold_id:uuid}/lift/check", check_lift),
    ("POST", "/holds/{hold_id:uuid}/lift", lift),
    ("POST", "/holds/proposals/{approval_id:uuid}/check", check_confirm),
    ("POST", "/holds/proposals/{approval_id:uuid}/confirm", confirm),
    ("POST", "/holds/proposals/{approval_id:uuid}/refuse", refuse),
)
