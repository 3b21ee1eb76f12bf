"""What a player shows of a recording beside its sound: two lanes, and where the call was on hold.

Nothing of it is kept: lanes are drawn from the audio when somebody listens (R7.2k).
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

BARS = 600
"""So many bars has a lane, however long the call."""
HEADER_BYTES = 44
FULL = 32768.0
CHANNELS = 2
HOLDS = ("call:held", "call:unheld")
PAUSES = ("recording:paused", "recording:resumed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A stretch of the recording, in seconds from its beginning."""

    since: float
    until: float
    paused: bool = False
    """Nobody is heard, because somebody ordered it (RG.12); else the call was on hold."""


class Lanes:
    """The loudest sample of each bar, caller's and office's side apart, block by block."""

    def __init__(self, frames: int) -> None:
        self._frames = max(frames, 1)
        self._at = 0
        self._rest = b""
        self._bars = np.zeros((CHANNELS, BARS), dtype=np.int32)
        # The first frame of each bar.
        self._first = -(-np.arange(BARS, dtype=np.int64) * self._frames // BARS)

    def add(self, samples: bytes) -> None:
        """Take a block of stereo samples, wherever it was cut."""
        block = self._rest + samples
        whole = len(block) - len(block) % (2 * CHANNELS)
        self._rest = block[whole:]
        sound = np.frombuffer(block[:whole], dtype="<i2").reshape(-1, CHANNELS)
        sound = sound[: self._frames - self._at]
        if not len(sound):
            return
        here = int(np.searchsorted(self._first, self._at, side="right")) - 1
        end = int(np.searchsorted(self._first, self._at + len(sound), side="left"))
        starts = np.maximum(self._first[here:end] - self._at, 0)
        for side, bars in enumerate(self._bars):
            one = sound[:, side]
            high = np.maximum.reduceat(one, starts).astype(np.int32)
            low = np.minimum.reduceat(one, starts).astype(np.int32)
            bars[here:end] = np.maximum(bars[here:end], np.maximum(high, -low))
        self._at += len(sound)

    def drawn(self) -> tuple[list[int], list[int]]:
        """Return the caller's lane and the office's, each bar from 0 to 100."""
        # The ear hears ratios: a quiet voice is still to be seen.
        caller, office = np.rint(100 * np.sqrt(self._bars / FULL)).astype(int)
        return caller.tolist(), office.tolist()


async def lanes_of(pieces: AsyncIterator[bytes], *, frames: int) -> tuple[list[int], list[int]]:
    """Return both lanes of a WAV that comes in pieces."""
    lanes, header = Lanes(frames), HEADER_BYTES
    async for piece in pieces:
        # Beside the loop: others listen meanwhile.
        await asyncio.to_thread(lanes.add, piece[header:])
        header = max(0, header - len(piece))
    return lanes.drawn()


def held_regions(
    timeline: Iterable[Mapping[str, Any]], bridged: Sequence[Mapping[str, Any]], *, seconds: float
) -> list[Region]:
    """Return where the caller was on hold: the recording counts only time on the line.

    >>> spans = [{"since": "2026-11-12T10:00:00+00:00", "until": "2026-11-12T10:01:00+00:00"}]
    >>> held = [{"kind": "call:held", "at": "2026-11-12T10:00:20+00:00"}]
    >>> held_regions(held, spans, seconds=60.0)
    [Region(since=20.0, until=60.0, paused=False)]
    """
    return _regions(timeline, bridged, seconds, HOLDS, paused=False)


def paused_regions(
    timeline: Iterable[Mapping[str, Any]], bridged: Sequence[Mapping[str, Any]], *, seconds: float
) -> list[Region]:
    """Return where the recording was paused: both sides are silent there (RG.12)."""
    return _regions(timeline, bridged, seconds, PAUSES, paused=True)


def _regions(
    timeline: Iterable[Mapping[str, Any]],
    bridged: Sequence[Mapping[str, Any]],
    seconds: float,
    names: tuple[str, str],
    *,
    paused: bool,
) -> list[Region]:
    regions, since = [], None
    for moment in timeline:
        at = _offset(datetime.fromisoformat(moment["at"]), bridged, seconds)
        if moment["kind"] == names[0] and since is None:
            since = at
        elif moment["kind"] == names[1] and since is not None:
            regions.append(Region(since=since, until=at, paused=paused))
            since = None
    if since is not None:
        regions.append(Region(since=since, until=seconds, paused=paused))
    return [each for each in regions if each.until > each.since]


def _offset(at: datetime, bridged: Sequence[Mapping[str, Any]], seconds: float) -> float:
    before = 0.0
    for span in bridged:
        since = datetime.fromisoformat(span["since"])
        until = datetime.fromisoformat(span["until"]) if span.get("until") else at
        before += max(0.0, (min(at, until) - since).total_seconds())
    return min(round(before, 1), seconds)
