"""Keeping the list of workstations."""

from uuid import UUID

import uuid_utils.compat as uuids

from recorder.audit.event import Actor, AuditEvent
from recorder.errors import NotFound, RuleViolation
from recorder.ports import Clock
from recorder.workstations.model import Workstation
from recorder.workstations.ports import Workstations
from recorder.workstations.rules import parse_network, problem_of_network, problem_of_words


class WorkstationKeeper:
    """Adds and removes networks. Who may is asked before, by the access rules."""

    def __init__(self, *, workstations: Workstations, clock: Clock) -> None:
        self._workstations = workstations
        self._clock = clock

    async def add(self, network: str, *, name: str, place: str, by: Actor) -> Workstation:
        """List a network. Raises ``RuleViolation``."""
        parsed = parse_network(network)
        if parsed is None:
            raise RuleViolation(
                "this is no network; examples: 10.1.2.3, 10.1.2.0/24, 2001:db8::/64"
            )
        if problem := problem_of_network(parsed) or problem_of_words(name, place):
            raise RuleViolation(problem)
        now = self._clock.now()
        workstation = Workstation(
            id=uuids.uuid7(), network=parsed, name=name, place=place, added_at=now, added_by=by.name
        )
        entry = AuditEvent(
            action="workstation:added",
            at=now,
            actor=by,
            subject=f"workstation:{workstation.id}",
            details={"network": str(parsed)},
            personal={"name": name, "place": place},
        )
        if not await self._workstations.add(workstation, [entry]):
            raise RuleViolation("this network is on the list")
        return workstation

    async def remove(self, workstation_id: UUID, *, by: Actor) -> None:
        """Take a network off; the next request from it is refused. Raises ``NotFound``."""
        now = self._clock.now()
        entry = AuditEvent(
            action="workstation:removed", at=now, actor=by, subject=f"workstation:{workstation_id}"
        )
        if not await self._workstations.remove(workstation_id, at=now, events=[entry]):
            raise NotFound("no workstation on the list has this id; `recorder workstation list`")
