"""Saying where an account's password is kept: here, in the directory, at a provider.

An account is always somebody's here first: the directory makes none and gives no role.
"""

import secrets

from recorder.accounts.agreeing import Agreement
from recorder.accounts.model import Account, AccountId, Link, SignsInBy
from recorder.accounts.ports import AccountStore, PasswordHasher
from recorder.accounts.rules import problem_of_link
from recorder.accounts.tokens import TEMPORARY_BYTES, TOKEN_BYTES
from recorder.audit.event import Actor, AuditEvent
from recorder.errors import RuleViolation
from recorder.ports import Clock


class Linker:
    """Links accounts and unlinks them. Who may is asked before, by the access rules.

    Raises ``TakesTwo`` as ``AccountKeeper`` does: whoever says where the password is kept has it.
    """

    def __init__(
        self, *, store: AccountStore, hasher: PasswordHasher, clock: Clock, agreement: Agreement
    ) -> None:
        self._store, self._hasher, self._clock = store, hasher, clock
        self._agreement = agreement

    async def link(
        self, account: Account, link: Link, *, actor: Actor, agreed_by: AccountId | None = None
    ) -> None:
        """Have the directory or a provider keep the password. Raises ``RuleViolation``.

        The password here opens nothing any more; every session ends.
        """
        if problem := problem_of_link(link):
            raise RuleViolation(problem)
        touched = await self._agreement.by_password(account)
        agreed = await self._agreement.noted(touched, agreed_by=agreed_by, actor=actor)
        unknown_to_all = await self._hasher.hash(secrets.token_urlsafe(TOKEN_BYTES))
        done = await self._store.set_link(
            account.id,
            link,
            password_hash=unknown_to_all,
            must_change=False,
            at=self._clock.now(),
            events=[self._entry("account:linked", account, link, actor, agreed)],
        )
        if not done:
            raise RuleViolation("another account is linked to this person there already")

    async def unlink(
        self, account: Account, *, actor: Actor, agreed_by: AccountId | None = None
    ) -> str:
        """Keep the password here again; return one that must be changed at once."""
        if account.link is None:
            raise RuleViolation("this account's password is kept here already")
        touched = await self._agreement.by_password(account)
        agreed = await self._agreement.noted(touched, agreed_by=agreed_by, actor=actor)
        temporary = secrets.token_urlsafe(TEMPORARY_BYTES)
        await self._store.set_link(
            account.id,
            None,
            password_hash=await self._hasher.hash(temporary),
            must_change=True,
            at=self._clock.now(),
            events=[self._entry("account:unlinked", account, account.link, actor, agreed)],
        )
        return temporary

    def _entry(
        self, action: str, account: Account, link: Link, actor: Actor, agreed: dict[str, str]
    ) -> AuditEvent:
        personal = {"subject": link.subject}
        if link.by is SignsInBy.OIDC:
            personal["issuer"] = link.issuer
        return AuditEvent(
            action=action,
            at=self._clock.now(),
            actor=actor,
            subject=f"account:{account.id}",
            details={"by": link.by.value} | agreed,
            personal=personal,
        )
