"""§ 7.2: when a recording is due, what keeps it, and what a stray file is."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.dates import erase_by
from recorder.erasure.model import Applied, Stage
from recorder.erasure.rules import (
    NoChange,
    Orphan,
    Verdict,
    Why,
    ended_before,
    judge,
    judge_by_hand,
    judge_orphan,
    problem_of_change,
    retention_in_force,
)
from recorder.holds.model import Ground, Hold
from recorder.model import RecordingId
from tests.builders import NOON
from tests.builders_keeping import a_candidate, a_hold

WARSAW = ZoneInfo("Europe/Warsaw")
LEAD = timedelta(hours=1)
INSTANTS = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - given its zone
    max_value=datetime(2099, 1, 1),  # noqa: DTZ001 - given its zone
    timezones=st.just(UTC),
)
DAYS = st.integers(1, 30)
ZONES = st.sampled_from(["Europe/Warsaw", "UTC", "Pacific/Apia", "America/New_York"]).map(ZoneInfo)
LONG = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))


def judged(
    ended_at: datetime,
    now: datetime,
    *holds: Hold,
    days: int = 30,
    zone: ZoneInfo = WARSAW,
    stage: Stage = Stage.KEPT,
) -> Verdict:
    candidate = a_candidate(ended_at=ended_at, stage=stage)
    return judge(candidate, holds=holds, retention_days=days, office_zone=zone, lead=LEAD, now=now)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("ended_at", "gone_by"),
    [
        pytest.param(
            "2026-10-01T12:00+02:00", "2026-10-31T11:00+01:00", id="clocks go back: 720 h"
        ),
        pytest.param("2027-03-01T12:00+01:00", "2027-03-31T12:00+02:00", id="clocks go on: days"),
        pytest.param(
            "2026-09-25T02:30+02:00", "2026-10-25T02:30+02:00", id="ends in the hour twice"
        ),
        pytest.param(
            "2026-10-25T02:30+02:00", "2026-11-24T01:30+01:00", id="first 2:30 of the two"
        ),
        pytest.param(
            "2026-10-25T02:30+01:00", "2026-11-24T02:30+01:00", id="second 2:30 of the two"
        ),
        pytest.param(
            "2027-02-26T02:30+01:00", "2027-03-28T02:30+01:00", id="ends in no hour at all"
        ),
        pytest.param("2026-12-10T09:00+01:00", "2027-01-09T09:00+01:00", id="over the year"),
        pytest.param("2026-01-31T09:00+01:00", "2026-03-02T09:00+01:00", id="end of January"),
        pytest.param("2028-01-30T09:00+01:00", "2028-02-29T09:00+01:00", id="to 29 February"),
        pytest.param("2028-02-29T09:00+01:00", "2028-03-30T09:00+02:00", id="from 29 February"),
        pytest.param("2027-01-30T09:00+01:00", "2027-03-01T09:00+01:00", id="no 29 February"),
        pytest.param("2026-11-30T23:59:59+01:00", "2026-12-30T23:59:59+01:00", id="month end"),
    ],
)
def test_a_recording_is_due_a_lead_before_the_earlier_of_the_two_limits(
    ended_at: str, gone_by: str
) -> None:
    """R7.2a, R7.2d, P1: the table of dates, a second to either side."""
    ended, limit = at(ended_at), at(gone_by)
    # Where 30 calendar days end in an hour that the clock leaves out, the earlier reading holds.
    assert erase_by(ended, days=30, office_zone=WARSAW) == limit
    second = timedelta(seconds=1)
    assert judged(ended, limit - LEAD - second).why is Why.STILL_RETAINED
    due = judged(ended, limit - LEAD)
    assert (due.erase, due.why, due.due_at) == (True, Why.EXPIRED, limit - LEAD)
    assert judged(ended, limit + second).erase


@pytest.mark.parametrize(
    ("holds", "stage", "why"),
    [
        pytest.param([], Stage.KEPT, Why.EXPIRED, id="free"),
        pytest.param([a_hold()], Stage.KEPT, Why.HELD, id="held"),
        pytest.param([a_hold(ended_at=NOON)], Stage.KEPT, Why.EXPIRED, id="lifted"),
        pytest.param([a_hold(ended_at=NOON), a_hold()], Stage.KEPT, Why.HELD, id="one is left"),
        pytest.param(
            [a_hold(ground=Ground.RESTRICTION)], Stage.KEPT, Why.RESTRICTED, id="restricted"
        ),
        pytest.param(
            [a_hold(ground=Ground.RESTRICTION), a_hold()], Stage.KEPT, Why.HELD, id="both"
        ),
        pytest.param(
            [a_hold(lapses_at=NOON)], Stage.KEPT, Why.HELD, id="a lapse that is not written down"
        ),
        pytest.param(
            [a_hold(review_by=NOON)], Stage.KEPT, Why.HELD, id="an overdue review ends nothing"
        ),
        pytest.param(
            [a_hold(RecordingId(UUID(int=5)))], Stage.KEPT, Why.EXPIRED, id="another's hold"
        ),
        pytest.param([], Stage.ERASING, Why.NOT_AT_REST, id="claimed before"),
        pytest.param([a_hold()], Stage.ERASING, Why.NOT_AT_REST, id="claimed, then a hold"),
    ],
)
def test_a_verdict_has_one_reason(holds: list[Hold], stage: Stage, why: Why) -> None:
    """R7.3b, R7.3c, R7.3d."""
    verdict = judged(NOON, NOON + timedelta(days=40), *holds, stage=stage)
    assert (verdict.why, verdict.erase) == (why, why is Why.EXPIRED)


@pytest.mark.parametrize(
    ("holds", "why"),
    [
        ([], Why.BY_HAND),
        ([a_hold()], Why.HELD),
        ([a_hold(ground=Ground.RESTRICTION)], Why.RESTRICTED),
    ],
)
def test_by_hand_the_days_do_not_count_and_holds_still_win(holds: list[Hold], why: Why) -> None:
    """R7.2f."""
    verdict = judge_by_hand(a_candidate(), holds=holds, now=NOON)
    assert (verdict.why, verdict.erase) == (why, why is Why.BY_HAND)


@given(ended_at=INSTANTS, after=LONG, days=DAYS, ground=st.sampled_from(Ground))
def test_a_held_recording_is_never_erased(
    ended_at: datetime, after: timedelta, days: int, ground: Ground
) -> None:
    hold = a_hold(ground=ground)
    assert not judged(ended_at, ended_at + after, hold, days=days).erase
    assert not judge_by_hand(a_candidate(), holds=[hold], now=ended_at).erase


@given(ended_at=INSTANTS, days=DAYS, zone=ZONES, tick=st.integers(0, 3300))
def test_nothing_outlives_its_days_while_the_service_runs(
    ended_at: datetime, days: int, zone: ZoneInfo, tick: int
) -> None:
    """Ticks come every five minutes; the last one at least five minutes before the limit erases."""
    limit = erase_by(ended_at, days=days, office_zone=zone)
    assert limit <= ended_at + timedelta(hours=24 * days)
    assert judged(ended_at, limit - timedelta(seconds=3600 - tick), days=days, zone=zone).erase


@given(ended_at=INSTANTS, after=LONG, later=LONG, days=DAYS)
def test_once_due_always_due(
    ended_at: datetime, after: timedelta, later: timedelta, days: int
) -> None:
    now = ended_at + after
    assert (
        not judged(ended_at, now, days=days).erase or judged(ended_at, now + later, days=days).erase
    )


@given(ended_at=INSTANTS, after=LONG, days=DAYS, more=st.integers(0, 29))
def test_a_longer_retention_never_erases_earlier(
    ended_at: datetime, after: timedelta, days: int, more: int
) -> None:
    now = ended_at + after
    longer = min(30, days + more)
    assert judged(ended_at, now, days=days).erase or not judged(ended_at, now, days=longer).erase


@given(ended_at=INSTANTS, after=LONG, days=DAYS, zone=ZONES)
def test_the_cut_off_of_the_query_leaves_out_nothing_that_is_due(
    ended_at: datetime, after: timedelta, days: int, zone: ZoneInfo
) -> None:
    now = ended_at + after
    if judged(ended_at, now, days=days, zone=zone).erase:
        assert ended_at < ended_before(retention_days=days, lead=LEAD, now=now)


@pytest.mark.parametrize(
    ("age", "has_tombstone", "what"),
    [
        (timedelta(hours=5), False, Orphan.FRESH),
        (timedelta(hours=6), False, Orphan.WAITING),
        (timedelta(days=30, hours=-2), False, Orphan.WAITING),
        (timedelta(days=30), False, Orphan.EXPIRED),
        (timedelta(0), True, Orphan.ALREADY_ERASED),
    ],
)
def test_a_file_without_a_row_comes_under_the_same_days(
    age: timedelta, has_tombstone: bool, what: Orphan
) -> None:
    """R7.2l; and what was erased does not come back with a backup (RG.17)."""
    judged_so = judge_orphan(
        NOON - age,
        has_tombstone=has_tombstone,
        retention_days=30,
        office_zone=WARSAW,
        lead=LEAD,
        now=NOON,
    )
    assert judged_so is what


@pytest.mark.parametrize(
    ("configured", "applied", "days", "waits"),
    [
        (30, None, 30, False),
        (7, None, 7, False),
        (30, Applied(30, 30), 30, False),
        # The file was lowered: persons decide, and until then nothing changes, seen or not.
        (7, Applied(30, 30), 30, True),
        (7, Applied(30, 7), 30, True),
        # It was raised: at once, from wherever it was.
        (30, Applied(7, 7), 30, False),
        (14, Applied(30, 7), 30, True),
        (30, Applied(30, 7), 30, False),
        # Persons decided on less than the file says; it stays until the file is raised.
        (30, Applied(7, 30), 7, False),
        (14, Applied(7, 30), 7, False),
        (7, Applied(7, 30), 7, False),
        (5, Applied(7, 30), 7, True),
        (30, Applied(7, 14), 30, False),
    ],
)
def test_a_shorter_retention_waits_for_a_person(
    configured: int, applied: Applied | None, days: int, waits: bool
) -> None:
    """R7.2c."""
    found = retention_in_force(configured=configured, applied=applied)
    assert (found.days, found.waits_for_a_person) == (days, waits)


@given(
    configured=st.integers(1, 30),
    applied=st.builds(Applied, st.integers(1, 30), st.integers(1, 30)),
)
def test_the_file_alone_never_shortens(configured: int, applied: Applied) -> None:
    """R7.2c: whatever it says and said."""
    found = retention_in_force(configured=configured, applied=applied)
    assert found.days >= applied.days
    assert found.days in {configured, applied.days}


@pytest.mark.parametrize(
    ("days", "why"),
    [
        (0, NoChange.OUT_OF_BOUNDS),
        (-1, NoChange.OUT_OF_BOUNDS),
        (31, NoChange.OUT_OF_BOUNDS),
        (21, NoChange.ABOVE_THE_FILE),
        (30, NoChange.ABOVE_THE_FILE),
        (14, NoChange.IN_FORCE),
        (1, None),
        (13, None),
        (15, None),
        (20, None),
    ],
)
def test_persons_set_from_one_day_to_what_callers_are_told(days: int, why: NoChange | None) -> None:
    """§ 7.2, R7.2c: the file says 20, 14 are in force."""
    found = retention_in_force(configured=20, applied=Applied(14, 20))
    assert problem_of_change(days, in_force=found) is why
