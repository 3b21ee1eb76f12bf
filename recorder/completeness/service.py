"""Compares each day's calls with the PBX's own records; what is unexplained alarms (RG.13)."""

import asyncio
from collections.abc import Collection
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import structlog

from recorder.completeness import rules
from recorder.completeness.model import Comparison
from recorder.completeness.ports import Comparisons, InHand, PbxRecords
from recorder.errors import PbxRecordsUnavailable
from recorder.ports import Clock
from recorder.retention.rules import day_of_office

log = structlog.get_logger(__name__)

COUNTED_DAYS = 7
"""A row may come late, from a spool that waited: so many days are counted anew."""


class Completeness:
    """Reads the records first and the rows after them: a row that comes between explains a call."""

    def __init__(
        self,
        *,
        records: PbxRecords | None,
        in_hand: InHand,
        comparisons: Comparisons,
        clock: Clock,
        trunks: Collection[str],
        office_zone: ZoneInfo,
    ) -> None:
        self._records = records
        self._in_hand = in_hand
        self._comparisons = comparisons
        self._clock = clock
        self._trunks = trunks
        self._office_zone = office_zone

    async def run(self) -> str:
        """Compare what is to be compared; return what was found, in a line.

        Raises ``PbxRecordsUnavailable`` when the records cannot be read: no record is never
        the answer to a question that failed.
        """
        if self._records is None:
            return "no records are set"
        now = self._clock.now()
        today = now.astimezone(self._office_zone).date()
        settled = await self._comparisons.settled(today - rules.LOOKED_BACK)
        found = [
            await self.compare(day)
            for day in rules.days_to_compare(settled, now=now, office_zone=self._office_zone)
        ]
        await asyncio.to_thread(self._records.turn, now)
        explained = sum(each.explained for each in found)
        return f"{explained} explained, {sum(len(each.unexplained) for each in found)} unexplained"

    async def compare(self, day: date) -> Comparison:
        """Compare one day and keep what was found. Raises ``PbxRecordsUnavailable``."""
        if self._records is None:
            raise PbxRecordsUnavailable(
                "no call records of the PBX are set: RECORDER_CALL_RECORD_DIRS (OPERATIONS.md)"
            )
        since, until = day_of_office(day, office_zone=self._office_zone)
        wide = (since - rules.AROUND, until + rules.AROUND)
        records = await asyncio.to_thread(self._records.between, *wide)
        # What waits before what is written: a call sealed meanwhile is in one of the two.
        in_hand = await asyncio.to_thread(self._in_hand.channels)
        comparison = rules.compare(
            day,
            calls=rules.one_each(records),
            rows=await self._comparisons.known(*wide),
            in_hand=in_hand,
            trunks=self._trunks,
            office_zone=self._office_zone,
            now=self._clock.now(),
        )
        new = await self._comparisons.keep(comparison)
        if new:
            log.error("calls_unexplained", day=day.isoformat(), calls=new)
        if rules.records_are_missing(comparison):
            log.warning("pbx_records_missing", day=day.isoformat())
        return comparison

    async def count_calls(self) -> str:
        """Count the calls of the last days by outcome and reason, for the pages."""
        today = self._clock.now().astimezone(self._office_zone).date()
        counted = 0
        for back in range(COUNTED_DAYS):
            day = today - timedelta(days=back)
            since, until = day_of_office(day, office_zone=self._office_zone)
            counted += await self._comparisons.count_calls(day, since=since, until=until)
        return f"{counted} calls"
