"""The nouns of the register of authorisations. Names, posts and reasons are personal data."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from recorder.accounts.model import AccountId, Role

AuthorisationId = NewType("AuthorisationId", UUID)
"""UUIDv7 of an authorisation; people know it by its number."""


class Standing(StrEnum):
    """Where an authorisation stands at an instant. Derived, never stored."""

    PROPOSED = "proposed"
    """It waits for a second administrator; it gives no right."""
    REFUSED = "refused"
    """The second administrator said no."""
    FUTURE = "future"
    VALID = "valid"
    ENDED = "ended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """One entry of the register (§ 8.1, annex 1; R8.1a)."""

    id: AuthorisationId
    year: int | None
    number: int | None
    """With ``year`` the number people use, 7/2026; None while it is proposed."""
    account_id: AccountId
    name: str
    """The person's name on the day of the grant; an account may be renamed later."""
    post: str
    roles: frozenset[Role]
    """What the person may do with recordings."""
    lines: tuple[str, ...] | None
    """The office's numbers it covers; None = all."""
    recording_id: UUID | None
    """One recording alone: the DPO's, for one audit."""
    valid_from: datetime
    valid_until: datetime
    proposed_by: AccountId
    proposed_at: datetime
    granted_by: AccountId | None = None
    granted_at: datetime | None = None
    refused_at: datetime | None = None
    revoked_by: AccountId | None = None
    revoked_at: datetime | None = None
    reviewed_at: datetime | None = None
    """When an administrator last said that it is still needed."""

    @property
    def label(self) -> str:
        """The number as people write it; empty while there is none."""
        return f"{self.number}/{self.year}" if self.number is not None else ""


class ScanKind(StrEnum):
    """What a signed scan may be, told by its content."""

    PDF = "pdf"
    PNG = "png"
    JPEG = "jpeg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The signed paper behind an authorisation, by its hash."""

    id: UUID
    authorisation_id: AuthorisationId
    kind: ScanKind
    sha256: str
    size_bytes: int
    added_at: datetime
    added_by: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractorAccess:
    """One opening of the system for a fault (R6.3c). Contract and reason are free text."""

    id: UUID
    account_id: AccountId
    contract: str
    reason: str
    opened_at: datetime
    until: datetime
    opened_by: str
    closed_at: datetime | None = None
    """Closed by hand before ``until``."""
    noted_at: datetime | None = None
    """When the DPO took note of it; None = not yet."""
