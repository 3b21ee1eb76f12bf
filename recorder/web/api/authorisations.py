"""The register of authorisations (§ 8.1)."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Literal
from uuid import UUID

from fastapi import UploadFile
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from recorder.access.model import Permission, View
from recorder.accounts.model import Role
from recorder.authorisations.form import as_text, forms_of
from recorder.authorisations.model import Authorisation, AuthorisationId, Scan, ScanKind, Standing
from recorder.authorisations.rules import LONGEST_REASON, LONGEST_SCAN_BYTES, standing
from recorder.web.api import routing
from recorder.web.api.accounts import account_of
from recorder.web.api.routing import Body, Parts, Told, Who
from recorder.web.asker import Asker
from recorder.web.gate import needs
from recorder.web.problems import Kind, Problem
from recorder.web.services import Services

router = routing.router("authorisations")
MEDIA = {
    ScanKind.PDF: "application/pdf",
    ScanKind.PNG: "image/png",
    ScanKind.JPEG: "image/jpeg",
}
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
    revoked_by: UUID | None
    revoked_at: datetime | None
    revoked_for: str | None
    """In a person's words; null when the trail keeps them no longer."""


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


class Revocation(Body):
    """Why an authorisation is revoked; it is kept in the audit trail."""

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]


class ScanTold(Told):
    """A signed scan that is kept, by its hash."""

    id: UUID
    kind: str
    sha256: str
    size_bytes: int


class Paper(Told):
    """One authorisation, both sheets to be printed, and the scans of what was signed."""

    authorisation: AuthorisationTold
    form: str
    """Annex 1."""
    statement: str
    """Of confidentiality."""
    scans: list[ScanTold]


@router.get("/authorisations")
@needs(Permission.AUTHORISATION_READ)
async def register(asker: Who, parts: Parts, due: Literal["review"] | None = None) -> Register:
    """Return the register, or what of it is due for review; who sees only the own sees the own."""
    decision = await asker.require(Permission.AUTHORISATION_READ)
    papers = parts.people.papers
    found = await (parts.people.registrar.due() if due else papers.all())
    if decision.view is View.OWN:
        found = [each for each in found if each.account_id == asker.account.id]
    reasons = await papers.reasons([each.id for each in found])
    return Register(authorisations=[_told(each, asker.now, reasons) for each in found])


@router.get("/authorisations/{authorisation_id}")
@needs(Permission.AUTHORISATION_READ)
async def show(authorisation_id: UUID, asker: Who, parts: Parts) -> Paper:
    """Return one authorisation with its printed form; another's is as if it were not there."""
    paper = await _visible(authorisation_id, asker, parts)
    found = await parts.people.store.by_id(paper.granted_by or paper.proposed_by)
    form, statement = forms_of(
        paper, parts.public.regulation, grantor=found[0] if found else None, zone=parts.zone
    )
    scans = await parts.people.papers.scans(paper.id)
    return Paper(
        authorisation=_told(paper, asker.now, await parts.people.papers.reasons([paper.id])),
        form=as_text(form),
        statement=as_text(statement),
        scans=[_scan(each) for each in scans],
    )


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
async def revoke(authorisation_id: UUID, revocation: Revocation, asker: Who, parts: Parts) -> None:
    """Revoke from this instant, on a running playback too (R8.1b)."""
    await parts.people.registrar.revoke(
        AuthorisationId(authorisation_id), by=asker.account.id, reason=revocation.reason
    )


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
    kept = await parts.people.registrar.attach(
        AuthorisationId(authorisation_id), content, by=asker.account.id
    )
    return _scan(kept)


@router.get(
    "/authorisations/{authorisation_id}/scans/{scan_id}",
    response_class=Response,
    responses={200: {"content": {each: {} for each in MEDIA.values()}}},
)
@needs(Permission.AUTHORISATION_READ)
async def scan(authorisation_id: UUID, scan_id: UUID, asker: Who, parts: Parts) -> Response:
    """Hand out a signed scan as a file, if it is still what was attached; it is noted."""
    paper = await _visible(authorisation_id, asker, parts)
    return await handed_out(paper, scan_id, asker, parts)


async def handed_out(
    paper: Authorisation, scan_id: UUID, asker: Asker, parts: Services
) -> Response:
    """Return a scan under a name of ours, as a file and never as a page."""
    kept, content = await parts.people.registrar.scan(paper.id, scan_id, by=asker.account.id)
    name = f"authorisation-{kept.id}.{kept.kind.value}"
    return Response(
        content,
        media_type=MEDIA[kept.kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _visible(authorisation_id: UUID, asker: Asker, parts: Services) -> Authorisation:
    decision = await asker.require(Permission.AUTHORISATION_READ)
    paper = await parts.people.papers.get(AuthorisationId(authorisation_id))
    own = decision.view is View.OWN
    if paper is None or (own and paper.account_id != asker.account.id):
        raise Problem(kind=Kind.NOT_FOUND)
    return paper


def _scan(kept: Scan) -> ScanTold:
    return ScanTold(**{name: getattr(kept, name) for name in ScanTold.model_fields})


def _told(
    paper: Authorisation,
    now: datetime,
    reasons: Mapping[AuthorisationId, str] = MappingProxyType({}),
) -> AuthorisationTold:
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
        revoked_by=paper.revoked_by,
        revoked_at=paper.revoked_at,
        revoked_for=reasons.get(paper.id),
    )
