"""Erasing by hand: an authorised person decides, a second one confirms (§ 7.2, R7.2f)."""

from collections.abc import Callable
from uuid import UUID

from recorder.approvals.model import Action, Approval, ApprovalId, signature
from recorder.approvals.ports import Approvals
from recorder.approvals.proposing import propose, require_second_person
from recorder.audit.event import Actor
from recorder.erasure.service import Eraser
from recorder.errors import RuleViolation
from recorder.model import RecordingId
from recorder.ports import Clock


class ErasureByHand:
    """Takes the decision of one person or two to the same path as the purge."""

    def __init__(
        self,
        *,
        eraser: Eraser,
        approvals: Approvals,
        clock: Clock,
        new_id: Callable[[], UUID],
        four_eyes: bool,
    ) -> None:
        self._eraser = eraser
        self._approvals = approvals
        self._clock = clock
        self._new_id = new_id
        self.four_eyes = four_eyes

    async def ask(self, recording_id: RecordingId, *, reason: str, actor: Actor) -> Approval | bool:
        """Erase, or propose to where the office wants four eyes.

        Returns the proposal; else True when the recording is gone, False if the next run
        finishes it. Raises ``RuleViolation`` when it may not be erased.
        """
        if not reason.strip():
            raise RuleViolation("erasing by hand needs a reason (R7.2f)")
        await self._eraser.require_erasable(recording_id)
        if not self.four_eyes:
            return await self._eraser.erase_by_hand(
                recording_id, actor=actor, reason=reason, approval=None
            )
        now = self._clock.now()
        approval = Approval(
            id=ApprovalId(self._new_id()),
            action=Action.ERASE_BY_HAND,
            subject=recording_id,
            proposed_by=signature(actor),
            proposed_at=now,
            reason=reason,
            reference="",
        )
        return await propose(self._approvals, approval, actor=actor, now=now)

    async def confirm(self, approval: Approval, *, actor: Actor) -> bool:
        """Erase what another person proposed to erase. Raises ``RuleViolation``."""
        require_second_person(approval, actor=actor, now=self._clock.now())
        return await self._eraser.erase_by_hand(
            RecordingId(approval.subject), actor=actor, reason=approval.reason, approval=approval
        )
