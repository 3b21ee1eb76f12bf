"""The world of erasing in memory: rows, files and clocks, with faults at the turn of a switch."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from recorder.approvals import events as approval_events
from recorder.approvals.model import Action, Answer, Approval, ApprovalId, signature
from recorder.audit.event import Actor, AuditEvent
from recorder.erasure import events as erasure_events
from recorder.erasure.brakes import Brake, Instant, vanished
from recorder.erasure.model import (
    Applied,
    Candidate,
    Claim,
    OpenBrake,
    RetentionChange,
    Route,
    Stage,
)
from recorder.errors import LedgerUnavailable, VaultUnavailable
from recorder.holds import events as hold_events
from recorder.holds.model import Ending, Hold, HoldId
from recorder.holds.rules import Placing, judge_placing
from recorder.model import RecordingId
from tests.builders import NOON


class Died(Exception):
    """The process ended here."""


class FakeWitness:
    """A machine whose clocks agree, unless moved apart."""

    def __init__(self) -> None:
        self.instant = Instant(at=NOON, boot_id="boot", boot_s=1000.0)
        self.kept = True

    def read(self) -> Instant:
        return self.instant

    def synchronised(self) -> bool:
        return self.kept

    def pass_by(self, time: timedelta) -> None:
        self.instant = replace(
            self.instant,
            at=self.instant.at + time,
            boot_s=self.instant.boot_s + time.total_seconds(),
        )


@dataclass
class FakeRows:
    """Recordings, holds, approvals and the trail; ``away`` = PostgreSQL does not answer."""

    recordings: dict[RecordingId, Candidate] = field(default_factory=dict)
    claims: dict[RecordingId, Claim] = field(default_factory=dict)
    tombstones: dict[RecordingId, datetime] = field(default_factory=dict)
    holds: dict[HoldId, Hold] = field(default_factory=dict)
    approvals: dict[ApprovalId, Approval] = field(default_factory=dict)
    failures: dict[RecordingId, str] = field(default_factory=dict)
    applied: Applied | None = None
    changes: list[RetentionChange] = field(default_factory=list)
    trail: list[AuditEvent] = field(default_factory=list)
    away: bool = False
    holds_fail: bool = False
    """P3: the question for holds alone fails."""

    def answer(self) -> None:
        if self.away:
            raise LedgerUnavailable("PostgreSQL does not answer")

    @property
    def actions(self) -> list[str]:
        return [each.action for each in self.trail]

    def standing(self, ids: Collection[RecordingId]) -> list[Hold]:
        return [
            each
            for each in self.holds.values()
            if each.ended_at is None and each.recording_id in ids
        ]


class FakeErasures:
    def __init__(self, rows: FakeRows, *, actor: Actor) -> None:
        self._rows = rows
        self._actor = actor

    async def candidates(
        self, *, ended_before: datetime, after: Candidate | None, limit: int
    ) -> Sequence[Candidate]:
        self._rows.answer()
        place = None if after is None else (after.ended_at, after.id)
        found = sorted(
            (
                each
                for each in self._rows.recordings.values()
                if each.stage is Stage.KEPT
                and each.ended_at < ended_before
                and (place is None or (each.ended_at, each.id) > place)
            ),
            key=lambda each: (each.ended_at, each.id),
        )
        return found[:limit]

    async def half_erased(self, *, after: RecordingId | None, limit: int) -> Sequence[Candidate]:
        self._rows.answer()
        found = sorted(
            (
                each
                for each in self._rows.recordings.values()
                if each.stage is Stage.ERASING and (after is None or each.id > after)
            ),
            key=lambda each: each.id,
        )
        return found[:limit]

    async def get(self, recording_id: RecordingId) -> Candidate | None:
        self._rows.answer()
        return self._rows.recordings.get(recording_id)

    async def holds_on(self, ids: Collection[RecordingId]) -> Sequence[Hold]:
        self._rows.answer()
        if self._rows.holds_fail:
            raise LedgerUnavailable("PostgreSQL does not take the statement (57014)")
        return self._rows.standing(ids)

    async def claim(
        self, ids: Collection[RecordingId], claim: Claim, *, approval: Approval | None
    ) -> frozenset[RecordingId]:
        self._rows.answer()
        applied = self._rows.applied
        if claim.route is Route.AUTOMATIC and applied and applied.days != claim.retention_days:
            return frozenset()
        held = {each.recording_id for each in self._rows.standing(ids)}
        mine = frozenset(
            each
            for each in ids
            if each not in held
            and each in self._rows.recordings
            and self._rows.recordings[each].stage is Stage.KEPT
        )
        if approval is not None and not (mine and _answer(self._rows, approval, claim)):
            return frozenset()
        for each in sorted(mine):
            self._rows.recordings[each] = replace(self._rows.recordings[each], stage=Stage.ERASING)
            self._rows.claims[each] = claim
            self._rows.trail.append(erasure_events.claimed(each, claim))
        return mine

    async def close(self, ids: Collection[RecordingId], *, at: datetime) -> int:
        self._rows.answer()
        closed = 0
        for each in sorted(ids):
            found = self._rows.recordings.get(each)
            if found is None or found.stage is not Stage.ERASING:
                continue
            del self._rows.recordings[each]
            self._rows.tombstones[each] = at
            self._rows.trail.append(
                AuditEvent(
                    action="recording:erased", at=at, actor=self._actor, subject=f"recording:{each}"
                )
            )
            closed += 1
        return closed

    async def note_failures(self, failures: Mapping[RecordingId, str], *, at: datetime) -> None:
        self._rows.answer()
        self._rows.failures |= failures


def _answer(rows: FakeRows, approval: Approval, claim: Claim) -> bool:
    return answer(rows, approval.id, Answer.CONFIRMED, actor=claim.actor, at=claim.at)


def answer(
    rows: FakeRows, approval_id: ApprovalId, said: Answer, *, actor: Actor, at: datetime
) -> bool:
    found = rows.approvals.get(approval_id)
    if found is None or found.decided_at is not None:
        return False
    decided = replace(found, answer=said, decided_by=signature(actor), decided_at=at)
    rows.approvals[approval_id] = decided
    rows.trail.append(approval_events.answered(decided, actor=actor, at=at))
    return True


class FakeApprovals:
    def __init__(self, rows: FakeRows) -> None:
        self._rows = rows

    async def propose(self, approval: Approval, *, actor: Actor) -> bool:
        self._rows.answer()
        if await self.waiting_for(approval.action, approval.subject) is not None:
            return False
        self._rows.approvals[approval.id] = approval
        self._rows.trail.append(approval_events.proposed(approval, actor=actor))
        return True

    async def get(self, approval_id: ApprovalId) -> Approval | None:
        self._rows.answer()
        return self._rows.approvals.get(approval_id)

    async def waiting(self) -> Sequence[Approval]:
        self._rows.answer()
        found = (each for each in self._rows.approvals.values() if each.decided_at is None)
        return sorted(found, key=lambda each: each.proposed_at)

    async def waiting_for(self, action: Action, subject: UUID) -> Approval | None:
        wanted = (action, subject)
        waiting = await self.waiting()
        return next((each for each in waiting if (each.action, each.subject) == wanted), None)

    async def refuse(self, approval_id: ApprovalId, *, actor: Actor, at: datetime) -> bool:
        self._rows.answer()
        return answer(self._rows, approval_id, Answer.REFUSED, actor=actor, at=at)


class FakeHolds:
    def __init__(self, rows: FakeRows) -> None:
        self._rows = rows

    async def place(self, holds: Sequence[Hold], *, actor: Actor) -> Mapping[RecordingId, Placing]:
        self._rows.answer()
        answers = {}
        for hold in holds:
            found = self._rows.recordings.get(hold.recording_id)
            placing = judge_placing(
                None if found is None else found.stage,
                has_tombstone=hold.recording_id in self._rows.tombstones,
            )
            answers[hold.recording_id] = placing
            if placing.allowed:
                self._rows.holds[hold.id] = hold
                self._rows.trail.append(hold_events.placed(hold, actor=actor))
        return answers

    async def get(self, hold_id: HoldId) -> Hold | None:
        self._rows.answer()
        return self._rows.holds.get(hold_id)

    async def standing(self) -> Sequence[Hold]:
        self._rows.answer()
        found = (each for each in self._rows.holds.values() if each.ended_at is None)
        return sorted(found, key=lambda each: (each.review_by, each.id))

    async def confirm(
        self, hold_id: HoldId, *, review_by: datetime, reason: str, actor: Actor, at: datetime
    ) -> bool:
        self._rows.answer()
        hold = self._rows.holds.get(hold_id)
        if hold is None or hold.ended_at is not None:
            return False
        kept = replace(hold, review_by=review_by, reviewed_at=at, lapses_at=None)
        self._rows.holds[hold_id] = kept
        self._rows.trail.append(hold_events.reviewed(kept, reason=reason, actor=actor, at=at))
        return True

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
        self._rows.answer()
        hold = self._rows.holds.get(hold_id)
        if hold is None or hold.ended_at is not None:
            return False
        if ending is Ending.LAPSED and (hold.lapses_at is None or hold.lapses_at > at):
            return False
        if approval is not None and not answer(
            self._rows, approval.id, Answer.CONFIRMED, actor=actor, at=at
        ):
            return False
        self._rows.holds[hold_id] = replace(
            hold,
            ended_at=at,
            ended_by=signature(actor),
            ending=ending,
            end_reference=reference,
        )
        self._rows.trail.append(
            hold_events.ended(
                hold, ending=ending, reason=reason, reference=reference, actor=actor, at=at
            )
        )
        return True


class FakePurgeLog:
    def __init__(self, rows: FakeRows, *, actor: Actor) -> None:
        self._rows = rows
        self._actor = actor
        self.instant: Instant | None = None
        self.stood: set[str] = set()
        self.open: list[OpenBrake] = []

    async def last_instant(self) -> Instant | None:
        self._rows.answer()
        return self.instant

    async def vanished_holds(self) -> Collection[str]:
        self._rows.answer()
        ended = {
            each.subject.removeprefix("hold:")
            for each in self._rows.trail
            if each.action in {"hold:lifted", "hold:lapsed"}
        }
        return vanished(stood=self.stood, stand=self._standing(), ended_in_trail=ended)

    async def brakes(self) -> Sequence[OpenBrake]:
        self._rows.answer()
        return list(self.open)

    async def put_on(self, brake: Brake, *, detail: str, at: datetime, token: str) -> OpenBrake:
        self._rows.answer()
        found = next((each for each in self.open if each.brake is brake), None)
        if found is not None and (not found.released or found.detail == detail):
            return found
        if found is not None:
            self.open.remove(found)
        new = OpenBrake(brake=brake, at=at, detail=detail, token=token, released=False)
        self.open.append(new)
        self._rows.trail.append(erasure_events.braked(brake, token=token, actor=self._actor, at=at))
        return new

    async def release(self, token: str, *, actor: Actor, at: datetime) -> OpenBrake | None:
        self._rows.answer()
        for place, each in enumerate(self.open):
            if each.token == token and not each.released:
                self.open[place] = replace(each, released=True)
                entry = erasure_events.released(each.brake, token=token, actor=actor, at=at)
                self._rows.trail.append(entry)
                return self.open[place]
        return None

    async def passed(self, instant: Instant) -> None:
        self._rows.answer()
        self.instant = instant
        self.stood = self._standing()
        orphans = Brake.MANY_ORPHANS
        self.open = [each for each in self.open if not each.released or each.brake is orphans]

    async def use_up(self, brake: Brake, *, at: datetime) -> None:
        self._rows.answer()
        self.open = [each for each in self.open if not each.released or each.brake is not brake]

    @property
    def days(self) -> int | None:
        return self._rows.applied.days if self._rows.applied else None

    @days.setter
    def days(self, days: int) -> None:
        self._rows.applied = Applied(days, days)

    async def applied(self) -> Applied | None:
        self._rows.answer()
        return self._rows.applied

    async def note_written(self, written: int) -> None:
        self._rows.answer()
        if self._rows.applied is not None:
            self._rows.applied = replace(self._rows.applied, written=written)

    async def apply(
        self, change: RetentionChange, *, written: int, actor: Actor, approval: Approval | None
    ) -> bool:
        self._rows.answer()
        if self.days != change.from_days:
            return False
        if approval is not None and not answer(
            self._rows, approval.id, Answer.CONFIRMED, actor=actor, at=change.at
        ):
            return False
        self._rows.applied = Applied(change.to_days, written)
        self._rows.changes.append(change)
        self._rows.trail.append(erasure_events.days_changed(change, actor=actor))
        return True

    async def changes(self, *, limit: int) -> Sequence[RetentionChange]:
        self._rows.answer()
        return sorted(self._rows.changes, key=lambda each: each.at, reverse=True)[:limit]

    def _standing(self) -> set[str]:
        return {str(each.id) for each in self._rows.holds.values() if each.ended_at is None}


class FakeShredder:
    """Files and keys in memory. ``stuck`` files do not go; at step ``dies_at`` the process ends."""

    def __init__(self) -> None:
        self.keys: set[RecordingId] = set()
        self.files: dict[RecordingId, datetime] = {}
        self.stuck: set[RecordingId] = set()
        self.mounted = True
        self.steps = 0
        self.dies_at: int | None = None

    def put(self, recording_id: RecordingId, at: datetime) -> None:
        self.keys.add(recording_id)
        self.files[recording_id] = at

    async def written_at(
        self, files: Sequence[tuple[RecordingId, str]]
    ) -> Mapping[RecordingId, datetime | None]:
        return {each: self.files.get(each) for each, _ in files} if self.mounted else {}

    async def destroy_key(self, recording_id: RecordingId) -> None:
        self._step()
        self.keys.discard(recording_id)

    async def destroy_audio(self, recording_id: RecordingId, *, folder: str) -> None:
        self._step()
        if recording_id in self.stuck:
            raise VaultUnavailable("the vault cannot be written (Operation not permitted)")
        self.files.pop(recording_id, None)

    async def remains(self, recording_id: RecordingId, *, folder: str) -> tuple[bool, bool]:
        self._step()
        return recording_id in self.keys, recording_id in self.files

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            raise Died
