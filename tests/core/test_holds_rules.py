"""§ 7.3: what may be held, how long until somebody looks, and what keeps a recording."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from recorder.erasure.model import Stage
from recorder.holds.model import Ground, Hold
from recorder.holds.rules import (
    Why,
    has_lapsed,
    is_overdue,
    judge_placing,
    may_still_exist,
    protecting,
    review_date,
    review_is_near,
)
from tests.builders import NOON
from tests.builders_keeping import a_hold

WARSAW = ZoneInfo("Europe/Warsaw")
SECOND = timedelta(seconds=1)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("stage", "has_tombstone", "why"),
    [
        (Stage.KEPT, False, Why.PLACED),
        (Stage.ERASING, False, Why.BEING_ERASED),
        (None, True, Why.ALREADY_ERASED),
        (None, False, Why.NO_SUCH_RECORDING),
    ],
)
def test_only_what_is_kept_can_be_held(stage: Stage | None, has_tombstone: bool, why: Why) -> None:
    placing = judge_placing(stage, has_tombstone=has_tombstone)
    assert (placing.allowed, placing.why) == (why is Why.PLACED, why)


@pytest.mark.parametrize(("days", "allowed"), [(0, False), (1, True), (90, True), (91, False)])
def test_a_review_is_at_most_90_days_away(days: int, allowed: bool) -> None:
    """R7.3d: exact, whatever the clocks do in between."""
    expected = NOON + timedelta(days=days) if allowed else None
    assert review_date(now=NOON, days=days) == expected


def test_a_provisional_hold_lapses_after_exactly_seven_days_and_a_real_one_never() -> None:
    provisional = a_hold(lapses_at=NOON + WEEK)
    assert not has_lapsed(provisional, now=NOON + WEEK - SECOND)
    assert has_lapsed(provisional, now=NOON + WEEK)
    assert not has_lapsed(a_hold(), now=NOON + timedelta(days=4000))
    assert not has_lapsed(a_hold(lapses_at=NOON, ended_at=NOON), now=NOON)


def test_an_overdue_review_is_told_and_ends_nothing() -> None:
    """R7.3d."""
    hold = a_hold()
    assert not is_overdue(hold, now=hold.review_by - SECOND)
    assert is_overdue(hold, now=hold.review_by)
    assert protecting([hold]) is Ground.REQUEST_OF_AUTHORITY
    assert not review_is_near(hold, now=hold.review_by - WEEK - SECOND)
    assert review_is_near(hold, now=hold.review_by - WEEK)


@pytest.mark.parametrize(
    ("holds", "ground"),
    [
        ([], None),
        ([a_hold(ended_at=NOON)], None),
        ([a_hold(ground=Ground.RESTRICTION)], Ground.RESTRICTION),
        ([a_hold(ground=Ground.RESTRICTION), a_hold()], Ground.REQUEST_OF_AUTHORITY),
        (
            [a_hold(ended_at=NOON), a_hold(ground=Ground.OWN_INFORMATION)],
            Ground.OWN_INFORMATION,
        ),
    ],
)
def test_the_last_hold_to_end_frees_a_recording(holds: list[Hold], ground: Ground | None) -> None:
    """R7.3c."""
    assert protecting(holds) is ground


def test_a_search_for_holds_reaches_back_as_far_as_recordings_can_exist() -> None:
    """R7.3h: calls of 10 December may be there until the same hour of 10 January."""
    day = date(2026, 12, 10)

    def exists(now: datetime) -> bool:
        return may_still_exist(day, now=now, retention_days=30, office_zone=WARSAW)

    assert exists(datetime(2027, 1, 9, 22, 59, tzinfo=UTC))
    assert not exists(datetime(2027, 1, 9, 23, 0, tzinfo=UTC))
