"""One's own account: password, second factor, and where one is signed in."""

from uuid import UUID

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from recorder.access.matrix import mark_of
from recorder.access.model import Permission
from recorder.accounts.model import SessionId
from recorder.accounts.service import SignInRefused
from recorder.errors import RuleViolation
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.first_steps import steps_of
from recorder.web.pages.forms import fields_of, see
from recorder.web.pages.home import ROLES
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.web.sentences import in_words

OWN = Permission.OWN_ACCOUNT
DONE = {
    "password": later("The password is changed. You are signed out everywhere else."),
    "session": later("That session is ended."),
    "proved": later("Thank you. For ten minutes nothing more is asked."),
}
WRONG_PASSWORD = later("This is not your present password.")
ATTEMPTS_A_MINUTE = 30


@needs(OWN)
async def show(request: Request) -> Response:
    """Show the account."""
    return await _page(request, done=request.query_params.get("done", ""))


@needs(OWN, a_minute=ATTEMPTS_A_MINUTE)
async def change_password(request: Request) -> Response:
    """Change the password; every other session ends."""
    services, say = services_of(request), speaker(language_of(request.scope))
    current, new = await fields_of(request, "current", "password")
    try:
        await services.accounts.change_password(asker_of(request).visitor, old=current, new=new)
    except SignInRefused:
        return await _page(request, faults={"current": say(WRONG_PASSWORD)})
    except RuleViolation as refused:
        return await _page(request, faults={"password": in_words(str(refused), say)})
    return see("/account?done=password")


@needs(OWN, a_minute=ATTEMPTS_A_MINUTE)
async def prove(request: Request) -> Response:
    """Prove again that it is this person, for acts that ask for it."""
    services, say = services_of(request), speaker(language_of(request.scope))
    password, code = await fields_of(request, "password", "code")
    try:
        await services.doorkeeper.prove_again(asker_of(request).visitor, password, code.strip())
    except SignInRefused as refused:
        return await _page(request, faults={"": in_words(str(refused), say)})
    return see("/account?done=proved")


@needs(OWN, a_minute=ATTEMPTS_A_MINUTE)
async def begin_factor(request: Request) -> Response:
    """Show a new second factor, to be confirmed by its first code."""
    services, asker = services_of(request), asker_of(request)
    try:
        secret = await services.accounts.begin_totp(asker.visitor)
    except RuleViolation as refused:
        say = speaker(language_of(request.scope))
        return await _page(request, faults={"": in_words(str(refused), say)})
    return _enrolment(request, secret)


@needs(OWN, a_minute=ATTEMPTS_A_MINUTE)
async def confirm_factor(request: Request) -> Response:
    """Put the second factor in force, and show the recovery codes this once."""
    services, say = services_of(request), speaker(language_of(request.scope))
    (code,) = await fields_of(request, "code")
    try:
        codes = await services.accounts.confirm_totp(asker_of(request).visitor, code.strip())
    except RuleViolation as refused:
        return _enrolment(request, "", fault=in_words(str(refused), say))
    roles = asker_of(request).account.roles
    leads_on = any(mark_of(Permission.CONFIG_READ, each) != "–" for each in roles)
    undone = leads_on and not all(each.done for each in await steps_of(request))
    on = "/first-steps" if undone else "/"
    return services.drawing.page("recovery.html", request.scope, codes=codes, on=on)


@needs(OWN)
async def end_session(request: Request) -> Response:
    """End another session of one's own; anybody else's is not there."""
    asker, services = asker_of(request), services_of(request)
    session_id: UUID = request.path_params["session_id"]
    await asker.require(OWN)
    own = await services.sessions.of_account(asker.account, now=asker.now)
    if session_id not in {each.id for each in own}:
        raise Problem(kind=Kind.NOT_FOUND)
    await services.sessions.end(SessionId(session_id), actor=asker.actor, at=asker.now)
    return see("/account?done=session")


async def _page(
    request: Request, *, done: str = "", faults: dict[str, str] | None = None
) -> Response:
    services, asker = services_of(request), asker_of(request)
    say = speaker(language_of(request.scope))
    session = asker.visitor.session
    facts = [
        (say("Login"), asker.login),
        (say("Name"), asker.name),
        (say("Post"), asker.account.post),
        (say("Roles"), ", ".join(say(ROLES[each]) for each in sorted(asker.account.roles))),
    ]
    return services.drawing.page(
        "account.html",
        request.scope,
        status=422 if faults else 200,
        facts=facts,
        here=session.id,
        sessions=await services.sessions.of_account(asker.account, now=asker.now),
        done=say(DONE.get(done, "")),
        faults=faults or {},
    )


def _enrolment(request: Request, secret: str, *, fault: str = "") -> Response:
    services, asker = services_of(request), asker_of(request)
    # Drawn from our own text alone: nobody else's content is in the picture.
    drawn = services.draw_factor(secret, asker.login) if secret else ""
    return services.drawing.page(
        "enrol.html",
        request.scope,
        status=422 if fault else 200,
        qr=Markup(drawn),  # noqa: S704
        secret=secret,
        faults={"code": fault} if fault else {},
    )


later("Name")
later("Post")
later("Roles")


ROUTES: Routes = (
    ("GET", "/account", show),
    ("POST", "/account/password", change_password),
    ("POST", "/account/prove", prove),
    ("POST", "/account/second-factor", begin_factor),
    ("POST", "/account/second-factor/confirm", confirm_factor),
    ("POST", "/account/sessions/{session_id:uuid}/end", end_session),
)
