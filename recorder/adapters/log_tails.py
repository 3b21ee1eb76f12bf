"""The ends of the services' log files, read backwards: the newest lines without the whole files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from itertools import groupby
from pathlib import Path
from typing import Any

from recorder.adapters.log_files import LONGEST_LINE, LogFolder, service_of
from recorder.maintenance.lines import Wanted, moment_of, parse
from recorder.maintenance.model import FoundLines

BLOCK = 128 << 10
"""Bytes read at once."""
Line = dict[str, Any]
Shown = Callable[[Mapping[str, Any]], Line]


@dataclass(kw_only=True)
class _Search:
    """One service's files, looked through from the newest line backwards."""

    wanted: Wanted
    most: int
    shown: Shown
    left: int
    """Bytes that may still be read."""
    found: list[tuple[datetime, Line]]
    reached: datetime | None = None
    """The oldest moment that was looked at."""
    whole: bool = True
    """Nothing older is there that was not looked at."""

    def look(self, paths: Sequence[Path]) -> None:
        """Look through the files of the service, the newest first."""
        for path in paths:
            with path.open("rb") as file:
                if not self._goes_on(file, service_of(path)):
                    return

    def _goes_on(self, file: BufferedReader, name: str) -> bool:
        """Look through one file; tell whether an older one is worth a look."""
        end = file.seek(0, 2) if self.wanted.until is None else _end_of(file, self.wanted.until)
        for raw in self._backwards(file, end):
            line = parse(raw.decode("utf-8", "replace"))
            if line is None or (at := moment_of(line)) is None:
                continue
            line |= {"file": name}
            self.reached = at
            if self.wanted.since is not None and at < self.wanted.since:
                return False
            # Of what is not shown nothing can be found out by asking for it.
            if self.wanted.takes(line) and self.wanted.takes(cut := self.shown(line)):
                self.found.append((at, cut))
                if len(self.found) >= self.most:
                    return False
        return self.whole

    def _backwards(self, file: BufferedReader, end: int) -> Iterator[bytes]:
        """Yield the whole lines before ``end``, the last first, while there is something left."""
        # What follows the last end of a line is being written just now.
        rest, torn = b"", True
        while end > 0:
            if self.left <= 0:
                self.whole = False
                return
            step = min(BLOCK, end, self.left)
            end -= step
            self.left -= step
            file.seek(end)
            rest, *lines = (file.read(step) + rest).split(b"\n")
            # A line as long as that is none of ours; what is kept of it says no more.
            rest = rest[:LONGEST_LINE]
            if torn and lines:
                del lines[-1]
                torn = False
            yield from (each for each in reversed(lines) if len(each) < LONGEST_LINE)
        if not torn and len(rest) < LONGEST_LINE:
            yield rest


class LogTails:
    """What the services wrote last, as much of it as may be read at once."""

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        """Read at most so many bytes of each service."""
        self._folder, self._most_bytes = folder, most_bytes

    def newest(self, wanted: Wanted, *, most: int, shown: Shown = dict) -> FoundLines:
        """Return the newest lines that were asked for, newest first, as ``shown`` gives them.

        Raises ``Unavailable`` when the folder cannot be read.
        """
        searches, unread = [], []
        paths = sorted(LogFolder(self._folder).files(), key=service_of)
        for name, files in groupby(paths, key=service_of):
            search = _Search(wanted=wanted, most=most, shown=shown, left=self._most_bytes, found=[])
            try:
                search.look(list(files)[::-1])
            except OSError:
                # Another service's lines are no worse for it.
                unread.append(name)
            if not search.whole and search.reached is None:
                unread.append(name)
            searches.append(search)
        back_to = max(
            (each.reached for each in searches if not each.whole and each.reached), default=None
        )
        lines = [
            each
            for search in searches
            for each in search.found
            if back_to is None or each[0] > back_to
        ]
        # Several services write side by side: by the time, not by the file.
        lines.sort(key=lambda each: each[0], reverse=True)
        return FoundLines(
            lines=tuple(line for _, line in lines[:most]), back_to=back_to, unread=tuple(unread)
        )


def _end_of(file: BufferedReader, until: datetime) -> int:
    """Return a place soon after the last line before ``until``: a file is in the order of time."""
    low, high = 0, file.seek(0, 2)
    size = high
    while high - low > BLOCK:
        middle = (low + high) // 2
        at = _moment_after(file, middle)
        if at is not None and at < until:
            low = middle
        else:
            high = middle
    if high >= size:
        return size
    file.seek(high)
    file.readline(LONGEST_LINE)
    return file.tell()


def _moment_after(file: BufferedReader, place: int) -> datetime | None:
    """Return when the first line behind a place was written; None = there is none."""
    file.seek(place)
    read = len(file.readline(LONGEST_LINE))
    while read < BLOCK:
        raw = file.readline(LONGEST_LINE)
        if not raw:
            return None
        read += len(raw)
        line = parse(raw.decode("utf-8", "replace"))
        if line is not None and (at := moment_of(line)) is not None:
            return at
    raise OSError("no line of ours is near")
