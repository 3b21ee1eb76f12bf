"""The application and all its routes: each area of pages lists its own, beside its handlers."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from recorder.web.api import (
    accounts,
    audit,
    authorisations,
    calls,
    holds,
    me,
    oversight,
    playbacks,
    recordings,
    retention,
    status,
    workstations,
)
from recorder.web.api import (
    contractors as contractor_api,
)
from recorder.web.api import (
    live as live_calls,
)
from recorder.web.bodies import Bodies
from recorder.web.door import PUBLIC, Door
from recorder.web.envelope import Envelope
from recorder.web.gate import guarded, named
from recorder.web.pages import (
    account,
    account_acts,
    activating,
    announcements,
    announcing,
    call,
    completeness,
    contractors,
    dashboard,
    deciding,
    deletions,
    erasing,
    evidence,
    first_steps,
    granting,
    handbook,
    holding,
    home,
    incidents,
    language,
    listening,
    live,
    maintenance,
    papers,
    pattern,
    placing,
    provider,
    public,
    search,
    service_logs,
    settings,
    sign_in,
    trail,
)
from recorder.web.pages import (
    accounts as account_pages,
)
from recorder.web.pages import (
    retention as retention_pages,
)
from recorder.web.pages import (
    workstations as workstation_pages,
)
from recorder.web.proving import Proving
from recorder.web.services import Services

STATIC = Path(__file__).parent / "static"
API = (
    me.router,
    calls.router,
    recordings.router,
    playbacks.router,
    holds.router,
    live_calls.router,
    authorisations.router,
    contractor_api.router,
    accounts.router,
    workstations.router,
    audit.router,
    status.router,
    oversight.router,
    retention.router,
)
PAGES = (
    home.ROUTES,
    language.ROUTES,
    sign_in.ROUTES,
    provider.ROUTES,
    account.ROUTES,
    search.ROUTES,
    call.ROUTES,
    listening.ROUTES,
    live.ROUTES,
    holding.ROUTES,
    placing.ROUTES,
    dashboard.ROUTES,
    deletions.ROUTES,
    erasing.ROUTES,
    completeness.ROUTES,
    incidents.ROUTES,
    handbook.ROUTES,
    trail.ROUTES,
    evidence.ROUTES,
    account_pages.ROUTES,
    account_acts.ROUTES,
    workstation_pages.ROUTES,
    maintenance.ROUTES,
    service_logs.ROUTES,
    announcements.ROUTES,
    announcing.ROUTES,
    activating.ROUTES,
    settings.ROUTES,
    retention_pages.ROUTES,
    first_steps.ROUTES,
    granting.ROUTES,
    papers.ROUTES,
    deciding.ROUTES,
    contractors.ROUTES,
    pattern.ROUTES,
)


class Application(FastAPI):
    """FastAPI without its own walls: what goes wrong ends in the envelope, in one place."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return the routes alone."""
        return AsyncExitStackMiddleware(self.router)


def create_app(services: Services) -> ASGIApp:
    """Return the whole application, ready to be served."""
    app = Application(
        title="Rejestrator",
        version="1",
        description="Calls, recordings and what was done with them. See docs/api.md.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    for each in API:
        app.router.routes.extend(each.routes)
    app.router.routes.extend(_pages(services))
    door = Door(
        Bodies(app),
        origin=services.origin,
        places=services.places,
        note=services.note_refusal,
        measures=services.measures,
        clock=services.clock,
        public=PUBLIC if services.public.from_anywhere else frozenset(),
    )
    return Envelope(
        door,
        origin=services.origin,
        answers=services.answers,
        measures=services.measures,
        clock=services.clock,
    )


def _pages(services: Services) -> list[Route | Mount]:
    watch = services.supervision
    proving = Proving(doorkeeper=services.doorkeeper, drawing=services.drawing)
    routes: list[Route | Mount] = [
        Route(
            path,
            guarded(services.gate, services.footing, proving.asked, path, handler),
            methods=[method],
        )
        for area in PAGES
        for method, path, handler in area
    ]
    for path, watched in (
        ("/healthz", watch.healthz),
        ("/readyz", watch.readyz),
        ("/metrics", watch.metrics),
        *public.OPEN,
    ):
        routes.append(Route(path, named(path, watched), methods=["GET"]))
    return [*routes, Mount("/static", StaticFiles(directory=STATIC), name="static")]
