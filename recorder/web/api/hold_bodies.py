"""What is asked and told about holds and proposals by the API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from recorder.approvals.model import Action, Approval
from recorder.holds.model import Ground, Hold
from recorder.holds.rules import has_lapsed, is_overdue
from recorder.web.api.routing import Body, Told
from recorder.web.api.search import Search

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


def told_of(hold: Hold, now: datetime) -> HoldTold:
    """Return a hold as the API tells it."""
    known = {
        name: getattr(hold, name)
        for name in HoldTold.model_fields
        if name not in {"overdue", "lapsed"}
    }
    return HoldTold(**known, overdue=is_overdue(hold, now=now), lapsed=has_lapsed(hold, now=now))


def proposal_of(approval: Approval) -> ProposalTold:
    """Return a proposal as the API tells it."""
    return ProposalTold(**{name: getattr(approval, name) for name in ProposalTold.model_fields})
