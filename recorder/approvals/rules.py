"""May this person confirm what was proposed?"""

from datetime import datetime, timedelta
from enum import StrEnum

from recorder.approvals.model import Approval

VALID_FOR = timedelta(days=7)
"""A proposal nobody answers is void after this: circumstances change."""


class Why(StrEnum):
    """The single reason behind an answer."""

    SECOND_PERSON = "second_person"
    SAME_PERSON = "same_person"
    ALREADY_DECIDED = "already_decided"
    TOO_OLD = "too_old"


def is_void(approval: Approval, *, now: datetime) -> bool:
    """Tell whether nobody may answer it any more, whoever proposed it."""
    return now >= approval.proposed_at + VALID_FOR


def judge_confirming(approval: Approval, *, person: str, now: datetime) -> Why:
    """Return whether this person may answer, by its reason; only ``SECOND_PERSON`` may."""
    if approval.decided_at is not None:
        return Why.ALREADY_DECIDED
    if person == approval.proposed_by:
        return Why.SAME_PERSON
    return Why.TOO_OLD if is_void(approval, now=now) else Why.SECOND_PERSON
