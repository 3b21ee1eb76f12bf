"""Holds and erasing by hand: proposed by one person, confirmed by another (§ 7.2, § 7.3)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from recorder.access.model import Permission, Target
from recorder.approvals.model import Action, Approval, ApprovalId
from recorder.errors import RuleViolation
from recorder.holds.model import BatchId, Ground, Hold, HoldId
from recorder.holds.rules import Placing, has_lapsed, is_overdue
from recorder.model import RecordingId
from recorder.web.api import routing
from recorder.web.api.recordings import one
from recorder.web.api.routing import Body, Parts, Told, Who
from recorder.web.api.search import Search
from recorder.web.gate import needs
from recorder.web.problems import Kind, Problem
from recorder.web.services import Services

router = routing.router("holds")
MOST_AT_ONCE = 100
"""So many recordings at most are held by one search: more is no search but a habit."""

Words = Annotated[str, Field(min_length=1, max_length=2000)]
Reference = Annotated[str, Field(min_length=1, max_length=200)]
ReviewDays = Annotated[int, Field(ge=1, le=90)]


class HoldTold(Told):
    """One hold that stands."""

    id: UUID
    recording_id: UUID
    batch_id: UUID
    ground: Ground
    reference: str
    placed_by: str
    placed_at: datetime
    review_by: datetime
    lapses_at: datetime | None
    overdue: bool
    lapsed: bool


class Holds(Told):
    """The holds that stand, the next review first."""

    holds: list[HoldTold]


class NewHold(Body):
    """Why a recording must not disappear (R7.3a)."""

    recording_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_AT_ONCE)]
    ground: Ground
    reference: Reference
    reason: Words


class NewReviewedHold(NewHold):
    """One that stays until a person lifts it."""

    review_days: ReviewDays = 90


class HoldBySearch(Search):
    """What is found now is the list for good (R7.3h)."""

    ground: Ground
    reference: Reference
    because: Words
    """The reason; ``reason`` is a search's own word."""
    review_days: ReviewDays = 90

    @model_validator(mode="after")
    def _has_a_day(self) -> "HoldBySearch":
        if self.day is None:
            raise ValueError("a search that holds needs its day")
        return self


class Placed(Told):
    """One act of placing, answered recording by recording."""

    batch_id: UUID
    held: list[UUID]
    refused: dict[str, str]
    """Recording → why it is not held."""


class Review(Body):
    """Why a hold stays."""

    reason: Words
    review_days: ReviewDays = 90


class Lifting(Body):
    """Why a hold may go, and what ended the proceedings (R7.3e)."""

    reason: Words
    reference: Reference


class Because(Body):
    """Why a recording goes before its time (R7.2f)."""

    reason: Words


class ProposalTold(Told):
    """What waits for a second person."""

    id: UUID
    action: Action
    subject: UUID
    proposed_by: str
    proposed_at: datetime
    reason: str
    reference: str


class Proposals(Told):
    """What waits, oldest first."""

    proposals: list[ProposalTold]


class Outcome(Told):
    """Done, or proposed."""

    done: bool
    """False = a second person must confirm, or the next run of retention finishes it."""
    proposal: ProposalTold | None


@router.get("/holds")
@needs(Permission.HOLD_LIST)
async def standing(asker: Who, parts: Parts) -> Holds:
    """Return the holds that stand."""
    found = await parts.keeping.hold_rows.standing()
    return Holds(holds=[_told(each, asker.now) for each in found])


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
    return _told(kept, asker.now)


@router.post("/holds/{hold_id}/lift")
@needs(Permission.HOLD_LIFT)
async def lift(hold_id: UUID, why: Lifting, asker: Who, parts: Parts) -> Outcome:
    """Lift a hold, or propose to, where the office wants four eyes."""
    proposal = await parts.keeping.holds.lift(
        HoldId(hold_id), reason=why.reason, reference=why.reference, actor=asker.actor
    )
    return Outcome(done=proposal is None, proposal=_proposal(proposal) if proposal else None)


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
        return Outcome(done=False, proposal=_proposal(answer))
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
    return Proposals(proposals=[_proposal(each) for each in found if each.action is action])


async def _one(proposal_id: UUID, action: Action, parts: Services) -> Approval:
    found = await parts.keeping.approvals.get(ApprovalId(proposal_id))
    if found is None or found.action is not action:
        raise Problem(kind=Kind.NOT_FOUND)
    return found


def _placed(batch: BatchId, answers: Mapping[RecordingId, Placing]) -> Placed:
    held: Sequence[UUID] = [each for each, placing in answers.items() if placing.allowed]
    refused = {str(each): p.why.value for each, p in answers.items() if not p.allowed}
    return Placed(batch_id=batch, held=list(held), refused=refused)


def _told(hold: Hold, now: datetime) -> HoldTold:
    known = {
        name: getattr(hold, name)
        for name in HoldTold.model_fields
        if name not in {"overdue", "lapsed"}
    }
    return HoldTold(**known, overdue=is_overdue(hold, now=now), lapsed=has_lapsed(hold, now=now))


def _proposal(approval: Approval) -> ProposalTold:
    return ProposalTold(**{name: getattr(approval, name) for name in ProposalTold.model_fields})
