"""What the retention process looks at, and when it is late."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.dates import erase_by
from recorder.retention.model import JobState
from recorder.retention.rules import (
    day_of_office,
    days_to_report,
    is_due,
    is_late,
    numbers_due_before,
    scrub_share,
    traces_due_before,
)
from tests.builders import NOON

WARSAW = ZoneInfo("Europe/Warsaw")
HOUR = timedelta(hours=1)
INSTANTS = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - given its zone
    max_value=datetime(2099, 1, 1),  # noqa: DTZ001 - given its zone
    timezones=st.just(UTC),
)


@given(total=st.integers(0, 10**7))
def test_a_week_of_ticks_verifies_every_recording_even_if_twelve_do_not_come(total: int) -> None:
    assert scrub_share(total) * (7 * 24 - 12) >= total


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 11, 12), 24), (date(2026, 10, 25), 25), (date(2027, 3, 28), 23)],
)
def test_a_day_of_the_office_has_the_hours_that_its_clock_shows(day: date, hours: int) -> None:
    since, until = day_of_office(day, office_zone=WARSAW)
    assert until - since == hours * HOUR
    assert day_of_office(day + timedelta(days=1), office_zone=WARSAW)[0] == until


@pytest.mark.parametrize(
    ("last", "days"),
    [
        (None, [date(2026, 11, 11)]),
        (date(2026, 11, 11), []),
        (date(2026, 11, 12), []),
        (date(2026, 11, 9), [date(2026, 11, 10), date(2026, 11, 11)]),
    ],
)
def test_a_day_is_reported_once_it_is_over_and_none_is_left_out(
    last: date | None, days: list[date]
) -> None:
    assert days_to_report(last=last, now=NOON, office_zone=WARSAW) == days


@given(ended_at=INSTANTS, days=st.integers(1, 30), after=st.timedeltas(timedelta(0), timedelta(60)))
def test_numbers_go_by_the_clock_of_recordings_never_later_and_hardly_earlier(
    ended_at: datetime, days: int, after: timedelta
) -> None:
    """R7.2k."""
    now = ended_at + after
    limit = erase_by(ended_at, days=days, office_zone=WARSAW)
    forgotten = ended_at < numbers_due_before(retention_days=days, lead=HOUR, now=now)
    assert forgotten or now <= limit - HOUR
    assert not forgotten or now > limit - 4 * HOUR


def test_a_trace_may_lie_as_long_as_a_recording() -> None:
    assert traces_due_before(retention_days=30, now=NOON) == NOON - timedelta(days=30)


@pytest.mark.parametrize(
    ("ago", "late"),
    [(None, True), (3 * HOUR, False), (3 * HOUR + timedelta(seconds=1), True)],
)
def test_a_job_that_missed_three_ticks_is_late(ago: timedelta | None, late: bool) -> None:
    state = JobState(
        name="purge",
        worker="w",
        last_started=NOON,
        last_succeeded=None if ago is None else NOON - ago,
        last_failed=None,
        last_error="",
        progress="",
        next_due=None,
    )
    assert is_late(state, every=HOUR, now=NOON) is late


@pytest.mark.parametrize(
    ("worker", "ended", "next_due", "due"),
    [
        ("me", True, HOUR, False),
        ("me", True, timedelta(0), True),
        ("me", True, 7 * HOUR, True),
        ("me", False, HOUR, False),
        ("dead", True, HOUR, False),
        ("dead", False, HOUR, True),
    ],
    ids=["not yet", "its time", "a wrong clock wrote it", "still at it", "another's", "died at it"],
)
def test_a_job_is_due_by_its_row(
    worker: str, *, ended: bool, next_due: timedelta, due: bool
) -> None:
    state = JobState(
        name="reconcile",
        worker=worker,
        last_started=NOON - HOUR,
        last_succeeded=NOON - (HOUR if ended else 7 * HOUR),
        last_failed=None,
        last_error="",
        progress="",
        next_due=NOON + next_due,
    )
    assert is_due(state, every=6 * HOUR, worker="me", now=NOON) is due
    assert is_due(None, every=HOUR, worker="me", now=NOON)


@pytest.mark.parametrize(
    ("failed", "succeeded", "due"),
    [
        (timedelta(minutes=9), None, False),
        (timedelta(minutes=10), None, True),
        (timedelta(minutes=10), 24 * HOUR, True),
        (timedelta(minutes=10), timedelta(minutes=5), False),
        (-HOUR, None, False),
    ],
    ids=["just failed", "never done", "done before", "done since", "by a clock that was ahead"],
)
def test_what_failed_is_tried_again_before_its_next_day(
    failed: timedelta, succeeded: timedelta | None, *, due: bool
) -> None:
    state = JobState(
        name="keep_trail",
        worker="me",
        last_started=NOON - failed,
        last_succeeded=None if succeeded is None else NOON - succeeded,
        last_failed=NOON - failed,
        last_error="ConfigurationError",
        progress="",
        next_due=NOON + 23 * HOUR,
    )
    assert is_due(state, every=24 * HOUR, worker="me", now=NOON) is due
