"""What the audit trail is told of holds."""

from datetime import datetime

from recorder.audit.event import Actor, AuditEvent
from recorder.holds.model import Ending, Hold


def placed(hold: Hold, *, actor: Actor) -> AuditEvent:
    """Return the entry of a placing."""
    return AuditEvent(
        action="hold:placed",
        at=hold.placed_at,
        actor=actor,
        subject=f"hold:{hold.id}",
        reason=hold.ground.value,
        details={
            "recording": str(hold.recording_id),
            "batch": str(hold.batch_id),
            "review_by": hold.review_by.isoformat(),
            "provisional": hold.lapses_at is not None,
        },
        personal={"reason": hold.reason, "reference": hold.reference},
    )


def reviewed(hold: Hold, *, reason: str, actor: Actor, at: datetime) -> AuditEvent:
    """Return the entry of a review that keeps the hold on."""
    return AuditEvent(
        action="hold:reviewed",
        at=at,
        actor=actor,
        subject=f"hold:{hold.id}",
        reason=hold.ground.value,
        details={"recording": str(hold.recording_id), "review_by": hold.review_by.isoformat()},
        personal={"reason": reason},
    )


def ended(
    hold: Hold, *, ending: Ending, reason: str, reference: str, actor: Actor, at: datetime
) -> AuditEvent:
    """Return the entry of a lifting or a lapse."""
    return AuditEvent(
        action=f"hold:{ending.value}",
        at=at,
        actor=actor,
        subject=f"hold:{hold.id}",
        reason=hold.ground.value,
        details={"recording": str(hold.recording_id)},
        personal={"reason": reason, "reference": reference},
    )
