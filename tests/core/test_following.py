"""A released call until it ends: what is noted and what is looked into (F14, RG.6, R3.4h)."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.capture import events as ev
from recorder.capture.following import (
    PROOF_AFTER_S,
    STOP_AGAIN,
    STOP_AGAIN_AFTER_S,
    Following,
    follow,
)
from recorder.capture.journal import entry, fold
from recorder.model import CallRecord, IncidentKind, RecordingId
from tests.builders import CALL, NOON, RECORDING

T = TypeVar("T")


def at(seconds: float) -> Any:
    return {"at": NOON + timedelta(seconds=seconds), "mono": seconds}


def a_following(
    *, recording_id: RecordingId | None = RECORDING, stop_outside: bool = True
) -> Following:
    return Following(
        recording_id=recording_id,
        trunk_endpoints=frozenset({"operator", "mobile"}),
        stop_outside=stop_outside,
    )


def run(state: Following, events: Iterable[ev.Event]) -> tuple[Following, list[ev.Command]]:
    commands: list[ev.Command] = []
    for event in events:
        state, new = follow(state, event)
        commands += new
    return state, commands


def kinds(commands: Iterable[ev.Command]) -> list[str]:
    return [each.kind for each in commands if isinstance(each, ev.Note)]


def of_type(type_: type[T], commands: Iterable[ev.Command]) -> list[T]:
    return [each for each in commands if isinstance(each, type_)]


def connected(seconds: float, *parties: str) -> ev.Event:
    return ev.LineChanged(bridged=True, parties=parties, **at(seconds))


def disconnected(seconds: float) -> ev.Event:
    return ev.LineChanged(bridged=False, **at(seconds))


def ended(seconds: float, *, pbx_lost: bool = False) -> ev.Event:
    return ev.CallEnded(cause=None if pbx_lost else 16, pbx_lost=pbx_lost, **at(seconds))


def test_the_file_is_looked_at_three_seconds_after_the_first_connection_only() -> None:
    """RG.6."""
    _, commands = run(
        a_following(), [connected(0, "desk"), disconnected(5), connected(9, "desk-3")]
    )
    looks = of_type(ev.CheckAudio, commands)
    assert looks == [ev.CheckAudio(recording_id=RECORDING, seconds=PROOF_AFTER_S)]
    assert PROOF_AFTER_S == 3.0


def test_a_call_without_permission_has_no_file_to_look_at_nor_to_stop() -> None:
    _, commands = run(a_following(recording_id=None), [connected(0, "desk", "mobile")])
    assert kinds(commands) == ["line:changed"]
    assert len(commands) == 1


def test_a_file_that_does_not_grow_is_an_incident() -> None:
    """RG.6, F9."""
    _, grows = run(a_following(), [ev.AudioChecked(growing=True, **at(3))])
    _, empty = run(a_following(), [ev.AudioChecked(growing=False, **at(3))])
    assert of_type(ev.Raise, grows) == []
    assert of_type(ev.Raise, empty) == [ev.Raise(kind=IncidentKind.AUDIO_GAP)]


@pytest.mark.parametrize(
    ("parties", "stop_outside", "stops"),
    [
        pytest.param(("desk",), True, 0, id="the office's own desk"),
        pytest.param(("mobile",), True, 1, id="passed on to the outside"),
        pytest.param(("desk", "mobile"), True, 1, id="somebody from outside joins"),
        pytest.param(("mobile",), False, 0, id="the office records it all the same"),
    ],
)
def test_recording_stops_once_when_somebody_from_outside_is_on_the_line(
    parties: tuple[str, ...], stop_outside: bool, stops: int
) -> None:
    """R3.4h."""
    state = a_following(stop_outside=stop_outside)
    events = [connected(0, *parties), disconnected(1), connected(2, *parties)]
    _, commands = run(state, events)
    assert of_type(ev.StopRecording, commands) == [ev.StopRecording(recording_id=RECORDING)] * stops
    assert kinds(commands).count("recording:stopped") == stops
    assert all(
        each.durable for each in of_type(ev.Note, commands) if each.kind == "recording:stopped"
    )


def refused(seconds: float) -> ev.Event:
    return ev.CommandRefused(gone=False, **at(seconds))


def again(seconds: float) -> ev.Event:
    return ev.TimerExpired(timer=STOP_AGAIN, **at(seconds))


def test_a_stop_that_is_refused_is_one_incident_and_asked_for_until_it_is_done() -> None:
    """R3.4h: also when the line has not changed, and when the outside has left it meanwhile."""
    events = [connected(0, "mobile"), refused(1), again(6), refused(7), connected(8, "desk")]
    state, commands = run(a_following(), events)
    assert of_type(ev.Raise, commands) == [ev.Raise(kind=IncidentKind.STOP_REFUSED)]
    assert len(of_type(ev.StopRecording, commands)) == 3
    timer = ev.StartTimer(timer=STOP_AGAIN, seconds=STOP_AGAIN_AFTER_S)
    assert of_type(ev.StartTimer, commands) == [timer] * 2
    assert of_type(ev.StopRecording, run(state, [again(13), again(18)])[1]) == []


def test_nobody_asks_to_stop_who_was_never_passed_on() -> None:
    _, commands = run(a_following(), [connected(0, "desk"), refused(1), again(2)])
    assert of_type(ev.StopRecording, commands) == []
    assert of_type(ev.Raise, commands) == []


def test_a_file_stopped_before_its_first_byte_is_no_gap() -> None:
    """R3.4h: a ring group in which somebody outside takes the call."""
    _, commands = run(
        a_following(), [connected(0, "mobile"), ev.AudioChecked(growing=False, **at(3))]
    )
    assert of_type(ev.Raise, commands) == []


def test_whoever_is_on_the_line_is_followed_once_if_the_call_is_recorded() -> None:
    """R3.4c: a hold is told by the channel of the desk that holds."""
    joined = ev.LineChanged(bridged=True, parties=("desk",), channels=frozenset({"1.4"}), **at(0))
    left = disconnected(1)
    recorded = run(a_following(), [joined, left, joined])[1]
    assert of_type(ev.FollowParty, recorded) == [ev.FollowParty(channel_id="1.4")]
    assert of_type(ev.FollowParty, run(a_following(recording_id=None), [joined])[1]) == []


def test_a_hold_and_a_transfer_are_noted_once_however_many_channels_tell_of_them() -> None:
    """R3.4c."""
    held = ev.HoldChanged(held=True, **at(1))
    moved = ev.Transferred(attended=True, to="desk-2", **at(2))
    later = ev.Transferred(attended=True, to="desk-2", **at(9))
    freed = ev.HoldChanged(held=False, **at(10))
    _, commands = run(a_following(), [held, held, moved, moved, later, freed, freed])
    assert kinds(commands) == [
        *("hold:changed", "call:transferred", "call:transferred", "hold:changed")
    ]


def test_the_same_line_told_again_is_no_news() -> None:
    """F14."""
    _, commands = run(a_following(), [connected(0, "desk"), connected(1, "desk")])
    assert kinds(commands) == ["line:changed"]
    _, nothing = run(a_following(), [disconnected(0)])
    assert nothing == []


def test_the_end_is_noted_durably_and_nothing_after_it() -> None:
    state, commands = run(
        a_following(), [ended(10), ended(11), connected(12, "desk"), ended(13, pbx_lost=True)]
    )
    assert state.over
    assert kinds(commands) == ["call:ended"]
    assert of_type(ev.Note, commands)[0].durable
    assert of_type(ev.Raise, commands) == []


def test_an_end_that_the_pbx_did_not_live_to_tell_is_an_incident() -> None:
    """F4."""
    _, commands = run(a_following(), [ended(10, pbx_lost=True)])
    assert of_type(ev.Raise, commands) == [ev.Raise(kind=IncidentKind.PBX_LOST)]


MOMENTS = st.floats(0, 100).map(at)
EVENTS = st.lists(
    st.one_of(
        MOMENTS.flatmap(
            lambda when: st.builds(
                ev.LineChanged,
                bridged=st.booleans(),
                parties=st.lists(st.sampled_from(["desk", "mobile"]), unique=True).map(tuple),
                at=st.just(when["at"]),
                mono=st.just(when["mono"]),
            )
        ),
        MOMENTS.map(lambda when: ev.HoldChanged(held=True, **when)),
        MOMENTS.map(lambda when: ev.Transferred(attended=False, to="9\n", **when)),
        MOMENTS.map(lambda when: ev.QualityReported(figures={"lp": 1.0}, **when)),
        MOMENTS.map(lambda when: ev.RecordingArmed(**when)),
        MOMENTS.map(lambda when: ev.AudioChecked(growing=False, **when)),
        MOMENTS.map(lambda when: ev.CallEnded(cause=16, **when)),
        MOMENTS.map(lambda when: ev.LeftApplication(**when)),
    ),
    max_size=25,
)


def journal_of(commands: Iterable[ev.Command]) -> CallRecord:
    arrival = {
        "call_id": str(CALL),
        "node": "pbx1",
        "channel_id": "1.1",
        "endpoint": "operator",
        "context": "from-operator",
        "line": "746640800",
        "caller_number": "",
    }
    notes = [entry(each.kind, NOON, each.fields) for each in of_type(ev.Note, commands)]
    return fold([entry("call:entered", NOON, arrival), *notes])


@given(EVENTS)
def test_whatever_order_events_have_the_journal_folds_and_the_call_ends_once(
    events: list[ev.Event],
) -> None:
    """F14, B1."""
    _, commands = run(a_following(), [*events, ended(200)])
    call = journal_of(commands)
    assert call.ended_at is not None
    assert kinds(commands).count("call:ended") == 1
    assert all(span.until is not None for span in call.bridged)
    assert len(of_type(ev.StopRecording, commands)) <= 1
    assert len(of_type(ev.CheckAudio, commands)) <= 1


@given(EVENTS)
def test_every_event_told_twice_is_the_same_connected_time(events: list[ev.Event]) -> None:
    """F14."""
    _, once = run(a_following(), [*events, ended(200)])
    _, twice = run(a_following(), [*(each for each in events for _ in range(2)), ended(200)])
    assert journal_of(once).bridged == journal_of(twice).bridged
    assert journal_of(once).parties == journal_of(twice).parties


def test_stopping_is_noted_only_after_it_was_asked_for() -> None:
    """R3.4h: a stop that the PBX refuses must not excuse a gap."""
    state = Following(
        recording_id=RECORDING, trunk_endpoints=frozenset({"operator"}), stop_outside=True
    )
    joined = ev.LineChanged(at=NOON, mono=0, bridged=True, parties=("desk", "operator"))
    _, commands = follow(state, joined)
    kinds = [each.kind if isinstance(each, ev.Note) else type(each).__name__ for each in commands]
    assert kinds.index("StopRecording") < kinds.index("recording:stopped")
