"""The page of patterns: every component once, for whoever builds pages (`/wzornik`)."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import needs
from recorder.web.routes import Routes

DAYS = 30


@needs(Permission.CONFIG_READ)
async def show(request: Request) -> Response:
    """Show every component with made-up values; nothing of anybody is on it."""
    asker, services = asker_of(request), services_of(request)
    await asker.require(Permission.CONFIG_READ)
    today = asker.now.astimezone(services.zone).date()
    days = [today + timedelta(days=each) for each in range(DAYS)]
    return services.drawing.page(
        "pattern.html",
        request.scope,
        now=asker.now,
        moments=[(asker.now - timedelta(seconds=10 * each), each) for each in range(3, 0, -1)],
        per_day=[
            (f"{each:%d.%m}", [each.day % 7 + 3, each.day % 3, each.day % 2]) for each in days
        ],
        sizes=[(f"{each:%d.%m}", each.toordinal() % 17 + 40) for each in days],
        counts={each: each.day % 5 * (each.weekday() < 5) for each in days},  # noqa: PLR2004
        purposes=services.purposes,
    )


ROUTES: Routes = (("GET", "/wzornik", show),)
