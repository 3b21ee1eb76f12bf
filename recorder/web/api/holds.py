"""Holds and erasing by hand: proposed by one person, confirmed by another (§ 7.2, § 7.3)."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from recorder.access.model import Permission, Target
from recorder.approvals.model import Action, Approval, ApprovalId
from recorder.errors import RuleViolation
from recorder.holds.model import BatchId, HoldId
from recorder.holds.rules import Placing
from recorder.model import RecordingId
from recorder.web.api import routing
from recorder.web.api.hold_bodies import (
    MOST_AT_ONCE,
    Because,
    HoldBySearch,
    Holds,
    HoldTold,
    Lifting,
    NewHold,
    NewReviewedHold,
    Outcome,
    Placed,
    Proposals,
    Review,
    proposal_of,
    told_of,
)
from recorder.web.api.recordings import one
from recorder.web.api.routing import Parts, Who
from recorder.web.gate import needs
from recorder.web.problems import Kind, Problem
from recorder.web.services import Services

router = routing.router("holds")


@router.get("/holds")
@needs(Permission.HOLD_LIST)
async def standing(asker: Who, parts: Parts) -> Holds:
    """Return the holds that stand."""
    found = await parts.keeping.hold_rows.standing()
    return Holds(holds=[told_of(each, asker.now) for each in found])


@router.post("/holds/provisional", status_code=201)
@needs(Permission.HOLD_PLACE_PROVISIONAL)
async def place_provisional(new: NewHold, asker: Who, parts: Parts) -> Placed:
    """Hold for seven days, until somebody confirms it by a review."""
    batch, answers = await parts.keeping.holds.place(
        [RecordingId(each) for each in new.recording_ids],
        ground=new.ground,
        reference=new.reference,
        reason=new.reason,
        actor=asker.actor,
        review_days=90,
        provisional=True,
    )
    return _placed(batch, answers)


@router.post("/holds", status_code=201)
@needs(Permission.HOLD_PLACE)
async def place(new: NewReviewedHold, asker: Who, parts: Parts) -> Placed:
    """Hold until a person lifts it."""
    batch, answers = await parts.keeping.holds.place(
        [RecordingId(each) for each in new.recording_ids],
        ground=new.ground,
        reference=new.reference,
        reason=new.reason,
        actor=asker.actor,
        review_days=new.review_days,
        provisional=False,
    )
    return _placed(batch, answers)


@router.post("/holds/by-search", status_code=201)
@needs(Permission.HOLD_PLACE)
async def place_by_search(wanted: HoldBySearch, asker: Who, parts: Parts) -> Placed:
    """Hold everything that a search finds now (R7.3h)."""
    assert wanted.day is not None  # noqa: S101 - the model has seen to it
    parts.keeping.holds.require_within_retention(
        wanted.day, retention_days=await parts.days_in_force(), office_zone=parts.zone
    )
    every = wanted.model_copy(update={"limit": MOST_AT_ONCE, "cursor": None})
    found = await parts.finder.recordings(
        every.criteria(), every.entry("recording:searched", asker)
    )
    if not found:
        raise RuleViolation("nothing was found, so nothing is held")
    if len(found) > MOST_AT_ONCE:
        raise RuleViolation(f"more than {MOST_AT_ONCE} recordings fit; say more about the call")
    batch, answers = await parts.keeping.holds.place(
        [RecordingId(each.id) for each in found],
        ground=wanted.ground,
        reference=wanted.reference,
        reason=wanted.because,
        actor=asker.actor,
        review_days=wanted.review_days,
        provisional=False,
    )
    return _placed(batch, answers)


@router.post("/holds/{hold_id}/review")
@needs(Permission.HOLD_REVIEW)
async def review(hold_id: UUID, why: Review, asker: Who, parts: Parts) -> HoldTold:
    """Keep a hold on; a provisional one becomes a real one."""
    kept = await parts.keeping.holds.review(
        HoldId(hold_id), reason=why.reason, actor=asker.actor, review_days=why.review_days
    )
    return told_of(kept, asker.now)


@router.post("/holds/{hold_id}/lift")
@needs(Permission.HOLD_LIFT)
async def lift(hold_id: UUID, why: Lifting, asker: Who, parts: Parts) -> Outcome:
    """Lift a hold, or propose to, where the office wants four eyes."""
    proposal = await parts.keeping.holds.lift(
        HoldId(hold_id), reason=why.reason, reference=why.reference, actor=asker.actor
    )
    return Outcome(done=proposal is None, proposal=proposal_of(proposal) if proposal else None)


@router.post("/recordings/{recording_id}/erasure")
@needs(Permission.RECORDING_ERASE)
async def erase(recording_id: UUID, why: Because, asker: Who, parts: Parts) -> Outcome:
    """Erase by hand, or propose to; holds still win (R7.2f)."""
    row = await one(recording_id, parts)
    target = Target(line=row.line, recording_id=row.id)
    await asker.require(Permission.RECORDING_ERASE, target=target)
    answer = await parts.keeping.by_hand.ask(
        RecordingId(row.id), reason=why.reason, actor=asker.actor
    )
    if isinstance(answer, Approval):
        return Outcome(done=False, proposal=proposal_of(answer))
    return Outcome(done=answer, proposal=None)


@router.get("/holds/proposals")
@needs(Permission.HOLD_LIFT)
async def liftings(parts: Parts) -> Proposals:
    """Return the liftings that wait for a second person."""
    return await _waiting(Action.LIFT_HOLD, parts)


@router.get("/erasures/proposals")
@needs(Permission.RECORDING_ERASE)
async def erasures(asker: Who, parts: Parts) -> Proposals:
    """Return the erasures that wait for a second person."""
    await asker.require(Permission.RECORDING_ERASE)
    return await _waiting(Action.ERASE_BY_HAND, parts)


@router.post("/holds/proposals/{proposal_id}/confirm", status_code=204)
@needs(Permission.HOLD_LIFT)
async def confirm_lifting(proposal_id: UUID, asker: Who, parts: Parts) -> None:
    """Lift what another person proposed to lift."""
    found = await _one(proposal_id, Action.LIFT_HOLD, parts)
    await parts.keeping.holds.confirm_lifting(found, actor=asker.actor)


@router.post("/erasures/proposals/{proposal_id}/confirm")
@needs(Permission.RECORDING_ERASE)
async def confirm_erasure(proposal_id: UUID, asker: Who, parts: Parts) -> Outcome:
    """Erase what another person proposed to erase."""
    found = await _one(proposal_id, Action.ERASE_BY_HAND, parts)
    row = await one(found.subject, parts)
    target = Target(line=row.line, recording_id=row.id)
    await asker.require(Permission.RECORDING_ERASE, target=target)
    done = await parts.keeping.by_hand.confirm(found, actor=asker.actor)
    return Outcome(done=done, proposal=None)


@router.post("/holds/proposals/{proposal_id}/refuse", status_code=204)
@needs(Permission.HOLD_LIFT)
async def refuse_lifting(proposal_id: UUID, asker: Who, parts: Parts) -> None:
    """Answer no."""
    found = await _one(proposal_id, Action.LIFT_HOLD, parts)
    await parts.keeping.approvals.refuse(found.id, actor=asker.actor, at=asker.now)


@router.post("/erasures/proposals/{proposal_id}/refuse", status_code=204)
@needs(Permission.RECORDING_ERASE)
async def refuse_erasure(proposal_id: UUID, asker: Who, parts: Parts) -> None:
    """Answer no."""
    await asker.require(Permission.RECORDING_ERASE)
    found = await _one(proposal_id, Action.ERASE_BY_HAND, parts)
    await parts.keeping.approvals.refuse(found.id, actor=asker.actor, at=asker.now)


async def _waiting(action: Action, parts: Services) -> Proposals:
    found = await parts.keeping.approvals.waiting()
    return Proposals(proposals=[proposal_of(each) for each in found if each.action is action])


async def _one(proposal_id: UUID, action: Action, parts: Services) -> Approval:
    found = await parts.keeping.approvals.get(ApprovalId(proposal_id))
    if found is None or found.action is not action:
        raise Problem(kind=Kind.NOT_FOUND)
    return found


def _placed(batch: BatchId, answers: Mapping[RecordingId, Placing]) -> Placed:
    held: Sequence[UUID] = [each for each, placing in answers.items() if placing.allowed]
    refused = {str(each): p.why.value for each, p in answers.items() if not p.allowed}
    return Placed(batch_id=batch, held=list(held), refused=refused)
