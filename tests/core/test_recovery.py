"""After every (re)connection: what becomes of each call (F1, F3, F4)."""

from datetime import datetime, timedelta

import pytest

from recorder.capture.events import Arrival, Snapshot
from recorder.capture.recovery import (
    UNDECIDED,
    Action,
    Conclude,
    FollowAgain,
    Interrupt,
    LetGo,
    Seal,
    plan_recovery,
)
from recorder.model import CallRecord, Decision, Reason
from tests.builders import IN_SCOPE, NOON, RECORDING, a_call

CHANNEL = "1764000000.1"
EARLIER, LATER = NOON - timedelta(hours=1), NOON + timedelta(minutes=5)
LOST, WRITTEN = NOON + timedelta(minutes=2), NOON + timedelta(minutes=3)
OUT_OF_SCOPE = Decision(record=False, reason=Reason.CALLER_INTERNAL)
DECLINED = Decision(record=False, reason=Reason.DECLINED)
ARRIVAL = Arrival(
    channel_id=CHANNEL,
    at=NOON,
    endpoint="operator",
    context="from-operator",
    line="746640800",
    caller_number="",
    caller_name="",
)
UNSETTLED = a_call(scope=IN_SCOPE)
PERMITTED = a_call(scope=IN_SCOPE, consent=IN_SCOPE, recording_id=RECORDING)


def snapshot(
    *,
    living: bool = False,
    waiting: bool = False,
    line: tuple[str, ...] | None = None,
    started_at: datetime | None = EARLIER,
) -> Snapshot:
    return Snapshot(
        at=LATER,
        started_at=started_at,
        channels=frozenset({CHANNEL} if living or waiting else ()),
        waiting={CHANNEL: ARRIVAL} if waiting else {},
        lines={} if line is None else {CHANNEL: line},
    )


def plan(
    seen: Snapshot,
    *,
    in_hand: bool = False,
    journalled: tuple[CallRecord, ...] = (),
    lost_at: datetime | None = None,
    written_at: datetime | None = None,
) -> list[Action]:
    return list(
        plan_recovery(
            snapshot=seen,
            in_hand={CHANNEL: NOON} if in_hand else {},
            journalled=journalled,
            lost_at=lost_at,
            written_at={CHANNEL: written_at} if written_at else {},
        )
    )


@pytest.mark.parametrize(
    ("record", "decision"),
    [
        pytest.param(None, UNDECIDED, id="never noted"),
        pytest.param(a_call(), UNDECIDED, id="killed before the scope was noted"),
        pytest.param(UNSETTLED, UNDECIDED, id="killed during the announcement"),
        pytest.param(PERMITTED, IN_SCOPE, id="killed between consent and release"),
        pytest.param(a_call(scope=IN_SCOPE, consent=DECLINED), DECLINED, id="declined"),
        pytest.param(a_call(scope=OUT_OF_SCOPE), OUT_OF_SCOPE, id="out of scope"),
        pytest.param(
            a_call(scope=OUT_OF_SCOPE, consent=IN_SCOPE),
            OUT_OF_SCOPE,
            id="consent cannot bring a call into scope",
        ),
    ],
)
def test_a_caller_nobody_serves_goes_on_with_what_was_decided_and_else_unrecorded(
    record: CallRecord | None, decision: Decision
) -> None:
    """F1: only a permission that stands in the journal records."""
    actions = plan(snapshot(waiting=True), journalled=(record,) if record else ())
    assert actions == [LetGo(arrival=ARRIVAL, record=record, decision=decision)]
    assert UNDECIDED.record is False


def test_a_caller_in_hand_who_stands_in_the_application_missed_events() -> None:
    """F3: no decision rests on what was not heard."""
    assert plan(snapshot(waiting=True), in_hand=True) == [Interrupt(channel_id=CHANNEL)]


@pytest.mark.parametrize("in_hand", [True, False])
@pytest.mark.parametrize("line", [None, (), ("desk",)])
def test_a_living_call_is_followed_again_with_the_line_it_has_now(
    in_hand: bool, line: tuple[str, ...] | None
) -> None:
    actions = plan(
        snapshot(living=True, line=line),
        in_hand=in_hand,
        journalled=() if in_hand else (PERMITTED,),
    )
    assert actions == [
        FollowAgain(
            channel_id=CHANNEL,
            record=None if in_hand else PERMITTED,
            bridged=line is not None,
            parties=line or (),
        )
    ]


@pytest.mark.parametrize(
    ("started_at", "lost_at", "written_at", "end", "pbx_lost"),
    [
        pytest.param(EARLIER, None, None, LATER, False, id="nothing is known but that it is over"),
        pytest.param(EARLIER, LOST, None, LOST, False, id="it ended while the link was cut"),
        pytest.param(EARLIER, LOST, WRITTEN, WRITTEN, False, id="its audio grew after the cut"),
        pytest.param(EARLIER, None, WRITTEN, WRITTEN, False, id="its audio tells the end"),
        pytest.param(LATER, LOST, WRITTEN, LOST, True, id="the PBX started anew, seen from here"),
        pytest.param(LATER, None, WRITTEN, WRITTEN, True, id="both were started anew"),
        pytest.param(LATER, None, None, LATER, True, id="both anew, and no audio"),
        pytest.param(None, LOST, None, LOST, False, id="the PBX does not say when it started"),
    ],
)
@pytest.mark.parametrize("in_hand", [True, False])
def test_a_call_that_lives_no_more_ends_at_the_best_known_moment(
    in_hand: bool,
    started_at: datetime | None,
    lost_at: datetime | None,
    written_at: datetime | None,
    end: datetime,
    pbx_lost: bool,
) -> None:
    """F4: § 7.2 counts from the end."""
    actions = plan(
        snapshot(started_at=started_at),
        in_hand=in_hand,
        journalled=() if in_hand else (PERMITTED,),
        lost_at=lost_at,
        written_at=written_at,
    )
    record = None if in_hand else PERMITTED
    assert actions == [Conclude(channel_id=CHANNEL, record=record, at=end, pbx_lost=pbx_lost)]


@pytest.mark.parametrize("living", [True, False])
@pytest.mark.parametrize(
    "record",
    [
        pytest.param(a_call(scope=IN_SCOPE, ended_at=NOON), id="ended before the crash"),
        pytest.param(a_call(scope=OUT_OF_SCOPE), id="out of scope is not followed"),
    ],
)
def test_a_call_that_was_over_is_only_sealed(record: CallRecord, living: bool) -> None:
    """R3.4b."""
    assert plan(snapshot(living=living), journalled=(record,)) == [Seal(record=record)]


def test_callers_who_wait_come_first_and_every_call_gets_one_action() -> None:
    others = tuple(
        a_call(channel_id=f"1.{number}", scope=IN_SCOPE, ended_at=NOON) for number in range(3)
    )
    actions = plan(snapshot(waiting=True), journalled=(*others, PERMITTED))
    assert [type(each) for each in actions] == [LetGo, Seal, Seal, Seal]


def test_a_call_in_hand_is_concluded_though_an_older_journal_has_its_channel() -> None:
    """F14: an arrival that was told again after the end must not stay in hand for ever."""
    ended = a_call(scope=IN_SCOPE, ended_at=NOON)
    (action,) = plan(snapshot(), in_hand=True, journalled=(ended,))
    assert isinstance(action, Conclude)
    assert action.record is None
