"""Explains and closes incidents: one, or all of one kind and one day."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from recorder.audit.event import Actor
from recorder.errors import NotFound, RuleViolation
from recorder.incidents.model import Incident, IncidentId
from recorder.incidents.ports import Incidents
from recorder.incidents.rules import Why, may_close, may_explain
from recorder.ports import Clock
from recorder.retention.rules import day_of_office


class IncidentDesk:
    """Takes a person's word on what happened."""

    def __init__(self, *, incidents: Incidents, clock: Clock, office_zone: ZoneInfo) -> None:
        self.rows = incidents
        self._clock = clock
        self._office_zone = office_zone

    async def alike(self, incident: Incident) -> Sequence[Incident]:
        """Return the open ones of the same kind and day of the office, itself included."""
        day = incident.at.astimezone(self._office_zone).date()
        since, until = day_of_office(day, office_zone=self._office_zone)
        return await self.rows.alike(incident, since=since, until=until)

    async def explain(
        self, incident_id: IncidentId, explanation: str, *, all_alike: bool, actor: Actor
    ) -> int:
        """Say what it was, of all of its kind and day too if wanted; return how many have it now.

        Raises ``NotFound`` and ``RuleViolation``.
        """
        incident = await self._get(incident_id)
        why = may_explain(incident, explanation=explanation)
        if why is not Why.ALLOWED:
            raise RuleViolation(f"it is not explained: {why}")
        alike = await self.alike(incident) if all_alike else ()
        ids = {incident.id, *(each.id for each in alike)}
        return await self.rows.explain(ids, explanation.strip(), actor=actor, at=self._now())

    async def close(self, incident_id: IncidentId, *, actor: Actor) -> None:
        """Close one of which nothing is left to do. Raises ``NotFound`` and ``RuleViolation``."""
        incident = await self._get(incident_id)
        why = may_close(incident)
        if why is not Why.ALLOWED or not await self.rows.close(
            [incident.id], actor=actor, at=self._now()
        ):
            raise RuleViolation(f"it is not closed: {why}")

    async def _get(self, incident_id: IncidentId) -> Incident:
        incident = await self.rows.get(incident_id)
        if incident is None:
            raise NotFound("no incident has this id; `recorder incidents list`")
        return incident

    def _now(self) -> datetime:
        return self._clock.now()
