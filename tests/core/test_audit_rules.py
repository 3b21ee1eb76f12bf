"""The chain: one spelling for every entry, and no change unseen (R8.1e)."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.audit.event import LARGEST_INTEGER, Actor, ActorKind, AuditEvent
from recorder.audit.rules import (
    BEGINNING,
    Entry,
    Fault,
    Personal,
    Position,
    Why,
    body_of,
    canonical,
    chain_all,
    commitment_of,
    hash_of,
    verify,
)
from tests.builders import NOON

COMMITMENT = "acb11e6b18fbb76ef00ab8a756578db2b36b8b1485b03d4b11bb1890a4924a4b"
HASH = "9593996f520db64ddb9889c1cc9e69f008f3bbd4aa3a26ab11a6e2139be16f64"
ANNA = Actor(kind=ActorKind.ACCOUNT, name="a.nowak")
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
integers = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
scalars = (
    st.none() | st.booleans() | integers | st.floats(allow_nan=False, allow_infinity=False) | texts
)
events = st.builds(
    AuditEvent,
    action=st.sampled_from(["recording:played", "hold:placed"]),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    actor=st.builds(Actor, kind=st.sampled_from(ActorKind), name=texts),
    subject=texts,
    reason=texts,
    details=st.dictionaries(names, scalars, max_size=4),
    personal=st.dictionaries(names, texts, max_size=2),
)


def an_event(**changes: object) -> AuditEvent:
    standard: dict[str, object] = {"action": "recording:played", "at": NOON, "actor": ANNA}
    return AuditEvent(**(standard | changes))  # type: ignore[arg-type]


def a_trail(length: int = 5) -> list[Entry]:
    told = [
        an_event(details={"second": each}, personal={"caller": f"60012345{each}"})
        for each in range(length)
    ]
    return chain_all(told, after=BEGINNING, salts=(bytes([each] * 32) for each in range(length)))


def rehashed(entry: Entry, **changes: object) -> Entry:
    changed = replace(entry, **changes)  # type: ignore[arg-type]
    return replace(changed, hash=hash_of(changed))


@given(st.dictionaries(names, scalars))
def test_canonical_json_is_json_and_says_the_same(values: dict[str, object]) -> None:
    # Its numbers are doubles, as in any reader of RFC 8785.
    read = json.loads(canonical(values), parse_int=float)  # type: ignore[arg-type]
    assert read == values
    assert list(read) == sorted(values)


@given(st.dictionaries(names, scalars))
def test_reading_canonical_json_and_writing_it_again_changes_no_byte(
    values: dict[str, object],
) -> None:
    once = canonical(values)  # type: ignore[arg-type]
    assert canonical(dict(reversed(json.loads(once).items()))) == once


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (4.5, "4.5"),
        (2e-3, "0.002"),
        (0.000001, "0.000001"),
        (1e-7, "1e-7"),
        (333333333.33333329, "333333333.3333333"),
        (1e21, "1e+21"),
        (999999999999999900000.0, "999999999999999900000"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (True, "true"),
        (None, "null"),
        ('\u20ac$\u000f\nA\'B"\\\\"/\u007f', '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\u007f"'),
    ],
)
def test_values_are_written_as_rfc_8785_writes_them(value: object, written: str) -> None:
    assert canonical({"a": value}) == f'{{"a":{written}}}'  # type: ignore[dict-item]


@given(st.lists(events, max_size=8), st.binary(min_size=32, max_size=32))
def test_what_is_chained_verifies_from_its_beginning_to_its_head(
    told: list[AuditEvent], salt: bytes
) -> None:
    trail = chain_all(told, after=BEGINNING, salts=[salt] * len(told))
    head = trail[-1].position if trail else BEGINNING
    assert verify(trail, head=head) is None
    assert [each.seq for each in trail] == list(range(1, len(told) + 1))


@given(st.lists(events, min_size=1, max_size=4))
def test_the_body_that_is_hashed_is_json_with_its_names_in_order(told: list[AuditEvent]) -> None:
    for entry in chain_all(told, after=BEGINNING, salts=[bytes(32)] * len(told)):
        body = json.loads(body_of(entry))
        assert list(body) == sorted(body)
        assert (body["actor_name"], body["seq"]) == (entry.actor.name, entry.seq)


def test_an_entry_is_hashed_to_the_byte_as_documented() -> None:
    """The vector of docs/audit-trail.md; it may never change."""
    event = AuditEvent(
        action="recording:played",
        at=datetime(2026, 11, 25, 13, 0, 0, 120, tzinfo=timezone(timedelta(hours=1))),
        actor=ANNA,
        subject="recording:01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11",
        reason="W/31/2026",
        details={"seconds": 12.5, "from": 0},
        personal={"caller": "+48600123456"},
    )
    (entry,) = chain_all([event], after=BEGINNING, salts=[bytes(range(32))])
    assert body_of(entry) == (
        '{"action":"recording:played","actor_kind":"account","actor_name":"a.nowak",'
        '"at":"2026-11-25T12:00:00.000120Z","details":{"from":0,"seconds":12.5},'
        '"personal":"' + COMMITMENT + '",'
        '"previous":"' + "0" * 64 + '","reason":"W/31/2026","seq":1,'
        '"subject":"recording:01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11","version":1}'
    )
    assert entry.hash.hex() == HASH
    document = (Path(__file__).parents[2] / "docs/audit-trail.md").read_text(encoding="utf-8")
    assert f"\n{body_of(entry)}\n" in document
    assert f"Its hash is `{HASH}`" in document


def edit(trail: list[Entry]) -> list[Entry]:
    trail[2] = replace(trail[2], reason="other")
    return trail


def edit_and_rehash(trail: list[Entry]) -> list[Entry]:
    trail[2] = rehashed(trail[2], reason="other")
    return trail


def respell(trail: list[Entry]) -> list[Entry]:
    trail[2] = replace(trail[2], details='{"second": 2}')
    return trail


def swap(trail: list[Entry]) -> list[Entry]:
    trail[2], trail[3] = trail[3], trail[2]
    return trail


def swap_and_renumber(trail: list[Entry]) -> list[Entry]:
    trail[2], trail[3] = replace(trail[3], seq=3), replace(trail[2], seq=4)
    return trail


def delete(trail: list[Entry]) -> list[Entry]:
    del trail[2]
    return trail


def delete_and_renumber(trail: list[Entry]) -> list[Entry]:
    return trail[:2] + [replace(each, seq=each.seq - 1) for each in trail[3:]]


def insert(trail: list[Entry]) -> list[Entry]:
    new = rehashed(trail[2], reason="new")
    return [*trail[:2], new, *(replace(each, seq=each.seq + 1) for each in trail[2:])]


def replay(trail: list[Entry]) -> list[Entry]:
    return [*trail[:3], trail[2], *trail[3:]]


def take_the_first(trail: list[Entry]) -> list[Entry]:
    return trail[1:]


def cut_the_tail(trail: list[Entry]) -> list[Entry]:
    return trail[:3]


def change_the_caller(trail: list[Entry]) -> list[Entry]:
    trail[2] = replace(trail[2], personal=Personal(salt=bytes(32), data='{"caller":"1"}'))
    return trail


def add_a_caller(trail: list[Entry]) -> list[Entry]:
    trail[2] = rehashed(trail[2], commitment=None)
    return trail


@pytest.mark.parametrize(
    ("tamper", "seq", "why"),
    [
        (edit, 3, Why.ALTERED),
        (edit_and_rehash, 3, Why.REPLACED),
        (respell, 3, Why.ALTERED),
        (swap, 3, Why.MISSING),
        (swap_and_renumber, 3, Why.ALTERED),
        (delete, 3, Why.MISSING),
        (delete_and_renumber, 3, Why.ALTERED),
        (insert, 4, Why.ALTERED),
        (replay, 3, Why.OUT_OF_ORDER),
        (take_the_first, 1, Why.MISSING),
        (cut_the_tail, 4, Why.CUT_OFF),
        (change_the_caller, 3, Why.PERSONAL_ALTERED),
        (add_a_caller, 3, Why.PERSONAL_ALTERED),
    ],
)
def test_the_first_bad_entry_is_named(
    tamper: Callable[[list[Entry]], list[Entry]], seq: int, why: Why
) -> None:
    """A13."""
    trail = a_trail()
    head = trail[-1].position
    assert verify(trail, head=head) is None
    assert verify(tamper(list(trail)), head=head) == Fault(seq=seq, why=why)


@given(
    st.integers(0, 4),
    st.sampled_from(["action", "subject", "reason", "details", "at", "previous", "hash"]),
)
def test_no_field_of_no_entry_changes_unseen(index: int, name: str) -> None:
    trail = a_trail()
    was = getattr(trail[index], name)
    now = was + timedelta(microseconds=1) if isinstance(was, datetime) else was + was[:1] or "x"
    if now == was:
        now = "x"
    changed = replace(trail[index], **{name: now})  # type: ignore[arg-type]
    tampered = [*trail[:index], changed, *trail[index + 1 :]]
    assert verify(tampered, head=trail[-1].position) == Fault(seq=index + 1, why=Why.ALTERED)


def test_the_end_rewritten_whole_is_found_by_its_head_or_a_checkpoint() -> None:
    trail = a_trail()
    other = chain_all([an_event(reason="new")] * 5, after=BEGINNING, salts=[bytes(32)] * 5)
    assert verify(other) is None
    assert verify(other, signed={4: trail[3].hash}) == Fault(seq=4, why=Why.NOT_AS_SIGNED)
    assert verify(other, head=trail[-1].position) == Fault(seq=5, why=Why.REPLACED)


def test_a_tail_cut_together_with_its_head_is_found_by_a_checkpoint() -> None:
    trail = a_trail()
    cut = trail[:3]
    assert verify(cut, head=cut[-1].position) is None
    signed = {5: trail[4].hash}
    assert verify(cut, head=cut[-1].position, signed=signed) == Fault(seq=4, why=Why.CUT_OFF)


def test_a_personal_part_can_be_forgotten_and_the_chain_still_verifies() -> None:
    """R8.1e: erasing and the keeping of the trail do not fight."""
    trail = [replace(each, personal=None) for each in a_trail()]
    assert verify(trail, head=trail[-1].position) is None


def test_two_equal_personal_parts_have_unequal_commitments() -> None:
    data = canonical({"caller": "600123456"})
    first, second = (commitment_of(Personal(salt=bytes([each] * 32), data=data)) for each in (1, 2))
    assert first != second


def test_a_trail_that_lost_its_oldest_part_verifies_from_its_start() -> None:
    """R8.1f."""
    trail = a_trail()
    start = trail[1].position
    assert verify(trail[2:], start=start, head=trail[-1].position) is None
    wrong = Position(seq=2, hash=bytes(32))
    assert verify(trail[2:], start=wrong) == Fault(seq=3, why=Why.ALTERED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "played"},
        {"action": "Recording:played"},
        {"at": NOON.replace(tzinfo=None)},
        {"details": {"Seconds": 1}},
        {"details": {"seconds": float("nan")}},
        {"details": {"bytes": 2**53}},
        {"personal": {"the caller": "x"}},
    ],
)
def test_what_the_trail_cannot_hold_is_refused_before_it_is_written(
    wrong: dict[str, object],
) -> None:
    with pytest.raises(ValueError, match=r"."):
        an_event(**wrong)
