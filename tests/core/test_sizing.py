"""How big a machine an office needs."""

from hypothesis import given
from hypothesis import strategies as st

from recorder.sizing import need

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
