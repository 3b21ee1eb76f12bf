"""Which lines `recorder logs` shows, and how a person reads them."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.maintenance.lines import Wanted, parse, readable

LINE = {
    "event": "sealing_waits",
    "level": "warning",
    "logger": "recorder.custody.service",
    "timestamp": "2026-11-25T10:00:00.123456Z",
    "call_id": "019a2f5e-7c1d-7e40-8a3b-2f1d5c6b7a80",
    "why": "the vault is full",
}
TEN = datetime.fromisoformat("2026-11-25T10:00:00+00:00")


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (Wanted(), True),
        (Wanted(level="warning"), True),
        (Wanted(level="error"), False),
        (Wanted(call_id="019a2f5e-7c1d-7e40-8a3b-2f1d5c6b7a80"), True),
        (Wanted(call_id="019a2f5e-7c1d-7e40-8a3b-2f1d5c6b7a81"), False),
        (Wanted(component="custody"), True),
        (Wanted(component="web"), False),
        (Wanted(since=TEN), True),
        (Wanted(until=TEN), False),
    ],
)
def test_a_line_is_shown_when_all_that_was_asked_fits(wanted: Wanted, *, taken: bool) -> None:
    assert wanted.takes(LINE) is taken


def test_a_person_reads_when_how_grave_what_and_the_rest() -> None:
    assert readable(LINE) == (
        "2026-11-25 10:00:00 warning sealing_waits                "
        "call_id=019a2f5e-7c1d-7e40-8a3b-2f1d5c6b7a80 why=the vault is full"
    )


def test_a_line_cannot_paint_on_the_terminal() -> None:
    assert "\x1b" not in readable(LINE | {"why": "\x1b[2J"})


@given(st.text())
def test_whatever_stands_in_a_file_is_read_or_passed_over(text: str) -> None:
    line = parse(text)
    assert line is None or "event" in line


@pytest.mark.parametrize(("text", "taken"), [("VAULT", True), ("sealing", True), ("disk", False)])
def test_a_word_is_looked_for_in_the_whole_line_in_any_case(text: str, *, taken: bool) -> None:
    assert Wanted(text=text).takes(LINE) is taken


def test_a_service_is_known_by_its_file_too() -> None:
    assert Wanted(component="retention").takes(LINE | {"file": "retention"})
