"""How this service counts days. Instants are UTC; the calendar is the office's.

A limit that binds the office is rounded against the office, a limit that binds a person
in the person's favour. That is why every function says whose favour it serves.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def erase_by(ended_at: datetime, *, days: int, office_zone: ZoneInfo) -> datetime:
    """Return the instant by which a recording must be gone (§ 7.2: "up to" so many days).

    The earlier of ``days`` x 24 hours and ``days`` calendar days in ``office_zone``; they are
    an hour apart when the clocks change in between. Rounded against the office.

    >>> warsaw = ZoneInfo("Europe/Warsaw")
    >>> erase_by(datetime(2026, 10, 1, 10, tzinfo=UTC), days=30, office_zone=warsaw).isoformat()
    '2026-10-31T10:00:00+00:00'
    """
    by_hours = ended_at + timedelta(hours=24 * days)
    # Arithmetic on a local time keeps the wall clock, which is what a calendar does.
    # Converting back before comparing is what makes the comparison true.
    by_calendar = (ended_at.astimezone(office_zone) + timedelta(days=days)).astimezone(UTC)
    return min(by_hours, by_calendar)
