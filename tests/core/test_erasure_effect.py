"""R7.2c: what another retention would do, in counts; the dates are those of erasing itself."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.erasure.effect import Effect, Tally
from recorder.erasure.rules import judge
from recorder.holds.model import Ground
from tests.builders import NOON
from tests.builders_keeping import a_candidate, a_hold, numbered

WARSAW = ZoneInfo("Europe/Warsaw")
LEAD = timedelta(hours=1)
DAY = timedelta(days=1)


def effect_of(
    *ended_at: datetime,
    now: datetime = NOON,
    days: int,
    before: int = 30,
    held: int = 0,
    ground: Ground = Ground.OWN_INFORMATION,
) -> Effect:
    """Return the effect on recordings that ended then; the first so many are on hold."""
    tally = Tally(from_days=before, to_days=days, office_zone=WARSAW, lead=LEAD, now=now)
    for number, each in enumerate(ended_at):
        recording_id, call_id = numbered(number)
        candidate = a_candidate(id=recording_id, call_id=call_id, ended_at=each)
        holds = [a_hold(recording_id, ground=ground)] if number < held else []
        verdict = judge(
            candidate, holds=holds, retention_days=days, office_zone=WARSAW, lead=LEAD, now=now
        )
        tally.count([verdict])
    return tally.effect(days_shown=30)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("ended_at", "now", "days", "goes"),
    [
        pytest.param("2026-11-05T12:00+01:00", "2026-11-12T10:59+01:00", 7, 0, id="a minute early"),
        pytest.param(
            "2026-11-05T12:00+01:00", "2026-11-12T11:00+01:00", 7, 1, id="the lead begins"
        ),
        pytest.param("2026-10-20T12:00+02:00", "2026-10-27T09:59+01:00", 7, 0, id="clocks go back"),
        pytest.param("2026-10-20T12:00+02:00", "2026-10-27T10:00+01:00", 7, 1, id="720 h decide"),
        pytest.param("2027-03-25T12:00+01:00", "2027-04-01T10:59+02:00", 7, 0, id="clocks go on"),
        pytest.param("2027-03-25T12:00+01:00", "2027-04-01T11:00+02:00", 7, 1, id="days decide"),
        pytest.param("2028-02-28T12:00+01:00", "2028-02-29T11:00+01:00", 1, 1, id="29 February"),
        pytest.param("2026-12-31T23:30+01:00", "2027-01-01T22:29+01:00", 1, 0, id="turn of year"),
    ],
)
def test_what_goes_at_once_is_told_to_the_minute(
    ended_at: str, now: str, days: int, goes: int
) -> None:
    """R7.2c, R7.2d."""
    found = effect_of(at(ended_at), now=at(now), days=days)
    assert (found.at_once, found.sooner) == (goes, 1 - goes)


def test_held_and_restricted_ones_stay_and_are_counted_apart() -> None:
    """§ 7.3, § 8.3."""
    old, young = NOON - 10 * DAY, NOON - DAY
    for ground in (Ground.REQUEST_OF_AUTHORITY, Ground.RESTRICTION):
        found = effect_of(old, young, old, old, days=7, held=2, ground=ground)
        assert (found.at_once, found.held, found.sooner) == (2, 1, 0)


def test_the_days_of_the_calls_are_those_of_the_office() -> None:
    """23:30 UTC is the next day already."""
    ended = datetime(2026, 11, 1, 23, 30, tzinfo=UTC)
    found = effect_of(ended, ended - timedelta(hours=2), ended + DAY, now=NOON, days=7)
    assert found.calls_on == [
        (date(2026, 11, 1), 1),
        (date(2026, 11, 2), 1),
        (date(2026, 11, 3), 1),
    ]


def test_the_calendar_shows_both_ways_and_what_goes_at_once_goes_today() -> None:
    today = NOON.astimezone(WARSAW).date()
    found = effect_of(NOON - 10 * DAY, NOON - 5 * DAY, days=7)
    days = {each.day: (each.before, each.after) for each in found.days}
    assert len(found.days) == 31
    assert days[today] == (0, 1)
    assert days[today + 2 * DAY] == (0, 1)
    assert days[today + 20 * DAY] == (1, 0)
    assert days[today + 25 * DAY] == (1, 0)


def test_what_is_due_anyway_is_nobodys_doing() -> None:
    found = effect_of(NOON - 31 * DAY, days=7)
    assert (found.at_once, found.sooner, found.later) == (0, 0, 0)


@given(
    ages=st.lists(st.timedeltas(timedelta(0), timedelta(days=40)), max_size=20),
    before=st.integers(1, 30),
    days=st.integers(1, 30),
    held=st.integers(0, 5),
)
def test_a_longer_retention_erases_nothing_earlier(
    ages: list[timedelta], before: int, days: int, held: int
) -> None:
    """R7.2c: and a shorter one keeps nothing longer; nobody is counted twice."""
    found = effect_of(*(NOON - each for each in ages), days=days, before=before, held=held)
    if days >= before:
        assert (found.at_once, found.held, found.sooner, list(found.calls_on)) == (0, 0, 0, [])
    if days <= before:
        assert found.later == 0
    assert sum(count for _, count in found.calls_on) == found.at_once
    free = max(len(ages) - held, 0)
    assert found.at_once + found.sooner + found.later <= free
    assert sum(each.before for each in found.days) == sum(each.after for each in found.days) == free
