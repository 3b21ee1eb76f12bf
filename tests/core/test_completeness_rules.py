"""Which calls of a day has nobody explained (RG.13)?"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.completeness.model import Comparison, Judgement, Known, PbxCall
from recorder.completeness.rules import (
    ALL_AT_ONCE,
    SETTLES,
    compare,
    days_to_compare,
    judge,
    one_each,
    records_are_missing,
)
from recorder.model import CallId

WARSAW = ZoneInfo("Europe/Warsaw")
DAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 11, tzinfo=UTC)
LATER = datetime(2026, 11, 25, 3, tzinfo=UTC)


def a_record(channel: str = "1732.1", **known: Any) -> PbxCall:
    return replace(
        PbxCall(
            channel_id=channel,
            endpoint="trunk",
            started_at=NOON,
            ended_at=NOON + timedelta(minutes=3),
            answered=True,
        ),
        **known,
    )


def a_row(channel: str = "1732.1", number: int = 1, **known: Any) -> Known:
    return replace(
        Known(
            call_id=CallId(UUID(int=number)), channel_id=channel, arrived_at=NOON, pbx_lost=False
        ),
        **known,
    )


@pytest.mark.parametrize(
    ("known", "in_hand", "answered", "judgement"),
    [
        pytest.param({"1732.1"}, set(), True, Judgement.EXPLAINED, id="has its row"),
        pytest.param({"1732.1"}, {"1732.1"}, True, Judgement.EXPLAINED, id="row and journal"),
        pytest.param(set(), {"1732.1"}, True, Judgement.IN_HAND, id="is being sealed"),
        pytest.param(set(), set(), False, Judgement.NEVER_ANSWERED, id="nobody answered"),
        pytest.param(set(), {"1732.2"}, True, Judgement.UNEXPLAINED, id="nothing knows of it"),
    ],
)
def test_a_call_of_the_pbx_is_exactly_one_of_four(
    known: set[str], in_hand: set[str], answered: bool, judgement: Judgement
) -> None:
    call = a_record(answered=answered)
    assert judge(call, known=known, in_hand=in_hand) is judgement


def compared(*records: PbxCall, rows: tuple[Known, ...] = (), now: datetime = LATER) -> Comparison:
    return compare(
        DAY,
        calls=one_each(records),
        rows=rows,
        in_hand=(),
        trunks={"trunk"},
        office_zone=WARSAW,
        now=now,
    )


def test_a_call_with_several_records_is_one_call_answered_if_any_is() -> None:
    """Each telephone that is rung has a record of its own."""
    first = a_record(answered=False, ended_at=NOON + timedelta(seconds=20))
    second = a_record(started_at=NOON + timedelta(seconds=20))
    found = compared(first, second)
    assert (found.pbx_calls, len(found.unexplained)) == (1, 1)
    assert found.unexplained[0].started_at == NOON


@pytest.mark.parametrize(
    ("record", "counts"),
    [
        pytest.param(a_record(endpoint="desk"), False, id="from inside"),
        pytest.param(
            a_record(started_at=datetime(2026, 11, 23, 22, 59, 59, tzinfo=UTC)),
            False,
            id="a second before the day of Warsaw",
        ),
        pytest.param(
            a_record(started_at=datetime(2026, 11, 23, 23, tzinfo=UTC)), True, id="its first second"
        ),
        pytest.param(
            a_record(
                started_at=datetime(2026, 11, 24, 22, 59, 59, tzinfo=UTC),
                ended_at=datetime(2026, 11, 24, 23, 9, tzinfo=UTC),
            ),
            True,
            id="over midnight",
        ),
        pytest.param(
            a_record(started_at=datetime(2026, 11, 24, 23, tzinfo=UTC)), False, id="the next day"
        ),
        pytest.param(a_record(ended_at=LATER - SETTLES), True, id="just settled"),
        pytest.param(
            a_record(ended_at=LATER - SETTLES + timedelta(seconds=1)), False, id="not settled yet"
        ),
    ],
)
def test_only_settled_calls_from_outside_of_that_day_count(record: PbxCall, counts: bool) -> None:
    assert compared(record).pbx_calls == counts


def test_rows_that_the_pbx_does_not_know_are_said_too() -> None:
    rows = (a_row(), a_row("1732.2", 2), a_row("1732.3", 3, pbx_lost=True))
    found = compared(a_record(), rows=rows)
    assert found.without_record == (CallId(UUID(int=2)),)
    assert (found.explained, found.unexplained) == (1, ())


def test_when_no_call_has_a_record_the_records_are_what_is_missing() -> None:
    rows = tuple(a_row(str(n), n) for n in range(ALL_AT_ONCE))
    assert records_are_missing(compared(rows=rows))
    assert not records_are_missing(compared(rows=rows[1:]))
    assert not records_are_missing(compared(a_record("other"), rows=rows))


def test_yesterday_and_today_are_compared_and_what_was_left_undone() -> None:
    now = datetime(2026, 11, 25, 8, tzinfo=UTC)
    days = [date(2026, 11, each) for each in (24, 25)]
    assert days_to_compare({}, now=now, office_zone=WARSAW) == days
    to_its_end = {DAY - timedelta(days=3): datetime(2026, 11, 21, 23, tzinfo=UTC)}
    found = days_to_compare(to_its_end, now=now, office_zone=WARSAW)
    assert found == [date(2026, 11, each) for each in (22, 23, 24, 25)]
    half = {DAY - timedelta(days=3): datetime(2026, 11, 21, 22, 59, tzinfo=UTC)}
    assert days_to_compare(half, now=now, office_zone=WARSAW)[0] == date(2026, 11, 21)


@given(
    channels=st.lists(st.sampled_from("abcdef"), max_size=12),
    known=st.sets(st.sampled_from("abcdef")),
    answered=st.sets(st.sampled_from("abcdef")),
)
def test_every_call_of_the_pbx_is_counted_once(
    channels: list[str], known: set[str], answered: set[str]
) -> None:
    records = [a_record(each, answered=each in answered) for each in channels]
    rows = tuple(a_row(each, number) for number, each in enumerate(sorted(known)))
    found = compared(*records, rows=rows)
    parts = found.explained + found.never_answered + found.in_hand + len(found.unexplained)
    assert found.pbx_calls == parts == len(set(channels))
    assert {each.channel_id for each in found.unexplained} == (set(channels) & answered) - known
