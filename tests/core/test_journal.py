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
