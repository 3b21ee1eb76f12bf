"""Whatever shape Asterisk's events have, what reaches the calls is well formed (B1, F14)."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.adapters.ari import parse_event
from recorder.adapters.pbx_events import AriEvents, arrival_of, quality_figures
from recorder.capture import events as ev
from recorder.capture.dialplan_text import from_base64
from recorder.capture.following import Following, follow
from recorder.capture.journal import encode, entry
from tests.builders import NOON, RECORDING

STAMP = "2026-11-12T13:00:01.500+0100"
AT = datetime(2026, 11, 12, 12, 0, 1, 500_000, tzinfo=UTC)
HANDLED = sorted(AriEvents._ACTS)


class Clock:
    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return 7.0


class Office:
    """Stands where capture stands, and keeps what it is told."""

    def __init__(self) -> None:
        self.arrivals: list[ev.Arrival] = []
        self.told: list[tuple[str, ev.Event]] = []
        self.events = AriEvents(
            clock=Clock(),
            arrive=lambda arrival, _: self.arrivals.append(arrival),
            deliver=lambda channel_id, event: self.told.append((channel_id, event)),
        )

    def hear(self, **message: Any) -> None:
        event = parse_event(json.dumps({"timestamp": STAMP} | message))
        assert event is not None
        self.events(event)


def channel(channel_id: str = "1.1", name: str = "PJSIP/operator-00000001") -> dict[str, Any]:
    return {"id": channel_id, "name": name, "caller": {"number": "600100200", "name": "Ala"}}


def quality(figures: str) -> dict[str, Any]:
    said = {"Figures": figures}
    return {"type": "ChannelUserevent", "eventname": "RecorderQuality", "userevent": said}


def stamped(**more: Any) -> dict[str, Any]:
    return {"at": AT, "mono": 7.0} | more


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_caller_handed_over_arrives_with_what_the_dialplan_saved() -> None:
    office = Office()
    office.hear(
        type="StasisStart", args=["v1", b64("746640800"), b64("from-operator")], channel=channel()
    )
    assert office.arrivals == [
        ev.Arrival(
            channel_id="1.1",
            at=AT,
            endpoint="operator",
            context="from-operator",
            line="746640800",
            caller_number="600100200",
            caller_name="Ala",
        )
    ]
    assert office.told == []


@pytest.mark.parametrize(
    "args",
    [None, [], ["v1"], ["v1", "NzQ2"], ["v2", "NzQ2", "NzQ2"], {"0": "v1"}, "v1,NzQ2,NzQ2", 7],
)
def test_a_channel_not_handed_over_by_our_subroutine_is_nobodys_call(args: object) -> None:
    office = Office()
    office.hear(type="StasisStart", args=args, channel=channel())
    assert office.arrivals == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"type": "StasisEnd"}, ev.LeftApplication(**stamped())),
        ({"type": "ChannelDtmfReceived", "digit": "2"}, ev.KeyPressed(key="2", **stamped())),
        ({"type": "ChannelHangupRequest"}, ev.HangupRequested(**stamped())),
        ({"type": "ChannelDestroyed", "cause": 16}, ev.CallEnded(cause=16, **stamped())),
        ({"type": "ChannelDestroyed", "cause": "16"}, ev.CallEnded(cause=None, **stamped())),
        ({"type": "ChannelHold"}, ev.HoldChanged(held=True, **stamped())),
        ({"type": "ChannelUnhold"}, ev.HoldChanged(held=False, **stamped())),
        (
            {"type": "ChannelUserevent", "eventname": "RecorderArmed"},
            ev.RecordingArmed(**stamped()),
        ),
        (
            quality("lp=3;rtt=x"),
            ev.QualityReported(figures={"lp": 3.0}, **stamped()),
        ),
    ],
    ids=str,
)
def test_each_event_reaches_its_call_at_asterisks_own_time(
    message: dict[str, Any], expected: ev.Event
) -> None:
    office = Office()
    office.hear(channel=channel(), **message)
    assert office.told == [("1.1", expected)]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "ChannelDtmfReceived", "digit": "22"},
        {"type": "ChannelDtmfReceived", "digit": 2},
        quality(""),
        {"type": "ChannelUserevent", "eventname": "ANYTHING", "userevent": {"Figures": "lp=3"}},
        {"type": "ChannelTalkingStarted"},
        {"type": "__class__"},
    ],
    ids=str,
)
def test_what_says_nothing_of_a_call_reaches_none(message: dict[str, Any]) -> None:
    office = Office()
    office.hear(channel=channel(), **message)
    assert office.told == []


@pytest.mark.parametrize(
    ("type_", "state", "expected"),
    [
        ("PlaybackStarted", "playing", ev.PlaybackStarted(playback_id="p-1", **stamped())),
        (
            "PlaybackFinished",
            "done",
            ev.PlaybackFinished(playback_id="p-1", done=True, **stamped()),
        ),
        (
            "PlaybackFinished",
            "failed",
            ev.PlaybackFinished(playback_id="p-1", done=False, **stamped()),
        ),
        ("PlaybackFinished", True, ev.PlaybackFinished(playback_id="p-1", done=False, **stamped())),
    ],
)
def test_a_playback_tells_its_channel_and_only_done_is_done(
    type_: str, state: object, expected: ev.Event
) -> None:
    office = Office()
    playback = {"id": "p-1", "state": state, "target_uri": "channel:1.1"}
    office.hear(type=type_, playback=playback)
    assert office.told == [("1.1", expected)]


def test_an_event_without_a_readable_time_happens_now() -> None:
    office = Office()
    office.hear(type="StasisEnd", channel=channel(), timestamp="yesterday")
    assert office.told == [("1.1", ev.LeftApplication(at=NOON, mono=7.0))]


def lines_of(office: Office, channel_id: str) -> Iterator[tuple[bool, tuple[str, ...]]]:
    for told_to, event in office.told:
        if told_to == channel_id and isinstance(event, ev.LineChanged):
            yield event.bridged, event.parties


def test_a_caller_behind_a_queue_hears_of_the_desk_that_answers_and_leaves() -> None:
    """R5.1a."""
    office = Office()

    def change(what: str, bridge_id: str, channel_id: str, name: str) -> None:
        office.hear(type=what, bridge={"id": bridge_id}, channel=channel(channel_id, name))

    change("ChannelEnteredBridge", "b1", "1.1", "PJSIP/operator-00000001")
    change("ChannelEnteredBridge", "b1", "1.2", "Local/201@office-00000007;1")
    change("ChannelEnteredBridge", "b2", "1.3", "Local/201@office-00000007;2")
    change("ChannelEnteredBridge", "b2", "1.4", "PJSIP/desk-00000002")
    assert list(lines_of(office, "1.1"))[-1] == (True, ("desk",))
    change("ChannelLeftBridge", "b2", "1.4", "PJSIP/desk-00000002")
    assert list(lines_of(office, "1.1"))[-1] == (True, ())
    assert list(lines_of(office, "1.4"))[-1] == (False, ())
    office.hear(type="BridgeDestroyed", bridge={"id": "b1"})
    assert list(lines_of(office, "1.1"))[-1] == (False, ())


def test_a_transfer_is_told_to_everybody_in_it() -> None:
    office = Office()
    office.hear(
        type="BridgeBlindTransfer", exten="202", transferer=channel("1.4"), transferee=channel()
    )
    expected = ev.Transferred(attended=False, to="202", **stamped())
    assert sorted(told_to for told_to, _ in office.told) == ["1.1", "1.4"]
    assert all(event == expected for _, event in office.told)


def test_what_the_desk_does_behind_a_queue_is_told_to_the_caller() -> None:
    """R3.4c: hold and transfer happen on channels that are not the caller's."""
    office = Office()
    half = "Local/desk@office-00000003;"
    for bridge, each in (
        ("b1", channel("1.1")),
        ("b1", channel("1.2", f"{half}1")),
        ("b2", channel("1.3", f"{half}2")),
        ("b2", channel("1.4", "PJSIP/desk-00000002")),
    ):
        office.hear(type="ChannelEnteredBridge", bridge={"id": bridge}, channel=each)
    lines = [event for to, event in office.told if to == "1.1"]
    assert isinstance(lines[-1], ev.LineChanged)
    assert lines[-1].channels == {"1.4"}
    office.told.clear()
    office.hear(type="ChannelHold", channel=channel("1.4", "PJSIP/desk-00000002"))
    office.hear(
        type="BridgeAttendedTransfer",
        transferee=channel("1.3", f"{half}2"),
        transfer_target=channel("1.9", "PJSIP/desk-2-00000007"),
    )
    assert [event for to, event in office.told if to == "1.1"] == [
        ev.HoldChanged(held=True, **stamped()),
        ev.Transferred(attended=True, to="desk-2", **stamped()),
    ]
    # Asterisk may tell of a transfer after the half that was passed on has left.
    half_2 = channel("1.3", f"{half}2")
    office.hear(type="ChannelLeftBridge", bridge={"id": "b2"}, channel=half_2)
    office.hear(type="BridgeBlindTransfer", exten="202", transferee=half_2)
    assert ("1.1", ev.Transferred(attended=False, to="202", **stamped())) in office.told


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
PLACES = ("id", "name", "caller", "dialplan", "state", "target_uri")
NAMED = st.fixed_dictionaries({}, optional=dict.fromkeys(PLACES, ANYTHING))
MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from(HANDLED)},
    optional=dict.fromkeys(("channel", "playback", "bridge", "transferee"), ANYTHING | NAMED)
    | dict.fromkeys(("digit", "cause", "value", "timestamp", "exten"), ANYTHING)
    | {"args": ANYTHING | st.lists(st.sampled_from(["v1", "NzQ2", "%"]) | ANYTHING, max_size=4)}
    | {"userevent": ANYTHING | st.fixed_dictionaries({}, optional={"Figures": ANYTHING})}
    | {"eventname": st.sampled_from(["RecorderArmed", "RecorderQuality"]) | ANYTHING},
)


@given(st.lists(MESSAGES, max_size=6))
def test_no_shape_of_an_event_raises_and_whatever_follows_from_it_can_be_written_down(
    messages: list[dict[str, Any]],
) -> None:
    """B1: types the PBX never sends, at every place, for every event that is handled."""
    office = Office()
    for message in messages:
        event = parse_event(json.dumps(message))
        assert event is not None
        office.events(event)
    following = Following(recording_id=RECORDING, trunk_endpoints=frozenset(), stop_outside=True)
    for channel_id, told in office.told:
        channel_id.encode()
        assert told.at.tzinfo is UTC
        following, commands = follow(following, told)
        for each in commands:
            if isinstance(each, ev.Note):
                encode(entry(each.kind, told.at, each.fields))
    for arrival in office.arrivals:
        for text in (arrival.endpoint, arrival.context, arrival.line, arrival.caller_number):
            text.encode()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_dialled_number_comes_through_base64_as_it_was(text: str) -> None:
    """B3."""
    assert from_base64(b64(text)) == text


@given(ANYTHING)
def test_what_is_no_base64_is_no_number(value: object) -> None:
    from_base64(value).encode()


@given(ANYTHING, st.lists(ANYTHING))
def test_who_was_handed_over_is_somebody_or_nobody(value: object, arguments: list[object]) -> None:
    arrival = arrival_of(value, ["v1", *arguments], at=NOON)
    assert arrival is None or arrival.channel_id


@given(st.text())
def test_figures_are_read_past_whatever_stands_before_them(value: str) -> None:
    figures = quality_figures(f"{value};rtt=0.5;lp=;x=1")
    assert figures["rtt"] == 0.5
    assert "x" not in figures
