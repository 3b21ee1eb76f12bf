import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.capture.journal import (
    JournalIncomplete,
    JournalTooNew,
    decode,
    encode,
    entry,
    fold,
)
from recorder.model import Reason
from tests.builders import CALL, NOON, RECORDING

ENTERED = entry(
    "call:entered",
    NOON,
    {
        "call_id": str(CALL),
        "node": "pbx1",
        "channel_id": "1.1",
        "endpoint": "operator",
        "context": "from-operator",
        "line": "746640800",
        "caller_number": '6"\n|../$(x)',
    },
)
DECIDED = entry(
    "consent:decided",
    NOON,
    {
        "record": True,
        "reason": "stayed_on_the_line",
        "rule_version": "1",
        "mode": "opt_out",
        "recording_id": str(RECORDING),
    },
)
ENDED = entry("call:ended", NOON, {"cause": 16, "pbx_lost": False})
WHOLE = b"".join(encode(each) for each in (ENTERED, DECIDED, ENDED))


@pytest.mark.parametrize("length", range(len(WHOLE) + 1))
def test_a_journal_torn_at_any_byte_tells_what_was_whole(length: int) -> None:
    """F15: never more than was written, never an error from a torn tail."""
    entries = decode(WHOLE[:length])
    assert len(entries) == WHOLE[:length].count(b"\n")
    if not entries:
        with pytest.raises(JournalIncomplete):
            fold(entries)
        return
    call = fold(entries)
    assert (call.recording_id is not None) == (len(entries) >= 2)
    assert (call.ended_at is not None) == (len(entries) == 3)


def test_an_append_after_a_torn_line_is_read() -> None:
    """F15."""
    torn = encode(ENTERED) + encode(DECIDED)[:20] + b"\n" + encode(ENDED)
    call = fold(decode(torn))
    assert call.recording_id is None
    assert call.hangup_cause == 16


def test_a_journal_of_a_newer_release_is_not_guessed_at() -> None:
    with pytest.raises(JournalTooNew):
        fold([ENTERED, DECIDED | {"v": 2}])


def test_the_last_decision_is_the_one_that_counts() -> None:
    withdrawn = DECIDED | {"record": False, "reason": "app_unresponsive", "recording_id": None}
    call = fold([ENTERED, DECIDED, withdrawn])
    assert call.recording_id is None
    assert call.decision is not None
    assert call.decision.reason is Reason.APP_UNRESPONSIVE


@given(st.text())
def test_whatever_a_caller_sends_comes_back_and_breaks_no_line(name: str) -> None:
    """B3."""
    stored = encode(ENTERED | {"caller_name": name})
    assert stored.count(b"\n") == 1
    assert fold(decode(stored)).caller_name == name


@pytest.mark.parametrize("version", [2, 10**30, None, "1", 1.0, [1]])
def test_no_version_but_a_known_number_is_read(version: object) -> None:
    """F15: refused in any place, also behind the end."""
    with pytest.raises(JournalTooNew):
        fold([ENTERED | {"v": version}])
    with pytest.raises(JournalTooNew):
        fold([ENTERED, DECIDED, ENDED, {"v": version, "kind": "later", "at": ENDED["at"]}])


def test_an_unknown_kind_is_skipped() -> None:
    """A later release of this format may note more."""
    more = entry("audio:weighed", NOON, {"grams": [1, 2]})
    assert fold([ENTERED, more, DECIDED, more, ENDED]) == fold([ENTERED, DECIDED, ENDED])


def test_what_stands_before_the_arrival_does_not_count() -> None:
    assert fold([DECIDED, ENTERED, ENDED]) == fold([ENTERED, ENDED])
    with pytest.raises(JournalIncomplete):
        fold([DECIDED, ENDED])


def test_the_first_end_is_the_end() -> None:
    """F14, § 7.2."""
    later = ENDED | {"at": "2026-11-13T12:00:00+00:00", "cause": 34, "pbx_lost": True}
    assert fold([ENTERED, ENDED, later]) == fold([ENTERED, ENDED])


@given(st.binary(max_size=200), st.integers(0, len(WHOLE)))
def test_bytes_that_are_no_entries_cost_no_entry_before_them(rubbish: bytes, cut: int) -> None:
    """F15, F17: zeros and fragments are what a power cut leaves."""
    whole = WHOLE[:cut].rpartition(b"\n")[0] + b"\n"
    before = decode(whole)
    after = decode(whole + rubbish.replace(b"\n", b"") + b"\n" + encode(ENDED))
    assert after[: len(before)] == before
    assert after[-1] == ENDED


def test_a_line_of_many_brackets_is_no_entry() -> None:
    deep = b'{"v":1,"x":' + b"[" * 100_000 + b"\n"
    assert decode(encode(ENTERED) + deep + encode(ENDED)) == [ENTERED, ENDED]


FIELDS = st.sampled_from(
    [
        "at",
        "kind",
        "record",
        "reason",
        "call_id",
        "recording_id",
        "mode",
        "playback",
        "v",
        "parties",
    ]
)
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.none())
KINDS = st.sampled_from(
    [
        *("scope:decided", "announcement:started", "announcement:finished", "key:pressed"),
        *("consent:decided", "line:changed", "hold:changed", "call:transferred"),
        *("quality:reported", "incident:raised", "call:ended", "recording:armed"),
    ]
)


@given(st.sampled_from([ENTERED, DECIDED, ENDED]), FIELDS, VALUES, KINDS)
def test_a_damaged_entry_makes_the_journal_unreadable_and_nothing_worse(
    line: dict[str, object], field: str, value: object, kind: str
) -> None:
    """F13, F15: one damaged journal must not keep capture from its other calls."""
    damaged = [ENTERED, DECIDED, ENDED]
    damaged[damaged.index(line)] = line | {field: value}
    without = {name: each for name, each in line.items() if name != field}
    for entries in (damaged, [ENTERED, without], [ENTERED, line | {"kind": kind}], [without]):
        try:
            fold(entries)
        except (JournalIncomplete, JournalTooNew):
            continue
