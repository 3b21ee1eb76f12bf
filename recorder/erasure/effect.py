"""What another retention would do: what goes at once, what stays, which day brings what. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from recorder.erasure.rules import Verdict, Why, due_at

KEPT_BY_A_HOLD = frozenset({Why.HELD, Why.RESTRICTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectDay:
    """One day to come: how many recordings go on it as things are, and how many with the change."""

    day: date
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What changing the days would do to the recordings that are there. All are counts."""

    from_days: int
    to_days: int
    at_once: int
    """Not due as things are, due at once with the change, and free: the next run erases them."""
    held: int
    """Due at once with the change, and kept by a hold or a restriction (§ 7.3)."""
    sooner: int
    """Their time ends earlier than it would; those that go at once and held ones left out."""
    later: int
    """Their time ends later than it would."""
    calls_on: Sequence[tuple[date, int]]
    """Of which days the calls are whose recordings go at once, oldest first."""
    days: Sequence[EffectDay]
    """Today and the thirty days that follow."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts the effect, verdict by verdict, so that memory stays flat."""

    from_days: int
    to_days: int
    office_zone: ZoneInfo
    lead: timedelta
    now: datetime
    _at_once: int = 0
    _held: int = 0
    _sooner: int = 0
    _later: int = 0
    _calls_on: Counter[date] = field(default_factory=Counter)
    _before: Counter[date] = field(default_factory=Counter)
    _after: Counter[date] = field(default_factory=Counter)

    def count(self, verdicts: Iterable[Verdict]) -> None:
        """Take in verdicts that were given under ``to_days``."""
        for each in verdicts:
            self._count(each)

    def _count(self, verdict: Verdict) -> None:
        ended_at, after = verdict.recording.ended_at, verdict.due_at
        before = due_at(
            ended_at,
            retention_days=self.from_days,
            office_zone=self.office_zone,
            lead=self.lead,
        )
        newly_due = after <= self.now < before
        if verdict.why in KEPT_BY_A_HOLD:
            self._held += newly_due
            return
        self._before[self._day_of(max(before, self.now))] += 1
        self._after[self._day_of(max(after, self.now))] += 1
        if newly_due:
            self._at_once += 1
            self._calls_on[self._day_of(ended_at)] += 1
        elif before > self.now:
            # What is due already goes anyway: no change of the days brings it back.
            self._sooner += after < before
            self._later += after > before

    def effect(self, *, days_shown: int) -> Effect:
        """Return what was counted."""
        today = self._day_of(self.now)
        return Effect(
            from_days=self.from_days,
            to_days=self.to_days,
            at_once=self._at_once,
            held=self._held,
            sooner=self._sooner,
            later=self._later,
            calls_on=sorted(self._calls_on.items()),
            days=[
                EffectDay(day=day, before=self._before[day], after=self._after[day])
                for day in (today + timedelta(days=n) for n in range(days_shown + 1))
            ],
        )

    def _day_of(self, at: datetime) -> date:
        return at.astimezone(self.office_zone).date()
