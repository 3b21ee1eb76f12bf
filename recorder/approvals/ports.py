"""What acts of two persons need from the outside world."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from recorder.approvals.model import Action, Approval, ApprovalId
from recorder.audit.event import Actor


class Approvals(Protocol):
    """Proposals that wait for a second person. Raises ``LedgerUnavailable``."""

    async def propose(self, approval: Approval, *, actor: Actor) -> bool:
        """Write a proposal down, with its entry. False if one waits for the same thing."""

    async def get(self, approval_id: ApprovalId) -> Approval | None:
        """Return one proposal, None if there is none."""

    async def waiting(self) -> Sequence[Approval]:
        """Return what waits, oldest first."""

    async def waiting_for(self, action: Action, subject: UUID) -> Approval | None:
        """Return what waits for this very thing."""

    async def refuse(self, approval_id: ApprovalId, *, actor: Actor, at: datetime) -> bool:
        """Answer no, with its entry. False if it is answered already."""
