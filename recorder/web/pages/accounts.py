"""Accounts: who has one, with which roles, and a new one with its first password (R8.1d, § 6.3)."""

from collections.abc import Mapping

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from recorder.access.matrix import pair_problem
from recorder.access.model import Permission
from recorder.accounts.model import Account, Role
from recorder.accounts.rules import problem_of_login
from recorder.errors import RuleViolation
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.forms import form_of, text_of
from recorder.web.pages.home import ROLES
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes

READ, MANAGE = Permission.ACCOUNT_READ, Permission.ACCOUNT_MANAGE
LONGEST = 120
FIELDS = ("login", "name", "post")
NO_LOGIN = later("Login: 2 to 32 of a-z, 0-9, dot and hyphen, beginning with a letter: “jan.lis”.")
TAKEN = later("Login: another account has it; logins are not given again.")
NO_NAME = later("Name: give name and surname; an account is one person's.")
NO_POST = later("Post: give the person's post, for example “inspektor”.")
TOO_LONG = later("At most 120 characters.")
NO_ROLES = later("Roles: choose at least one.")
TAKES_TWO = later(
    "Roles: Administrator and data protection officer are given and taken only with a present "
    "Administrator, who proves password and code at the machine: `recorder user add` or "
    "`recorder user roles`."
)
PAIRS = {
    "dpo goes with no other role": later(
        "Roles: the data protection officer has no other role: nobody oversees himself."
    ),
    "contractor goes with no other role": later(
        "Roles: a maintenance contractor has no other role."
    ),
    "sysadmin and administrator are never one person": later(
        "Roles: who administers the machine and the Administrator are never one person."
    ),
}
"""What the rule of pairs says, in the words of the page."""


@needs(READ)
async def overview(request: Request) -> Response:
    """List the accounts, disabled ones too."""
    return await _page(request)


@needs(MANAGE)
async def add(request: Request) -> Response:
    """Add an account, and show its first password this once."""
    services = services_of(request)
    given, roles = await _form(request)
    try:
        account, temporary = await services.accounts.add(
            login=given["login"],
            name=given["name"],
            post=given["post"],
            roles=roles,
            actor=asker_of(request).actor,
        )
    except RuleViolation:
        # Somebody took the login between the look at the list and this.
        faults = {"login": TAKEN}
        raise AskAgain(await _page(request, given=given, roles=roles, faults=faults)) from None
    return once(request, account, temporary, added=True)


def once(request: Request, account: Account, temporary: str, *, added: bool) -> Response:
    """Show a first password: on this answer alone, which nobody's browser keeps."""
    return services_of(request).drawing.page(
        "account_password.html",
        request.scope,
        account=account,
        temporary=temporary,
        added=added,
    )


def roles_in(form: FormData) -> frozenset[Role]:
    """Return the roles that were chosen. Raises ``Problem`` for what is none."""
    try:
        return frozenset(Role(text_of(each)) for each in form.getlist("roles"))
    except ValueError:
        raise Problem(kind=Kind.BAD_REQUEST) from None


async def fault_of_roles(request: Request, roles: frozenset[Role], touched: frozenset[Role]) -> str:
    """Return why these roles cannot be given at a page; empty when they can (R6.3e)."""
    if problem := pair_problem(roles):
        return PAIRS[problem]
    if await services_of(request).accounts.agreement.needed(touched):
        return TAKES_TWO
    return ""


async def _form(request: Request) -> tuple[dict[str, str], frozenset[Role]]:
    form = await form_of(request)
    given = {name: text_of(form.get(name, "")).strip() for name in FIELDS}
    roles = roles_in(form)
    faults = {}
    if problem_of_login(given["login"]):
        faults["login"] = NO_LOGIN
    elif given["login"] in {each.login for each in await services_of(request).accounts.all()}:
        faults["login"] = TAKEN
    for name, missing in (("name", NO_NAME), ("post", NO_POST)):
        if not given[name]:
            faults[name] = missing
        elif len(given[name]) > LONGEST:
            faults[name] = TOO_LONG
    if fault := await fault_of_roles(request, roles, roles) if roles else NO_ROLES:
        faults["roles"] = fault
    if faults:
        raise AskAgain(await _page(request, given=given, roles=roles, faults=faults))
    return given, roles


async def _page(
    request: Request,
    *,
    given: Mapping[str, str] | None = None,
    roles: frozenset[Role] = frozenset(),
    faults: Mapping[str, str] | None = None,
) -> Response:
    services, asker = services_of(request), asker_of(request)
    say = speaker(language_of(request.scope))
    return services.drawing.page(
        "accounts.html",
        request.scope,
        status=422 if faults else 200,
        accounts=await services.accounts.all(),
        yours=asker.account.id,
        roles=ROLES,
        may_manage=MANAGE in asker.able,
        given=given or dict.fromkeys(FIELDS, ""),
        chosen=roles,
        faults={name: say(text) for name, text in (faults or {}).items()},
    )


ROUTES: Routes = (
    ("GET", "/accounts", overview),
    ("POST", "/accounts", add),
)
