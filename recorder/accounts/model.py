"""The nouns of accounts and sessions. Names and posts are personal data."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

AccountId = NewType("AccountId", UUID)
"""UUIDv7 of an account; what the audit trail calls a person."""

SessionId = NewType("SessionId", UUID)
"""UUIDv7 of a session; no secret, unlike its token."""


class Role(StrEnum):
    """What a person does in the office (R6.3a). A right to audio needs an authorisation too."""

    REGISTRY_CLERK = "registry_clerk"
    """REJ: takes requests in (Biuro Podawcze, § 7.4)."""
    LISTENER = "listener"
    """ODS: listens for a purpose (§ 6.3)."""
    COPY_MAKER = "copy_maker"
    """KOP: makes, marks and registers copies (§ 7.6)."""
    ADMINISTRATOR = "administrator"
    """ADM: the Director or a delegate; grants, decides, never listens by this role."""
    DPO = "dpo"
    """IOD: reads the evidence."""
    SYSADMIN = "sysadmin"
    """SYS: keeps the machine going; hears and reads nothing (R6.3e)."""
    CONTRACTOR = "contractor"
    """SER: sees that the machine works, while a fault is open (R6.3b, R6.3c)."""


class SignsInBy(StrEnum):
    """Who keeps the password of an account. Roles are given here, whoever keeps it."""

    LOCAL = "local"
    LDAP = "ldap"
    """The office's directory; the account holds the name that the directory knows."""
    OIDC = "oidc"
    """An OpenID provider; the account holds its issuer and subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What an account is called where its password is kept. Personal data."""

    by: SignsInBy
    subject: str
    """Its name in the directory, or the provider's subject."""
    issuer: str = ""
    """The provider; empty for a directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One person's account (R8.1d). Login, name and post are personal data."""

    id: AccountId
    login: str
    name: str
    post: str
    roles: frozenset[Role]
    created_at: datetime
    password_set_at: datetime
    must_change_password: bool
    """The password came from somebody else: it lets its owner change it and nothing more."""
    totp_since: datetime | None = None
    """Since when a code is asked for; None = no second factor."""
    disabled_at: datetime | None = None
    link: Link | None = None
    """None = its password is kept here."""
    extension: str = ""
    """The telephone at which the person answers; empty = not known, so no call is their own."""

    @property
    def signs_in_by(self) -> SignsInBy:
        """Who keeps its password."""
        return self.link.by if self.link else SignsInBy.LOCAL


class SessionKind(StrEnum):
    """Where a session lives."""

    WEB = "web"
    PROMPT = "prompt"


class Ended(StrEnum):
    """Why a session is over."""

    SIGNED_OUT = "signed_out"
    IDLE = "idle"
    TOO_OLD = "too_old"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason, no password
    SECOND_FACTOR_CHANGED = "second_factor_changed"
    ROLES_CHANGED = "roles_changed"
    ACCOUNT_DISABLED = "account_disabled"
    LINK_CHANGED = "link_changed"
    RESTORED = "restored"
    """It came back with a backup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in stretch. Its token is known to the person's browser alone."""

    id: SessionId
    account_id: AccountId
    kind: SessionKind
    source: str
    """The effective client address at sign-in."""
    created_at: datetime
    seen_at: datetime
    fresh_at: datetime
    """When password and second factor were last proved."""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What proves that a person is the account's. Secrets: never printed, never logged."""

    password_hash: str
    totp_secret: str | None = None
    """As stored: sealed, or plain where there is no master key (`CodeBook.opened`). Set but not
    confirmed while ``Account.totp_since`` is None."""
    totp_last_step: int | None = None
    """The last time step whose code was taken: a code counts once (R8.1d)."""
