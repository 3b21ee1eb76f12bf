"""What a disk may lose when the power fails. For ``tests/crashes.py``."""

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path


class Disk:
    """What a power cut would take: contents and names that were not put on disk yet."""

    def __init__(self, kept: Path) -> None:
        """``kept`` is an empty folder on the same disk, for what is taken away and may return."""
        self._dirty: set[Path] = set()
        self._undo: list[tuple[Path, Callable[[], object]]] = []
        self._kept = kept
        self._names = count()

    def written(self, path: Path, *, new: bool) -> None:
        # What stood there before may be lost or kept: only what is new is surely not there yet.
        if new:
            self._dirty.add(path)
            self._undo.append((path.parent, lambda: path.unlink(missing_ok=True)))

    def synced(self, path: Path) -> None:
        self._dirty.discard(path)
        self._undo = [each for each in self._undo if each[0] != path]

    def renaming(self, source: Path, target: Path) -> None:
        old = self._keep(target)
        if source in self._dirty:
            self._dirty.discard(source)
            self._dirty.add(target)

        def undo() -> None:
            target.rename(source)
            if old is not None:
                old.rename(target)

        self._undo.append((target.parent, undo))

    def linking(self, _: Path, name: Path) -> None:
        self._undo.append((name.parent, lambda: name.unlink(missing_ok=True)))

    def unlinking(self, path: Path) -> None:
        self._dirty.discard(path)
        old = self._keep(path)

        def undo() -> None:
            # A folder that is gone for good took its files with it.
            if old is not None and path.parent.is_dir():
                old.rename(path)

        self._undo.append((path.parent, undo))

    def making(self, path: Path) -> None:
        if not path.exists():
            # Without its name all that is in it is lost.
            self._undo.append((path.parent, lambda: shutil.rmtree(path)))

    def unmaking(self, path: Path) -> None:
        def undo() -> None:
            if path.parent.is_dir():
                path.mkdir()

        if path.is_dir():
            self._undo.append((path.parent, undo))

    def cut(self) -> None:
        for path in self._dirty:
            path.write_bytes(b"")
        for _, undo in reversed(self._undo):
            undo()

    def _keep(self, path: Path) -> Path | None:
        if not path.exists():
            return None
        kept = self._kept / str(next(self._names))
        kept.hardlink_to(path)
        return kept
