"""What the services about accounts need from the world, each as a small promise.

Every change takes the trail's entries and writes them in the same transaction (RG.15): it
raises ``TrailUnavailable`` or ``LedgerUnavailable``, and then nothing has changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from recorder.accounts.model import (
    Account,
    AccountId,
    Credentials,
    Ended,
    Link,
    Role,
    Session,
    SessionId,
)
from recorder.accounts.rules import FirstTokenProblem
from recorder.audit.event import AuditEvent

Events = Sequence[AuditEvent]


class PasswordHasher(Protocol):
    """Turns passwords into what may be stored. Slow on purpose; never blocks the event loop."""

    async def hash(self, password: str) -> str:
        """Return the hash with its salt and parameters."""

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Tell whether it is this password. None = no such account, which takes as long."""

    def is_outdated(self, password_hash: str) -> bool:
        """Tell whether it was made with other parameters than are in force."""


class CodeBook(Protocol):
    """Time-based one-time codes (RFC 6238)."""

    def new_secret(self) -> str:
        """Return a fresh secret, base32."""

    def sealed(self, secret: str, account_id: AccountId) -> str:
        """Return what may be stored of a secret: it opens for this account alone."""

    def opened(self, stored: str, account_id: AccountId) -> str:
        """Return a stored secret. Raises ``KeyUnavailable`` and ``ConfigurationError``."""

    def sealed_later(self, stored: str, account_id: AccountId) -> str | None:
        """Return a secret stored plain, sealed; None if it is, or if no key can be had here."""

    def matching_steps(self, secret: str, code: str, now: datetime) -> list[int]:
        """Return the time steps, the present one and its neighbours, whose code this is."""


class Directory(Protocol):
    """The office's own register of people; it proves who somebody is, and gives no right."""

    async def proves(self, name: str, password: str | None) -> bool:
        """Tell whether this is the password of somebody whom the directory lets in.

        None looks the name up and is no. Raises ``DirectoryUnavailable``.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptKeys:
    """Under what an attempt is counted: hashes, so that no login of nobody's is kept."""

    pair: str
    account: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was used up by a successful attempt; each of it counts once."""

    totp_step: int | None = None
    recovery_sha256: str | None = None
    new_hash: str | None = None
    """The password under the parameters in force, when the stored hash is outdated."""
    new_totp: str | None = None
    """The second factor's secret, sealed, when it was stored plain."""


class AccountStore(Protocol):
    """Accounts, sessions and attempts."""

    async def reserve_attempt(self, keys: AttemptKeys, now: datetime) -> timedelta:
        """Count an attempt before it is tried, or return how long it has to wait.

        Any number of attempts at once are counted one after the other: zero comes back exactly
        as often as the rule allows.
        """

    async def by_login(self, login: str) -> tuple[Account, Credentials] | None:
        """Return an account with its secrets."""

    async def by_id(self, account_id: AccountId) -> tuple[Account, Credentials] | None:
        """Return an account with its secrets."""

    async def accounts(self) -> Sequence[Account]:
        """Return every account, disabled ones too, by login."""

    async def add(self, account: Account, credentials: Credentials, events: Events) -> bool:
        """Add an account; False if the login is taken."""

    async def set_password(
        self,
        account_id: AccountId,
        password_hash: str,
        *,
        at: datetime,
        must_change: bool,
        keep: SessionId | None,
        events: Events,
    ) -> None:
        """Set the password and end every session but ``keep``."""

    async def set_totp(
        self,
        account_id: AccountId,
        secret: str | None,
        *,
        since: datetime | None,
        last_step: int | None,
        recovery_sha256: Sequence[str],
        keep: SessionId | None,
        events: Events,
    ) -> None:
        """Set or take away the second factor, replace the recovery codes.

        Ends every session but ``keep`` once the factor is in force or is taken away.
        """

    async def set_roles(
        self, account_id: AccountId, roles: frozenset[Role], *, at: datetime, events: Events
    ) -> None:
        """Set the roles and end every session."""

    async def set_disabled(
        self, account_id: AccountId, *, disabled_at: datetime | None, at: datetime, events: Events
    ) -> None:
        """Disable, which ends every session, or enable again."""

    async def set_extension(self, account_id: AccountId, extension: str, events: Events) -> None:
        """Note at which telephone the person answers; empty = at none that is known."""

    async def set_link(
        self,
        account_id: AccountId,
        link: Link | None,
        *,
        password_hash: str,
        must_change: bool,
        at: datetime,
        events: Events,
    ) -> bool:
        """Say who keeps the password, replace the one here, end every session.

        False if another account is linked to the same person there.
        """

    async def linked(self, link: Link) -> tuple[Account, Credentials] | None:
        """Return the account that is linked so."""

    async def open_session(
        self,
        session: Session,
        token_sha256: str,
        *,
        proof: Proof,
        keys: AttemptKeys,
        events: Events,
    ) -> bool:
        """Use the proof up, forget the failed attempts, open the session: all or nothing.

        False if the proof was used up by another attempt meanwhile, or the account was disabled.
        """

    async def refresh_session(
        self,
        session_id: SessionId,
        *,
        proof: Proof,
        keys: AttemptKeys,
        at: datetime,
        events: Events,
    ) -> bool:
        """Note that password and second factor were proved again; False as above."""

    async def session(self, token_sha256: str) -> tuple[Session, Account] | None:
        """Return the session of a token, ended ones too."""

    async def touch(self, session_id: SessionId, at: datetime) -> None:
        """Note the last use of a session."""

    async def end_session(
        self, session_id: SessionId, *, why: Ended, at: datetime, events: Events
    ) -> None:
        """End one session. Ending what has ended is a success."""

    async def keep_first_token(
        self, sha256: str, *, now: datetime, expires_at: datetime, events: Events
    ) -> bool:
        """Keep the one token that counts, voiding any other; False once there is an account."""

    async def add_first(
        self,
        token_sha256: str,
        account: Account,
        credentials: Credentials,
        *,
        now: datetime,
        events: Events,
    ) -> FirstTokenProblem | None:
        """Use the token up and add the first account; of two at once one wins."""

    async def note(self, events: Events) -> None:
        """Write entries that change nothing else: refusals."""
