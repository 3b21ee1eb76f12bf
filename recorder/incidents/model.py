"""The nouns of incidents."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

IncidentId = NewType("IncidentId", UUID)


class State(StrEnum):
    """How far an incident is."""

    OPEN = "open"
    """Nobody has said yet what it was."""
    EXPLAINED = "explained"
    """A person has said what it was; something may be left to do."""
    CLOSED = "closed"
    """Nothing is left to do; or its cause is gone, and the process itself says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident with its state. ``explanation`` is free text: personal data, maybe."""

    id: IncidentId
    kind: str
    at: datetime
    call_id: UUID | None
    detail: str
    explained_at: datetime | None = None
    explained_by: str = ""
    explanation: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""

    @property
    def state(self) -> State:
        """Return how far it is."""
        if self.closed_at is not None:
            return State.CLOSED
        return State.OPEN if self.explained_at is None else State.EXPLAINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """So many incidents of one kind that are not closed."""

    kind: str
    open: int
    explained: int
    oldest_at: datetime
