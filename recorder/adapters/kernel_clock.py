"""Asks the kernel for a clock that never jumps, and whether the other one is synchronised."""

import ctypes
import time
from pathlib import Path

from recorder.adapters.clock import SystemClock
from recorder.erasure.brakes import Instant

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TIME_ERROR = 5
"""What ``adjtimex`` returns while nobody keeps the clock."""
TIMEX_BYTES = 512
"""More than ``struct timex`` of any Linux; all zero, it only reads (``modes`` = 0)."""


class KernelClock:
    """The wall clock beside CLOCK_BOOTTIME, which counts through sleep and is never set."""

    def read(self) -> Instant:
        """Return wall clock and the clock that never jumps, read together."""
        return Instant(
            at=SystemClock().now(),
            boot_id=BOOT_ID.read_text(encoding="ascii").strip(),
            boot_s=time.clock_gettime(time.CLOCK_BOOTTIME),
        )

    def synchronised(self) -> bool:
        """Tell whether the kernel says that its clock follows a source of time.

        What cannot be asked does not vouch for anything.
        """
        buffer = ctypes.create_string_buffer(TIMEX_BYTES)
        try:
            state: int = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
        except (OSError, AttributeError):
            return False
        return 0 <= state < TIME_ERROR
