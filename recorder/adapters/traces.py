"""Looks for what the PBX wrote by itself and nobody took away: call records, logs."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path


class PbxFolders:
    """Folders that may hold numbers. See ``recorder.retention.ports.Traces``."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def older_than(self, instant: datetime) -> Sequence[Path]:
        """Return files last written before. A folder that cannot be read is left out."""
        limit = instant.timestamp()
        return sorted(each for each in self._files() if _changed(each) < limit)

    def _files(self) -> Iterator[Path]:
        for folder in self._folders:
            try:
                yield from (each for each in folder.rglob("*") if each.is_file())
            except OSError:
                continue


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return float("inf")
