"""What the audit trail is told of incidents. Pure."""

from datetime import datetime

from recorder.audit.event import Actor, AuditEvent
from recorder.incidents.model import Incident


def explained(incident: Incident, explanation: str, *, actor: Actor, at: datetime) -> AuditEvent:
    """Return the entry of a person who says what it was."""
    return AuditEvent(
        action="incident:explained",
        at=at,
        actor=actor,
        subject=f"incident:{incident.id}",
        reason=incident.kind,
        personal={"explanation": explanation},
    )


def closed(incident: Incident, *, actor: Actor, at: datetime) -> AuditEvent:
    """Return the entry of an incident of which nothing is left to do."""
    return AuditEvent(
        action="incident:closed",
        at=at,
        actor=actor,
        subject=f"incident:{incident.id}",
        reason=incident.kind,
    )
