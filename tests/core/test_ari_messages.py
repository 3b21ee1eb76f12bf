"""Whatever arrives on ARI's websocket, looking at it is safe (B1)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorder.adapters.ari import Event, parse_event
from recorder.adapters.ari.events import LONGEST_MESSAGE, parse_time

CHANNEL = {
    "id": "1764000000.1",
    "name": "PJSIP/trunk-00000001",
    "state": "Up",
    "caller": {"name": "Kowalski", "number": "+48600100200"},
    "connected": {"name": "", "number": ""},
    "dialplan": {"context": "recorder", "exten": "inbound", "priority": 5, "app_name": "Stasis"},
    "creationtime": "2026-11-24T05:02:30.000+0000",
    "language": "pl",
}
STAMP = "2026-11-24T05:02:31.123+0000"
REAL: list[dict[str, Any]] = [
    {"type": "StasisStart", "args": ["v1", "NzQ2"], "channel": CHANNEL},
    {"type": "ChannelDtmfReceived", "digit": "1", "duration_ms": 120, "channel": CHANNEL},
    {"type": "ChannelDestroyed", "cause": 16, "cause_txt": "Normal Clearing", "channel": CHANNEL},
    {"type": "ChannelVarset", "variable": "X", "value": "y", "channel": CHANNEL},
    {"type": "PlaybackFinished", "playback": {"id": "p", "state": "done"}},
    {"type": "Dial", "dialstatus": "ANSWER", "peer": CHANNEL, "caller": CHANNEL},
]
PATHS = [
    ("channel", "id"),
    ("channel", "caller", "number"),
    ("channel", "dialplan", "exten"),
    ("playback", "target_uri"),
    ("args",),
    (),
]

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@st.composite
def mutated_events(draw: st.DrawFn) -> str:
    """A real event in which some value, at any depth, became something else."""
    message: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from(REAL))))
    message |= {"application": "recorder", "timestamp": STAMP}
    for _ in range(draw(st.integers(0, 3))):
        where: Any = message
        while True:
            name = draw(st.sampled_from(sorted(where)))
            if not (isinstance(where[name], dict) and where[name] and draw(st.booleans())):
                break
            where = where[name]
        where[name] = draw(anything)
    return json.dumps(message, ensure_ascii=draw(st.booleans()))


def look_at(event: Event) -> None:
    """Use all accessors; everything in an event can be stored as UTF-8."""
    for path in PATHS:
        event.text(*path).encode()
        event.get(*path)
    event.channel_id.encode()
    assert event.timestamp is None or event.timestamp.tzinfo is UTC
    json.dumps(event.raw, ensure_ascii=False).encode()
    event.type.encode()


@given(mutated_events())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_mutated_event_is_an_event_or_rubbish_and_safe_to_look_at(message: str) -> None:
    event = parse_event(message)
    if event is not None:
        look_at(event)


@given(st.binary(max_size=400) | st.text(st.characters(exclude_categories=()), max_size=400))
def test_any_text_and_any_bytes_can_be_parsed(message: str | bytes) -> None:
    event = parse_event(message)
    if event is not None:
        look_at(event)


@given(st.sampled_from(REAL), st.data())
def test_an_event_cut_anywhere_is_rubbish(real: dict[str, Any], data: st.DataObject) -> None:
    message = json.dumps(real).encode()
    assert parse_event(message[: data.draw(st.integers(0, len(message) - 1))]) is None


@given(anything)
def test_only_an_object_with_a_type_is_an_event(value: object) -> None:
    event = parse_event(json.dumps(value))
    has_type = isinstance(value, dict) and isinstance(value.get("type"), str)
    assert event is None or has_type


@pytest.mark.parametrize(
    "message",
    [
        "[" * 100_000,
        '{"type":"X","y":' + "[" * 50_000 + "]" * 50_000 + "}",
        '{"type":"X","y":' + '{"a":' * 5_000 + "1" + "}" * 5_000 + "}",
        '{"type":"X","y":NaN}',
        '{"type":"X","y":-Infinity}',
        '{"type":"X","y":' + "9" * 10_000 + "}",
        '{"type":"' + "x" * LONGEST_MESSAGE + '"}',
        '{"type":null}',
        '"StasisStart"',
    ],
)
def test_what_would_cost_stack_or_memory_is_rubbish(message: str) -> None:
    assert parse_event(message) is None
    assert parse_event(message.encode()) is None


def test_an_event_of_a_megabyte_is_read() -> None:
    long = "x" * (LONGEST_MESSAGE - 100)
    event = parse_event(json.dumps({"type": "ChannelUserevent", "value": long}))
    assert event is not None
    assert event.text("value") == long


def test_half_a_surrogate_pair_becomes_a_replacement_character_and_a_whole_one_stays() -> None:
    event = parse_event('{"type":"X","name":"a\\ud83db","\\udc00":1,"face":"\\ud83d\\ude00"}')
    assert event is not None
    assert event.text("name") == "a\ufffdb"
    assert event.get("\ufffd") == 1
    assert event.text("face") == "😀"


def test_a_number_where_an_object_should_be_has_nothing_inside() -> None:
    event = parse_event('{"type":"StasisEnd","channel":7,"timestamp":{"a":1}}')
    assert event is not None
    assert event.channel_id == ""
    assert event.get("channel", "caller", "number") is None
    assert event.timestamp is None


def test_asterisks_time_stamp_is_read_as_utc() -> None:
    event = parse_event(json.dumps(REAL[0] | {"timestamp": "2026-11-24T06:02:31.123+0100"}))
    assert event is not None
    assert event.timestamp == datetime(2026, 11, 24, 5, 2, 31, 123_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "stamp",
    ["", "yesterday", "2026-11-24T05:02:31.123", "0001-01-01T00:00:00.000+1400", 7, None, []],
)
def test_a_time_that_cannot_be_read_is_no_time(stamp: object) -> None:
    assert parse_time(stamp) is None
