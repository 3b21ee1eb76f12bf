"""The first page after signing in: the search, or how things stand for whoever does not search."""

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.accounts.model import Role
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages import dashboard, maintenance
from recorder.web.pages.search import form_page
from recorder.web.routes import Routes

NO_FACTOR = later("Set the second factor under “My account”.")


@needs(Permission.OWN_ACCOUNT)
async def home(request: Request) -> Response:
    """Ask what is looked for; show others how things stand, or who they are here."""
    asker, services = asker_of(request), services_of(request)
    say = speaker(language_of(request.scope))
    findings = [] if asker.second_factor else [say(NO_FACTOR)]
    if Permission.CALL_LIST in asker.able:
        return form_page(request, findings=findings)
    if Role.CONTRACTOR in asker.account.roles and await _may(Permission.LOG_READ, request):
        return await maintenance.page(request, findings=findings)
    if Permission.STATUS_READ in asker.able and (await _may(Permission.STATUS_READ, request)):
        return await dashboard.page(request, findings=findings)
    roles = ", ".join(say(ROLES[each]) for each in sorted(asker.account.roles))
    facts = [(say("You are here as"), roles)]
    return services.drawing.page("home.html", request.scope, facts=facts, findings=findings)


async def _may(permission: Permission, request: Request) -> bool:
    """Tell whether the person may now: an account may be unfinished, an opening over."""
    asker = asker_of(request)
    return (await asker.gate.decide(permission, asker.asking)).allowed


ROLES = {
    "registry_clerk": later("registry clerk"),
    "listener": later("authorised listener"),
    "copy_maker": later("copy maker"),
    "administrator": later("Administrator"),
    "dpo": later("data protection officer"),
    "sysadmin": later("system administrator"),
    "contractor": later("maintenance contractor"),
}
later("You are here as")


ROUTES: Routes = (("GET", "/", home),)
