"""The handbook: the chapters of one's own roles, each beside the pages that it explains."""

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import needs
from recorder.web.handbook import chapters_for
from recorder.web.pages.home import ROLES
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes

OWN = Permission.OWN_ACCOUNT


@needs(OWN)
async def contents(request: Request) -> Response:
    """Show the chapters."""
    asker = asker_of(request)
    await asker.require(OWN)
    return services_of(request).drawing.page(
        "help.html",
        request.scope,
        chapters=chapters_for(asker.account.roles),
        roles=[ROLES[each] for each in sorted(asker.account.roles)],
    )


@needs(OWN)
async def chapter(request: Request) -> Response:
    """Show one chapter; another role's is not there."""
    asker, services = asker_of(request), services_of(request)
    await asker.require(OWN)
    mine = chapters_for(asker.account.roles)
    found = [each for each in mine if each.name == request.path_params["name"]]
    if not found:
        raise Problem(kind=Kind.NOT_FOUND)
    place = mine.index(found[0])
    return services.drawing.page(
        "help_chapter.html",
        request.scope,
        chapter=found[0],
        following=mine[place + 1] if place + 1 < len(mine) else None,
        retention_days=await services.days_in_force(),
    )


ROUTES: Routes = (
    ("GET", "/help", contents),
    ("GET", "/help/{name:str}", chapter),
)
