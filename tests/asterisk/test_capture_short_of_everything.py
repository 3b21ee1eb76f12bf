"""F19: no descriptor left, no memory left. Callers reach the desk, it is told, it ends by itself.

Nothing of it is pretended: the limits are the kernel's, put on the running process.
"""

import json
import resource
from collections.abc import Iterator

import pytest

from recorder.embedded import sipp
from recorder.embedded.office import Office
from tests.asterisk.observed import (
    assert_sides_are_right,
    audio_of,
    begin,
    holds_within,
    place,
    row_of,
    rows,
    wait_until,
)
from tests.limits import FILES, NO_MEMORY, crowd, limited

pytestmark = pytest.mark.asterisk
RECORDED = "stayed_on_the_line"
PASSED_ON = {"app_absent", "app_unresponsive"}
COUNTED = "SELECT reason, count(*) FROM call WHERE caller_number = %s GROUP BY reason"


@pytest.fixture(scope="module", autouse=True)
def desk(office: Office) -> Iterator[sipp.Sipp]:
    with sipp.desk(office.directory / "desk", port=office.asterisk.desk_port) as desk:
        yield desk


def told(office: Office, since: int) -> list[str]:
    """Return the events that capture told at WARNING or above, after so many bytes of its log."""
    lines = office.log.read_bytes()[since:].decode("utf-8", "replace").splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    return [each["event"] for each in events if each["level"] in {"warning", "error", "critical"}]


def reasons(office: Office, number: str, calls: int, *, within_s: float) -> dict[str, int]:
    """Return how many calls of a number had which reason, once each of them has its row."""
    wait_until(
        lambda: sum(each["count"] for each in rows(office, COUNTED, number)) == calls, within_s
    )
    return {each["reason"]: each["count"] for each in rows(office, COUNTED, number)}


def test_a_crowd_at_the_probe_takes_every_descriptor_and_no_caller_is_lost(office: Office) -> None:
    since = office.log.stat().st_size
    recorded, placed = begin(office, talk_s=20.0)
    wait_until(lambda: any(each.stat().st_size for each in office.spool.glob("*.raw")), 15)
    with limited(office.capture_pid, resource.RLIMIT_NOFILE, FILES), crowd(office.probe_port):
        number, callers = begin(office, calls=10, at_once=10, a_second=10, talk_s=1.0)
        assert callers.wait(timeout_s=30) == 0, "a caller did not get through"
        # The crowd still stands there; who asks nothing is let go.
        assert holds_within(office.takes_calls, 30), "its door did not open again"
        again = row_of(office, place(office, talk_s=4.0))
        assert placed.wait(timeout_s=30) == 0
        row = row_of(office, recorded)
    assert again["outcome"] == "recorded"
    assert row["outcome"] == "recorded"
    assert_sides_are_right(audio_of(office, row))
    found = reasons(office, number, 10, within_s=30)
    assert set(found) & PASSED_ON, "nobody met the shortage"
    assert "calls_bypassed" in told(office, since)


def test_sixty_calls_at_once_with_as_many_descriptors(office: Office) -> None:
    since = office.log.stat().st_size
    with limited(office.capture_pid, resource.RLIMIT_NOFILE, FILES):
        number, callers = begin(office, calls=60, at_once=60, a_second=30, talk_s=6.0)
        assert callers.wait(timeout_s=60) == 0, "a caller did not get through"
        found = reasons(office, number, 60, within_s=60)
        again = row_of(office, place(office, talk_s=4.0))
    assert again["outcome"] == "recorded"
    missed = {reason: calls for reason, calls in found.items() if reason != RECORDED}
    assert set(missed) <= PASSED_ON | {"spool_unavailable"}, found
    # Each reason is told by its own line.
    if set(missed) & PASSED_ON:
        assert "calls_bypassed" in told(office, since)
    if "spool_unavailable" in missed:
        assert told(office, since).count("incident") >= missed["spool_unavailable"]


def test_without_memory_callers_reach_the_desk_and_nothing_waits_for_a_restart(
    office: Office,
) -> None:
    since, pid = office.log.stat().st_size, office.capture_pid
    with limited(pid, resource.RLIMIT_AS, NO_MEMORY):
        number, callers = begin(office, calls=60, at_once=60, a_second=30, talk_s=5.0)
        assert callers.wait(timeout_s=60) == 0, "a caller did not get through"
        assert holds_within(lambda: bool(told(office, since)), 10), "it went without a word"
    found = reasons(office, number, 60, within_s=90)
    assert office.capture_pid == pid
    assert sum(found.values()) == 60
    again = row_of(office, place(office, talk_s=4.0))
    assert again["outcome"] == "recorded"
