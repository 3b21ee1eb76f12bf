"""Contractors who are let in for one fault (R6.3c)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from recorder.access.model import Permission
from recorder.accounts.model import AccountId
from recorder.web.api import routing
from recorder.web.api.accounts import account_of
from recorder.web.api.routing import Body, Parts, Told, Who
from recorder.web.gate import needs

router = routing.router("contractors")


class Opening(Body):
    """A fault for which a contractor is let in."""

    account_id: UUID
    contract: Annotated[str, Field(min_length=1, max_length=120)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    hours: Annotated[float, Field(gt=0, le=8)]


class OpeningTold(Told):
    """One opening; it closes by itself."""

    account_id: UUID
    contract: str
    reason: str
    opened_at: datetime
    until: datetime
    closed_at: datetime | None
    noted_at: datetime | None


class Openings(Told):
    """Every opening, newest first."""

    openings: list[OpeningTold]


@router.get("/contractor-accesses")
@needs(Permission.CONTRACTOR_READ)
async def openings(parts: Parts) -> Openings:
    """Return every opening for a fault."""
    found = await parts.people.accesses.accesses()
    return Openings(
        openings=[
            OpeningTold(**{name: getattr(each, name) for name in OpeningTold.model_fields})
            for each in found
        ]
    )


@router.post("/contractor-accesses", status_code=201)
@needs(Permission.CONTRACTOR_OPEN)
async def open_for(opening: Opening, asker: Who, parts: Parts) -> OpeningTold:
    """Let a contractor in for one fault, at most eight hours."""
    opened = await parts.people.contractors.open(
        await account_of(opening.account_id, parts),
        contract=opening.contract,
        reason=opening.reason,
        hours=opening.hours,
        by=asker.actor,
    )
    return OpeningTold(**{name: getattr(opened, name) for name in OpeningTold.model_fields})


@router.post("/contractor-accesses/note", status_code=204)
@needs(Permission.CONTRACTOR_READ)
async def note(asker: Who, parts: Parts) -> None:
    """Take note, as the data protection officer, of every opening not noted before."""
    await parts.people.contractors.note(asker.account, by=asker.actor)


@router.post("/contractor-accesses/{account_id}/close", status_code=204)
@needs(Permission.CONTRACTOR_CLOSE)
async def close(account_id: UUID, asker: Who, parts: Parts) -> None:
    """Close before its time; sessions end at once."""
    account = await account_of(AccountId(account_id), parts)
    await parts.people.contractors.close(account, by=asker.actor)
