"""Signing in by the office's OpenID provider: there, back, and our own code after it (R8.1d)."""

from starlette.requests import Request, cookie_parser
from starlette.responses import RedirectResponse, Response

from recorder.accounts.claims import BEGUN_VALID, Refused
from recorder.accounts.provider import CodeAwaited, Entered, ProviderRefused
from recorder.accounts.service import SignInRefused
from recorder.errors import DirectoryUnavailable
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import Open, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages import sign_in
from recorder.web.pages.forms import fields_of, see
from recorder.web.routes import Routes
from recorder.web.rules import Origin, path_to_return_to
from recorder.web.services import Services

NOBODY = later("The provider's answer signs nobody in here. Begin again.")
NOT_LINKED = later(
    "The provider knows you as {subject}, and no account here is linked to that. "
    "Tell it to the system administrator."
)
PROVIDER_AWAY = later("The provider does not answer. Sign in with a password kept here, or later.")
WRONG_CODE = later("The code is wrong, or was used already.")
ATTEMPTS_A_MINUTE = 60
AT = "/sign-in/oidc"


@needs(Open.TO_ALL, a_minute=ATTEMPTS_A_MINUTE)
async def begin(request: Request) -> Response:
    """Send the browser to the provider, and know it again by a cookie of these minutes."""
    services = services_of(request)
    if services.provider is None:
        return see("/sign-in")
    try:
        sent = await services.provider.begin(path_to_return_to(request.query_params.get("next")))
    except DirectoryUnavailable:
        return _nobody(request, speaker(language_of(request.scope))(PROVIDER_AWAY), status=503)
    answer = RedirectResponse(sent.address, 303)
    answer.set_cookie(
        cookie_name(services.origin),
        sent.browser,
        max_age=round(BEGUN_VALID.total_seconds()),
        path="/",
        secure=services.origin.secure,
        httponly=True,
        # The way back begins at the provider: a strict cookie would not come along.
        samesite="lax",
    )
    return answer


@needs(Open.TO_ALL, a_minute=ATTEMPTS_A_MINUTE)
async def come_back(request: Request) -> Response:
    """Take the browser back. What the address holds is used up by this, whatever it is worth."""
    services = services_of(request)
    if services.provider is None:
        return see("/sign-in")
    say, query = speaker(language_of(request.scope)), request.query_params
    try:
        done = await services.provider.come_back(
            state=query.get("state", ""),
            code=query.get("code", ""),
            issuer=query.get("iss"),
            browser=_browser(request),
            source=str(asker_of(request).address),
        )
    except DirectoryUnavailable:
        return _nobody(request, say(PROVIDER_AWAY), status=503)
    except ProviderRefused as refused:
        text = say(NOBODY)
        if refused.why is Refused.NOT_LINKED:
            text = say(NOT_LINKED).format(subject=refused.subject)
        return _nobody(request, text)
    except SignInRefused as refused:
        return _nobody(request, sign_in.in_time(refused, say))
    return _lead(request, services, done)


@needs(Open.TO_ALL, a_minute=ATTEMPTS_A_MINUTE)
async def give_code(request: Request) -> Response:
    """Take the second factor of whom the provider has proved."""
    services = services_of(request)
    handle, code = await fields_of(request, "handle", "code")
    if services.provider is None:
        return see("/sign-in")
    say = speaker(language_of(request.scope))
    try:
        done = await services.provider.give_code(
            handle=handle,
            code=code.strip(),
            browser=_browser(request),
            source=str(asker_of(request).address),
        )
    except ProviderRefused:
        return _nobody(request, say(NOBODY))
    return _lead(request, services, done, fault=say(WRONG_CODE))


def cookie_name(origin: Origin) -> str:
    """Return the name of the cookie by which a begun sign-in knows its browser."""
    return "__Host-signing-in" if origin.secure else "rejestrator-demo-signing-in"


def _lead(
    request: Request, services: Services, done: Entered | CodeAwaited, *, fault: str = ""
) -> Response:
    if isinstance(done, CodeAwaited):
        return services.drawing.page(
            "provider_code.html",
            request.scope,
            status=422 if fault else 200,
            handle=done.handle,
            faults={"code": fault} if fault else {},
        )
    # A page of ours, not a redirect: after one the browser would still come from the provider,
    # and leave the strict cookie of the session at home.
    answer = services.drawing.page("provider_done.html", request.scope, next=done.next_path)
    answer.headers["Refresh"] = f"0; url={done.next_path}"
    sign_in.keep(answer, services, done.signed)
    answer.delete_cookie(
        cookie_name(services.origin), secure=services.origin.secure, httponly=True, samesite="lax"
    )
    return answer


def _nobody(request: Request, text: str, *, status: int = 400) -> Response:
    return sign_in.form_with(request, text, status=status)


def _browser(request: Request) -> str:
    cookies = cookie_parser(request.headers.get("cookie", ""))
    return cookies.get(cookie_name(services_of(request).origin), "")


ROUTES: Routes = (
    ("GET", "/sign-in/oidc", begin),
    ("GET", "/sign-in/oidc/return", come_back),
    ("POST", "/sign-in/oidc/code", give_code),
)
