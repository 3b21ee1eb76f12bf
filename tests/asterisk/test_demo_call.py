"""``recorder demo call``: the call that a person places to see that all works."""

import pytest

from recorder.embedded.demo_call import RunningOffice, place_demo_call
from recorder.embedded.office import Office

pytestmark = pytest.mark.asterisk


def test_the_demo_call_says_where_its_recording_is_and_that_it_is_right(office: Office) -> None:
    RunningOffice.of(office).keep(office.directory)
    said: list[str] = []
    assert place_demo_call(RunningOffice.find(office.directory), office.directory, said.append)
    assert any(each.startswith("recorded (stayed_on_the_line), answered by desk") for each in said)
    assert sum(each.startswith("  yes  ") for each in said) == 5


def test_a_demo_call_without_its_recording_is_no_success(office: Office) -> None:
    running = RunningOffice.of(office)
    office.kill_capture()
    said: list[str] = []
    try:
        assert not place_demo_call(running, office.directory, said.append)
    finally:
        office.start_capture()
    assert any(each.startswith("no recording") for each in said)
