"""What the allow-list needs from the world."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from recorder.audit.event import AuditEvent
from recorder.workstations.model import Workstation


class Workstations(Protocol):
    """The list (§ 6.2). Each change writes the trail's entries, or does not happen."""

    async def add(self, workstation: Workstation, events: Sequence[AuditEvent]) -> bool:
        """Enter a network; False if it is on the list."""

    async def remove(
        self, workstation_id: UUID, *, at: datetime, events: Sequence[AuditEvent]
    ) -> bool:
        """Take a network off the list; False if it is not on it."""

    async def listed(self) -> Sequence[Workstation]:
        """Return what is on the list now. Read at every request."""
