"""What the audit trail is told of proposals and answers."""

from datetime import datetime

from recorder.approvals.model import Answer, Approval
from recorder.audit.event import Actor, AuditEvent, Scalar


def proposed(approval: Approval, *, actor: Actor) -> AuditEvent:
    """Return the entry of a proposal."""
    return AuditEvent(
        action="approval:proposed",
        at=approval.proposed_at,
        actor=actor,
        subject=f"approval:{approval.id}",
        reason=approval.action.value,
        details=_of(approval),
        personal={"reason": approval.reason, "reference": approval.reference},
    )


def answered(approval: Approval, *, actor: Actor, at: datetime) -> AuditEvent:
    """Return the entry of an answer."""
    said = approval.answer or Answer.REFUSED
    return AuditEvent(
        action=f"approval:{said.value}",
        at=at,
        actor=actor,
        subject=f"approval:{approval.id}",
        reason=approval.action.value,
        details=_of(approval) | {"proposed_by": approval.proposed_by},
    )


def _of(approval: Approval) -> dict[str, Scalar]:
    return {"of": str(approval.subject), **approval.wanted}
