"""What is done to an authorisation: confirmed, refused, revoked, reviewed, its scan attached."""

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.authorisations.model import Authorisation
from recorder.authorisations.rules import LONGEST_REASON, LONGEST_SCAN_BYTES
from recorder.errors import RuleViolation
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import later
from recorder.web.pages.forms import fields_of, file_of, see
from recorder.web.pages.home import ROLES
from recorder.web.pages.papers import DECIDED, SECOND, page_of, paper_of
from recorder.web.pages.people import names_of
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes

GRANT, REVOKE = Permission.AUTHORISATION_GRANT, Permission.AUTHORISATION_REVOKE
NO_REASON = later("Reason: say in your own words why.")
TOO_LONG = later("Reason: at most 500 characters.")
NOT_GRANTED = later("It was never granted, or is revoked already; nothing was done.")
NOT_VALID = later("Only an authorisation in force is reviewed; nothing was done.")
NO_FILE = later("Scan: choose a file.")
TOO_LARGE = later("Scan: at most 20 MB.")
NO_SCAN = later("Scan: this is no PDF, PNG or JPEG, whatever its name says.")


@needs(GRANT)
async def check_confirm(request: Request) -> Response:
    """Show a second administrator what they are to confirm."""
    return await _confirm(request, await _proposal(request), act="confirm")


@needs(GRANT)
async def confirm(request: Request) -> Response:
    """Confirm what another administrator proposed; it gets its number."""
    paper = await _proposal(request)
    try:
        await services_of(request).people.registrar.confirm(
            paper.id, by=asker_of(request).account.id
        )
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=DECIDED) from None
    return see(f"/authorisations/{paper.id}?done=granted")


@needs(GRANT)
async def refuse(request: Request) -> Response:
    """Answer no to a proposal, one's own included."""
    paper = await paper_of(request)
    try:
        await services_of(request).people.registrar.refuse(
            paper.id, by=asker_of(request).account.id
        )
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=DECIDED) from None
    return see(f"/authorisations/{paper.id}?done=refused")


@needs(REVOKE)
async def check_revoke(request: Request) -> Response:
    """Say what revoking ends, before it is done."""
    paper = await paper_of(request)
    return await _confirm(request, paper, act="revoke", reason=await _reason(request, paper))


@needs(REVOKE)
async def revoke(request: Request) -> Response:
    """Revoke from this instant, on a running playback too (R8.1b)."""
    paper = await paper_of(request)
    reason = await _reason(request, paper)
    try:
        await services_of(request).people.registrar.revoke(
            paper.id, by=asker_of(request).account.id, reason=reason
        )
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=NOT_GRANTED) from None
    return see(f"/authorisations/{paper.id}?done=revoked")


@needs(GRANT)
async def review(request: Request) -> Response:
    """Note that an authorisation is still needed."""
    paper = await paper_of(request)
    try:
        await services_of(request).people.registrar.review(
            paper.id, by=asker_of(request).account.id
        )
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=NOT_VALID) from None
    return see("/authorisations/review?done=reviewed")


@needs(GRANT)
async def attach(request: Request) -> Response:
    """Keep a signed scan, told by its content, whatever its name says (B8)."""
    paper = await paper_of(request)
    content = await file_of(request, "scan", longest=LONGEST_SCAN_BYTES)
    fault = NO_FILE if not content else TOO_LARGE if len(content) > LONGEST_SCAN_BYTES else ""
    if not fault:
        try:
            await services_of(request).people.registrar.attach(
                paper.id, content, by=asker_of(request).account.id
            )
        except RuleViolation:
            fault = NO_SCAN
    if fault:
        raise AskAgain(await page_of(request, paper, faults={"scan": fault}))
    return see(f"/authorisations/{paper.id}?done=attached")


async def _proposal(request: Request) -> Authorisation:
    asker = asker_of(request)
    paper = await paper_of(request)
    registrar = services_of(request).people.registrar
    if problem := await registrar.problem_of_confirming(paper, by=asker.account.id):
        raise Problem(kind=Kind.CONFLICT, detail=SECOND.get(problem, problem))
    return paper


async def _reason(request: Request, paper: Authorisation) -> str:
    (reason,) = await fields_of(request, "reason")
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        faults = {"reason": TOO_LONG if reason else NO_REASON}
        raise AskAgain(await page_of(request, paper, faults=faults, reason=reason))
    return reason


async def _confirm(
    request: Request, paper: Authorisation, *, act: str, reason: str = ""
) -> Response:
    services = services_of(request)
    found = await services.people.store.by_id(paper.account_id)
    return services.drawing.page(
        "paper_confirm.html",
        request.scope,
        act=act,
        paper=paper,
        holder=found[0] if found else None,
        reason=reason,
        roles=ROLES,
        names=await names_of(services),
    )


ROUTES: Routes = (
    ("POST", "/authorisations/{authorisation_id:uuid}/confirm/check", check_confirm),
    ("POST", "/authorisations/{authorisation_id:uuid}/confirm", confirm),
    ("POST", "/authorisations/{authorisation_id:uuid}/refuse", refuse),
    ("POST", "/authorisations/{authorisation_id:uuid}/revoke/check", check_revoke),
    ("POST", "/authorisations/{authorisation_id:uuid}/revoke", revoke),
    ("POST", "/authorisations/{authorisation_id:uuid}/review", review),
    ("POST", "/authorisations/{authorisation_id:uuid}/scans", attach),
)
