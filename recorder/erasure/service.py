"""Carries out the plan: what is due is destroyed, in an order that survives any crash."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog

from recorder.approvals.model import Approval, signature
from recorder.audit.event import Actor
from recorder.erasure import brakes, rules
from recorder.erasure.brakes import Brake, Doubt, Instant
from recorder.erasure.destroying import Destroyer
from recorder.erasure.effect import Effect, Tally
from recorder.erasure.looking import Look, must_ask
from recorder.erasure.model import (
    Candidate,
    Claim,
    OpenBrake,
    PurgeReport,
    RetentionChange,
    Route,
)
from recorder.erasure.ports import Erasures, PurgeLog, Shredder, Witness
from recorder.erasure.rules import RetentionInForce, Verdict, Why
from recorder.errors import RuleViolation
from recorder.model import RULE_VERSION, RecordingId
from recorder.ports import Clock
from recorder.regulation import LONGEST_RETENTION_DAYS

log = structlog.get_logger(__name__)

PAGE = 500
"""How many recordings are judged, and how many destroyed, at a time: memory stays flat."""

Progress = Callable[[PurgeReport], Awaitable[None]]
"""Hears after each page how far a run is."""


async def unheard(_: PurgeReport) -> None:
    """Tell nobody."""


class Eraser:
    """Erases what the rules say may be erased, by a run or by hand, on one path.

    Intent and claim → key destroyed → audio overwritten and removed → both looked for in vain →
    tombstone in the row's place. A crash after any step leaves the recording claimed, and every
    run begins by finishing those: a key may be gone already, so there is no way back.
    """

    def __init__(
        self,
        *,
        erasures: Erasures,
        purge_log: PurgeLog,
        vault: Shredder,
        clock: Clock,
        witness: Witness,
        actor: Actor,
        retention_days: int,
        office_zone: ZoneInfo,
        lead: timedelta,
        new_token: Callable[[], str],
    ) -> None:
        self._erasures = erasures
        self._purge_log = purge_log
        self._vault = vault
        self._destroyer = Destroyer(erasures=erasures, vault=vault, clock=clock)
        self._clock = clock
        self._witness = witness
        self._actor = actor
        self._configured_days = retention_days
        self._office_zone = office_zone
        self._lead = lead
        self._new_token = new_token

    async def run(self, progress: Progress = unheard) -> PurgeReport:
        """Finish earlier runs, then erase what is due, unless a brake is on.

        Raises ``LedgerUnavailable``; whatever was claimed by then is finished by the next run.
        """
        report = PurgeReport()
        async for page in self._half_erased():
            done, failed = await self._destroyer.destroy(page)
            report = replace(report, finished=report.finished + done, failed=report.failed + failed)
            await progress(report)
        days = await self.settle()
        instant = self._witness.read()
        known = {each.brake: each for each in await self._purge_log.brakes()}
        doubt = await self._doubt(instant)
        look = Look(doubt=doubt, released=known.get(Brake.FILE_YOUNGER))
        async for verdicts in self.plan(days):
            due = [each for each in verdicts if each.erase]
            files = [(each.recording.id, each.recording.stored_on) for each in due]
            look.at(due, await self._vault.written_at(files))
        if brakes.is_large(look.due):
            log.warning("purge_is_large", due=look.due)
        if on := await self._put_on(look, known):
            log.error("purge_braked", brakes=[each.brake.value for each in on])
            return replace(report, braked_by=tuple(on))
        async for verdicts in self.plan(days):
            seen = [each for each in verdicts if each.recording.id not in look.unseen]
            report = await self._carry_out(seen, days, report)
            await progress(report)
        # A doubt that nothing was due by, and that nobody has dispelled, is kept for the next run.
        if doubt is Doubt.NONE or Brake.CLOCK_JUMP in known:
            await self._purge_log.passed(instant)
        return report

    async def plan(
        self, days: int, *, ahead: timedelta = timedelta(0)
    ) -> AsyncIterator[Sequence[Verdict]]:
        """Yield a verdict on every recording that can be due, oldest first, page by page.

        ``ahead`` takes in what comes due so much later.
        """
        now = self._clock.now()
        cut_off = rules.ended_before(retention_days=days, lead=self._lead, now=now) + ahead
        after: Candidate | None = None
        while True:
            page = await self._erasures.candidates(ended_before=cut_off, after=after, limit=PAGE)
            if not page:
                return
            after = page[-1]
            holds = await self._erasures.holds_on([each.id for each in page])
            yield [
                rules.judge(
                    each,
                    holds=[hold for hold in holds if hold.recording_id == each.id],
                    retention_days=days,
                    office_zone=self._office_zone,
                    lead=self._lead,
                    now=now,
                )
                for each in page
            ]

    async def days_in_force(self) -> int:
        """Return the retention that holds: a shorter one waits for a person (R7.2c)."""
        return (await self.retention()).days

    async def retention(self) -> RetentionInForce:
        """Return the retention that holds, and whether another one waits."""
        applied = await self._purge_log.applied()
        return rules.retention_in_force(configured=self._configured_days, applied=applied)

    async def effect(self, days: int, *, from_days: int, days_shown: int) -> Effect:
        """Return what so many days would do to every recording that is there."""
        tally = Tally(
            from_days=from_days,
            to_days=days,
            office_zone=self._office_zone,
            lead=self._lead,
            now=self._clock.now(),
        )
        async for verdicts in self.plan(days, ahead=timedelta(days=LONGEST_RETENTION_DAYS + 1)):
            tally.count(verdicts)
        return tally.effect(days_shown=days_shown)

    async def settle(self) -> int:
        """Write down the retention that holds from now on, and tell of one that waits."""
        found = await self.retention()
        written = found.configured
        if found.waits_for_a_person:
            log.warning("retention_waits", in_force=found.days, configured=written)
        if found.is_new:
            change = RetentionChange(
                at=self._clock.now(),
                from_days=found.applied.days if found.applied else None,
                to_days=found.days,
                proposed_by="",
                decided_by=signature(self._actor),
                reason="",
                at_once=0,
                held=0,
            )
            if not await self._purge_log.apply(
                change, written=written, actor=self._actor, approval=None
            ):
                # A person was quicker: what they decided holds.
                return (await self.retention()).days
        elif found.applied is not None and found.applied.written != written:
            await self._purge_log.note_written(written)
        return found.days

    async def erase_by_hand(
        self, recording_id: RecordingId, *, actor: Actor, reason: str, approval: Approval | None
    ) -> bool:
        """Erase one recording before its time; True when it is gone, False if it will be.

        Raises ``RuleViolation`` when it may not be erased; holds still win (R7.2f).
        """
        recording = await self.require_erasable(recording_id)
        claim = Claim(
            route=Route.BY_HAND,
            why=Why.BY_HAND.value,
            actor=actor,
            at=self._clock.now(),
            rule_version=RULE_VERSION,
            retention_days=self._configured_days,
            reason=reason,
        )
        if not await self._erasures.claim([recording_id], claim, approval=approval):
            raise RuleViolation("it is not erased: a hold was placed, or it was decided meanwhile")
        done, _ = await self._destroyer.destroy([recording])
        return bool(done)

    async def require_erasable(self, recording_id: RecordingId) -> Candidate:
        """Return a recording that may be erased by hand. Raises ``RuleViolation``."""
        recording = await self._erasures.get(recording_id)
        if recording is None:
            raise RuleViolation("there is no such recording, or it is erased already")
        holds = await self._erasures.holds_on([recording_id])
        verdict = rules.judge_by_hand(recording, holds=holds, now=self._clock.now())
        if not verdict.erase:
            raise RuleViolation(f"it is not erased: {verdict.why}")
        return recording

    async def _put_on(self, look: Look, known: dict[Brake, OpenBrake]) -> Sequence[OpenBrake]:
        """Return the brakes that keep this run from erasing."""
        on = [each for each in known.values() if not each.released]
        for brake, detail in look.anomalies(await self._purge_log.vanished_holds()):
            if must_ask(brake, known.get(brake), found=detail):
                now, token = self._clock.now(), self._new_token()
                on.append(await self._purge_log.put_on(brake, detail=detail, at=now, token=token))
        return on

    async def _doubt(self, instant: Instant) -> Doubt:
        return brakes.doubt_of_clock(
            last=await self._purge_log.last_instant(),
            this=instant,
            synchronised=self._witness.synchronised(),
        )

    async def _carry_out(
        self, verdicts: Sequence[Verdict], days: int, report: PurgeReport
    ) -> PurgeReport:
        due = [each.recording for each in verdicts if each.erase]
        held = sum(
            each.why in {Why.HELD, Why.RESTRICTED} and each.due_at <= self._clock.now()
            for each in verdicts
        )
        report = replace(report, held=report.held + held)
        if not due:
            return report
        present, absent = await self._destroyer.sort_out(due)
        await self._destroyer.note(absent)
        claim = Claim(
            route=Route.AUTOMATIC,
            why=Why.EXPIRED.value,
            actor=self._actor,
            at=self._clock.now(),
            rule_version=RULE_VERSION,
            retention_days=days,
        )
        # The verdict was computed outside the transaction; the claim looks at holds again under
        # a lock, so one placed a moment ago still wins.
        mine = await self._erasures.claim([each.id for each in present], claim, approval=None)
        done, failed = await self._destroyer.destroy([each for each in present if each.id in mine])
        return replace(
            report, erased=report.erased + done, failed=report.failed + failed + len(absent)
        )

    async def _half_erased(self) -> AsyncIterator[Sequence[Candidate]]:
        after: RecordingId | None = None
        while page := await self._erasures.half_erased(after=after, limit=PAGE):
            after = page[-1].id
            yield page
