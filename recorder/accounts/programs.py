"""Tokens of programs: issued for an account, kept by their hash alone, revoked at once (R8.1)."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import uuid_utils.compat as uuids

from recorder.access.model import Permission
from recorder.accounts.agreeing import Agreement
from recorder.accounts.guarding import roles_of_token
from recorder.accounts.model import Account, AccountId
from recorder.accounts.tokens import TOKEN_BYTES, sha256_of
from recorder.audit.event import Actor
from recorder.errors import NotFound, RuleViolation
from recorder.ports import Clock

LONGEST_TOKEN_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramToken:
    """A token as a list shows it."""

    id: UUID
    name: str
    account: str
    """The login of the account under whose papers the program works."""
    may: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token at the one moment at which it is told."""

    id: UUID
    token: str
    expires_at: datetime


class ProgramTokens(Protocol):
    """Keeps programs' tokens. Raises ``LedgerUnavailable`` and ``TrailUnavailable``."""

    async def listed(self) -> Sequence[ProgramToken]:
        """Return every token ever issued, the newest first; of the secret nothing."""

    async def add(
        self,
        *,
        token_id: UUID,
        name: str,
        account_id: AccountId,
        token_sha256: str,
        may: Sequence[str],
        expires_at: datetime,
        by: Actor,
        at: datetime,
        agreed: Mapping[str, str],
    ) -> None:
        """Keep a token, by its hash, with its entry, which says who ``agreed``."""

    async def revoke(self, token_id: UUID, *, by: Actor, at: datetime) -> bool:
        """Revoke a token from this instant; False if there is none to revoke."""


class TokenDesk:
    """Issues and revokes tokens. Who may is asked before, by the access rules.

    What would let a program do as an administrator, or what who runs the machine may not do,
    raises ``TakesTwo`` as in ``AccountKeeper``.
    """

    def __init__(self, *, tokens: ProgramTokens, clock: Clock, agreement: Agreement) -> None:
        self._tokens, self._clock, self.agreement = tokens, clock, agreement

    async def all(self) -> Sequence[ProgramToken]:
        """Return every token ever issued, the newest first."""
        return await self._tokens.listed()

    async def issue(
        self,
        account: Account,
        *,
        name: str,
        may: Sequence[Permission],
        days: int,
        by: Actor,
        agreed_by: AccountId | None = None,
    ) -> IssuedToken:
        """Issue a token; told this once. Raises ``RuleViolation``."""
        if account.disabled_at is not None:
            raise RuleViolation("the account is disabled")
        if not 1 <= days <= LONGEST_TOKEN_DAYS:
            raise RuleViolation(f"a token is for 1 to {LONGEST_TOKEN_DAYS} days")
        if not may:
            raise RuleViolation("say what the token is for: at least one permission")
        touched = roles_of_token(account.roles, may)
        agreed = await self.agreement.noted(touched, agreed_by=agreed_by, actor=by)
        now = self._clock.now()
        token, token_id = secrets.token_urlsafe(TOKEN_BYTES), uuids.uuid7()
        expires_at = now + timedelta(days=days)
        await self._tokens.add(
            token_id=token_id,
            name=name,
            account_id=account.id,
            token_sha256=sha256_of(token),
            may=may,
            expires_at=expires_at,
            by=by,
            at=now,
            agreed=agreed,
        )
        return IssuedToken(id=token_id, token=token, expires_at=expires_at)

    async def revoke(self, token_id: UUID, *, by: Actor) -> None:
        """Revoke a token; the next request with it is refused. Raises ``NotFound``."""
        if not await self._tokens.revoke(token_id, by=by, at=self._clock.now()):
            raise NotFound("no token in force has this id; `recorder token list`")
