"""What the audit trail is told of backups."""

from datetime import datetime
from uuid import UUID

from recorder.audit.event import Actor, AuditEvent
from recorder.backup.model import Manifest
from recorder.holds.model import Hold


def made(manifest: Manifest, *, actor: Actor) -> AuditEvent:
    """Return the entry of a backup that is whole."""
    return AuditEvent(
        action="backup:made",
        at=manifest.finished_at,
        actor=actor,
        subject=f"backup:{manifest.id}",
        details={
            "recordings": len(manifest.recordings),
            "missing": len(manifest.missing),
            "destroy_by": manifest.destroy_by.isoformat(),
        },
    )


def destroyed(backup_id: UUID, *, why: str, actor: Actor, at: datetime) -> AuditEvent:
    """Return the entry of a backup whose keys are gone, so that nothing in it can be read."""
    return AuditEvent(
        action="backup:destroyed", at=at, actor=actor, subject=f"backup:{backup_id}", reason=why
    )


def restored(
    backup_id: UUID, counts: dict[str, int], *, with_ledger: bool, actor: Actor, at: datetime
) -> AuditEvent:
    """Return the entry of a restore that has erased what is due and lets processes start."""
    return AuditEvent(
        action="backup:restored",
        at=at,
        actor=actor,
        subject=f"backup:{backup_id}",
        details={**counts, "with_ledger": with_ledger},
    )


def hold_restored(hold: Hold, *, actor: Actor, at: datetime) -> AuditEvent:
    """Return the entry of a hold that was younger than the backup and came from the ledger."""
    return AuditEvent(
        action="hold:restored",
        at=at,
        actor=actor,
        subject=f"hold:{hold.id}",
        reason=hold.ground.value,
        details={"recording": str(hold.recording_id), "review_by": hold.review_by.isoformat()},
        personal={"reference": hold.reference},
    )
