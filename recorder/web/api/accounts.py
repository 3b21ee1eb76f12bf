"""Accounts: added, given roles, disabled; and programs' tokens, which work under an account."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from recorder.access.model import Permission
from recorder.accounts.model import Account, AccountId, Role
from recorder.accounts.programs import LONGEST_TOKEN_DAYS
from recorder.web.api import routing
from recorder.web.api.routing import Body, Parts, Told, Who
from recorder.web.gate import needs
from recorder.web.problems import Kind, Problem
from recorder.web.services import Services

router = routing.router("accounts")
Short = Annotated[str, Field(min_length=1, max_length=120)]


class AccountTold(Told):
    """One account; of the password nothing."""

    id: UUID
    login: str
    name: str
    post: str
    roles: list[Role]
    created_at: datetime
    second_factor: bool
    must_change_password: bool
    disabled_at: datetime | None


class Accounts(Told):
    """Every account, disabled ones too."""

    accounts: list[AccountTold]


class NewAccount(Body):
    """A person who gets an account."""

    login: Short
    name: Short
    post: Short
    roles: Annotated[list[Role], Field(max_length=len(Role))]


class NewAccountTold(Told):
    """The account, and the password that its owner must change at once; told this once."""

    account: AccountTold
    temporary_password: str


class TemporaryPassword(Told):
    """What lets its owner set a new one; told this once."""

    temporary_password: str


class Roles(Body):
    """What a person does in the office."""

    roles: Annotated[list[Role], Field(max_length=len(Role))]


class NewToken(Body):
    """What a program may do, under whose papers, and until when."""

    name: Short
    account_id: UUID
    may: Annotated[list[Permission], Field(min_length=1, max_length=len(Permission))]
    days: Annotated[int, Field(ge=1, le=LONGEST_TOKEN_DAYS)]


class NewTokenTold(Told):
    """The token; told this once, and kept as its hash alone."""

    id: UUID
    token: str
    expires_at: datetime


class TokenTold(Told):
    """One token; of its secret nothing."""

    id: UUID
    name: str
    account: str
    may: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None


class Tokens(Told):
    """Every token ever issued."""

    tokens: list[TokenTold]


@router.get("/accounts")
@needs(Permission.ACCOUNT_READ)
async def list_accounts(parts: Parts) -> Accounts:
    """List all accounts."""
    return Accounts(accounts=[told(each) for each in await parts.people.store.accounts()])


@router.post("/accounts", status_code=201)
@needs(Permission.ACCOUNT_MANAGE)
async def add(new: NewAccount, asker: Who, parts: Parts) -> NewAccountTold:
    """Add an account; not an administrator's or the DPO's, which takes two at the machine."""
    account, temporary = await parts.accounts.add(
        login=new.login, name=new.name, post=new.post, roles=new.roles, actor=asker.actor
    )
    return NewAccountTold(account=told(account), temporary_password=temporary)


@router.put("/accounts/{account_id}/roles")
@needs(Permission.ROLE_ASSIGN)
async def assign(account_id: UUID, roles: Roles, asker: Who, parts: Parts) -> AccountTold:
    """Change what a person does; every session of theirs ends.

    The roles of administrator and DPO stay as they are: they take two at the machine.
    """
    changed = await parts.accounts.set_roles(
        AccountId(account_id), frozenset(roles.roles), actor=asker.actor
    )
    return told(changed)


@router.post("/accounts/{account_id}/disable", status_code=204)
@needs(Permission.ACCOUNT_MANAGE)
async def disable(account_id: UUID, asker: Who, parts: Parts) -> None:
    """Disable an account; its sessions end at once."""
    await parts.accounts.disable(AccountId(account_id), actor=asker.actor)


@router.post("/accounts/{account_id}/enable", status_code=204)
@needs(Permission.ACCOUNT_MANAGE)
async def enable(account_id: UUID, asker: Who, parts: Parts) -> None:
    """Enable an account again; an administrator's or the DPO's takes two at the machine."""
    await parts.accounts.enable(AccountId(account_id), actor=asker.actor)


@router.post("/accounts/{account_id}/password-reset")
@needs(Permission.ACCOUNT_MANAGE)
async def reset_password(account_id: UUID, asker: Who, parts: Parts) -> TemporaryPassword:
    """Give an account a password that must be changed at once.

    An administrator's or the DPO's takes two at the machine; so does one under which an
    authorisation opens recordings, while it has no second factor.
    """
    temporary = await parts.accounts.reset_password(AccountId(account_id), actor=asker.actor)
    return TemporaryPassword(temporary_password=temporary)


@router.post("/accounts/{account_id}/second-factor-reset", status_code=204)
@needs(Permission.ACCOUNT_MANAGE)
async def reset_factor(account_id: UUID, asker: Who, parts: Parts) -> None:
    """Take a lost second factor away.

    An administrator's or the DPO's, and that of an account under which an authorisation opens
    recordings, takes two at the machine.
    """
    await parts.accounts.reset_totp(AccountId(account_id), actor=asker.actor)


@router.post("/tokens", status_code=201)
@needs(Permission.ACCOUNT_MANAGE)
async def issue(new: NewToken, asker: Who, parts: Parts) -> NewTokenTold:
    """Issue a token to a program. What its account may not do, it may not do either.

    Under an administrator's or the DPO's account, and for what who runs the machine may not do,
    it takes two at the machine.
    """
    account = await account_of(new.account_id, parts)
    issued = await parts.tokens.issue(
        account, name=new.name, may=new.may, days=new.days, by=asker.actor
    )
    return NewTokenTold(id=issued.id, token=issued.token, expires_at=issued.expires_at)


@router.get("/tokens")
@needs(Permission.ACCOUNT_READ)
async def list_tokens(parts: Parts) -> Tokens:
    """List every token ever issued, the newest first; of the secrets nothing."""
    listed = await parts.tokens.all()
    return Tokens(
        tokens=[
            TokenTold(**{name: getattr(each, name) for name in TokenTold.model_fields})
            for each in listed
        ]
    )


@router.post("/tokens/{token_id}/revoke", status_code=204)
@needs(Permission.ACCOUNT_MANAGE)
async def revoke(token_id: UUID, asker: Who, parts: Parts) -> None:
    """Revoke a token; the next request with it is refused."""
    await parts.tokens.revoke(token_id, by=asker.actor)


def told(account: Account) -> AccountTold:
    """Return an account as it is told."""
    return AccountTold(
        id=account.id,
        login=account.login,
        name=account.name,
        post=account.post,
        roles=sorted(account.roles),
        created_at=account.created_at,
        second_factor=account.totp_since is not None,
        must_change_password=account.must_change_password,
        disabled_at=account.disabled_at,
    )


async def account_of(account_id: UUID, parts: Services) -> Account:
    """Return an account. Raises ``Problem``."""
    found = await parts.people.store.by_id(AccountId(account_id))
    if found is None:
        raise Problem(kind=Kind.NOT_FOUND)
    return found[0]
