"""Signing in and out."""

import asyncio
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

import uuid_utils.compat as uuids

from recorder.accounts.model import (
    Account,
    AccountId,
    Credentials,
    Ended,
    Session,
    SessionId,
    SessionKind,
    SignsInBy,
)
from recorder.accounts.ports import (
    AccountStore,
    AttemptKeys,
    CodeBook,
    Directory,
    PasswordHasher,
    Proof,
)
from recorder.accounts.rules import (
    LONGEST_PASSWORD,
    problem_of_session,
    seen,
    step_of_code,
)
from recorder.accounts.tokens import (
    RECOVERY_BYTES,
    TOKEN_BYTES,
    actor_of,
    attempt_keys,
    sha256_of,
)
from recorder.audit.event import Actor, ActorKind, AuditEvent
from recorder.errors import DirectoryUnavailable, RecorderError
from recorder.ports import Clock

REFUSED = "Login, password or code is wrong, or a code was used already."
"""One text for all of it: whoever guesses learns nothing."""

AWAY = (
    "The directory does not answer: its accounts cannot sign in now, accounts with a password "
    "here can. Otherwise login, password or code is wrong."
)
"""One text too: it is said whatever the login was."""


class SignInRefused(RecorderError):
    """Not signed in. ``wait`` is how long until the next attempt may be tried."""

    def __init__(self, wait: timedelta = timedelta(0)) -> None:
        seconds = -(-wait // timedelta(seconds=1))
        super().__init__(f"Too early: try again in {seconds} s." if wait else REFUSED)
        self.wait = wait


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A new session. The token is told once, to the person's browser, and kept nowhere."""

    token: str
    session: Session
    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who stands behind a valid token now."""

    session: Session
    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """Who somebody is, as far as they have proved it, and what to say if that was used up."""

    account: Account
    proof: Proof
    refusal: RecorderError


class Doorkeeper:
    """Lets people in, knows them again, lets them out."""

    def __init__(
        self,
        *,
        store: AccountStore,
        hasher: PasswordHasher,
        codes: CodeBook,
        clock: Clock,
        directory: Directory | None = None,
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._codes = codes
        self._clock = clock
        self._directory = directory

    async def sign_in(
        self, login: str, password: str, code: str, *, source: str, kind: SessionKind
    ) -> SignedIn:
        """Open a session under a new token (A5). Raises ``SignInRefused``.

        ``code`` is the second factor's or a recovery code; empty where none is set. ``source``
        is the effective client address, or ``prompt``. The attempt counts before it is tried,
        so that any number at once are no more than the rule allows (A6).
        """
        keys = attempt_keys(login, source)
        proven = await self._proved(login, password, code, keys=keys, source=source)
        return await self._open(proven, keys=keys, source=source, kind=kind)

    async def sign_in_as(
        self, account_id: AccountId, code: str, *, source: str, kind: SessionKind
    ) -> SignedIn:
        """Open a session for whom a provider has proved; our second factor is asked for too."""
        found = await self._store.by_id(account_id)
        login = found[0].login if found else ""
        keys = attempt_keys(login, source)
        proven = await self._proved_by_code(found, code, keys=keys, source=source)
        return await self._open(proven, keys=keys, source=source, kind=kind)

    async def _open(
        self, proven: Proven, *, keys: AttemptKeys, source: str, kind: SessionKind
    ) -> SignedIn:
        account, proof, now = proven.account, proven.proof, self._clock.now()
        session = Session(
            id=SessionId(uuids.uuid7()),
            account_id=account.id,
            kind=kind,
            source=source,
            created_at=now,
            seen_at=now,
            fresh_at=now,
        )
        token = secrets.token_urlsafe(TOKEN_BYTES)
        entry = AuditEvent(
            action="session:opened",
            at=now,
            actor=actor_of(account.id),
            subject=f"session:{session.id}",
            details={
                "kind": kind.value,
                "by": account.signs_in_by.value,
                "recovery_code": proof.recovery_sha256 is not None,
            },
            personal={"source": source},
        )
        opened = await self._store.open_session(
            session, sha256_of(token), proof=proof, keys=keys, events=[entry]
        )
        if not opened:
            raise proven.refusal
        return SignedIn(token=token, session=session, account=account)

    async def prove_again(self, visitor: Visitor, password: str, code: str) -> None:
        """Make the session fresh: for acts that ask for it. Raises ``SignInRefused``."""
        now = self._clock.now()
        source, login = visitor.session.source, visitor.account.login
        keys = attempt_keys(login, source)
        if visitor.account.signs_in_by is SignsInBy.OIDC:
            # There is no password of theirs to ask for; without a code they sign in anew.
            if visitor.account.totp_since is None:
                raise SignInRefused
            found = await self._store.by_id(visitor.account.id)
            proven = await self._proved_by_code(found, code, keys=keys, source=source)
        else:
            proven = await self._proved(login, password, code, keys=keys, source=source)
        account = proven.account
        entry = AuditEvent(
            action="session:refreshed",
            at=now,
            actor=actor_of(account.id),
            subject=f"session:{visitor.session.id}",
        )
        if account.id != visitor.account.id or not await self._store.refresh_session(
            visitor.session.id, proof=proven.proof, keys=keys, at=now, events=[entry]
        ):
            raise proven.refusal

    async def visitor(self, token: str) -> Visitor | None:
        """Return who stands behind a token, or None. Asked at every request (A5)."""
        found = await self._store.session(sha256_of(token))
        if found is None:
            return None
        session, account = found
        now = self._clock.now()
        why = problem_of_session(session, account=account, now=now)
        if why in {Ended.IDLE, Ended.TOO_OLD}:
            await self._store.end_session(session.id, why=why, at=now, events=[])
        if why is not None:
            return None
        if (touched := seen(session, now)) is not None:
            await self._store.touch(session.id, now)
            session = touched
        return Visitor(session=session, account=account)

    async def sign_out(self, visitor: Visitor) -> None:
        """End the session."""
        now = self._clock.now()
        entry = AuditEvent(
            action="session:closed",
            at=now,
            actor=actor_of(visitor.account.id),
            subject=f"session:{visitor.session.id}",
        )
        await self._store.end_session(
            visitor.session.id, why=Ended.SIGNED_OUT, at=now, events=[entry]
        )

    async def _proved(
        self, login: str, password: str, code: str, *, keys: AttemptKeys, source: str
    ) -> Proven:
        await self._reserve(keys)
        found = await self._store.by_login(login)
        account, credentials = found or (None, None)
        # Longer than any password: not hashed, so that nobody keeps the machine busy.
        within = len(password) <= LONGEST_PASSWORD
        by = account.signs_in_by if account else None
        stored = credentials.password_hash if credentials and by is SignsInBy.LOCAL else None
        linked = account.link if account and account.link and by is SignsInBy.LDAP else None
        async with asyncio.TaskGroup() as tasks:
            # Asked for everybody: neither time nor words tell whose password is kept where.
            asked = tasks.create_task(
                self._ask(
                    linked.subject if linked else login, password if linked and within else None
                )
            )
            right = await self._hasher.verify(
                stored if within else None, password if within else ""
            )
            if linked:
                right = await asked is True
            right = right and account is not None and account.disabled_at is None
            proof = self._second_factor(found, code) if right and found else None
            if proof is not None and proof.recovery_sha256 is None:
                asked.cancel()
            else:
                await asked
        away = not asked.cancelled() and asked.result() is None and self._directory is not None
        refusal = DirectoryUnavailable(AWAY) if away else SignInRefused()
        if account is None or credentials is None or proof is None:
            what = "second_factor" if right else "directory_away" if away else "credentials"
            await self._refuse(account, what, source)
            raise refusal
        if by is SignsInBy.LOCAL and self._hasher.is_outdated(credentials.password_hash):
            proof = replace(proof, new_hash=await self._hasher.hash(password))
        return Proven(account=account, proof=proof, refusal=refusal)

    async def _proved_by_code(
        self,
        found: tuple[Account, Credentials] | None,
        code: str,
        *,
        keys: AttemptKeys,
        source: str,
    ) -> Proven:
        await self._reserve(keys)
        refused = SignInRefused()
        usable = found is not None and found[0].disabled_at is None
        proof = self._second_factor(found, code) if found and usable else None
        if found is None or proof is None:
            what = "second_factor" if usable else "credentials"
            await self._refuse(found[0] if found else None, what, source)
            raise refused
        return Proven(account=found[0], proof=proof, refusal=refused)

    async def _reserve(self, keys: AttemptKeys) -> None:
        if wait := await self._store.reserve_attempt(keys, self._clock.now()):
            raise SignInRefused(wait)

    async def _ask(self, name: str, password: str | None) -> bool | None:
        """Return the directory's answer; None = there is none, or it is away."""
        if self._directory is None:
            return None
        try:
            return await self._directory.proves(name, password)
        except DirectoryUnavailable:
            return None

    def _second_factor(self, found: tuple[Account, Credentials], code: str) -> Proof | None:
        account, credentials = found
        if account.totp_since is None or credentials.totp_secret is None:
            return Proof()
        # Asked for first: they must open when the key of the second factors is lost. Whether it is
        # one of them is the store's to say, once and for all.
        if len(plain := _plain_recovery(code)) == RECOVERY_BYTES * 2:
            return Proof(recovery_sha256=sha256_of(plain))
        stored = credentials.totp_secret
        secret = self._codes.opened(stored, account.id)
        steps = self._codes.matching_steps(secret, code, self._clock.now())
        if steps:
            step = step_of_code(steps, credentials.totp_last_step)
            sealed = self._codes.sealed_later(stored, account.id)
            return None if step is None else Proof(totp_step=step, new_totp=sealed)
        return None

    async def _refuse(self, account: Account | None, what: str, source: str) -> None:
        entry = AuditEvent(
            action="session:refused",
            at=self._clock.now(),
            actor=Actor(kind=ActorKind.PROCESS, name="sign-in"),
            subject=f"account:{account.id}" if account else "",
            reason=what if account else "unknown_login",
            personal={"source": source},
        )
        await self._store.note([entry])


def _plain_recovery(code: str) -> str:
    return "".join(each for each in code.casefold() if each in "0123456789abcdef")
