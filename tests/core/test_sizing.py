"""How big a machine an office needs."""

import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from recorder.sizing import CALLS_A_SECOND_A_CORE, CORE_A_CALL, need

CALLS, MINUTES, DAYS = st.integers(1, 20_000), st.floats(0.1, 120), st.integers(1, 30)


def test_an_office_of_five_hundred_calls_fits_into_a_small_machine() -> None:
    found = need(calls_a_day=500, mean_minutes=4, days=30)
    assert (found.vault_gib, found.cores, found.floor_mib) == (140, 2, 2048)


@given(CALLS, MINUTES, DAYS)
def test_more_calls_never_need_less(calls: int, minutes: float, days: int) -> None:
    less = need(calls_a_day=calls, mean_minutes=minutes, days=days)
    more = need(calls_a_day=2 * calls, mean_minutes=minutes, days=days)
    for name in ("calls_at_once", "vault_gib", "spool_gib", "database_gib", "floor_mib", "cores"):
        assert getattr(more, name) >= getattr(less, name)


@given(CALLS, MINUTES, DAYS)
def test_the_vault_holds_all_audio_until_it_is_erased(
    calls: int, minutes: float, days: int
) -> None:
    found = need(calls_a_day=calls, mean_minutes=minutes, days=days)
    assert found.vault_gib << 30 >= calls * days * minutes * 60 * 32_000
    assert found.rtp_ports == 4 * found.calls_at_once


RESULTS = Path(__file__).parents[2] / "bench/results"
LONG_CALL = re.compile(
    r"^CALLS, A_SECOND, TALK_S = \d+, (?P<rate>\d+), (?P<talk>[\d.]+)$", re.MULTILINE
)


def measured(what: str) -> list[float]:
    """Return what every run of the benchmark of calls wrote down under a name."""
    runs = [
        run
        for file in sorted(RESULTS.glob("capture-*.json"))
        if isinstance(found := json.loads(file.read_text("utf-8")), list)
        for run in found
    ]
    values = [float(row["value"]) for run in runs for row in run["rows"] if row["what"] == what]
    assert values, f"nothing in bench/results is called {what}"
    return values


def test_what_a_call_takes_of_a_core_is_no_less_than_what_was_measured() -> None:
    script = (RESULTS.parent / "capture.py").read_text("utf-8")
    lasted = LONG_CALL.search(script)
    assert lasted is not None
    asterisk_ms = max(measured("Asterisk CPU per call of ours, stereo, ms"))
    assert asterisk_ms / 1000 / float(lasted["talk"]) <= CORE_A_CALL


def test_the_calls_a_second_are_those_at_which_none_failed() -> None:
    assert min(measured(f"{CALLS_A_SECOND_A_CORE} a second for 60 s: failed calls")) == 0
    assert max(measured("recordings of calls")) == 1
    taken_ms = max(measured("capture CPU per call with sealing, ms"))
    assert taken_ms <= 1000 / CALLS_A_SECOND_A_CORE


def test_the_memory_for_a_hundred_calls_holds_what_capture_took_for_two_hundred() -> None:
    assert max(measured("capture memory at 200 calls, MiB")) <= 2 * 1024
