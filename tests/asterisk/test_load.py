"""Two hundred calls, a hundred at once: none lost, none mixed up, none cut (L1)."""

import pytest

from recorder.embedded import sipp
from recorder.embedded.office import Office
from tests.asterisk.observed import assert_sides_are_right, audio_of, begin, rows, wait_until

pytestmark = [pytest.mark.asterisk, pytest.mark.load]
CALLS, AT_ONCE, A_SECOND = 200, 100, 20


def test_two_hundred_calls_a_hundred_at_once(office: Office) -> None:
    """L1, R3.4c."""
    with sipp.desk(office.directory / "desk", port=office.asterisk.desk_port):
        _, placed = begin(office, calls=CALLS, at_once=AT_ONCE, a_second=A_SECOND, talk_s=22.0)
        assert placed.wait(timeout_s=180) == 0
    query = """SELECT recording.*, recording.id AS recording_id, call.bridged_seconds, reason
               FROM call LEFT JOIN recording ON call_id = call.id"""
    wait_until(lambda: len(rows(office, query)) == CALLS, 60)
    found = rows(office, query)
    assert {each["reason"] for each in found} == {"stayed_on_the_line"}
    assert all(each["recording_id"] for each in found)
    off = [abs(each["frames"] / 8000 - each["bridged_seconds"]) for each in found]
    assert max(off) < 0.1, f"worst {max(off):.3f} s"
    for each in found:
        assert_sides_are_right(audio_of(office, each))
    assert not list(office.spool.glob("*.raw"))
