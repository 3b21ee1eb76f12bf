"""What Prometheus may know of capture: links, delays, how much waits. No number, no name, no id."""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from recorder.adapters.journals import SUFFIX as JOURNAL
from recorder.adapters.spool import SUFFIX as AUDIO
from recorder.ports import Clock

BEAT_S = 0.5
BEATS = 120
"""A minute of them, so that no standstill falls between two questions of Prometheus."""

LOOK_EVERY_S = 15.0
STALE_S = 60.0
"""A disk that does not answer must not look as it did when it last did."""


class AsteriskEvents(Protocol):
    """The connection by which calls come."""

    @property
    def serves(self) -> bool:
        """Tell whether calls are taken."""


class AsteriskManager(Protocol):
    """The connection by which recordings are stopped and muted."""

    @property
    def connected(self) -> bool:
        """Tell whether Asterisk answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSeen:
    """The spool, as it was when last looked at."""

    bytes: int
    free_bytes: int
    oldest_age_s: float
    """Since the last byte of the file that was left alone the longest; 0 = there is none."""


class CaptureFigures:
    """The figures of one capture process. ``text`` waits for nothing but the processor."""

    def __init__(
        self,
        spool: Path,
        floor_bytes: int,
        *,
        clock: Clock,
        ari: AsteriskEvents,
        ami: AsteriskManager | None,
        calls: Callable[[], int],
    ) -> None:
        self._spool = spool
        self._clock = clock
        self._late: deque[float] = deque([0.0], maxlen=BEATS)
        self._seen: tuple[float, SpoolSeen] | None = None
        self._registry = CollectorRegistry()
        self._gauge(
            "recorder_ari_connected", "Asterisk is connected and calls are taken."
        ).set_function(lambda: float(ari.serves))
        if ami is not None:
            self._gauge("recorder_ami_connected", "AMI answers.").set_function(
                lambda: float(ami.connected)
            )
        says = "The longest delay of the loop that handles calls, in the last minute."
        self._gauge("recorder_event_loop_lag_seconds", says).set_function(lambda: max(self._late))
        says = "Free space in the spool below which no recording starts."
        self._gauge("recorder_spool_floor_bytes", says).set(floor_bytes)
        says = "Calls in hand."
        self._gauge("recorder_calls_in_progress", says).set_function(lambda: float(calls()))

    async def run(self) -> None:
        """Measure until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat(), name="beat")
            tasks.create_task(self._look(), name="look")

    def text(self) -> bytes:
        """Return everything as Prometheus reads it; of a spool that cannot be seen, nothing."""
        told = generate_latest(self._registry)
        if self._seen is None or self._clock.monotonic() - self._seen[0] > STALE_S:
            return told
        return told + _text_of(self._seen[1])

    async def _beat(self) -> None:
        while True:
            due = self._clock.monotonic() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self._late.append(max(0.0, self._clock.monotonic() - due))

    async def _look(self) -> None:
        while True:
            now = self._clock.now().timestamp()
            # In a thread: whoever calls must not wait for the disk.
            seen = await asyncio.to_thread(look_at, self._spool, now)
            self._seen = None if seen is None else (self._clock.monotonic(), seen)
            await asyncio.sleep(LOOK_EVERY_S)

    def _gauge(self, name: str, says: str) -> Gauge:
        return Gauge(name, says, registry=self._registry)


def look_at(spool: Path, now: float) -> SpoolSeen | None:
    """Return what lies in the spool, None where it cannot be read."""
    total, oldest = 0, now
    try:
        told = os.statvfs(spool)
        for path in spool.iterdir():
            if path.suffix not in {AUDIO, JOURNAL}:
                continue
            try:
                found = path.stat()
            except FileNotFoundError:
                # Sealed meanwhile.
                continue
            total += found.st_size
            oldest = min(oldest, found.st_mtime)
    except OSError:
        return None
    free = told.f_bavail * told.f_frsize
    return SpoolSeen(bytes=total, free_bytes=free, oldest_age_s=now - oldest)


def _text_of(seen: SpoolSeen) -> bytes:
    registry = CollectorRegistry()
    for name, says, value in (
        ("recorder_spool_bytes", "Audio and journals in the spool.", seen.bytes),
        ("recorder_spool_free_bytes", "Free for us where the spool is.", seen.free_bytes),
        (
            "recorder_spool_oldest_age_seconds",
            "Since the spool's oldest audio or journal was last written.",
            seen.oldest_age_s,
        ),
    ):
        Gauge(name, says, registry=registry).set(value)
    return generate_latest(registry)
