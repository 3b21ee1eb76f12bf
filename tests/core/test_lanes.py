"""The picture of a recording: each side's loudest sample of each bar, however it is cut."""

import time
from collections.abc import AsyncIterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.web.lanes import BARS, HEADER_BYTES, Lanes, held_regions, lanes_of


@given(
    st.integers(min_value=1, max_value=5000),
    st.lists(st.integers(min_value=1, max_value=900), min_size=1, max_size=20),
)
def test_bars_are_the_loudest_sample_however_the_sound_is_cut(frames: int, cuts: list[int]) -> None:
    random = np.random.default_rng(frames)
    sound = random.integers(-32768, 32768, size=(frames, 2)).astype("<i2")
    lanes, content, at = Lanes(frames), sound.tobytes(), 0
    while at < len(content):
        for cut in cuts:
            lanes.add(content[at : at + cut])
            at += cut
    bar_of = np.arange(frames) * BARS // frames
    for side, drawn in enumerate(lanes.drawn()):
        for bar in np.unique(bar_of)[:: max(1, BARS // 20)]:
            loudest = np.abs(sound[bar_of == bar, side].astype(int)).max()
            assert drawn[bar] == round(100 * (loudest / 32768) ** 0.5), bar


async def test_the_header_of_a_wav_is_no_sound() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"\xff" * 10, b"\xff" * (HEADER_BYTES - 10) + b"\0" * 8, b"\0" * 8):
            yield piece

    caller, office = await lanes_of(pieces(), frames=4)
    assert max(caller) == max(office) == 0


def test_an_hour_is_drawn_in_well_under_a_second() -> None:
    lanes, block = Lanes(3600 * 8000), bytes(1 << 20)
    began = time.process_time()
    for _ in range(110):
        lanes.add(block)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(("kinds", "regions"), [(("unheld",), 0), (("held", "held", "unheld"), 1)])
def test_what_never_began_is_no_region(kinds: tuple[str, ...], regions: int) -> None:
    span = {"since": "2026-11-12T10:00:00+00:00", "until": "2026-11-12T10:01:00+00:00"}
    timeline = [
        {"kind": f"call:{kind}", "at": f"2026-11-12T10:00:{10 + index}+00:00"}
        for index, kind in enumerate(kinds)
    ]
    assert len(held_regions(timeline, [span], seconds=60)) == regions
