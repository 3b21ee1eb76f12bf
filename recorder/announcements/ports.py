"""What changing an announcement needs from the outside world."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from recorder.announcements.rules import Damage, Sound
from recorder.approvals.model import Approval, ApprovalId
from recorder.audit.event import Actor
from recorder.model import Announcement, AnnouncementId, Layer
from recorder.ports import Announcements


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A confirmed change that is to be carried out, or was."""

    id: ApprovalId
    announcement_id: AnnouncementId
    proposed_by: str
    decided_by: str
    decided_at: datetime
    active_from: datetime | None
    """None = at once."""
    done_at: datetime | None = None
    """None = not yet."""
    problem: str = ""
    """Why it could not be done; empty when it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A version with its sound, as it waits in the database."""

    announcement: Announcement
    samples: bytes = field(repr=False)


class Catalogue(Announcements, Protocol):
    """Where the versions are kept. Raises ``Unavailable`` when it cannot be written."""

    def activations(self) -> Sequence[Announcement]:
        """Return each version once for every time it was activated."""

    def add(
        self,
        sound: Sound,
        *,
        layer: Layer,
        language: str,
        text: str,
        at: datetime,
        announcement_id: AnnouncementId | None = None,
    ) -> Announcement:
        """Keep a sound as a version; the same sound twice is one, restored if damaged."""

    def activate(
        self,
        announcement_id: AnnouncementId,
        *,
        active_from: datetime,
        at: datetime,
        by: str = "",
        proposed_by: str = "",
    ) -> Announcement:
        """Have callers hear a version from an instant on; who had it so is kept beside it."""

    def check(self) -> list[Damage]:
        """Read everything again and return what is missing or changed."""


class AnnouncementDesk(Protocol):
    """What waits between a page and the catalogue. Raises ``LedgerUnavailable``."""

    async def keep(self, announcement: Announcement, *, samples: bytes, actor: Actor) -> None:
        """Keep an upload, with its entry."""

    async def uploads(self) -> Sequence[Announcement]:
        """Return the versions that wait, oldest first."""

    async def upload(self, announcement_id: AnnouncementId) -> Upload | None:
        """Return one with its sound, None if it does not wait."""

    async def discard(self, announcement_id: AnnouncementId, *, actor: Actor, at: datetime) -> bool:
        """Drop one, with its entry. False if it does not wait."""

    async def order(
        self, approval: Approval, *, active_from: datetime | None, actor: Actor, at: datetime
    ) -> bool:
        """Confirm a proposal and order what it says. False if it is answered already."""

    async def orders(self) -> Sequence[Order]:
        """Return the orders of the last days and all that are not carried out, oldest first."""

    async def carried_out(
        self, order: Order, *, announcement: Announcement, actor: Actor, at: datetime
    ) -> None:
        """Write down that callers hear it, with its entry; its upload waits no longer."""

    async def failed(self, order: Order, *, problem: str, actor: Actor, at: datetime) -> None:
        """Write down that it cannot be done, with its entry."""
