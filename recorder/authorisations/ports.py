"""What the register of authorisations needs from the world, as small promises.

Every change writes the trail's entries in its own transaction, or does not happen (RG.15).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from recorder.accounts.model import AccountId
from recorder.audit.event import AuditEvent
from recorder.authorisations.model import Authorisation, AuthorisationId, ContractorAccess, Scan

Events = Sequence[AuditEvent]


class Papers(Protocol):
    """The register (§ 8.1)."""

    async def propose(self, authorisation: Authorisation, events: Events) -> None:
        """Enter a proposal, which has no number."""

    async def grant(
        self,
        authorisation_id: AuthorisationId,
        *,
        by: AccountId,
        at: datetime,
        year: int,
        events: Events,
    ) -> int | None:
        """Give the proposal its number, gapless in its year; None if it is decided already."""

    async def refuse(
        self, authorisation_id: AuthorisationId, *, at: datetime, events: Events
    ) -> bool:
        """Refuse a proposal; False if it is decided already."""

    async def revoke(
        self, authorisation_id: AuthorisationId, *, by: AccountId, at: datetime, events: Events
    ) -> bool:
        """Revoke a granted one; False if it is revoked already or was never granted."""

    async def review(
        self, authorisation_id: AuthorisationId, *, at: datetime, events: Events
    ) -> None:
        """Note that somebody said that it is still needed."""

    async def get(self, authorisation_id: AuthorisationId) -> Authorisation | None:
        """Return one, or None."""

    async def numbered(self, year: int, number: int) -> Authorisation | None:
        """Return one by the number people use, or None."""

    async def of(self, account_id: AccountId) -> Sequence[Authorisation]:
        """Return everything ever granted or proposed to a person. Read at every request."""

    async def all(self) -> Sequence[Authorisation]:
        """Return the whole register, proposals first, then by number, newest first."""

    async def attach(self, scan: Scan, events: Events) -> None:
        """Enter a signed scan."""

    async def scans(self, authorisation_id: AuthorisationId) -> Sequence[Scan]:
        """Return the scans of one authorisation."""

    async def scanned(self, ids: Collection[AuthorisationId]) -> Collection[AuthorisationId]:
        """Return which of these authorisations have a scan."""

    async def reasons(self, ids: Collection[AuthorisationId]) -> Mapping[AuthorisationId, str]:
        """Return why each of these was revoked, as far as the trail still keeps it."""

    async def note(self, events: Events) -> None:
        """Write entries about an act that changes no row. Raises ``TrailUnavailable``."""


class Scans(Protocol):
    """The files of signed scans, under ids of ours (RG.7)."""

    async def store(self, scan_id: UUID, content: bytes) -> None:
        """Keep a file, private; durable when this returns."""

    async def read(self, scan_id: UUID) -> bytes | None:
        """Return a file, or None."""


class ContractorAccesses(Protocol):
    """Openings for faults (R6.3c)."""

    async def open(self, access: ContractorAccess, events: Events) -> None:
        """Enter an opening; an earlier one of the same account is closed."""

    async def close(self, account_id: AccountId, *, at: datetime, events: Events) -> bool:
        """Close what is open, and end the account's sessions; False if nothing was."""

    async def note(self, *, at: datetime, events: Events) -> int:
        """Mark every opening not noted before; return how many. None leaves no entry."""

    async def accesses_of(self, account_id: AccountId) -> Sequence[ContractorAccess]:
        """Return every opening of one account, newest first."""

    async def accesses(self) -> Sequence[ContractorAccess]:
        """Return every opening, newest first."""
