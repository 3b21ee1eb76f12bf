"""What completeness needs from the outside world."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from recorder.completeness.model import Compared, Comparison, Known, PbxCall


class PbxRecords(Protocol):
    """The PBX's own call records. Raises ``PbxRecordsUnavailable``."""

    def between(self, since: datetime, until: datetime) -> Sequence[PbxCall]:
        """Return records of calls that began between two instants, in any order."""

    def turn(self, now: datetime) -> None:
        """Let no record grow older than a recording may be, where that is ours to do."""


class InHand(Protocol):
    """Calls that wait in the spool."""

    def channels(self) -> Collection[str]:
        """Return channel ids of calls whose row follows; an unreadable spool has none."""


class Comparisons(Protocol):
    """What was compared. Raises ``LedgerUnavailable``."""

    async def known(self, since: datetime, until: datetime) -> Sequence[Known]:
        """Return the rows of calls that came by a trunk between two instants."""

    async def settled(self, since: date) -> Mapping[date, datetime]:
        """Return until when each day from this one on was settled."""

    async def keep(self, comparison: Comparison) -> int:
        """Keep a day's comparison, with an incident for each call newly unexplained; return those.

        Incidents of calls that are explained by now are closed, in the same transaction.
        """

    async def of_day(self, day: date) -> Compared | None:
        """Return what one day's comparison found, None if it was not compared."""

    async def newest(self, *, limit: int) -> Sequence[Compared]:
        """Return the newest days, newest first."""

    async def count_calls(self, day: date, *, since: datetime, until: datetime) -> int:
        """Count the calls of a day by outcome and reason anew; return how many there are."""
