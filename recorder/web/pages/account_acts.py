"""One account of somebody else: its roles, whether it opens, its password and second factor."""

from collections.abc import Mapping
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.accounts.guarding import GUARDED
from recorder.accounts.model import Account, AccountId, Role
from recorder.authorisations.rules import standing_findings
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.accounts import MANAGE, READ, fault_of_roles, once, roles_in
from recorder.web.pages.forms import form_of, see
from recorder.web.pages.home import ROLES
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes

ASSIGN = Permission.ROLE_ASSIGN
DONE = {
    "roles": later("The roles are changed. The person is signed out everywhere."),
    "disable": later("The account is locked. The person is signed out everywhere."),
    "enable": later("The account is unlocked; the person may sign in again."),
    "factor": later("The second factor is gone. The person sets a new one after signing in."),
}
NO_CHANGE = later("Roles: nothing would change.")
YOUR_OWN = later(
    "It is your own account. Password and second factor are under “My account”; roles and locking "
    "are another system administrator's to do."
)
NOT_NOW = later("The account is not in that state, or its password is kept elsewhere.")
TAKES_TWO = later(
    "It is the account of somebody who grants or oversees. Unlocking it, a new first password, "
    "another second factor: only with a present Administrator, who proves password and code at "
    "the machine: `recorder user enable`, `recorder user reset`."
)
UNDER_PAPER = later(
    "An authorisation opens recordings to this person: whoever took the second factor away could "
    "hear in their name. It takes a present Administrator, who proves password and code at the "
    "machine: `recorder user reset`, with `--totp` for the second factor."
)
FINDINGS = {
    "one person keeps the machine and makes copies (allowed to small offices)": later(
        "One person keeps the machine and makes copies (allowed to small offices)."
    ),
}
"""What a person's roles leave to be said for as long as they last."""


@needs(READ)
async def show(request: Request) -> Response:
    """Show one account."""
    return await _page(request, await _account(request))


@needs(ASSIGN)
async def check_roles(request: Request) -> Response:
    """Say what other roles will do, before they are given."""
    account, roles = await _roles(request)
    return await _confirm(request, account, act="roles", roles=roles)


@needs(ASSIGN)
async def assign(request: Request) -> Response:
    """Give a person other roles; every session of theirs ends."""
    account, roles = await _roles(request)
    await services_of(request).accounts.set_roles(account.id, roles, actor=asker_of(request).actor)
    return see(f"/accounts/{account.id}?done=roles")


@needs(MANAGE)
async def check(request: Request) -> Response:
    """Say what an act on an account will do, before it is done."""
    account, act = await _act(request)
    return await _confirm(request, account, act=act, roles=account.roles)


@needs(MANAGE)
async def do(request: Request) -> Response:
    """Lock, unlock, take a lost factor away, or give a new first password, shown this once."""
    account, act = await _act(request)
    keeper, actor = services_of(request).accounts, asker_of(request).actor
    match act:
        case "disable":
            await keeper.disable(account.id, actor=actor)
        case "enable":
            await keeper.enable(account.id, actor=actor)
        case "factor":
            await keeper.reset_totp(account.id, actor=actor)
        case _:
            temporary = await keeper.reset_password(account.id, actor=actor)
            return once(request, account, temporary, added=False)
    return see(f"/accounts/{account.id}?done={act}")


def acts_on(account: Account) -> list[str]:
    """Return what may be done with an account as it stands."""
    open_to = {
        "disable": account.disabled_at is None,
        "enable": account.disabled_at is not None,
        "password": account.link is None,
        "factor": account.totp_since is not None,
    }
    return [act for act, possible in open_to.items() if possible]


async def _by_two(request: Request, account: Account) -> frozenset[str]:
    """Return the acts on this account that nobody does alone (R6.3e).

    Locking is none of them: it protects, and cannot wait.
    """
    agreement = services_of(request).accounts.agreement
    touched = {
        "enable": account.roles,
        "password": await agreement.by_password(account),
        "factor": await agreement.by_factor(account),
    }
    return frozenset([act for act, roles in touched.items() if await agreement.needed(roles)])


def _why_two(account: Account) -> str:
    return UNDER_PAPER if GUARDED.isdisjoint(account.roles) else TAKES_TWO


async def _account(request: Request) -> Account:
    account_id: UUID = request.path_params["account_id"]
    found = await services_of(request).people.store.by_id(AccountId(account_id))
    if found is None:
        raise Problem(kind=Kind.NOT_FOUND)
    return found[0]


async def _another(request: Request) -> Account:
    account = await _account(request)
    if account.id == asker_of(request).account.id:
        raise Problem(kind=Kind.CONFLICT, detail=YOUR_OWN)
    return account


async def _act(request: Request) -> tuple[Account, str]:
    act: str = request.path_params["act"]
    if act not in {"disable", "enable", "password", "factor"}:
        raise Problem(kind=Kind.NOT_FOUND)
    account = await _another(request)
    if act not in acts_on(account):
        raise Problem(kind=Kind.CONFLICT, detail=NOT_NOW)
    if act in await _by_two(request, account):
        raise Problem(kind=Kind.CONFLICT, reason="second_person", detail=_why_two(account))
    return account, act


async def _roles(request: Request) -> tuple[Account, frozenset[Role]]:
    account = await _another(request)
    roles = roles_in(await form_of(request))
    fault = await fault_of_roles(request, roles, roles ^ account.roles)
    if roles == account.roles:
        fault = NO_CHANGE
    if fault:
        raise AskAgain(await _page(request, account, roles=roles, faults={"roles": fault}))
    return account, roles


async def _page(
    request: Request,
    account: Account,
    *,
    roles: frozenset[Role] | None = None,
    faults: Mapping[str, str] | None = None,
) -> Response:
    services, asker = services_of(request), asker_of(request)
    say = speaker(language_of(request.scope))
    yours = account.id == asker.account.id
    acts = acts_on(account) if MANAGE in asker.able and not yours else []
    by_two = (await _by_two(request, account)).intersection(acts)
    return services.drawing.page(
        "account_of.html",
        request.scope,
        status=422 if faults else 200,
        account=account,
        sessions=await services.sessions.of_account(account, now=asker.now),
        yours=yours,
        acts=[each for each in acts if each not in by_two],
        takes_two=say(_why_two(account)) if by_two else "",
        may_assign=ASSIGN in asker.able and not yours,
        roles=ROLES,
        chosen=account.roles if roles is None else roles,
        findings=[say(FINDINGS.get(each, each)) for each in standing_findings(account.roles)],
        faults={name: say(text) for name, text in (faults or {}).items()},
        done=say(DONE.get(request.query_params.get("done", ""), "")),
    )


async def _confirm(
    request: Request, account: Account, *, act: str, roles: frozenset[Role]
) -> Response:
    services = services_of(request)
    sessions = await services.sessions.of_account(account, now=asker_of(request).now)
    return services.drawing.page(
        "account_confirm.html",
        request.scope,
        account=account,
        act=act,
        wanted=sorted(roles),
        gained=sorted(roles - account.roles),
        lost=sorted(account.roles - roles),
        sessions=len(sessions),
        roles=ROLES,
    )


ROUTES: Routes = (
    ("GET", "/accounts/{account_id:uuid}", show),
    ("POST", "/accounts/{account_id:uuid}/roles/check", check_roles),
    ("POST", "/accounts/{account_id:uuid}/roles", assign),
    ("POST", "/accounts/{account_id:uuid}/{act:str}/check", check),
    ("POST", "/accounts/{account_id:uuid}/{act:str}", do),
)
