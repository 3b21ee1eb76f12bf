"""May this recording be erased now, and if not, why not?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from recorder.dates import erase_by
from recorder.erasure.model import Applied, Candidate, Stage
from recorder.holds.model import Ground, Hold
from recorder.holds.rules import protecting
from recorder.regulation import LONGEST_RETENTION_DAYS

CALENDAR_SLACK = timedelta(days=2)
"""More than any calendar differs from 24-hour days: what a query may leave out lies beyond it."""

FRESH = timedelta(hours=6)
"""A file without a row may be one that is being sealed; for so long it is nobody's concern."""


class Why(StrEnum):
    """The single reason behind a verdict. It is what is stored and shown."""

    EXPIRED = "expired"
    """§ 7.2: its days are over."""
    BY_HAND = "by_hand"
    """§ 7.2: an authorised person decided so."""
    STILL_RETAINED = "still_retained"
    HELD = "held"
    """§ 7.3."""
    RESTRICTED = "restricted"
    """§ 8.3: kept from erasing too while a right is weighed."""
    NOT_AT_REST = "not_at_rest"
    """Claimed before: it is finished, not judged again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do with one recording, with the reason."""

    recording: Candidate
    erase: bool
    why: Why
    due_at: datetime
    """When it is, or would be, due: erasing must be finished by its limit, so it begins before."""


def due_at(
    ended_at: datetime, *, retention_days: int, office_zone: ZoneInfo, lead: timedelta
) -> datetime:
    """Return from when on a recording is to be erased: ``lead`` before its limit (R7.2b)."""
    return erase_by(ended_at, days=retention_days, office_zone=office_zone) - lead


def judge(
    recording: Candidate,
    *,
    holds: Iterable[Hold],
    retention_days: int,
    office_zone: ZoneInfo,
    lead: timedelta,
    now: datetime,
) -> Verdict:
    """Decide the fate of one recording at one instant.

    ``holds`` are those of this recording. Keeping wins over erasing: a recording is erased only
    if every check below lets it through. The order of the checks decides which reason is
    stored, nothing else.
    """
    due = due_at(
        recording.ended_at, retention_days=retention_days, office_zone=office_zone, lead=lead
    )

    def verdict(why: Why, *, erase: bool = False) -> Verdict:
        return Verdict(recording=recording, erase=erase, why=why, due_at=due)

    if kept := _kept_by(recording, holds):
        return verdict(kept)
    if now < due:
        return verdict(Why.STILL_RETAINED)
    return verdict(Why.EXPIRED, erase=True)


def judge_by_hand(recording: Candidate, *, holds: Iterable[Hold], now: datetime) -> Verdict:
    """Decide on a recording that a person wants erased before its time (R7.2f). Holds still win."""
    if kept := _kept_by(recording, holds):
        return Verdict(recording=recording, erase=False, why=kept, due_at=now)
    return Verdict(recording=recording, erase=True, why=Why.BY_HAND, due_at=now)


def _kept_by(recording: Candidate, holds: Iterable[Hold]) -> Why | None:
    if recording.stage is not Stage.KEPT:
        return Why.NOT_AT_REST
    ground = protecting(hold for hold in holds if hold.recording_id == recording.id)
    if ground is None:
        return None
    return Why.RESTRICTED if ground is Ground.RESTRICTION else Why.HELD


def ended_before(*, retention_days: int, lead: timedelta, now: datetime) -> datetime:
    """Return the cut-off for a query: what ended at it or later cannot be due.

    A superset of what is due, in every zone; the verdict is ``judge``'s.
    """
    return now + lead + CALENDAR_SLACK - timedelta(hours=24 * retention_days)


class Orphan(StrEnum):
    """What a file without a row is, and what becomes of it (R7.2l)."""

    FRESH = "fresh"
    """May be in the making; not judged."""
    WAITING = "waiting"
    """Nobody's; kept and told until its days are over."""
    EXPIRED = "expired"
    """Its days, counted from its creation, are over: erased."""
    ALREADY_ERASED = "already_erased"
    """It has a tombstone, so it came back, from a backup perhaps: erased at once."""


def judge_orphan(
    created_at: datetime,
    *,
    has_tombstone: bool,
    retention_days: int,
    office_zone: ZoneInfo,
    lead: timedelta,
    now: datetime,
) -> Orphan:
    """Decide on a file that no recording's row knows."""
    if has_tombstone:
        return Orphan.ALREADY_ERASED
    due = due_at(created_at, retention_days=retention_days, office_zone=office_zone, lead=lead)
    if now >= due:
        return Orphan.EXPIRED
    return Orphan.FRESH if now - created_at < FRESH else Orphan.WAITING


@dataclass(frozen=True, slots=True)
class RetentionInForce:
    """How many days hold now, and what regulation.toml would have."""

    days: int
    configured: int
    applied: Applied | None
    """What was put in force last; None = nothing yet."""

    @property
    def is_new(self) -> bool:
        """Tell whether what holds now was not put in force before."""
        return self.applied is None or self.days != self.applied.days

    @property
    def waits_for_a_person(self) -> bool:
        """Tell whether regulation.toml shortens: that erases, so persons decide (R7.2c)."""
        return self.configured < self.days

    @property
    def was_decided_shorter(self) -> bool:
        """Tell whether persons decided on fewer days than regulation.toml says."""
        return self.days < self.configured


def retention_in_force(*, configured: int, applied: Applied | None) -> RetentionInForce:
    """Return the days that hold, given regulation.toml and what was put in force last.

    Raising the days in the file holds at once: it erases nothing. Lowering them there does
    nothing until persons saw how many recordings it concerns (R7.2c). What persons decided stays
    until the file is raised above what it said then, or persons decide again.
    """
    if applied is None:
        days = configured
    elif configured > applied.written:
        days = max(configured, applied.days)
    else:
        days = applied.days
    return RetentionInForce(days=days, configured=configured, applied=applied)


class NoChange(StrEnum):
    """Why so many days may not be proposed."""

    OUT_OF_BOUNDS = "out_of_bounds"
    """§ 7.2."""
    ABOVE_THE_FILE = "above_the_file"
    """Callers are told what regulation.toml says: nothing is kept longer than that."""
    IN_FORCE = "in_force"


def problem_of_change(days: int, *, in_force: RetentionInForce) -> NoChange | None:
    """Return why persons may not set so many days; None when they may."""
    if not 1 <= days <= LONGEST_RETENTION_DAYS:
        return NoChange.OUT_OF_BOUNDS
    if days == in_force.days:
        return NoChange.IN_FORCE
    if days > in_force.configured:
        return NoChange.ABOVE_THE_FILE
    return None
