"""The jobs themselves: what is done at each tick, and what is said of it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from recorder.audit.event import Actor
from recorder.custody.integrity import Integrity, Verifier
from recorder.erasure.model import PurgeReport
from recorder.erasure.service import Eraser
from recorder.errors import VaultUnavailable
from recorder.holds.service import HoldKeeper
from recorder.model import IncidentKind
from recorder.ports import Clock
from recorder.retention import rules
from recorder.retention.model import RECONCILE, Job, Tell
from recorder.retention.ports import Inventory, Reports, Traces
from recorder.retention.reconciling import Reconciler

log = structlog.get_logger(__name__)

PURGE = "purge"
MOST_NAMES = 20
"""So many stray files are named in one incident."""


class Forgetting(Protocol):
    """Calls without audio lose their numbers."""

    async def forget_numbers(self, *, before: datetime, at: datetime) -> int:
        """Forget those that ended before; return how many."""


class TrailKeeping(Protocol):
    """The audit trail is kept as long as it must be, and signed."""

    async def daily(self) -> str:
        """Forget, then sign; return what was done."""


class Attempts(Protocol):
    """Wrong passwords are counted for a while."""

    async def forget_attempts(self, now: datetime) -> int:
        """Remove counts that no longer count; return how many."""


class RetentionWork:
    """Everything that the retention process does, each by its name in the table ``job``."""

    def __init__(
        self,
        *,
        eraser: Eraser,
        holds: HoldKeeper,
        ledger: Forgetting,
        reconciler: Reconciler,
        verifier: Verifier,
        inventory: Inventory,
        reports: Reports,
        traces: Traces,
        trail: TrailKeeping,
        attempts: Attempts,
        clock: Clock,
        actor: Actor,
        office_zone: ZoneInfo,
        lead: timedelta,
    ) -> None:
        self._eraser = eraser
        self._holds = holds
        self._ledger = ledger
        self._reconciler = reconciler
        self._verifier = verifier
        self._inventory = inventory
        self._reports = reports
        self._traces = traces
        self._trail = trail
        self._attempts = attempts
        self._clock = clock
        self._actor = actor
        self._office_zone = office_zone
        self._lead = lead

    def jobs(self) -> Sequence[Job]:
        """Return what is done and how often; the purge first."""
        hour = timedelta(hours=1)

        def job(name: str, every: timedelta, work: Callable[[Tell], Awaitable[str]]) -> Job:
            return Job(name=name, every=every, work=work)

        return (
            job(PURGE, timedelta(minutes=5), self.purge),
            job("review_holds", hour, self.review_holds),
            job("forget_numbers", hour, self.forget_numbers),
            job("scrub", rules.SCRUB_EVERY, self.scrub),
            job(RECONCILE, rules.RECONCILE_EVERY, self.reconcile),
            job("report_deletions", hour, self.report_deletions),
            job("find_strays", 6 * hour, self.find_strays),
            job("keep_trail", 24 * hour, self.keep_trail),
            job("forget_sign_in_attempts", hour, self.forget_sign_in_attempts),
        )

    async def purge(self, tell: Tell) -> str:
        """Write down what lapsed, then erase what is due."""
        lapsed = await self._holds.end_lapsed(actor=self._actor)
        report = await self._eraser.run(lambda so_far: tell(told(so_far)))
        retention = await self._eraser.retention()
        if retention.waits_for_a_person:
            detail = f"{retention.configured} days are set, {retention.days} are in force"
            now = self._clock.now()
            await self._inventory.report(IncidentKind.RETENTION_SHORTENED, detail, at=now)
        done = told(report)
        return f"{done}, {lapsed} holds lapsed" if lapsed else done

    async def review_holds(self, _: Tell) -> str:
        """Raise an incident for each review that is overdue."""
        now = self._clock.now()
        overdue = await self._inventory.remind_of_reviews(overdue_at=now, at=now)
        return f"{overdue} reviews newly overdue"

    async def forget_numbers(self, _: Tell) -> str:
        """Take the numbers out of calls without audio whose days are over."""
        now = self._clock.now()
        days = await self._eraser.days_in_force()
        before = rules.numbers_due_before(retention_days=days, lead=self._lead, now=now)
        forgotten = await self._ledger.forget_numbers(before=before, at=now)
        return f"{forgotten} calls"

    async def scrub(self, tell: Tell) -> str:
        """Read and compare this hour's share of all recordings."""
        share = rules.scrub_share(await self._inventory.count())
        recordings = await self._inventory.to_verify(share=share)
        unreadable = damaged = 0
        for number, each in enumerate(recordings):
            await tell(f"{number} of {len(recordings)}")
            found = await self._verifier.verify(each.id, folder=each.stored_on, sha256=each.sha256)
            damaged += found is Integrity.DAMAGED
            if found is Integrity.UNREADABLE:
                unreadable += 1
                continue
            now = self._clock.now()
            if found is Integrity.MISSING:
                await self._inventory.found_missing(each, at=now)
            await self._inventory.verified([each.id], at=now)
        if unreadable:
            raise VaultUnavailable(f"{unreadable} recordings could not be read")
        return f"{len(recordings)} verified, {damaged} damaged"

    async def reconcile(self, tell: Tell) -> str:
        """Compare files and rows both ways."""
        found = await self._reconciler.run(await self._eraser.days_in_force(), tell)
        return ", ".join(f"{name} {count}" for name, count in sorted(found.items())) or "all fits"

    async def report_deletions(self, _: Tell) -> str:
        """Make the report of each day that has none yet (§ 7.2)."""
        now = self._clock.now()
        last = await self._reports.last_day()
        days = rules.days_to_report(last=last, now=now, office_zone=self._office_zone)
        for day in days:
            since, until = rules.day_of_office(day, office_zone=self._office_zone)
            await self._reports.make(day, since=since, until=until, at=now)
        return f"{len(days)} days"

    async def find_strays(self, _: Tell) -> str:
        """Tell of files of the PBX that are older than any recording may be."""
        now = self._clock.now()
        days = await self._eraser.days_in_force()
        limit = rules.traces_due_before(retention_days=days, now=now)
        strays = self._traces.older_than(limit)
        if strays:
            names = ", ".join(str(each) for each in strays[:MOST_NAMES])
            log.warning("stray_traces", files=len(strays))
            await self._inventory.report(
                IncidentKind.STRAY_TRACES, f"{len(strays)} files: {names}", at=now
            )
        return f"{len(strays)} strays"

    async def keep_trail(self, _: Tell) -> str:
        """Forget what is past its time in the audit trail, and sign the rest (R8.1f)."""
        return await self._trail.daily()

    async def forget_sign_in_attempts(self, _: Tell) -> str:
        """Forget counts of wrong passwords; openings and papers end by their own dates."""
        forgotten = await self._attempts.forget_attempts(self._clock.now())
        return f"{forgotten} counts"


def told(report: PurgeReport) -> str:
    """Say what a purge did, in a line."""
    if report.braked_by:
        return "stopped: " + ", ".join(each.brake for each in report.braked_by)
    return (
        f"{report.erased} erased, {report.finished} finished, {report.held} held, "
        f"{report.failed} failed"
    )
