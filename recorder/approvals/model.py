"""The nouns of acts that need two persons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from recorder.audit.event import Actor

ApprovalId = NewType("ApprovalId", UUID)

THE_OFFICE = UUID(int=0)
"""The subject of what concerns every recording at once: of such proposals one waits at a time."""


class Action(StrEnum):
    """What may need a second person."""

    LIFT_HOLD = "hold:lift"
    ERASE_BY_HAND = "recording:erase"
    CHANGE_RETENTION = "retention:change"
    ACTIVATE_ANNOUNCEMENT = "announcement:activate"


class Answer(StrEnum):
    """What the second person said."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One proposal and its answer. ``reason`` is free text: personal data."""

    id: ApprovalId
    action: Action
    subject: UUID
    """The hold, the recording, or the version; ``THE_OFFICE`` for the retention."""
    proposed_by: str
    proposed_at: datetime
    reason: str
    reference: str
    wanted: Mapping[str, int] = field(default_factory=dict)
    """What is to be, where the act alone does not say it, and what its proposer was shown."""
    decided_by: str = ""
    decided_at: datetime | None = None
    """None = it waits for a second person."""
    answer: Answer | None = None


def signature(actor: Actor) -> str:
    """Return how a person or a process signs in a row.

    >>> from recorder.audit.event import ActorKind
    >>> signature(Actor(kind=ActorKind.OPERATOR, name="olga"))
    'operator:olga'
    """
    return f"{actor.kind}:{actor.name}"
