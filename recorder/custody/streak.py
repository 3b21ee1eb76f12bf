"""Do announcements fail one after another (R8.2b)?"""

from recorder.model import CallRecord, PlaybackResult, Reason

ALARM_AFTER = 3
"""So many callers in a row who were not told are no chance: nobody is recorded meanwhile."""

FAILED = frozenset({Reason.ANNOUNCEMENT_FAILED, Reason.ANNOUNCEMENT_MISSING})


class Streak:
    """Counts calls whose announcement failed, until one is heard to its end.

    Callers who left, declined by an early key or were out of scope say nothing of the sound.
    """

    def __init__(self) -> None:
        self._failed = 0

    def is_due(self, call: CallRecord) -> bool:
        """Tell whether this call is the one that raises the alarm, once a streak."""
        return self._failed < ALARM_AFTER <= self._with(call)

    def take(self, call: CallRecord) -> None:
        """Count a call that has its row."""
        self._failed = self._with(call)

    def _with(self, call: CallRecord) -> int:
        if call.decision is not None and call.decision.reason in FAILED:
            return self._failed + 1
        heard = any(each.result is PlaybackResult.HEARD for each in call.announcements)
        return 0 if heard else self._failed
