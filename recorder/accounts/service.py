"""Signing in and out."""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

import uuid_utils.compat as uuids

from recorder.accounts.model import (
    Account,
    Credentials,
    Ended,
    Session,
    SessionId,
    SessionKind,
)
from recorder.accounts.ports import AccountStore, AttemptKeys, CodeBook, PasswordHasher, Proof
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
from recorder.errors import RecorderError
from recorder.ports import Clock

REFUSED = "Login, password or code is wrong, or a code was used already."
"""One text for all of it: whoever guesses learns nothing."""


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


class Doorkeeper:
    """Lets people in, knows them again, lets them out."""

    def __init__(
        self, *, store: AccountStore, hasher: PasswordHasher, codes: CodeBook, clock: Clock
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._codes = codes
        self._clock = clock

    async def sign_in(
        self, login: str, password: str, code: str, *, source: str, kind: SessionKind
    ) -> SignedIn:
        """Open a session under a new token (A5). Raises ``SignInRefused``.

        ``code`` is the second factor's or a recovery code; empty where none is set. ``source``
        is the effective client address, or ``prompt``. The attempt counts before it is tried,
        so that any number at once are no more than the rule allows (A6).
        """
        now = self._clock.now()
        keys = attempt_keys(login, source)
        account, proof = await self._proved(login, password, code, keys=keys, source=source)
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
            details={"kind": kind.value, "recovery_code": proof.recovery_sha256 is not None},
            personal={"source": source},
        )
        opened = await self._store.open_session(
            session, sha256_of(token), proof=proof, keys=keys, events=[entry]
        )
        if not opened:
            raise SignInRefused
        return SignedIn(token=token, session=session, account=account)

    async def prove_again(self, visitor: Visitor, password: str, code: str) -> None:
        """Make the session fresh: for acts that ask for it. Raises ``SignInRefused``."""
        now = self._clock.now()
        source, login = visitor.session.source, visitor.account.login
        keys = attempt_keys(login, source)
        account, proof = await self._proved(login, password, code, keys=keys, source=source)
        entry = AuditEvent(
            action="session:refreshed",
            at=now,
            actor=actor_of(account.id),
            subject=f"session:{visitor.session.id}",
        )
        if account.id != visitor.account.id or not await self._store.refresh_session(
            visitor.session.id, proof=proof, keys=keys, at=now, events=[entry]
        ):
            raise SignInRefused

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
    ) -> tuple[Account, Proof]:
        now = self._clock.now()
        if wait := await self._store.reserve_attempt(keys, now):
            raise SignInRefused(wait)
        found = await self._store.by_login(login)
        credentials = found[1] if found else None
        # Longer than any password: not hashed, so that nobody keeps the machine busy.
        within = len(password) <= LONGEST_PASSWORD
        right = await self._hasher.verify(
            credentials.password_hash if credentials and within else None,
            password if within else "",
        )
        if found is None or credentials is None or not right or found[0].disabled_at is not None:
            await self._refuse(found[0] if found else None, "credentials", source)
            raise SignInRefused
        account = found[0]
        proof = self._second_factor(account, credentials, code)
        if proof is None:
            await self._refuse(account, "second_factor", source)
            raise SignInRefused
        if self._hasher.is_outdated(credentials.password_hash):
            proof = replace(proof, new_hash=await self._hasher.hash(password))
        return account, proof

    def _second_factor(self, account: Account, credentials: Credentials, code: str) -> Proof | None:
        if account.totp_since is None or credentials.totp_secret is None:
            return Proof()
        steps = self._codes.matching_steps(credentials.totp_secret, code, self._clock.now())
        if steps:
            step = step_of_code(steps, credentials.totp_last_step)
            return None if step is None else Proof(totp_step=step)
        # Whether it is one of the recovery codes is the store's to say, once and for all.
        if len(plain := _plain_recovery(code)) == RECOVERY_BYTES * 2:
            return Proof(recovery_sha256=sha256_of(plain))
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
