"""The end of a restore: erases what is due, before anything opens (RG.17)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.keeping import Keeping, open_keeping
from recorder.adapters.keys import DiskKeys
from recorder.adapters.master_key import MasterKey
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.postgres.restoring import Restored
from recorder.adapters.restore_marker import Marker, remove_marker
from recorder.adapters.vault import DiskVault
from recorder.audit.event import Actor, ActorKind
from recorder.backup import events, rules
from recorder.backup.model import ErasureLedger
from recorder.erasure.model import Claim, PurgeReport, Route
from recorder.errors import RuleViolation
from recorder.model import RULE_VERSION, RecordingId
from recorder.ports import Clock
from recorder.regulation import Regulation
from recorder.retention.rules import numbers_due_before
from recorder.settings import Settings

RESTORE = Actor(kind=ActorKind.PROCESS, name="restore")
ERASED_BEFORE = "erased_before"
"""Why a recording goes that came back: it was erased once already."""
AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What the end of a restore did."""

    erased_again: int
    """Erased since the backup, by the ledger or by the backup itself."""
    erased: int
    """Due by the clock."""
    held: int
    holds_changed: int
    forgotten: int
    """Calls without audio that lost their numbers."""
    sessions: int
    """Sign-ins that came back and were ended."""


class RestoreEnd:
    """Applies the ledger and the clock to what came back, then lets processes start."""

    def __init__(
        self,
        *,
        settings: Settings,
        regulation: Regulation,
        engine: AsyncEngine,
        master: MasterKey,
        clock: Clock,
        keeping: Keeping | None = None,
    ) -> None:
        vault = DiskVault(settings.vault_dir, DiskKeys(settings.key_dir, master))
        self._keeping = keeping or open_keeping(settings, regulation, engine, vault=vault)
        self._settings, self._clock = settings, clock
        self._rows = Restored(engine, actor=RESTORE)
        self._ledger_rows = PostgresLedger(engine)
        self._erasures = PostgresErasures(engine, actor=RESTORE)

    async def run(
        self,
        marker: Marker,
        ledger: ErasureLedger | None,
        *,
        actor: Actor,
        confirm: str | None,
        progress: Callable[[PurgeReport], Awaitable[None]],
    ) -> Ended:
        """Erase what is due; the marker goes when nothing due is left.

        Raises ``RuleViolation`` when something keeps it from being erased; run it again then.
        """
        keeping, now = self._keeping, self._clock.now()
        if confirm is not None:
            await keeping.purge_log.release(confirm, actor=actor, at=now)
        changed = await self._rows.apply_holds(ledger.holds if ledger else (), at=now)
        again = await self._claim_again(marker, ledger)
        await keeping.holds.end_lapsed(actor=RESTORE)
        report = await keeping.eraser.run(progress)
        await self._require_done(report)
        days = await keeping.eraser.days_in_force()
        lead = self._settings.erasure_lead
        before = numbers_due_before(retention_days=days, lead=lead, now=now)
        forgotten = await self._ledger_rows.forget_numbers(before=before, at=now)
        sessions = await self._rows.end_sessions(at=now)
        ended = Ended(
            erased_again=again,
            erased=report.erased,
            held=report.held,
            holds_changed=changed,
            forgotten=forgotten,
            sessions=sessions,
        )
        counts = {"erased_again": again, "erased": report.erased, "held": report.held}
        await self._rows.append(
            [
                events.restored(
                    marker.backup, counts, with_ledger=ledger is not None, actor=actor, at=now
                )
            ]
        )
        remove_marker(self._settings.key_dir)
        return ended

    async def _claim_again(self, marker: Marker, ledger: ErasureLedger | None) -> int:
        claim = Claim(
            route=Route.AUTOMATIC,
            why=ERASED_BEFORE,
            actor=RESTORE,
            at=self._clock.now(),
            rule_version=RULE_VERSION,
            retention_days=await self._keeping.eraser.days_in_force(),
        )
        told = [*marker.erased, *(each.erased for each in (ledger.erased if ledger else ()))]
        done = 0
        # Claimed here, destroyed by the purge: it finishes what is claimed before all else.
        for start in range(0, len(told), AT_ONCE):
            some = told[start : start + AT_ONCE]
            back = await self._rows.kept_among(some)
            held = await self._rows.held_among(back)
            wanted = rules.to_erase_again(back, held=held)
            ids = sorted(RecordingId(each) for each in wanted)
            done += len(await self._erasures.claim(ids, claim, approval=None))
        return done

    async def _require_done(self, report: PurgeReport) -> None:
        for each in report.braked_by:
            raise RuleViolation(
                f"{each.brake}: {each.detail}. Nothing opens before what is due is erased. Look "
                f"first (OPERATIONS.md), then: recorder restore --finish --confirm {each.token}"
            )
        if report.failed:
            raise RuleViolation(
                f"{report.failed} recordings would not go, `erasure_failed` in the log names them. "
                "Nothing opens before they are gone: recorder restore --finish"
            )
        days = await self._keeping.eraser.days_in_force()
        async for page in self._keeping.eraser.plan(days):
            if any(each.erase for each in page):
                raise RuleViolation("more became due meanwhile: recorder restore --finish")
