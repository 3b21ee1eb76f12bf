"""Incidents: what is open, what it was, and when nothing is left to do."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission, View
from recorder.errors import NotFound, RuleViolation
from recorder.incidents.model import Incident, IncidentId, State
from recorder.incidents.rules import LONGEST
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.days import id_of
from recorder.web.pages.forms import form_of, see, text_of
from recorder.web.pages.people import names_of
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.web.told import INCIDENTS, STATE_KINDS, STATES

READ, EXPLAIN = Permission.INCIDENT_READ, Permission.INCIDENT_EXPLAIN
PAGE = 50
DONE = {
    "explained": later("It is noted under your name what it was."),
    "closed": later("The incident is closed."),
}
NO_WORDS = later("What it was: say it in your own words, without names and numbers.")
OVER = later("The incident has been closed meanwhile; nothing was done.")
NOT_EXPLAINED = later("First say what it was; then it can be closed.")


@needs(READ)
async def overview(request: Request) -> Response:
    """List incidents of one state, newest first, and how many there are of each kind."""
    services, asker = services_of(request), asker_of(request)
    whole = (await asker.require(READ)).view is View.FULL
    asked = request.query_params.get("state", State.OPEN.value)
    if asked not in {each.value for each in State}:
        raise Problem(kind=Kind.NOT_FOUND)
    kind = request.query_params.get("kind", "")
    behind = request.query_params.get("after", "")
    rows: list[Incident] = []
    if whole:
        rows = list(
            await services.oversight.incidents.rows.page(
                State(asked),
                kind=kind or None,
                after=IncidentId(id_of(behind)) if behind else None,
                limit=PAGE + 1,
            )
        )
    return services.drawing.page(
        "incidents.html",
        request.scope,
        counts=await services.oversight.incidents.rows.counts(),
        rows=rows[:PAGE],
        more=rows[PAGE - 1].id if len(rows) > PAGE else "",
        state=asked,
        kind=kind,
        whole=whole,
        kinds=INCIDENTS,
        states=STATES,
        state_kinds=STATE_KINDS,
        now=asker.now,
    )


@needs(READ)
async def one(request: Request) -> Response:
    """Show one incident."""
    whole = (await asker_of(request).require(READ)).view is View.FULL
    say = speaker(language_of(request.scope))
    incident = await _incident(request)
    return await _page(
        request,
        incident,
        whole=whole,
        done=say(DONE.get(request.query_params.get("done", ""), "")),
    )


@needs(EXPLAIN)
async def explain(request: Request) -> Response:
    """Say what it was, of all of its kind and day too if wanted."""
    services, asker = services_of(request), asker_of(request)
    incident = await _incident(request)
    form = await form_of(request)
    explanation = text_of(form.get("explanation", ""), longest=LONGEST)
    if not explanation.strip():
        raise AskAgain(await _page(request, incident, faults={"explanation": NO_WORDS}))
    try:
        await services.oversight.incidents.explain(
            incident.id,
            explanation,
            all_alike=form.get("alike") == "all",
            actor=asker.actor,
        )
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=OVER) from None
    return see(f"/incidents/{incident.id}?done=explained")


@needs(EXPLAIN)
async def close(request: Request) -> Response:
    """Close what is explained, and of which nothing is left to do."""
    services, asker = services_of(request), asker_of(request)
    incident = await _incident(request)
    try:
        await services.oversight.incidents.close(incident.id, actor=asker.actor)
    except (RuleViolation, NotFound):
        detail = NOT_EXPLAINED if incident.state is State.OPEN else OVER
        raise Problem(kind=Kind.CONFLICT, detail=detail) from None
    return see(f"/incidents/{incident.id}?done=closed")


async def _incident(request: Request) -> Incident:
    incident_id: UUID = request.path_params["incident_id"]
    found = await services_of(request).oversight.incidents.rows.get(IncidentId(incident_id))
    if found is None:
        raise Problem(kind=Kind.NOT_FOUND)
    return found


async def _page(
    request: Request,
    incident: Incident,
    *,
    whole: bool = True,
    done: str = "",
    faults: dict[str, str] | None = None,
) -> Response:
    services, asker = services_of(request), asker_of(request)
    say = speaker(language_of(request.scope))
    alike = await services.oversight.incidents.alike(incident)
    return services.drawing.page(
        "incident.html",
        request.scope,
        status=422 if faults else 200,
        incident=incident,
        whole=whole,
        alike=len([each for each in alike if each.id != incident.id]),
        kinds=INCIDENTS,
        states=STATES,
        state_kinds=STATE_KINDS,
        names=await names_of(services),
        may_explain=EXPLAIN in asker.able,
        may_see_calls=Permission.CALL_LIST in asker.able,
        longest=LONGEST,
        faults={name: say(text) for name, text in (faults or {}).items()},
        done=done,
        now=asker.now,
    )


ROUTES: Routes = (
    ("GET", "/incidents", overview),
    ("GET", "/incidents/{incident_id:uuid}", one),
    ("POST", "/incidents/{incident_id:uuid}/explain", explain),
    ("POST", "/incidents/{incident_id:uuid}/close", close),
)
