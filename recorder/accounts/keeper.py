"""Adding, changing and disabling accounts."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import uuid_utils.compat as uuids

from recorder.access.matrix import pair_problem
from recorder.accounts.agreeing import Agreement
from recorder.accounts.events import NOTHING, about, added, listed
from recorder.accounts.model import Account, AccountId, Credentials, Role
from recorder.accounts.ports import AccountStore, CodeBook, PasswordHasher
from recorder.accounts.rules import (
    FIRST_TOKEN_VALID,
    LONGEST_PASSWORD,
    RECOVERY_CODES,
    problem_of_extension,
    problem_of_login,
    problem_of_password,
    problem_of_person,
    problem_of_roles,
    step_of_code,
)
from recorder.accounts.service import SignInRefused, Visitor
from recorder.accounts.tokens import (
    RECOVERY_BYTES,
    TEMPORARY_BYTES,
    TOKEN_BYTES,
    actor_of,
    sha256_of,
)
from recorder.audit.event import Actor, AuditEvent
from recorder.errors import NotFound, RuleViolation
from recorder.ports import Clock


class AccountKeeper:
    """Adds, changes and disables accounts. Who may is asked before, by the access rules.

    Whatever would let one person have an administrator's or the DPO's account, or one under which
    an authorisation opens recordings, raises ``TakesTwo`` unless ``agreed_by`` says who agreed to
    it (R6.3e).
    """

    def __init__(
        self,
        *,
        store: AccountStore,
        hasher: PasswordHasher,
        codes: CodeBook,
        clock: Clock,
        common: tuple[frozenset[str], frozenset[str]],
        office: str,
        agreement: Agreement,
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._codes = codes
        self._clock = clock
        self._common = common
        self._office = office
        self.agreement = agreement

    async def first_token(self, actor: Actor) -> str:
        """Return a token with which the first administrator is made, within 24 hours, once (A7).

        Raises ``RuleViolation`` once there is an account.
        """
        now = self._clock.now()
        token = secrets.token_urlsafe(TOKEN_BYTES)
        entry = AuditEvent(action="first_token:issued", at=now, actor=actor)
        if not await self._store.keep_first_token(
            sha256_of(token), now=now, expires_at=now + FIRST_TOKEN_VALID, events=[entry]
        ):
            raise RuleViolation("there is an account already: recorder user add")
        return token

    async def add_first(
        self, token: str, *, login: str, name: str, post: str, password: str
    ) -> Account:
        """Make the first administrator. Raises ``RuleViolation``."""
        account = self._new(login, name, post, {Role.ADMINISTRATOR}, must_change=False)
        self._check_password(password, account)
        hashed = Credentials(password_hash=await self._hasher.hash(password))
        problem = await self._store.add_first(
            sha256_of(token),
            account,
            hashed,
            now=account.created_at,
            events=[added(account, actor=actor_of(account.id), at=account.created_at)],
        )
        if problem is not None:
            raise RuleViolation("this token opens nothing: recorder user first-token")
        return account

    async def add(
        self,
        *,
        login: str,
        name: str,
        post: str,
        roles: Iterable[Role],
        actor: Actor,
        agreed_by: AccountId | None = None,
    ) -> tuple[Account, str]:
        """Add an account; return it with the password that its owner must change at once."""
        account = self._new(login, name, post, frozenset(roles), must_change=True)
        agreed = await self.agreement.noted(account.roles, agreed_by=agreed_by, actor=actor)
        temporary = secrets.token_urlsafe(TEMPORARY_BYTES)
        hashed = Credentials(password_hash=await self._hasher.hash(temporary))
        entry = added(account, actor=actor, at=account.created_at, agreed=agreed)
        if not await self._store.add(account, hashed, [entry]):
            raise RuleViolation("this login is taken")
        return account, temporary

    async def change_password(self, visitor: Visitor, *, old: str, new: str) -> None:
        """Change one's own password; every other session ends. Raises ``RuleViolation``."""
        account, credentials = await self._known(visitor.account.id)
        self._is_kept_here(account)
        if not await self._hasher.verify(credentials.password_hash, old[:LONGEST_PASSWORD]):
            raise SignInRefused
        if old == new:
            raise RuleViolation("the new password is the old one")
        self._check_password(new, account)
        await self._store.set_password(
            account.id,
            await self._hasher.hash(new),
            at=self._clock.now(),
            must_change=False,
            keep=visitor.session.id,
            events=[self._entry("password:changed", account, actor_of(account.id))],
        )

    async def reset_password(
        self, account_id: AccountId, *, actor: Actor, agreed_by: AccountId | None = None
    ) -> str:
        """Give an account a password that must be changed at once; every session ends."""
        account, _ = await self._known(account_id)
        self._is_kept_here(account)
        touched = await self.agreement.by_password(account)
        agreed = await self.agreement.noted(touched, agreed_by=agreed_by, actor=actor)
        temporary = secrets.token_urlsafe(TEMPORARY_BYTES)
        await self._store.set_password(
            account.id,
            await self._hasher.hash(temporary),
            at=self._clock.now(),
            must_change=True,
            keep=None,
            events=[self._entry("password:reset", account, actor, agreed)],
        )
        return temporary

    async def begin_totp(self, visitor: Visitor) -> str:
        """Return a new secret; it counts once a code of it was given."""
        account, _ = await self._known(visitor.account.id)
        if account.totp_since is not None:
            raise RuleViolation("a second factor is set; a sysadmin resets a lost one")
        secret = self._codes.new_secret()
        await self._store.set_totp(
            account.id, self._codes.sealed(secret, account.id), since=None, last_step=None,
            recovery_sha256=[], keep=visitor.session.id, events=[],
        )  # fmt: skip
        return secret

    async def confirm_totp(self, visitor: Visitor, code: str) -> list[str]:
        """Put the second factor in force; return the recovery codes, told this once."""
        account, credentials = await self._known(visitor.account.id)
        stored, now = credentials.totp_secret, self._clock.now()
        if stored is None or account.totp_since is not None:
            raise RuleViolation("no second factor waits to be confirmed")
        secret = self._codes.opened(stored, account.id)
        step = step_of_code(self._codes.matching_steps(secret, code, now), None)
        if step is None:
            raise RuleViolation("this is not the code; check the telephone's clock")
        codes = [secrets.token_hex(RECOVERY_BYTES) for _ in range(RECOVERY_CODES)]
        await self._store.set_totp(
            account.id, stored, since=now, last_step=step,
            recovery_sha256=[sha256_of(each) for each in codes], keep=visitor.session.id,
            events=[self._entry("second_factor:set", account, actor_of(account.id))],
        )  # fmt: skip
        return ["-".join(each[i : i + 5] for i in range(0, len(each), 5)) for each in codes]

    async def reset_totp(
        self, account_id: AccountId, *, actor: Actor, agreed_by: AccountId | None = None
    ) -> None:
        """Take a lost second factor away; every session ends."""
        account, _ = await self._known(account_id)
        touched = await self.agreement.by_factor(account)
        agreed = await self.agreement.noted(touched, agreed_by=agreed_by, actor=actor)
        await self._store.set_totp(
            account.id, None, since=None, last_step=None, recovery_sha256=[], keep=None,
            events=[self._entry("second_factor:reset", account, actor, agreed)],
        )  # fmt: skip

    async def set_roles(
        self,
        account_id: AccountId,
        roles: frozenset[Role],
        *,
        actor: Actor,
        agreed_by: AccountId | None = None,
    ) -> Account:
        """Change what a person does in the office; every session ends. Raises ``RuleViolation``."""
        account, _ = await self._known(account_id)
        agreed = await self.agreement.noted(account.roles ^ roles, agreed_by=agreed_by, actor=actor)
        if problem := pair_problem(roles) or problem_of_roles(
            account, after=roles, changed_by=actor.name
        ):
            raise RuleViolation(problem)
        told = {"before": listed(account.roles), "after": listed(roles)} | agreed
        entry = self._entry("role:assigned", account, actor, told)
        await self._store.set_roles(account.id, roles, at=entry.at, events=[entry])
        return replace(account, roles=roles)

    async def disable(self, account_id: AccountId, *, actor: Actor) -> None:
        """Disable an account; its sessions end at once."""
        account, _ = await self._known(account_id)
        entry = self._entry("account:disabled", account, actor)
        await self._store.set_disabled(
            account.id, disabled_at=entry.at, at=entry.at, events=[entry]
        )

    async def enable(
        self, account_id: AccountId, *, actor: Actor, agreed_by: AccountId | None = None
    ) -> None:
        """Enable an account again; it has to sign in anew."""
        account, _ = await self._known(account_id)
        agreed = await self.agreement.noted(account.roles, agreed_by=agreed_by, actor=actor)
        entry = self._entry("account:enabled", account, actor, agreed)
        await self._store.set_disabled(account.id, disabled_at=None, at=entry.at, events=[entry])

    async def set_extension(self, account_id: AccountId, extension: str, *, actor: Actor) -> None:
        """Note at which telephone a person answers, empty for none; their calls are their own.

        Raises ``RuleViolation``.
        """
        if problem := problem_of_extension(extension):
            raise RuleViolation(problem)
        account, _ = await self._known(account_id)
        entry = replace(
            self._entry("extension:set", account, actor), personal={"extension": extension}
        )
        await self._store.set_extension(account.id, extension, [entry])

    async def all(self) -> Sequence[Account]:
        """Return every account, disabled ones too, by login."""
        return await self._store.accounts()

    async def by_login(self, login: str) -> Account:
        """Return an account. Raises ``NotFound``."""
        found = await self._store.by_login(login)
        if found is None:
            raise NotFound("no account has this login; `recorder user list`")
        return found[0]

    def _new(
        self, login: str, name: str, post: str, roles: Iterable[Role], *, must_change: bool
    ) -> Account:
        roles = frozenset(roles)
        problem = problem_of_login(login) or pair_problem(roles) or problem_of_person(name, post)
        if problem:
            raise RuleViolation(problem)
        now = self._clock.now()
        return Account(
            id=AccountId(uuids.uuid7()),
            login=login,
            name=name.strip(),
            post=post.strip(),
            roles=roles,
            created_at=now,
            password_set_at=now,
            must_change_password=must_change,
        )

    def _check_password(self, password: str, account: Account) -> None:
        context = {account.login, *account.name.split(), *self._office.split(), "Rejestrator"}
        common, words = self._common
        if problem := problem_of_password(password, context=context, common=common, words=words):
            raise RuleViolation(f"this password will not do: {problem}")

    def _is_kept_here(self, account: Account) -> None:
        if account.link is not None:
            raise RuleViolation(
                "the directory keeps this password: it is changed there, or after "
                "`recorder user unlink`"
            )

    async def _known(self, account_id: AccountId) -> tuple[Account, Credentials]:
        found = await self._store.by_id(account_id)
        if found is None:
            raise NotFound("no account has this id; `recorder user list`")
        return found

    def _entry(
        self, action: str, account: Account, actor: Actor, details: Mapping[str, str] = NOTHING
    ) -> AuditEvent:
        return about(action, account, actor=actor, at=self._clock.now(), details=details)
