"""Signing in and out, and the very first account (R8.1d, A5, A7)."""

from collections.abc import Callable

from starlette.requests import Request, cookie_parser
from starlette.responses import Response

from recorder.accounts.model import SessionKind
from recorder.accounts.service import SignedIn, SignInRefused
from recorder.errors import DirectoryUnavailable, RuleViolation
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import Open, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.forms import fields_of, see
from recorder.web.routes import Routes
from recorder.web.rules import path_to_return_to
from recorder.web.sentences import in_words
from recorder.web.services import Services

WRONG = later("Login, password or code is wrong, or the code was used already.")
TOO_EARLY = later("Too many attempts. Try again in {seconds} seconds.")
TOKEN = later("This token opens nothing. A new one is printed by: recorder user first-token")
DIRECTORY_AWAY = later(
    "The directory does not answer: its accounts cannot sign in now, accounts with a password "
    "here can. Otherwise login, password or code is wrong."
)
ATTEMPTS_A_MINUTE = 60
POST_OF_FIRST = "Administrator"


@needs(Open.TO_ALL)
async def form(request: Request) -> Response:
    """Show the form."""
    return _form(request, next_path=request.query_params.get("next"))


@needs(Open.TO_ALL, a_minute=ATTEMPTS_A_MINUTE)
async def enter(request: Request) -> Response:
    """Open a session under a new token, whatever cookie came with the request (A5)."""
    services = services_of(request)
    login, password, code, next_path = await fields_of(request, "login", "password", "code", "next")
    source = str(asker_of(request).address)
    say = speaker(language_of(request.scope))
    try:
        signed = await services.doorkeeper.sign_in(
            login.strip(), password, code.strip(), source=source, kind=SessionKind.WEB
        )
    except SignInRefused as refused:
        faults = {"login": in_time(refused, say)}
        return _form(request, next_path=next_path, login=login, faults=faults, status=401)
    except DirectoryUnavailable:
        faults = {"login": say(DIRECTORY_AWAY)}
        return _form(request, next_path=next_path, login=login, faults=faults, status=503)
    answer = see(path_to_return_to(next_path))
    keep(answer, services, signed)
    return answer


@needs(Open.TO_ALL)
async def leave(request: Request) -> Response:
    """End the session, here and on the server."""
    services = services_of(request)
    token = cookie_parser(request.headers.get("cookie", "")).get(services.gate.cookie, "")
    visitor = await services.doorkeeper.visitor(token)
    if visitor is not None:
        await services.doorkeeper.sign_out(visitor)
    answer = see("/sign-in")
    answer.delete_cookie(
        services.gate.cookie, secure=services.origin.secure, httponly=True, samesite="strict"
    )
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@needs(Open.TO_ALL)
async def first_form(request: Request) -> Response:
    """Show the form for the first account."""
    return _first(request)


@needs(Open.TO_ALL, a_minute=10)
async def first_account(request: Request) -> Response:
    """Make the first account by the one-time token."""
    services = services_of(request)
    token, name, login, password = await fields_of(request, "token", "name", "login", "password")
    try:
        await services.accounts.add_first(
            token.strip(), login=login.strip(), name=name, post=POST_OF_FIRST, password=password
        )
    except RuleViolation as refused:
        say = speaker(language_of(request.scope))
        text = say(TOKEN) if "token" in str(refused) else in_words(str(refused), say)
        return _first(request, name=name, login=login, faults={"": text}, status=422)
    return see("/sign-in?next=/first-steps")


def in_time(refused: SignInRefused, say: Callable[[str], str]) -> str:
    """Return what is told: too early, or wrong."""
    seconds = round(refused.wait.total_seconds())
    return say(TOO_EARLY).format(seconds=seconds) if seconds else say(WRONG)


def form_with(request: Request, fault: str, *, status: int) -> Response:
    """Return the form again with what is wrong."""
    return _form(request, next_path=None, faults={"login": fault}, status=status)


def keep(answer: Response, services: Services, signed: SignedIn) -> None:
    """Give the browser its session: for this host alone, out of reach of any script."""
    answer.set_cookie(
        services.gate.cookie,
        signed.token,
        path="/",
        secure=services.origin.secure,
        httponly=True,
        samesite="strict",
    )


def _form(
    request: Request,
    *,
    next_path: str | None,
    login: str = "",
    faults: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    return services_of(request).drawing.page(
        "sign_in.html",
        request.scope,
        status=status,
        next=path_to_return_to(next_path),
        login=login,
        faults=faults or {},
        provider=services_of(request).provider is not None,
    )


def _first(
    request: Request,
    *,
    name: str = "",
    login: str = "",
    faults: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    return services_of(request).drawing.page(
        "first_run.html", request.scope, status=status, name=name, login=login, faults=faults or {}
    )


ROUTES: Routes = (
    ("GET", "/sign-in", form),
    ("POST", "/sign-in", enter),
    ("POST", "/sign-out", leave),
    ("GET", "/first-run", first_form),
    ("POST", "/first-run", first_account),
)
