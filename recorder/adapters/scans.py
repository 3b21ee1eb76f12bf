"""Signed scans on disk: private files under our own ids."""

import asyncio
import os
from pathlib import Path
from uuid import UUID

from recorder.adapters.files import sync_directory
from recorder.errors import VaultUnavailable

MODE = 0o600


class DiskScans:
    """See ``recorder.authorisations.ports.Scans`` for the promises."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def store(self, scan_id: UUID, content: bytes) -> None:
        """Keep a file, private; durable when this returns. Raises ``VaultUnavailable``."""
        try:
            await asyncio.to_thread(self._store, scan_id, content)
        except OSError as error:
            raise VaultUnavailable(
                f"the scan cannot be kept ({error.strerror}); RECORDER_SCAN_DIR must name a "
                "directory that may be written"
            ) from error

    async def read(self, scan_id: UUID) -> bytes | None:
        """Return a file, or None."""
        try:
            return await asyncio.to_thread(self._path(scan_id).read_bytes)
        except FileNotFoundError:
            return None

    def _path(self, scan_id: UUID) -> Path:
        return self._directory / str(scan_id)

    def _store(self, scan_id: UUID, content: bytes) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self._directory / f"{scan_id}.part"
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, MODE)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self._path(scan_id))
        sync_directory(self._directory)
