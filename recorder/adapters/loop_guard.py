"""Ends a process whose event loop stands still: a dead one holds no callers, a frozen one does."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)

TICK_S = 0.25
LONGEST_STANDSTILL_S = 3.0
EXIT_STATUS = 70


@contextmanager
def guarded_loop(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Watch ``loop`` from a thread while the context is open.

    Missed ticks are counted, not seconds: a process that was stopped and continued must get
    the chance to breathe before it is judged.
    """
    beat = threading.Event()
    finished = threading.Event()

    def watch() -> None:
        missed = 0
        while not finished.wait(TICK_S):
            missed = 0 if beat.is_set() else missed + 1
            beat.clear()
            loop.call_soon_threadsafe(beat.set)
            if missed * TICK_S > LONGEST_STANDSTILL_S:
                log.error("event_loop_stands_still")
                os._exit(EXIT_STATUS)

    thread = threading.Thread(target=watch, name="loop guard", daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()
