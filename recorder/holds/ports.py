"""What keeping longer needs from the outside world."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from recorder.approvals.model import Approval
from recorder.audit.event import Actor
from recorder.holds.model import Ending, Hold, HoldId
from recorder.holds.rules import Placing
from recorder.model import RecordingId


class Holds(Protocol):
    """The rows about holds; each change with its entry in the audit trail, in one transaction.

    Raises ``LedgerUnavailable``; an answer is always whole, never part of the truth.
    """

    async def place(self, holds: Sequence[Hold], *, actor: Actor) -> Mapping[RecordingId, Placing]:
        """Place holds under the lock of each recording, so that a purge sees all or none.

        Recordings that may not be held are answered with the reason; the others are held.
        """

    async def get(self, hold_id: HoldId) -> Hold | None:
        """Return one hold, None if there is none."""

    async def standing(self) -> Sequence[Hold]:
        """Return every hold that stands, the next review first."""

    async def confirm(
        self, hold_id: HoldId, *, review_by: datetime, reason: str, actor: Actor, at: datetime
    ) -> bool:
        """Keep a standing hold on, until its next review; a provisional one becomes a real one.

        False if it does not stand any more.
        """

    async def end(
        self,
        hold_id: HoldId,
        *,
        ending: Ending,
        reason: str,
        reference: str,
        actor: Actor,
        at: datetime,
        approval: Approval | None,
    ) -> bool:
        """End a hold, and answer ``approval`` with it. False if one of them is over already.

        A lapse ends only what lapses by ``at``: it may have been reviewed since it was found.
        """
