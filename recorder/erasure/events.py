"""What the audit trail is told of erasing."""

from collections.abc import Mapping
from datetime import datetime

from recorder.audit.event import Actor, AuditEvent
from recorder.erasure.brakes import Brake
from recorder.erasure.model import Claim, RetentionChange, Tombstone
from recorder.model import RecordingId


def claimed(recording_id: RecordingId, claim: Claim) -> AuditEvent:
    """Return the intent: written before anything is destroyed."""
    return AuditEvent(
        action="recording:claimed",
        at=claim.at,
        actor=claim.actor,
        subject=f"recording:{recording_id}",
        reason=claim.why,
        details={
            "route": claim.route.value,
            "retention_days": claim.retention_days,
            "rules": claim.rule_version,
        },
        personal={"reason": claim.reason} if claim.reason else {},
    )


def erased(tombstone: Tombstone, *, actor: Actor) -> AuditEvent:
    """Return the entry of a recording that is gone: key and file were looked for in vain."""
    return AuditEvent(
        action="recording:erased",
        at=tombstone.erased_at,
        actor=actor,
        subject=f"recording:{tombstone.recording_id}",
        reason=tombstone.route.value,
        details={
            "tombstone": str(tombstone.id),
            "decided_by": tombstone.actor,
            "sha256": tombstone.sha256,
        },
    )


def braked(brake: Brake, *, token: str, actor: Actor, at: datetime) -> AuditEvent:
    """Return the entry of a purge that stopped itself."""
    return AuditEvent(
        action="purge:braked", at=at, actor=actor, subject=f"brake:{token}", reason=brake.value
    )


def released(brake: Brake, *, token: str, actor: Actor, at: datetime) -> AuditEvent:
    """Return the entry of a person who lets the next purge through."""
    return AuditEvent(
        action="purge:released", at=at, actor=actor, subject=f"brake:{token}", reason=brake.value
    )


def purged(counts: Mapping[str, int], *, actor: Actor, at: datetime) -> AuditEvent:
    """Return the entry of a run that did anything."""
    return AuditEvent(action="purge:run", at=at, actor=actor, subject="purge", details=dict(counts))


def days_changed(change: RetentionChange, *, actor: Actor) -> AuditEvent:
    """Return the entry of a change of the retention."""
    return AuditEvent(
        action="retention:changed",
        at=change.at,
        actor=actor,
        subject="retention",
        details={
            "from_days": change.from_days,
            "to_days": change.to_days,
            "at_once": change.at_once,
            "held": change.held,
            "proposed_by": change.proposed_by,
        },
        personal={"reason": change.reason} if change.reason else {},
    )


def stray_erased(subject: str, why: str, *, actor: Actor, at: datetime) -> AuditEvent:
    """Return the entry of a file without a row that was erased (R7.2l)."""
    return AuditEvent(action="orphan:erased", at=at, actor=actor, subject=subject, reason=why)
