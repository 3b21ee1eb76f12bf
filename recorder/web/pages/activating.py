"""One announcement, and having callers hear it: one administrator proposes, another confirms."""

from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.announcements.changing import planned
from recorder.announcements.periods import periods, standing
from recorder.announcements.rules import which_is_active
from recorder.approvals.model import Action, Approval, ApprovalId, signature
from recorder.approvals.rules import Why, judge_confirming
from recorder.errors import NotFound, RuleViolation
from recorder.model import Announcement, AnnouncementId
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.announcements import ACTIVATE, WORDS, done_of
from recorder.web.pages.forms import fields_of, see
from recorder.web.pages.holding import NO_REASON, SECOND
from recorder.web.pages.people import names_of
from recorder.web.problems import Kind, Problem
from recorder.web.reading import read_day
from recorder.web.routes import Routes

NO_DAY = later("From: a day to come, like 1.12.2026, or leave it empty for at once.")
PROPOSED = later("Its activation is proposed already; nothing was done.")
GONE = later("It is answered already, or its version is gone; nothing was done.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One version as its page needs it."""

    announcement: Announcement
    uploaded: bool
    """It waits in the database; callers never heard it."""
    waiting: Approval | None


@needs(Permission.ANNOUNCEMENT_READ)
async def one(request: Request) -> Response:
    """Show one version: its words, its sound, when callers heard it, what waits."""
    return await _page(request, await _seen(request))


@needs(ACTIVATE)
async def check(request: Request) -> Response:
    """Say what activating will do, before it is proposed."""
    seen = await _seen(request)
    reason, active_from = await _wanted(request, seen)
    return await _confirm(request, seen, reason=reason, active_from=active_from, approval=None)


@needs(ACTIVATE)
async def propose(request: Request) -> Response:
    """Propose that callers hear it."""
    seen = await _seen(request)
    reason, active_from = await _wanted(request, seen)
    try:
        await services_of(request).announcing.office.propose(
            seen.announcement.id,
            active_from=active_from,
            reason=reason,
            actor=asker_of(request).actor,
        )
    except (RuleViolation, NotFound):
        raise Problem(kind=Kind.CONFLICT, detail=PROPOSED) from None
    return see(f"/announcements/{seen.announcement.id}?done=proposed")


@needs(ACTIVATE)
async def check_confirm(request: Request) -> Response:
    """Show a second administrator what they are to confirm."""
    approval, seen = await _proposal(request)
    active_from = planned(approval)
    return await _confirm(
        request, seen, reason=approval.reason, active_from=active_from, approval=approval
    )


@needs(ACTIVATE)
async def confirm(request: Request) -> Response:
    """Order what another administrator proposed; callers hear it within a minute."""
    approval, seen = await _proposal(request)
    try:
        await services_of(request).announcing.office.confirm(
            approval, actor=asker_of(request).actor
        )
    except (RuleViolation, NotFound):
        raise Problem(kind=Kind.CONFLICT, detail=GONE) from None
    return see(f"/announcements/{seen.announcement.id}?done=confirmed")


@needs(ACTIVATE)
async def refuse(request: Request) -> Response:
    """Answer no to a proposal, one's own included; callers go on hearing what they hear."""
    services, asker = services_of(request), asker_of(request)
    await asker.require(ACTIVATE)
    approval = await _approval(request)
    if not await services.keeping.approvals.refuse(approval.id, actor=asker.actor, at=asker.now):
        raise Problem(kind=Kind.CONFLICT, detail=SECOND[Why.ALREADY_DECIDED])
    return see(f"/announcements/{approval.subject}?done=refused")


def _announcement_id(request: Request) -> AnnouncementId:
    announcement_id: UUID = request.path_params["announcement_id"]
    return AnnouncementId(announcement_id)


async def _seen(request: Request, announcement_id: AnnouncementId | None = None) -> Seen:
    services = services_of(request)
    wanted = announcement_id or _announcement_id(request)
    await asker_of(request).require(Permission.ANNOUNCEMENT_READ)
    uploads = {each.id: each for each in await services.announcing.desk.uploads()}
    try:
        found = await services.announcing.office.find(wanted)
    except NotFound:
        raise Problem(kind=Kind.NOT_FOUND) from None
    waiting = await services.keeping.approvals.waiting_for(Action.ACTIVATE_ANNOUNCEMENT, wanted)
    return Seen(announcement=found, uploaded=wanted in uploads, waiting=waiting)


async def _approval(request: Request) -> Approval:
    approval_id: UUID = request.path_params["approval_id"]
    approval = await services_of(request).keeping.approvals.get(ApprovalId(approval_id))
    if approval is None or approval.action is not Action.ACTIVATE_ANNOUNCEMENT:
        raise Problem(kind=Kind.NOT_FOUND)
    return approval


async def _proposal(request: Request) -> tuple[Approval, Seen]:
    asker = asker_of(request)
    await asker.require(ACTIVATE)
    approval = await _approval(request)
    why = judge_confirming(approval, person=signature(asker.actor), now=asker.now)
    if why is not Why.SECOND_PERSON:
        raise Problem(kind=Kind.CONFLICT, reason=why.value, detail=SECOND[why])
    return approval, await _seen(request, AnnouncementId(approval.subject))


async def _wanted(request: Request, seen: Seen) -> tuple[str, datetime | None]:
    """Return why, and from when; a day begins at the office's midnight."""
    asker = asker_of(request)
    await asker.require(ACTIVATE)
    reason, day = await fields_of(request, "reason", "day")
    given, faults = {"reason": reason.strip(), "day": day.strip()}, {}
    if not given["reason"]:
        faults["reason"] = NO_REASON
    active_from = None
    if given["day"]:
        zone = services_of(request).zone
        read = read_day(given["day"], today=asker.now.astimezone(zone).date())
        active_from = None if read is None else datetime.combine(read, time(), tzinfo=zone)
        if active_from is None or active_from <= asker.now:
            faults["day"] = NO_DAY
    if faults:
        raise AskAgain(await _page(request, seen, given=given, faults=faults))
    return given["reason"], active_from


async def _page(
    request: Request,
    seen: Seen,
    *,
    given: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
) -> Response:
    services, asker = services_of(request), asker_of(request)
    say = speaker(language_of(request.scope))
    found = seen.announcement
    _, activations = await services.announcements()
    known = periods(activations)
    orders = [
        each for each in await services.announcing.desk.orders()
        if each.announcement_id == found.id and (each.done_at is None or each.problem)
    ]  # fmt: skip
    return services.drawing.page(
        "announcement.html",
        request.scope,
        status=422 if faults else 200,
        each=found,
        seen=seen,
        stand=standing(found.id, known, asker.now),
        heard=[each for each in known if each.announcement_id == found.id][::-1],
        signed=await services.announcing.signed(),
        orders=orders,
        advice=services.announcing.advise(found),
        planned=planned(seen.waiting) if seen.waiting else None,
        my_own=seen.waiting is not None and seen.waiting.proposed_by == signature(asker.actor),
        may_activate=ACTIVATE in asker.able,
        names=await names_of(services),
        words=WORDS,
        given=given or {},
        faults={name: say(text) for name, text in (faults or {}).items()},
        done=done_of(request),
        now=asker.now,
    )


async def _confirm(
    request: Request,
    seen: Seen,
    *,
    reason: str,
    active_from: datetime | None,
    approval: Approval | None,
) -> Response:
    services, asker = services_of(request), asker_of(request)
    found = seen.announcement
    _, activations = await services.announcements()
    replaced = which_is_active(activations, found.layer, found.language, asker.now)
    zone = services.zone
    return services.drawing.page(
        "announcing_confirm.html",
        request.scope,
        each=found,
        reason=reason,
        active_from=active_from,
        day="" if active_from is None else f"{active_from.astimezone(zone):%Y-%m-%d}",
        approval=approval,
        replaced=replaced,
        advice=services.announcing.advise(found),
        names=await names_of(services),
        words=WORDS,
    )


ROUTES: Routes = (
    ("GET", "/announcements/{announcement_id:uuid}", one),
    ("POST", "/announcements/{announcement_id:uuid}/activation/check", check),
    ("POST", "/announcements/{announcement_id:uuid}/activation", propose),
    ("POST", "/announcements/proposals/{approval_id:uuid}/check", check_confirm),
    ("POST", "/announcements/proposals/{approval_id:uuid}/confirm", confirm),
    ("POST", "/announcements/proposals/{approval_id:uuid}/refuse", refuse),
)
