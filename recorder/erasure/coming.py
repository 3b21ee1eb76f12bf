"""What is due when, day by day (§ 7.2). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

SHOWN_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDay:
    """One day of the office, by which so many recordings must be gone."""

    day: date
    due: int
    """Erased on it or before, unless they are held meanwhile."""
    held: int
    """Their time ends too, and a hold keeps them (§ 7.3)."""
    size_bytes: int
    """What all of them take in the vault."""


def days_ahead(found: Mapping[date, DueDay], *, today: date) -> list[DueDay]:
    """Return today and the thirty days that follow, the empty ones too.

    >>> days = days_ahead({}, today=date(2026, 11, 25))
    >>> len(days), days[-1].day.isoformat(), days[-1].due
    (31, '2026-12-25', 0)
    """
    return [
        found.get(day) or DueDay(day=day, due=0, held=0, size_bytes=0)
        for day in (today + timedelta(days=n) for n in range(SHOWN_DAYS + 1))
    ]
