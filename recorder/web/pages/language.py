"""The choice between Polish and English."""

from starlette.requests import Request
from starlette.responses import Response

from recorder.web.gate import Open, needs
from recorder.web.languages import COOKIE, LANGUAGES
from recorder.web.pages.forms import fields_of, see
from recorder.web.routes import Routes
from recorder.web.rules import path_to_return_to

A_YEAR_S = 365 * 24 * 3600


@needs(Open.TO_ALL)
async def choose(request: Request) -> Response:
    """Remember the language in the browser, and lead back."""
    language, back = await fields_of(request, "language", "back")
    answer = see(path_to_return_to(back))
    if language in LANGUAGES:
        secure = request.app.state.services.origin.secure
        answer.set_cookie(
            COOKIE, language, max_age=A_YEAR_S, secure=secure, httponly=True, samesite="strict"
        )
    return answer


ROUTES: Routes = (("POST", "/language", choose),)
