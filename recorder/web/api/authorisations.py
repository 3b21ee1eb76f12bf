"""The register of authorisations (§ 8.1), and contractors who are let in for one fault (R6.3c)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import UploadFile
from pydantic import AwareDatetime, Field

from recorder.access.model import Permission, View
from recorder.accounts.model import AccountId, Role
from recorder.authorisations.model import Authorisation, AuthorisationId, Scan, Standing
from recorder.authorisations.rules import LONGEST_SCAN_BYTES, standing
from recorder.web.api import routing
from recorder.web.api.accounts import account_of
from recorder.web.api.routing import Body, Parts, Told, Who
from recorder.web.gate import needs
from recorder.web.problems import Kind, Problem

router = routing.router("authorisations")
Line = Annotated[str, Field(min_length=1, max_length=32)]


class AuthorisationTold(Told):
    """One entry of the register."""

    id: UUID
    number: str
    """As people write it, 7/2026; empty while it is a proposal."""
    account_id: UUID
    name: str
    post: str
    roles: list[Role]
    lines: list[str] | None
    """null = all."""
    recording_id: UUID | None
    valid_from: datetime
    valid_until: datetime
    standing: Standing
    proposed_by: UUID
    granted_by: UUID | None
    reviewed_at: datetime | None


class Register(Told):
    """The register, proposals first."""

    authorisations: list[AuthorisationTold]


class NewAuthorisation(Body):
    """Who may do what with recordings, and from when until when."""

    account_id: UUID
    roles: Annotated[list[Role], Field(min_length=1, max_length=len(Role))]
    lines: Annotated[list[Line], Field(min_length=1, max_length=100)] | None = None
    recording_id: UUID | None = None
    valid_from: AwareDatetime
    valid_until: AwareDatetime


class ScanTold(Told):
    """A signed scan that is kept, by its hash."""

    id: UUID
    kind: str
    sha256: str
    size_bytes: int


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


@router.get("/authorisations")
@needs(Permission.AUTHORISATION_READ)
async def register(asker: Who, parts: Parts, due: Literal["review"] | None = None) -> Register:
    """Return the register, or what of it is due for review; who sees only the own sees the own."""
    decision = await asker.require(Permission.AUTHORISATION_READ)
    papers = parts.people.papers
    found = await (parts.people.registrar.due() if due else papers.all())
    if decision.view is View.OWN:
        found = [each for each in found if each.account_id == asker.account.id]
    return Register(authorisations=[_told(each, asker.now) for each in found])


@router.post("/authorisations", status_code=201)
@needs(Permission.AUTHORISATION_GRANT)
async def grant(new: NewAuthorisation, asker: Who, parts: Parts) -> AuthorisationTold:
    """Grant; with four eyes a second administrator confirms it before it counts."""
    paper = await parts.people.registrar.grant(
        await account_of(new.account_id, parts),
        roles=frozenset(new.roles),
        lines=tuple(new.lines) if new.lines is not None else None,
        recording_id=new.recording_id,
        valid_from=new.valid_from,
        valid_until=new.valid_until,
        by=asker.account.id,
    )
    return _told(paper, asker.now)


@router.post("/authorisations/{authorisation_id}/confirm")
@needs(Permission.AUTHORISATION_GRANT)
async def confirm(authorisation_id: UUID, asker: Who, parts: Parts) -> AuthorisationTold:
    """Confirm what another administrator proposed; it gets its number."""
    paper = await parts.people.registrar.confirm(
        AuthorisationId(authorisation_id), by=asker.account.id
    )
    return _told(paper, asker.now)


@router.post("/authorisations/{authorisation_id}/refuse", status_code=204)
@needs(Permission.AUTHORISATION_GRANT)
async def refuse(authorisation_id: UUID, asker: Who, parts: Parts) -> None:
    """Refuse a proposal."""
    await parts.people.registrar.refuse(AuthorisationId(authorisation_id), by=asker.account.id)


@router.post("/authorisations/{authorisation_id}/revoke", status_code=204)
@needs(Permission.AUTHORISATION_REVOKE)
async def revoke(authorisation_id: UUID, asker: Who, parts: Parts) -> None:
    """Revoke from this instant, on a running playback too (R8.1b)."""
    await parts.people.registrar.revoke(AuthorisationId(authorisation_id), by=asker.account.id)


@router.post("/authorisations/{authorisation_id}/review", status_code=204)
@needs(Permission.AUTHORISATION_GRANT)
async def review(authorisation_id: UUID, asker: Who, parts: Parts) -> None:
    """Say that a valid authorisation is still needed."""
    await parts.people.registrar.review(AuthorisationId(authorisation_id), by=asker.account.id)


@router.post("/authorisations/{authorisation_id}/scans", status_code=201)
@needs(Permission.AUTHORISATION_GRANT)
async def attach(authorisation_id: UUID, scan: UploadFile, asker: Who, parts: Parts) -> ScanTold:
    """Keep a signed scan, told by its content, whatever its name says (B8)."""
    content = await scan.read(LONGEST_SCAN_BYTES + 1)
    if len(content) > LONGEST_SCAN_BYTES:
        raise Problem(kind=Kind.TOO_LARGE)
    kept: Scan = await parts.people.registrar.attach(
        AuthorisationId(authorisation_id), content, by=asker.account.id
    )
    return ScanTold(
        id=kept.id, kind=kept.kind.value, sha256=kept.sha256, size_bytes=kept.size_bytes
    )


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


@router.post("/contractor-accesses/{account_id}/close", status_code=204)
@needs(Permission.CONTRACTOR_CLOSE)
async def close(account_id: UUID, asker: Who, parts: Parts) -> None:
    """Close before its time; sessions end at once."""
    account = await account_of(AccountId(account_id), parts)
    await parts.people.contractors.close(account, by=asker.actor)


def _told(paper: Authorisation, now: datetime) -> AuthorisationTold:
    return AuthorisationTold(
        id=paper.id,
        number=paper.label,
        account_id=paper.account_id,
        name=paper.name,
        post=paper.post,
        roles=sorted(paper.roles),
        lines=list(paper.lines) if paper.lines is not None else None,
        recording_id=paper.recording_id,
        valid_from=paper.valid_from,
        valid_until=paper.valid_until,
        standing=standing(paper, now),
        proposed_by=paper.proposed_by,
        granted_by=paper.granted_by,
        reviewed_at=paper.reviewed_at,
    )
