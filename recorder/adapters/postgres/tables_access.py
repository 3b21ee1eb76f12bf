"""The tables of accounts, sessions, authorisations and workstations."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from recorder.adapters.postgres.tables import Base


class AccountTable(Base):
    """One person's account (R8.1d)."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("signs_in_by IN ('local', 'ldap', 'oidc')", name="signs_in_by_known"),
        CheckConstraint(
            "(signs_in_by = 'local') = (subject IS NULL) AND (subject IS NULL) = (issuer IS NULL)",
            name="linked_in_full",
        ),
        UniqueConstraint("signs_in_by", "issuer", "subject"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    post: Mapped[str]
    roles: Mapped[list[Any]]
    created_at: Mapped[datetime]
    password_hash: Mapped[str]
    password_set_at: Mapped[datetime]
    must_change_password: Mapped[bool]
    totp_secret: Mapped[str | None]
    totp_since: Mapped[datetime | None]
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)
    disabled_at: Mapped[datetime | None]
    signs_in_by: Mapped[str] = mapped_column(server_default="local")
    issuer: Mapped[str | None]
    subject: Mapped[str | None]
    extension: Mapped[str] = mapped_column(server_default="")


class RecoveryCodeTable(Base):
    """One-time codes in place of a lost second factor, by their hash."""

    __tablename__ = "recovery_code"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[datetime | None]


class SessionTable(Base):
    """Who is signed in; of the token only its hash."""

    __tablename__ = "session"
    __table_args__ = (
        Index(
            "ix_session_account_id_open", "account_id", postgresql_where=text("ended_at IS NULL")
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    source: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    fresh_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ending: Mapped[str | None]


class SignInThrottleTable(Base):
    """Attempts to sign in, counted under hashes of login and address."""

    __tablename__ = "sign_in_throttle"

    key: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]


class BegunSignInTable(Base):
    """A sign-in that waits for the OpenID provider, or after it for a code; minutes long."""

    __tablename__ = "begun_sign_in"

    state_sha256: Mapped[str] = mapped_column(primary_key=True)
    browser_sha256: Mapped[str]
    nonce: Mapped[str]
    verifier: Mapped[str]
    next_path: Mapped[str]
    begun_at: Mapped[datetime]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class FirstRunTokenTable(Base):
    """The token with which the first administrator is made; its hash alone."""

    __tablename__ = "first_run_token"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AuthorisationTable(Base):
    """The register of authorisations (§ 8.1, annex 1)."""

    __tablename__ = "authorisation"
    __table_args__ = (
        UniqueConstraint("year", "number"),
        CheckConstraint("(granted_at IS NULL) = (number IS NULL)", name="numbered_once_granted"),
        CheckConstraint("(year IS NULL) = (number IS NULL)", name="number_in_a_year"),
        CheckConstraint(
            "proposed_by <> account_id AND granted_by <> account_id", name="not_to_himself"
        ),
        CheckConstraint("valid_from < valid_until", name="period_runs_forward"),
        Index("ix_authorisation_account_id", "account_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    year: Mapped[int | None]
    number: Mapped[int | None]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]
    post: Mapped[str]
    roles: Mapped[list[Any]]
    lines: Mapped[list[Any] | None]
    recording_id: Mapped[UUID | None]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[datetime]
    granted_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    granted_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    revoked_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]


class AuthorisationNumberTable(Base):
    """The last number given in a year; its row is the lock that keeps numbers gapless."""

    __tablename__ = "authorisation_number"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class AuthorisationScanTable(Base):
    """Signed scans, by hash; the files lie outside the database."""

    __tablename__ = "authorisation_scan"
    __table_args__ = (Index("ix_authorisation_scan_authorisation_id", "authorisation_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    authorisation_id: Mapped[UUID] = mapped_column(ForeignKey("authorisation.id"))
    kind: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[datetime]
    added_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))


class ContractorAccessTable(Base):
    """One opening for one fault (R6.3c)."""

    __tablename__ = "contractor_access"
    __table_args__ = (
        # max. 8 hours, whatever a program believes
        CheckConstraint("until - opened_at <= interval '8 hours'", name="eight_hours"),
        Index("ix_contractor_access_account_id", "account_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    contract: Mapped[str]
    reason: Mapped[str]
    opened_at: Mapped[datetime]
    until: Mapped[datetime]
    opened_by: Mapped[str]
    closed_at: Mapped[datetime | None]
    noted_at: Mapped[datetime | None]


class WorkstationTable(Base):
    """Networks from which the application may be used (§ 6.2)."""

    __tablename__ = "workstation"
    __table_args__ = (
        Index(
            "ix_workstation_network_listed",
            "network",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    network: Mapped[str]
    name: Mapped[str]
    place: Mapped[str]
    added_at: Mapped[datetime]
    added_by: Mapped[str]
    removed_at: Mapped[datetime | None]
