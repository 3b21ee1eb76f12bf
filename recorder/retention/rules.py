"""What is to be looked at now, and what is late?"""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from recorder.model import Reason
from recorder.retention.model import JobState, SpoolStray

PERMITTED = (Reason.STAYED_ON_THE_LINE, Reason.CONSENTED_BY_KEY)
"""What a decision says of a call from outside that was to be recorded (R3.4g)."""

VERIFIED_EVERY = timedelta(days=7)
"""Every stored recording is read and compared once in this time."""

SCRUB_EVERY = timedelta(hours=1)
RECONCILE_EVERY = timedelta(hours=1)
"""As often as files are compared with rows, so long before its limit at least a stray goes."""

SPARE_TICKS = 12
"""Half a day of the week is left for ticks that did not come."""

LATE_AFTER = 3
"""A job that missed so many ticks is late."""

AGAIN_AFTER = timedelta(minutes=10)
"""So long after a failure a job is tried again, though its turn is a day away."""


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMED = 7
"""The version of ids that begin with their time."""

BEGINNING_OF_TIME_MS = 48
"""Such an id begins with so many bits of milliseconds."""


def scrub_share(total: int) -> int:
    """Return how many recordings one tick verifies, so that a week sees them all.

    >>> scrub_share(1), scrub_share(10_000)
    (1, 65)
    """
    ticks = VERIFIED_EVERY // SCRUB_EVERY - SPARE_TICKS
    return -(-total // ticks)


def day_of_office(day: date, *, office_zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the instants between which a day of the office lies, the second one excluded."""
    since = datetime.combine(day, time(), office_zone).astimezone(UTC)
    until = datetime.combine(day + timedelta(days=1), time(), office_zone).astimezone(UTC)
    return since, until


def days_to_report(*, last: date | None, now: datetime, office_zone: ZoneInfo) -> list[date]:
    """Return the whole days that have no report yet, oldest first; at first only yesterday."""
    today = now.astimezone(office_zone).date()
    day = last + timedelta(days=1) if last is not None else today - timedelta(days=1)
    return [day + timedelta(days=n) for n in range(max(0, (today - day).days))]


def is_late(job: JobState, *, every: timedelta, now: datetime) -> bool:
    """Tell whether a job has not succeeded for several of its ticks."""
    return job.last_succeeded is None or now - job.last_succeeded > LATE_AFTER * every


def is_due(job: JobState | None, *, every: timedelta, worker: str, now: datetime) -> bool:
    """Tell whether a job is to be run now, by its row alone.

    What another process began and did not end died with it: it is due at once. What failed is
    tried again before long, however seldom its turn is. A day far in the future was written by a
    clock that was wrong.
    """
    if job is None or job.next_due is None or job.last_started is None:
        return True
    ends = [each for each in (job.last_succeeded, job.last_failed) if each is not None]
    ended = max(ends, default=None)
    if job.worker != worker and (ended is None or ended < job.last_started):
        return True
    failed = job.last_failed
    if failed is not None and ended == failed and now - failed >= AGAIN_AFTER:
        return True
    return now >= job.next_due or job.next_due - now > every


def numbers_due_before(*, retention_days: int, lead: timedelta, now: datetime) -> datetime:
    """Return the end before which calls without audio lose their numbers (R7.2k).

    An hour for a change of the clocks: at most so much too early, never too late.
    """
    return now + lead + timedelta(hours=1) - timedelta(hours=24 * retention_days)


def traces_due_before(*, retention_days: int, now: datetime) -> datetime:
    """Return when a file of the PBX that still lies there must have been written after."""
    return now - timedelta(hours=24 * retention_days)


def made_at_ms(made: UUID) -> int:
    """Return when an id of the kind that begins with its time was made, in milliseconds."""
    return made.int >> (128 - BEGINNING_OF_TIME_MS)


def created_at(stray: SpoolStray, *, now: datetime) -> datetime | None:
    """Return since when a file in the spool counts its days; None = nothing tells (R7.2l).

    Its last byte, as everywhere. A time ahead of the clock was set by a hand or by a clock that
    was wrong: then the time in its id counts, then the one that nobody can set.
    """
    named = None
    if stray.id is not None and stray.id.version == TIMED:
        named = EPOCH + timedelta(milliseconds=made_at_ms(stray.id))
    told = (stray.written_at, named, stray.changed_at)
    return next((each for each in told if each is not None and each <= now), None)
