"""The register of authorisations: the list, one paper with its printed form and scans (§ 8.1)."""

from collections.abc import Sequence
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission, View
from recorder.authorisations.form import forms_of
from recorder.authorisations.model import Authorisation, AuthorisationId, Standing
from recorder.authorisations.rules import standing
from recorder.errors import NotFound, RuleViolation
from recorder.web.api.authorisations import handed_out
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.days import id_of
from recorder.web.pages.home import ROLES
from recorder.web.pages.people import names_of
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.web.words import STANDINGS

READ, GRANT = Permission.AUTHORISATION_READ, Permission.AUTHORISATION_GRANT
REVOKE = Permission.AUTHORISATION_REVOKE
PAGE = 50
STATES = {
    "": later("All"),
    "in-force": later("In force"),
    "ended": later("No longer in force"),
}
IN_STATE = {
    "in-force": {Standing.VALID},
    "ended": {Standing.ENDED, Standing.REVOKED, Standing.REFUSED},
}
DONE = {
    "granted": later("The authorisation is granted and has its number."),
    "proposed": later("The authorisation is proposed. Another administrator must confirm it."),
    "refused": later("The proposal is refused; it gives no right."),
    "revoked": later("The authorisation is revoked from this instant."),
    "reviewed": later("It is noted that the authorisation is still needed."),
    "attached": later("The signed scan is kept beside the register."),
}
DECIDED = later("It is decided already.")
SECOND = {
    "it is decided already": DECIDED,
    "a second person confirms: not the one who proposed it": later(
        "You proposed it yourself: another person must confirm it."
    ),
    "nobody grants an authorisation to himself": later(
        "It is your own: nobody grants an authorisation to himself (§ 8.1)."
    ),
    "its period is over; propose a new one": later("Its period is over: propose a new one."),
    "the account is disabled": later("The person's account is locked."),
    "this person changes the first password, which somebody else gave, before that": later(
        "The person has first to sign in and set a password of their own."
    ),
    "this person sets a second factor before that": later(
        "The person has first to sign in and set the second factor."
    ),
}
"""Why somebody cannot confirm, by what the rules say."""
SPOILT = later("The file is not what was attached: its hash differs. It is not handed out.")


@needs(READ)
async def register(request: Request) -> Response:
    """List the register, newest first; who sees only the own sees the own."""
    services, asker = services_of(request), asker_of(request)
    state, behind = (request.query_params.get(each, "") for each in ("state", "after"))
    if state not in STATES:
        raise Problem(kind=Kind.NOT_FOUND)
    papers = await _visible(request)
    waiting = [each for each in papers if standing(each, asker.now) is Standing.PROPOSED]
    listed = [
        each
        for each in papers
        if each not in waiting and (not state or standing(each, asker.now) in IN_STATE[state])
    ]
    ids = [each.id for each in listed]
    if behind and id_of(behind) not in ids:
        raise Problem(kind=Kind.NOT_FOUND)
    begins = ids.index(AuthorisationId(id_of(behind))) + 1 if behind else 0
    shown = listed[begins : begins + PAGE]
    may_grant = GRANT in asker.able
    return services.drawing.page(
        "papers.html",
        request.scope,
        waiting=waiting,
        rows=[(each, standing(each, asker.now)) for each in shown],
        scanned=await services.people.papers.scanned([each.id for each in shown]),
        following=shown[-1].id if begins + PAGE < len(listed) else None,
        first=not behind,
        due=len(await services.people.registrar.due()) if may_grant else 0,
        state=state,
        states=STATES,
        standings=STANDINGS,
        roles=ROLES,
        names=await names_of(services),
        may_grant=may_grant,
        head=await services.trail.head(),
        done=_done(request),
        now=asker.now,
    )


@needs(READ)
async def due(request: Request) -> Response:
    """List what has stood for a quarter without anybody's word."""
    services, asker = services_of(request), asker_of(request)
    visible = {each.id for each in await _visible(request)}
    return services.drawing.page(
        "papers_due.html",
        request.scope,
        papers=[each for each in await services.people.registrar.due() if each.id in visible],
        roles=ROLES,
        may_grant=GRANT in asker.able,
        done=_done(request),
        now=asker.now,
    )


@needs(READ)
async def one(request: Request) -> Response:
    """Show one authorisation."""
    return await page_of(request, await paper_of(request))


@needs(READ)
async def form(request: Request) -> Response:
    """Show annex 1 and the statement of confidentiality, to be printed and signed (R8.1c)."""
    services = services_of(request)
    paper = await paper_of(request)
    regulation = services.public.regulation
    found = await services.people.store.by_id(paper.granted_by or paper.proposed_by)
    grantor = found[0] if found else None
    forms = forms_of(paper, regulation, grantor=grantor, zone=services.zone)
    return services.drawing.page("paper_form.html", request.scope, paper=paper, forms=forms)


@needs(READ)
async def scan(request: Request) -> Response:
    """Hand out a signed scan as a file, if it is still what was attached; it is noted."""
    paper = await paper_of(request)
    scan_id: UUID = request.path_params["scan_id"]
    try:
        return await handed_out(paper, scan_id, asker_of(request), services_of(request))
    except NotFound:
        raise Problem(kind=Kind.NOT_FOUND) from None
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=SPOILT) from None


async def paper_of(request: Request) -> Authorisation:
    """Return the authorisation of the address; another's is as if it were not there."""
    asker = asker_of(request)
    authorisation_id: UUID = request.path_params["authorisation_id"]
    decision = await asker.require(READ)
    paper = await services_of(request).people.papers.get(AuthorisationId(authorisation_id))
    own = decision.view is View.OWN
    if paper is None or (own and paper.account_id != asker.account.id):
        raise Problem(kind=Kind.NOT_FOUND)
    return paper


async def page_of(
    request: Request,
    paper: Authorisation,
    *,
    faults: dict[str, str] | None = None,
    reason: str = "",
) -> Response:
    """Return the page of one authorisation, with what can be done to it."""
    services, asker = services_of(request), asker_of(request)
    say = speaker(language_of(request.scope))
    stands = standing(paper, asker.now)
    problem = await services.people.registrar.problem_of_confirming(paper, by=asker.account.id)
    return services.drawing.page(
        "paper.html",
        request.scope,
        status=422 if faults else 200,
        paper=paper,
        standing=stands.value,
        standings=STANDINGS,
        roles=ROLES,
        scans=await services.people.papers.scans(paper.id),
        revoked_for=(await services.people.papers.reasons([paper.id])).get(paper.id, ""),
        names=await names_of(services),
        waits=stands is Standing.PROPOSED,
        my_own=paper.proposed_by == asker.account.id,
        cannot_confirm=say(SECOND.get(problem, problem)),
        may_grant=GRANT in asker.able,
        may_revoke=REVOKE in asker.able and stands in {Standing.VALID, Standing.FUTURE},
        reason=reason,
        faults={name: say(text) for name, text in (faults or {}).items()},
        done=_done(request),
        now=asker.now,
    )


async def _visible(request: Request) -> Sequence[Authorisation]:
    services, asker = services_of(request), asker_of(request)
    if (await asker.require(READ)).view is View.OWN:
        return await services.people.papers.of(asker.account.id)
    return await services.people.papers.all()


def _done(request: Request) -> str:
    say = speaker(language_of(request.scope))
    return say(DONE.get(request.query_params.get("done", ""), ""))


ROUTES: Routes = (
    ("GET", "/authorisations", register),
    ("GET", "/authorisations/review", due),
    ("GET", "/authorisations/{authorisation_id:uuid}", one),
    ("GET", "/authorisations/{authorisation_id:uuid}/form", form),
    ("GET", "/authorisations/{authorisation_id:uuid}/scans/{scan_id:uuid}", scan),
)
