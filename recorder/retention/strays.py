"""What lies in the spool and nobody seals: told, and erased when its days are over (R7.2l)."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from recorder.erasure.rules import Orphan, judge_orphan
from recorder.errors import SpoolUnavailable
from recorder.model import IncidentKind
from recorder.ports import Clock
from recorder.retention.model import Spooled, SpoolStray, Swept
from recorder.retention.ports import Inventory, SpoolStrays
from recorder.retention.rules import created_at

log = structlog.get_logger(__name__)

UNSEALED_FOR = timedelta(days=1)
"""What lies in the spool for so long is told; it is not erased before its days are over."""

KINDS = {
    Spooled.AUDIO: IncidentKind.ORPHAN_AUDIO,
    Spooled.JOURNAL: IncidentKind.JOURNAL_UNREADABLE,
}
COUNTED = {Spooled.AUDIO: "spool", Spooled.JOURNAL: "journal"}


class SpoolSweeper:
    """Brings audio and unreadable journals of the spool under the days of any recording.

    What it finds is counted as ``spool``, ``spool_erased``, ``journal``, ``journal_erased``.
    """

    def __init__(
        self,
        *,
        inventory: Inventory,
        strays: SpoolStrays,
        clock: Clock,
        office_zone: ZoneInfo,
        lead: timedelta,
    ) -> None:
        self._inventory = inventory
        self._strays = strays
        self._clock = clock
        self._office_zone = office_zone
        self._lead = lead

    async def run(
        self,
        days: int,
        found: Counter[str],
        *,
        may_erase: Callable[[int], Awaitable[bool]],
    ) -> None:
        """Look once; ``may_erase`` says whether so many may go. Raises ``LedgerUnavailable``.

        Raises ``SpoolUnavailable`` when the spool cannot be listed; one file stops no other.
        """
        now = self._clock.now()
        strays = await asyncio.to_thread(self._strays.found)
        judged = [(each, self._judge(each, days, now)) for each in strays]
        expired = [each for each, verdict in judged if verdict is Orphan.EXPIRED]
        for each, verdict in judged:
            if verdict is not Orphan.FRESH:
                # Capture tells of them in the same words, and mostly earlier.
                await self._inventory.report(KINDS[each.kind], each.described, at=now, once=True)
            if verdict is Orphan.WAITING:
                found[COUNTED[each.kind]] += 1
        if expired and await may_erase(len(expired)):
            await self._erase(expired, found)
        else:
            found.update(COUNTED[each.kind] for each in expired)

    def _judge(self, stray: SpoolStray, days: int, now: datetime) -> Orphan:
        created = created_at(stray, now=now)
        if created is None:
            return Orphan.WAITING
        if now - created < UNSEALED_FOR:
            return Orphan.FRESH
        return judge_orphan(
            created,
            has_tombstone=False,
            retention_days=days,
            office_zone=self._office_zone,
            lead=self._lead,
            now=now,
        )

    async def _erase(self, expired: Sequence[SpoolStray], found: Counter[str]) -> None:
        for each in expired:
            counted, why = COUNTED[each.kind], "capture works on it"
            try:
                swept = await asyncio.to_thread(self._strays.erase, each)
            except SpoolUnavailable as error:
                swept, why = Swept.IN_USE, str(error)
            now = self._clock.now()
            if swept is Swept.ERASED:
                found[f"{counted}_erased"] += 1
                subject = f"{counted}:{each.id or f'inode {each.place}'}"
                await self._inventory.orphan_erased(subject, Orphan.EXPIRED, at=now)
            elif swept is Swept.IN_USE:
                # One file that will not go must not keep the others; it is told again tomorrow.
                found[counted] += 1
                log.warning("orphan_stays", spooled=str(each.id or each.place), why=why)
                detail = f"{each.described}; it cannot be erased"
                await self._inventory.report(KINDS[each.kind], detail, at=now)
