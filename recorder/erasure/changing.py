"""Changing the retention: it may erase, so one person proposes and another confirms (R7.2c)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from recorder.approvals.model import THE_OFFICE, Action, Approval, ApprovalId, signature
from recorder.approvals.ports import Approvals
from recorder.approvals.proposing import propose, require_second_person
from recorder.audit.event import Actor
from recorder.erasure import rules
from recorder.erasure.coming import SHOWN_DAYS
from recorder.erasure.effect import Effect
from recorder.erasure.model import RetentionChange
from recorder.erasure.ports import PurgeLog
from recorder.erasure.rules import NoChange, RetentionInForce
from recorder.erasure.service import Eraser
from recorder.errors import RuleViolation
from recorder.ports import Clock

SHOWN_CHANGES = 50
SAYS = {
    NoChange.OUT_OF_BOUNDS: "{days} days: from 1 to 30 (§ 7.2)",
    NoChange.ABOVE_THE_FILE: (
        "{days} days are more than regulation.toml says ({configured}), and callers are told "
        "those: raise them there, and they hold at once"
    ),
    NoChange.IN_FORCE: "{days} days are in force already",
}


class EffectGrew(RuleViolation):
    """More recordings would go than the person was shown; carries what would go now."""

    def __init__(self, *, seen: int, effect: Effect) -> None:
        super().__init__(
            f"{seen} recordings were shown to go at once, {effect.at_once} would go now: look again"
        )
        self.effect = effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A proposal that waits, with the numbers that its proposer saw."""

    approval: Approval
    from_days: int
    to_days: int
    at_once: int
    held: int


def proposed(approval: Approval) -> Proposed:
    """Read a proposal of this kind. The numbers are frozen: they are what was proposed."""
    found = {name: int(approval.wanted[name]) for name in ("from_days", "to_days")}
    counts = {name: int(approval.wanted[name]) for name in ("at_once", "held")}
    return Proposed(approval=approval, **found, **counts)


class RetentionDesk:
    """The one path on which a person changes the days: of the prompt, the API and the page."""

    def __init__(
        self,
        *,
        eraser: Eraser,
        purge_log: PurgeLog,
        approvals: Approvals,
        clock: Clock,
        new_id: Callable[[], UUID],
        four_eyes: bool,
    ) -> None:
        self._eraser = eraser
        self._purge_log = purge_log
        self._approvals = approvals
        self._clock = clock
        self._new_id = new_id
        self.four_eyes = four_eyes

    async def in_force(self) -> RetentionInForce:
        """Return what holds, and what regulation.toml says."""
        return await self._eraser.retention()

    async def waiting(self) -> Proposed | None:
        """Return what somebody proposed and nobody has answered."""
        found = await self._approvals.waiting_for(Action.CHANGE_RETENTION, THE_OFFICE)
        return None if found is None else proposed(found)

    async def changes(self) -> Sequence[RetentionChange]:
        """Return the changes that were made, newest first."""
        return await self._purge_log.changes(limit=SHOWN_CHANGES)

    async def effect(self, days: int) -> Effect:
        """Return what so many days would do. Looks at every recording that is there.

        Raises ``RuleViolation`` for days that may not be set.
        """
        retention = await self.in_force()
        if why := rules.problem_of_change(days, in_force=retention):
            raise RuleViolation(SAYS[why].format(days=days, configured=retention.configured))
        return await self._eraser.effect(days, from_days=retention.days, days_shown=SHOWN_DAYS)

    async def ask(self, days: int, *, reason: str, seen: int, actor: Actor) -> Approval | None:
        """Propose so many days; None where the office wants one person: they hold now.

        ``seen`` is how many recordings the person was shown to go at once. Raises
        ``RuleViolation``, and ``EffectGrew`` when more would go by now.
        """
        if not reason.strip():
            raise RuleViolation("changing the retention needs a reason (R7.2c)")
        effect = await self._effect(days, seen=seen)
        if not self.four_eyes:
            await self._apply(effect, reason=reason.strip(), actor=actor, approval=None)
            return None
        now = self._clock.now()
        approval = Approval(
            id=ApprovalId(self._new_id()),
            action=Action.CHANGE_RETENTION,
            subject=THE_OFFICE,
            proposed_by=signature(actor),
            proposed_at=now,
            reason=reason.strip(),
            reference="",
            wanted={
                "from_days": effect.from_days,
                "to_days": effect.to_days,
                "at_once": effect.at_once,
                "held": effect.held,
            },
        )
        return await propose(self._approvals, approval, actor=actor, now=now)

    async def confirm(self, approval: Approval, *, seen: int | None, actor: Actor) -> Effect:
        """Put in force what another person proposed; return what the next run does.

        ``seen`` is what this person was shown to go at once; None = the number of the proposal.
        Raises ``RuleViolation``, and ``EffectGrew`` when more would go by now.
        """
        require_second_person(approval, actor=actor, now=self._clock.now())
        asked = proposed(approval)
        effect = await self._effect(asked.to_days, seen=asked.at_once if seen is None else seen)
        if effect.from_days != asked.from_days:
            raise RuleViolation(
                f"{asked.from_days} days held when it was proposed, {effect.from_days} hold now: "
                "refuse the proposal and propose anew"
            )
        await self._apply(effect, reason=approval.reason, actor=actor, approval=approval)
        return effect

    async def _effect(self, days: int, *, seen: int) -> Effect:
        # What the file raised holds already: it is written down before anything begins from it.
        await self._eraser.settle()
        effect = await self.effect(days)
        if effect.at_once > seen:
            raise EffectGrew(seen=seen, effect=effect)
        return effect

    async def _apply(
        self, effect: Effect, *, reason: str, actor: Actor, approval: Approval | None
    ) -> None:
        change = RetentionChange(
            at=self._clock.now(),
            from_days=effect.from_days,
            to_days=effect.to_days,
            proposed_by="" if approval is None else approval.proposed_by,
            decided_by=signature(actor),
            reason=reason,
            at_once=effect.at_once,
            held=effect.held,
        )
        written = (await self.in_force()).configured
        if not await self._purge_log.apply(change, written=written, actor=actor, approval=approval):
            raise RuleViolation("the proposal was answered, or the days were changed, meanwhile")
