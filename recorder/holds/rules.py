"""May this hold be placed, how long until it is looked at again, and who may lift it?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from recorder.dates import erase_by
from recorder.erasure.model import Stage
from recorder.holds.model import Ground, Hold

LONGEST_REVIEW = timedelta(days=90)
"""R7.3d: exact, from the placing or the review before."""

PROVISIONAL = timedelta(days=7)
"""Exact, from the placing."""

REMIND_BEFORE = timedelta(days=7)
"""A review that comes due is told this long before."""


class Why(StrEnum):
    """The single reason behind an answer about holds."""

    PLACED = "placed"
    BEING_ERASED = "being_erased"
    """Its key may be gone already: a hold would promise what nobody can keep."""
    ALREADY_ERASED = "already_erased"
    NO_SUCH_RECORDING = "no_such_recording"


@dataclass(frozen=True, slots=True)
class Placing:
    """Whether a hold may be placed, with the reason."""

    allowed: bool
    why: Why


def judge_placing(stage: Stage | None, *, has_tombstone: bool) -> Placing:
    """Decide whether a hold may be placed on a recording in this stage; None = it has no row."""
    if stage is Stage.KEPT:
        return Placing(True, Why.PLACED)
    if stage is Stage.ERASING:
        return Placing(False, Why.BEING_ERASED)
    return Placing(False, Why.ALREADY_ERASED if has_tombstone else Why.NO_SUCH_RECORDING)


def is_open(hold: Hold) -> bool:
    """Tell whether a hold stands. A lapsed one stands until its lapse is written down."""
    return hold.ended_at is None


def has_lapsed(hold: Hold, *, now: datetime) -> bool:
    """Tell whether a provisional hold's seven days are over and its end is to be written."""
    return is_open(hold) and hold.lapses_at is not None and now >= hold.lapses_at


def is_overdue(hold: Hold, *, now: datetime) -> bool:
    """Tell whether a hold should have been looked at by now (R7.3d). It stands all the same."""
    return is_open(hold) and hold.lapses_at is None and now >= hold.review_by


def review_is_near(hold: Hold, *, now: datetime) -> bool:
    """Tell whether the review is due within a week, or overdue."""
    return is_open(hold) and hold.lapses_at is None and now >= hold.review_by - REMIND_BEFORE


def protecting(holds: Iterable[Hold]) -> Ground | None:
    """Return the ground that keeps a recording, None if it is free.

    Several holds may stand on one recording; the last one to end frees it (R7.3c). A restriction
    is named only where nothing else keeps it.
    """
    grounds = {hold.ground for hold in holds if is_open(hold)}
    others = sorted(grounds - {Ground.RESTRICTION})
    return others[0] if others else Ground.RESTRICTION if grounds else None


def is_restricted(holds: Iterable[Hold]) -> bool:
    """Tell whether a recording may not be heard while a right is weighed (R8.3b)."""
    return any(hold.ground is Ground.RESTRICTION and is_open(hold) for hold in holds)


def review_date(*, now: datetime, days: int) -> datetime | None:
    """Return when a hold is to be reviewed, None if so many days are not allowed (1 to 90).

    >>> from datetime import UTC
    >>> review_date(now=datetime(2026, 11, 1, tzinfo=UTC), days=90).isoformat()
    '2027-01-30T00:00:00+00:00'
    """
    length = timedelta(days=days)
    return now + length if timedelta() < length <= LONGEST_REVIEW else None


def may_still_exist(
    day: date, *, now: datetime, retention_days: int, office_zone: ZoneInfo
) -> bool:
    """Tell whether recordings of that day can still be there without a hold (R7.3h).

    In favour of whoever asks: the day's last moment counts.
    """
    end_of_day = datetime.combine(day + timedelta(days=1), datetime.min.time(), office_zone)
    return now < erase_by(end_of_day, days=retention_days, office_zone=office_zone)
