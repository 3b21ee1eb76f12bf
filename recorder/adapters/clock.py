"""The only place that asks the machine for the time."""

import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clocks: UTC for what is stored, monotonic for what is measured."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps; only differences mean anything."""
        return time.monotonic()
