"""Reads what the dialplan noted of calls that went past capture."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from recorder.adapters.files import overwrite_and_remove

NAME = "bypassed.log"
TAKEN = "bypassed.taken"


class BypassedLog:
    """The dialplan appends to one file; it is set aside before it is read.

    Setting aside and reading are two calls apart, so that a line that Asterisk was just
    writing is whole when it is read. What was set aside stays until ``done``, so a crash in
    between loses no call; a call read twice still gets one row.
    """

    def __init__(self, spool: Path) -> None:
        self._log = spool / NAME
        self._taken = spool / TAKEN

    def take(self) -> Sequence[str]:
        """Return the lines set aside by the call before; an unreadable spool has none."""
        try:
            if self._taken.exists():
                return self._taken.read_text(encoding="ascii", errors="replace").splitlines()
            if self._log.exists():
                self._log.rename(self._taken)
        except OSError:
            return ()
        return ()

    def done(self) -> None:
        """Forget the lines last taken: every one of them has its row."""
        # It held numbers. What a failing disk keeps is read again, and a call has one row.
        with suppress(OSError):
            overwrite_and_remove(self._taken)
