"""From where the application may be used (§ 6.2)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from recorder.access.model import Permission
from recorder.web.api import routing
from recorder.web.api.routing import Body, Parts, Told, Who
from recorder.web.gate import needs
from recorder.workstations.model import Workstation

router = routing.router("workstations")


class WorkstationTold(Told):
    """One network on the list."""

    id: UUID
    network: str
    name: str
    place: str
    added_at: datetime


class Workstations(Told):
    """The list; what is not on it is refused."""

    workstations: list[WorkstationTold]


class NewWorkstation(Body):
    """A network, mostly one address."""

    network: Annotated[str, Field(min_length=1, max_length=64)]
    name: Annotated[str, Field(max_length=120)] = ""
    place: Annotated[str, Field(max_length=120)] = ""


@router.get("/workstations")
@needs(Permission.WORKSTATION_READ)
async def listed(parts: Parts) -> Workstations:
    """Return the list."""
    found = await parts.people.workstations.listed()
    return Workstations(workstations=[_told(each) for each in found])


@router.post("/workstations", status_code=201)
@needs(Permission.WORKSTATION_MANAGE)
async def add(new: NewWorkstation, asker: Who, parts: Parts) -> WorkstationTold:
    """Put a network on the list."""
    added = await parts.people.stations.add(
        new.network, name=new.name, place=new.place, by=asker.actor
    )
    return _told(added)


@router.delete("/workstations/{workstation_id}", status_code=204)
@needs(Permission.WORKSTATION_MANAGE)
async def remove(workstation_id: UUID, asker: Who, parts: Parts) -> None:
    """Take a network off the list; its next request is refused."""
    await parts.people.stations.remove(workstation_id, by=asker.actor)


def _told(workstation: Workstation) -> WorkstationTold:
    return WorkstationTold(
        id=workstation.id,
        network=str(workstation.network),
        name=workstation.name,
        place=workstation.place,
        added_at=workstation.added_at,
    )
