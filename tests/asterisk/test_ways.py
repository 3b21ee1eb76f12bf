"""How an office answers: queue, ring group, nobody, and a caller passed on."""

import pytest

from recorder.embedded.office import Office
from tests.asterisk.observed import (
    assert_sides_are_right,
    audio_of,
    begin,
    place,
    row_of,
    wait_until,
)

pytestmark = [pytest.mark.asterisk, pytest.mark.usefixtures("desk")]


@pytest.mark.parametrize(
    "line", [pytest.param("746640811", id="queue"), pytest.param("746640812", id="ring group")]
)
def test_who_answered_is_found_through_local_channels(office: Office, line: str) -> None:
    """R3.4c."""
    row = row_of(office, place(office, talk_s=7.0, line=line))
    assert row["outcome"] == "recorded"
    assert row["answered_by"] == "desk"
    assert_sides_are_right(audio_of(office, row))
    assert abs(row["frames"] / 8000 - row["bridged_seconds"]) < 0.15


def test_a_caller_passed_on_inside_the_office_stays_one_recording(office: Office) -> None:
    """R3.4c: two connections, one file, as long as both together."""
    number, placed = begin(office, talk_s=9.0)
    with placed:
        wait_until(lambda: any(each.stat().st_size for each in office.spool.glob("*.raw")), 15)
        channels = office.asterisk.cli("core show channels concise").splitlines()
        (ours,) = [each.partition("!")[0] for each in channels if each.startswith("PJSIP/trunk-")]
        office.asterisk.cli(f"channel redirect {ours} from-internal,desk,1")
        assert placed.wait(timeout_s=30) == 0
    row = row_of(office, number)
    assert len(row["bridged"]) == 2
    assert abs(row["frames"] / 8000 - row["bridged_seconds"]) < 0.2
    assert_sides_are_right(audio_of(office, row))
