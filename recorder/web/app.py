"""The application and its only route table."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.requests import Request
from starlette.responses import Response
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
    playbacks,
    recordings,
    status,
    workstations,
)
from recorder.web.bodies import Bodies
from recorder.web.door import Door
from recorder.web.envelope import Envelope
from recorder.web.gate import guarded, named
from recorder.web.pages import (
    account,
    call,
    deletions,
    erasing,
    holding,
    home,
    language,
    listening,
    placing,
    provider,
    search,
    sign_in,
)
from recorder.web.services import Services

STATIC = Path(__file__).parent / "static"
API = (
    me.router,
    calls.router,
    recordings.router,
    playbacks.router,
    holds.router,
    authorisations.router,
    accounts.router,
    workstations.router,
    audit.router,
    status.router,
)

Handler = Callable[[Request], Awaitable[Response]]


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
    table: list[tuple[str, str, Handler]] = [
        ("GET", "/", home.home),
        ("POST", "/language", language.choose),
        ("GET", "/sign-in", sign_in.form),
        ("POST", "/sign-in", sign_in.enter),
        ("GET", "/sign-in/oidc", provider.begin),
        ("GET", "/sign-in/oidc/return", provider.come_back),
        ("POST", "/sign-in/oidc/code", provider.give_code),
        ("POST", "/sign-out", sign_in.leave),
        ("GET", "/first-run", sign_in.first_form),
        ("POST", "/first-run", sign_in.first_account),
        ("GET", "/account", account.show),
        ("POST", "/account/password", account.change_password),
        ("POST", "/account/prove", account.prove),
        ("POST", "/account/second-factor", account.begin_factor),
        ("POST", "/account/second-factor/confirm", account.confirm_factor),
        ("POST", "/account/sessions/{session_id:uuid}/end", account.end_session),
        ("POST", "/search", search.ask),
        ("GET", "/search/{search_id:uuid}", search.results),
        ("GET", "/calls/{call_id:uuid}", call.show),
        ("POST", "/calls/{call_id:uuid}/number", call.reveal),
        ("POST", "/calls/{call_id:uuid}/playbacks", listening.begin),
        ("GET", "/calls/{call_id:uuid}/playbacks/{playback_id:uuid}", listening.player),
        ("POST", "/calls/{call_id:uuid}/playbacks/{playback_id:uuid}/end", listening.end),
        ("GET", "/announcements/{announcement_id:uuid}/sound", call.announcement),
        ("GET", "/holds", holding.standing),
        ("POST", "/holds/list", placing.begin),
        ("POST", "/holds/check", placing.check),
        ("POST", "/holds", placing.place),
        ("GET", "/holds/batches/{batch_id:uuid}", holding.batch),
        ("GET", "/holds/{hold_id:uuid}", holding.one),
        ("POST", "/holds/{hold_id:uuid}/review/check", holding.check_review),
        ("POST", "/holds/{hold_id:uuid}/review", holding.review),
        ("POST", "/holds/{hold_id:uuid}/lift/check", holding.check_lift),
        ("POST", "/holds/{hold_id:uuid}/lift", holding.lift),
        ("POST", "/holds/proposals/{approval_id:uuid}/check", holding.check_confirm),
        ("POST", "/holds/proposals/{approval_id:uuid}/confirm", holding.confirm),
        ("POST", "/holds/proposals/{approval_id:uuid}/refuse", holding.refuse),
        *deletions.ROUTES,
        *erasing.ROUTES,
    ]
    routes: list[Route | Mount] = [
        Route(path, guarded(services.gate, path, handler), methods=[method])
        for method, path, handler in table
    ]
    for path, watched in (
        ("/healthz", watch.healthz),
        ("/readyz", watch.readyz),
        ("/metrics", watch.metrics),
    ):
        routes.append(Route(path, named(path, watched), methods=["GET"]))
    return [*routes, Mount("/static", StaticFiles(directory=STATIC), name="static")]
