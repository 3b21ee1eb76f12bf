"""The services' log files in one folder: read whole, and on as they grow."""

from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import Any

from recorder.errors import Unavailable
from recorder.maintenance.lines import Wanted, moment_of, parse

OURS = "*.log*"
LONGEST_LINE = 64 << 10
"""Bytes; a longer one is none of ours and is passed over."""


class LogFolder:
    """What the services wrote, each into a rotating file of its own beside the others."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[tuple[int, int], int] = {}

    def found(self, wanted: Wanted, *, last: int) -> Sequence[dict[str, Any]]:
        """Return the newest ``last`` lines that were asked for, oldest first.

        Raises ``Unavailable``.
        """
        lines = [line for line in self.new() if wanted.takes(line)]
        # Several services write side by side: by the time, not by the file.
        lines.sort(key=lambda line: str(moment_of(line)))
        return lines[-last:]

    def files(self) -> Sequence[Path]:
        """Return the files, the oldest of each service first. Raises ``Unavailable``."""
        try:
            # Of an unreadable folder glob says nothing; asked for by name it does.
            list(self._folder.iterdir())
            return sorted(self._folder.glob(OURS), reverse=True)
        except OSError as error:
            raise Unavailable(f"{self._folder}: {error.strerror}") from error

    def new(self) -> Iterator[dict[str, Any]]:
        """Yield the lines written since the last time, with their file. Raises ``Unavailable``."""
        for path in self.files():
            try:
                with path.open("rb") as file:
                    yield from self._lines(path, file)
            except PermissionError as error:
                raise Unavailable(
                    f"{path} cannot be read; run this as the service's user"
                ) from error
            except FileNotFoundError:
                # Rotated away between the listing and the reading; its next name is read.
                continue

    def _lines(self, path: Path, file: BufferedReader) -> Iterator[dict[str, Any]]:
        stat = path.stat()
        # A rotated file keeps its inode: what was read is not read again under its new name.
        key = (stat.st_dev, stat.st_ino)
        at = self._read.get(key, 0)
        # A file that shrank was begun anew.
        file.seek(at if at <= stat.st_size else 0)
        self._read[key] = file.tell()
        name = service_of(path)
        for raw in file:
            if not raw.endswith(b"\n"):
                break
            self._read[key] += len(raw)
            if len(raw) > LONGEST_LINE:
                continue
            if (line := parse(raw.decode("utf-8", "replace"))) is not None:
                yield line | {"file": name}


def service_of(path: Path) -> str:
    """Return which service writes a file, rotated or not.

    >>> service_of(Path("/var/log/rejestrator/capture.log.2"))
    'capture'
    """
    return path.name.partition(".log")[0]
