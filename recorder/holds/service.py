"""Places, reviews and lifts holds; each act names a person, and its entry goes with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from recorder.approvals.model import Action, Approval, ApprovalId, signature
from recorder.approvals.ports import Approvals
from recorder.approvals.proposing import propose, require_second_person
from recorder.audit.event import Actor
from recorder.errors import NotFound, RuleViolation
from recorder.holds import rules
from recorder.holds.model import BatchId, Ending, Ground, Hold, HoldId
from recorder.holds.ports import Holds
from recorder.holds.rules import Placing
from recorder.model import RecordingId
from recorder.ports import Clock


class HoldKeeper:
    """Keeps recordings from being erased, for a ground, until a person lets them go."""

    def __init__(
        self,
        *,
        holds: Holds,
        approvals: Approvals,
        clock: Clock,
        new_id: Callable[[], UUID],
        four_eyes: bool,
    ) -> None:
        self._holds = holds
        self._approvals = approvals
        self._clock = clock
        self._new_id = new_id
        self._four_eyes = four_eyes

    async def place(
        self,
        recordings: Sequence[RecordingId],
        *,
        ground: Ground,
        reference: str,
        reason: str,
        actor: Actor,
        review_days: int,
        provisional: bool,
    ) -> tuple[BatchId, Mapping[RecordingId, Placing]]:
        """Hold these recordings, in one act; answer for each whether it is held (R7.3a, R7.3h).

        Raises ``RuleViolation`` when a reference, a reason or a fitting review is missing.
        """
        now = self._clock.now()
        _require(reference=reference, reason=reason)
        review_by = self._review_by(now, review_days)
        batch = BatchId(self._new_id())
        holds = [
            Hold(
                id=HoldId(self._new_id()),
                recording_id=each,
                batch_id=batch,
                ground=ground,
                reference=reference,
                reason=reason,
                placed_by=signature(actor),
                placed_at=now,
                review_by=now + rules.PROVISIONAL if provisional else review_by,
                lapses_at=now + rules.PROVISIONAL if provisional else None,
            )
            for each in dict.fromkeys(recordings)
        ]
        return batch, await self._holds.place(holds, actor=actor)

    def require_within_retention(
        self, day: date, *, retention_days: int, office_zone: ZoneInfo
    ) -> None:
        """Refuse a search for what can not be there any more. Raises ``RuleViolation`` (R7.3h)."""
        now = self._clock.now()
        if not rules.may_still_exist(
            day, now=now, retention_days=retention_days, office_zone=office_zone
        ):
            raise RuleViolation(
                f"recordings of {day} are older than {retention_days} days: name those that "
                "other holds have kept by their ids"
            )

    async def review(self, hold_id: HoldId, *, reason: str, actor: Actor, review_days: int) -> Hold:
        """Keep a hold on, with a reason, until its next review; a provisional one becomes real."""
        now = self._clock.now()
        _require(reason=reason)
        hold = await self._standing(hold_id)
        review_by = self._review_by(now, review_days)
        kept = await self._holds.confirm(
            hold_id, review_by=review_by, reason=reason, actor=actor, at=now
        )
        if not kept:
            raise RuleViolation("the hold has ended meanwhile")
        return replace(hold, review_by=review_by, reviewed_at=now, lapses_at=None)

    async def lift(
        self, hold_id: HoldId, *, reason: str, reference: str, actor: Actor
    ) -> Approval | None:
        """Lift a hold, or propose to, where the office wants four eyes (R7.3e).

        Returns the proposal that a second person must confirm, None when the hold is lifted.
        Raises ``RuleViolation``.
        """
        now = self._clock.now()
        _require(reason=reason, reference=reference)
        await self._standing(hold_id)
        if not self._four_eyes:
            await self._end(hold_id, reason=reason, reference=reference, actor=actor, approval=None)
            return None
        return await propose(
            self._approvals,
            Approval(
                id=ApprovalId(self._new_id()),
                action=Action.LIFT_HOLD,
                subject=hold_id,
                proposed_by=signature(actor),
                proposed_at=now,
                reason=reason,
                reference=reference,
            ),
            actor=actor,
            now=now,
        )

    async def confirm_lifting(self, approval: Approval, *, actor: Actor) -> None:
        """Lift what another person proposed to lift. Raises ``RuleViolation``."""
        require_second_person(approval, actor=actor, now=self._clock.now())
        await self._end(
            HoldId(approval.subject),
            reason=approval.reason,
            reference=approval.reference,
            actor=actor,
            approval=approval,
        )

    async def end_lapsed(self, *, actor: Actor) -> int:
        """Write down the end of provisional holds whose seven days are over; return how many."""
        now = self._clock.now()
        lapsed = 0
        for hold in await self._holds.standing():
            if rules.has_lapsed(hold, now=now):
                lapsed += await self._holds.end(
                    hold.id,
                    ending=Ending.LAPSED,
                    reason="",
                    reference="",
                    actor=actor,
                    at=now,
                    approval=None,
                )
        return lapsed

    async def _standing(self, hold_id: HoldId) -> Hold:
        hold = await self._holds.get(hold_id)
        if hold is None:
            raise NotFound("no hold has this id; `recorder hold list`")
        if not rules.is_open(hold):
            raise RuleViolation("the hold has ended already")
        return hold

    async def _end(
        self,
        hold_id: HoldId,
        *,
        reason: str,
        reference: str,
        actor: Actor,
        approval: Approval | None,
    ) -> None:
        ended = await self._holds.end(
            hold_id,
            ending=Ending.LIFTED,
            reason=reason,
            reference=reference,
            actor=actor,
            at=self._clock.now(),
            approval=approval,
        )
        if not ended:
            raise RuleViolation("the hold has ended, or the proposal was answered, meanwhile")

    def _review_by(self, now: datetime, review_days: int) -> datetime:
        review_by = rules.review_date(now=now, days=review_days)
        if review_by is None:
            longest = rules.LONGEST_REVIEW.days
            raise RuleViolation(f"a hold is reviewed after 1 to {longest} days (R7.3d)")
        return review_by


def _require(**given: str) -> None:
    missing = [name for name, value in given.items() if not value.strip()]
    if missing:
        raise RuleViolation(f"a hold needs a {' and a '.join(missing)} (R7.3a, R7.3e)")
