"""One person proposes, another answers: what every act of two persons has in common."""

from datetime import datetime

from recorder.approvals.model import Approval, signature
from recorder.approvals.ports import Approvals
from recorder.approvals.rules import VALID_FOR, Why, is_void, judge_confirming
from recorder.audit.event import Actor
from recorder.errors import RuleViolation

REFUSED = {
    Why.SAME_PERSON: "who proposed it may not confirm it, a second person must",
    Why.ALREADY_DECIDED: "it was answered before",
    Why.TOO_OLD: f"nobody answered within {VALID_FOR.days} days, so it must be proposed anew",
}
"""Each reason against an answer, in words."""


async def propose(
    approvals: Approvals, approval: Approval, *, actor: Actor, now: datetime
) -> Approval:
    """Write a proposal down; one nobody answered in time makes room. Raises ``RuleViolation``."""
    waiting = await approvals.waiting_for(approval.action, approval.subject)
    if waiting is not None:
        if not is_void(waiting, now=now):
            raise RuleViolation(f"that is proposed already: {waiting.id}")
        await approvals.refuse(waiting.id, actor=actor, at=now)
    if not await approvals.propose(approval, actor=actor):
        raise RuleViolation("that is proposed already; `recorder approval list`")
    return approval


def require_second_person(approval: Approval, *, actor: Actor, now: datetime) -> None:
    """Refuse an answer of whoever proposed, and any that comes late. Raises ``RuleViolation``."""
    why = judge_confirming(approval, person=signature(actor), now=now)
    if why is not Why.SECOND_PERSON:
        raise RuleViolation(f"it is not confirmed: {REFUSED[why]} ({why})")
