"""The information clause and the accessibility statement: read without signing in (§ 8.2).

No gate stands before them, for there is nothing behind them: they are drawn from the regulation's
values alone, and neither cookie nor database is looked at.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from recorder.web.api.routing import services_of
from recorder.web.gate import Open, needs
from recorder.web.languages import SPOKEN, language_of
from recorder.web.problems import Kind, Problem

OWN_NAMES = {"pl": "Polski", "en": "English", "uk": "Українська"}


@needs(Open.TO_ALL)
async def clause(request: Request) -> Response:
    """Show the information clause (Art. 13 GDPR, annex 2)."""
    return _page(request, "clause")


@needs(Open.TO_ALL)
async def statement(request: Request) -> Response:
    """Show the accessibility statement (Act of 4 April 2019, art. 10)."""
    return _page(request, "accessibility")


def _page(request: Request, name: str) -> Response:
    services = services_of(request)
    language = request.path_params.get("language") or language_of(request.scope)
    if language not in SPOKEN:
        raise Problem(kind=Kind.NOT_FOUND)
    return services.drawing.page(
        f"public/{name}.{language}.html",
        request.scope,
        spoken=language,
        regulation=services.public.regulation,
        version=services.public.version,
        origin=str(services.origin),
        own_names=OWN_NAMES,
        page="information-clause" if name == "clause" else name,
    )


OPEN: tuple[tuple[str, Callable[[Request], Awaitable[Response]]], ...] = (
    ("/information-clause", clause),
    ("/information-clause/{language:str}", clause),
    ("/accessibility", statement),
    ("/accessibility/{language:str}", statement),
)
"""Routes without a gate."""
