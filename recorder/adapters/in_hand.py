"""Which calls wait in the spool for their row; nothing is changed there."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from recorder.adapters.bypassed import NAME, TAKEN
from recorder.adapters.journals import DiskJournals
from recorder.capture.bypassed import FIELDS
from recorder.errors import SpoolUnavailable

UNIQUE_ID = 3
"""Where the line of a call past capture has its channel's id."""


class SpoolInHand:
    """See ``recorder.completeness.ports.InHand`` for the promises."""

    def __init__(self, spool: Path) -> None:
        self._spool = spool
        self._journals = DiskJournals(spool)

    def channels(self) -> Collection[str]:
        """Return channel ids of calls whose row follows; an unreadable spool has none."""
        return {*self._of_journals(), *self._bypassed()}

    def _of_journals(self) -> Collection[str]:
        found = set()
        for call_id in self._journals.all_calls():
            with suppress(SpoolUnavailable):
                found |= {
                    str(each["channel_id"])
                    for each in self._journals.read(call_id)
                    if each.get("kind") == "call:entered" and "channel_id" in each
                }
        return found

    def _bypassed(self) -> Collection[str]:
        found = set()
        for name in (NAME, TAKEN):
            with suppress(OSError):
                lines = (self._spool / name).read_text("ascii", "replace").splitlines()
                split = (each.split("|") for each in lines)
                found |= {each[UNIQUE_ID] for each in split if len(each) == FIELDS}
        return found
