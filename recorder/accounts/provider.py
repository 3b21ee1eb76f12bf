"""Signing in by an OpenID provider: authorisation code with PKCE, state and nonce.

The provider proves who somebody is. Account, roles and second factor are ours.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from recorder.accounts.claims import BEGUN_VALID, Expected, Refused, problem_of_claims
from recorder.accounts.model import AccountId, Link, SessionKind, SignsInBy
from recorder.accounts.ports import AccountStore
from recorder.accounts.service import Doorkeeper, SignedIn, SignInRefused
from recorder.accounts.tokens import TOKEN_BYTES, sha256_of
from recorder.audit.event import Actor, ActorKind, AuditEvent
from recorder.errors import RecorderError
from recorder.ports import Clock


class ProviderRefused(RecorderError):
    """Nobody is signed in. ``subject`` is told to its owner, who proved it, when not linked."""

    def __init__(self, why: Refused, *, subject: str = "") -> None:
        super().__init__("The provider's answer signs nobody in here; begin again.")
        self.why, self.subject = why, subject


class Provider(Protocol):
    """The OpenID provider. Raises ``DirectoryUnavailable`` where it does not answer."""

    @property
    def issuer(self) -> str:
        """Its name, as its tokens say it."""

    @property
    def client_id(self) -> str:
        """What it calls this service."""

    async def address(self, *, state: str, nonce: str, challenge: str) -> str:
        """Return where the browser is sent to prove who it is."""

    async def claims(self, code: str, *, verifier: str) -> Mapping[str, object]:
        """Return what a rightly signed token says. Raises ``ProviderRefused``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunSignIn:
    """A sign-in that waits for the provider, or after it for a code."""

    state_sha256: str
    browser_sha256: str
    nonce: str
    verifier: str
    next_path: str
    begun_at: datetime
    account_id: AccountId | None = None
    """Whom the provider has proved; our own code is awaited."""


class BegunSignIns(Protocol):
    """Keeps them for minutes. Raises ``LedgerUnavailable``."""

    async def keep(self, begun: BegunSignIn, *, older_than: datetime) -> None:
        """Keep one; drop those begun before ``older_than``."""

    async def take(self, state_sha256: str) -> BegunSignIn | None:
        """Return and remove one: of two who ask at once, one gets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Where the browser goes, and by what it is known when it comes back."""

    address: str
    browser: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAwaited:
    """The provider has proved who it is; the second factor is still missing."""

    handle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """Signed in; the page to lead on to."""

    signed: SignedIn
    next_path: str


class ProviderDoor:
    """Sends people to the provider and takes them back."""

    def __init__(
        self,
        *,
        provider: Provider,
        begun: BegunSignIns,
        store: AccountStore,
        door: Doorkeeper,
        clock: Clock,
    ) -> None:
        self._provider, self._begun = provider, begun
        self._store, self._door, self._clock = store, door, clock

    async def begin(self, next_path: str) -> Sent:
        """Begin a sign-in. Raises ``DirectoryUnavailable``."""
        state, nonce, verifier, browser = (secrets.token_urlsafe(TOKEN_BYTES) for _ in range(4))
        address = await self._provider.address(
            state=state, nonce=nonce, challenge=challenge_of(verifier)
        )
        await self._keep(
            BegunSignIn(
                state_sha256=sha256_of(state),
                browser_sha256=sha256_of(browser),
                nonce=nonce,
                verifier=verifier,
                next_path=next_path,
                begun_at=self._clock.now(),
            )
        )
        return Sent(address=address, browser=browser)

    async def come_back(
        self, *, state: str, code: str, issuer: str | None, browser: str, source: str
    ) -> Entered | CodeAwaited:
        """Take a browser back from the provider. Raises ``ProviderRefused``."""
        try:
            begun = await self._take(state, browser, proved=False)
            account_id = await self._whose(begun, code, issuer)
        except ProviderRefused as refused:
            await self._note(refused, source)
            raise
        found = await self._store.by_id(account_id)
        if found is None or found[0].totp_since is None:
            return await self._enter(begun, account_id, "", source)
        handle = secrets.token_urlsafe(TOKEN_BYTES)
        await self._keep(replace(begun, state_sha256=sha256_of(handle), account_id=account_id))
        return CodeAwaited(handle=handle)

    async def give_code(
        self, *, handle: str, code: str, browser: str, source: str
    ) -> Entered | CodeAwaited:
        """Take the second factor; a wrong code may be corrected. Raises as above."""
        try:
            begun = await self._take(handle, browser, proved=True)
        except ProviderRefused as refused:
            await self._note(refused, source)
            raise
        assert begun.account_id is not None  # noqa: S101 - that is what proved means
        try:
            return await self._enter(begun, begun.account_id, code, source)
        except SignInRefused:
            again = secrets.token_urlsafe(TOKEN_BYTES)
            await self._keep(replace(begun, state_sha256=sha256_of(again)))
            return CodeAwaited(handle=again)

    async def _enter(
        self, begun: BegunSignIn, account_id: AccountId, code: str, source: str
    ) -> Entered:
        signed = await self._door.sign_in_as(account_id, code, source=source, kind=SessionKind.WEB)
        return Entered(signed=signed, next_path=begun.next_path)

    async def _whose(self, begun: BegunSignIn, code: str, issuer: str | None) -> AccountId:
        # Who mixes up two providers is told apart by the answer's own issuer (RFC 9207).
        if issuer is not None and issuer != self._provider.issuer:
            raise ProviderRefused(Refused.ISSUER)
        if not code:
            raise ProviderRefused(Refused.PROVIDER_SAYS_NO)
        claims = await self._provider.claims(code, verifier=begun.verifier)
        expected = Expected(
            issuer=self._provider.issuer,
            client_id=self._provider.client_id,
            nonce=begun.nonce,
            begun_at=begun.begun_at,
        )
        if problem := problem_of_claims(claims, expected=expected, now=self._clock.now()):
            raise ProviderRefused(problem)
        link = Link(by=SignsInBy.OIDC, subject=str(claims["sub"]), issuer=expected.issuer)
        found = await self._store.linked(link)
        if found is None or found[0].disabled_at is not None:
            raise ProviderRefused(Refused.NOT_LINKED, subject=link.subject)
        return found[0].id

    async def _take(self, state: str, browser: str, *, proved: bool) -> BegunSignIn:
        """Return what waits under a state for this browser. Asked for once, it is gone."""
        begun = await self._begun.take(sha256_of(state))
        if (
            begun is None
            or (begun.account_id is not None) != proved
            or not secrets.compare_digest(begun.browser_sha256, sha256_of(browser))
            or not begun.begun_at <= self._clock.now() <= begun.begun_at + BEGUN_VALID
        ):
            raise ProviderRefused(Refused.NOT_BEGUN)
        return begun

    async def _keep(self, begun: BegunSignIn) -> None:
        await self._begun.keep(begun, older_than=self._clock.now() - BEGUN_VALID)

    async def _note(self, refused: ProviderRefused, source: str) -> None:
        personal = {"source": source}
        if refused.subject:
            personal["subject"] = refused.subject
        entry = AuditEvent(
            action="session:refused",
            at=self._clock.now(),
            actor=Actor(kind=ActorKind.PROCESS, name="sign-in"),
            reason=refused.why.value,
            details={"by": SignsInBy.OIDC.value},
            personal=personal,
        )
        await self._store.note([entry])


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636).

    >>> challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
