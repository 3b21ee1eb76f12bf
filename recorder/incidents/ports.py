"""What incidents need from the outside world."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from recorder.audit.event import Actor
from recorder.incidents.model import Count, Incident, IncidentId, State


class Incidents(Protocol):
    """The incidents, each change with its entry in the trail. Raises ``LedgerUnavailable``."""

    async def get(self, incident_id: IncidentId) -> Incident | None:
        """Return one, None if there is none."""

    async def page(
        self, state: State | None, *, kind: str | None, after: IncidentId | None, limit: int
    ) -> Sequence[Incident]:
        """Return incidents, newest first, from behind ``after``; None = whatever state or kind."""

    async def alike(
        self, incident: Incident, *, since: datetime, until: datetime
    ) -> Sequence[Incident]:
        """Return the open ones of the same kind between two instants, itself included."""

    async def of_details(self, kind: str, details: Collection[str]) -> Sequence[Incident]:
        """Return incidents of a kind with these details."""

    async def counts(self) -> Sequence[Count]:
        """Return how many are not closed, by kind."""

    async def explain(
        self, ids: Collection[IncidentId], explanation: str, *, actor: Actor, at: datetime
    ) -> int:
        """Say what they were; return how many were not closed and have it now."""

    async def close(self, ids: Collection[IncidentId], *, actor: Actor, at: datetime) -> int:
        """Close what is explained; return how many were."""
