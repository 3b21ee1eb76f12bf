"""P5 and F12: what stops a purge, and what does not."""

from datetime import timedelta

import pytest

from recorder.erasure.brakes import Doubt, Instant, doubt_of_clock, file_is_younger, vanished
from tests.builders import NOON

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
LAST = Instant(at=NOON, boot_id="one", boot_s=1000.0)


@pytest.mark.parametrize(
    ("wall", "witness_s", "jumped"),
    [
        pytest.param(timedelta(minutes=5), 300, False, id="a tick"),
        pytest.param(timedelta(days=45), 45 * 86400, False, id="an outage of 45 days"),
        pytest.param(timedelta(days=40), 300, True, id="40 days forward"),
        pytest.param(timedelta(days=-40), 300, True, id="40 days back"),
        pytest.param(HOUR, 0, False, id="an hour"),
        pytest.param(HOUR + SECOND, 0, True, id="more than an hour"),
        pytest.param(-HOUR - SECOND, 0, True, id="more than an hour back"),
        pytest.param(timedelta(days=30, minutes=20), 30 * 86400, False, id="slow drift"),
    ],
)
@pytest.mark.parametrize("synchronised", [True, False])
def test_within_one_start_of_the_machine_two_clocks_must_agree(
    wall: timedelta, witness_s: float, jumped: bool, synchronised: bool
) -> None:
    this = Instant(at=NOON + wall, boot_id="one", boot_s=1000.0 + witness_s)
    doubt = doubt_of_clock(last=LAST, this=this, synchronised=synchronised)
    assert doubt is (Doubt.JUMPED if jumped else Doubt.NONE)


@pytest.mark.parametrize(
    ("last", "wall", "synchronised", "doubt"),
    [
        pytest.param(LAST, timedelta(days=45), True, Doubt.NONE, id="a long stop, synchronised"),
        pytest.param(
            LAST, timedelta(days=45), False, Doubt.NO_WITNESS, id="a long stop, nobody vouches"
        ),
        pytest.param(LAST, timedelta(days=-1), True, Doubt.JUMPED, id="time ran backwards"),
        pytest.param(None, timedelta(0), True, Doubt.NONE, id="the very first run"),
        pytest.param(
            None, timedelta(0), False, Doubt.NO_WITNESS, id="the very first run, nobody vouches"
        ),
    ],
)
def test_across_starts_the_kernel_must_vouch_for_the_clock(
    last: Instant | None, wall: timedelta, synchronised: bool, doubt: Doubt
) -> None:
    this = Instant(at=NOON + wall, boot_id="two", boot_s=5.0)
    assert doubt_of_clock(last=last, this=this, synchronised=synchronised) is doubt


def test_a_hold_may_end_only_where_the_trail_says_so() -> None:
    gone = vanished(stood={"a", "b", "c"}, stand={"a", "new"}, ended_in_trail={"b"})
    assert gone == {"c"}
    assert not vanished(stood=(), stand=(), ended_in_trail=())


@pytest.mark.parametrize(
    ("age", "younger"), [(-SECOND, False), (HOUR, False), (HOUR + SECOND, True)]
)
def test_a_file_may_not_be_younger_than_its_row(age: timedelta, younger: bool) -> None:
    assert file_is_younger(written_at=NOON + age, sealed_at=NOON) is younger
