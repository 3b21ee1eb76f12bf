"""Erasing as it meets the disk: when a file was written, and whether its folder is there."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from recorder.model import RecordingId

STORED = (".rec", ".wav")


class Destroying(Protocol):
    """The part of the vault that destroys."""

    async def destroy_key(self, recording_id: RecordingId) -> None:
        """Make the audio unreadable for ever."""

    async def destroy_audio(self, recording_id: RecordingId, *, folder: str) -> None:
        """Overwrite the stored bytes and remove them."""

    async def remains(self, recording_id: RecordingId, *, folder: str) -> tuple[bool, bool]:
        """Tell whether anything of the key, and anything of the audio, is there."""


class DiskShredder:
    """See ``recorder.erasure.ports.Shredder`` for the promises."""

    def __init__(self, directory: Path, vault: Destroying) -> None:
        self._directory = directory
        self.destroy_key = vault.destroy_key
        self.destroy_audio = vault.destroy_audio
        self.remains = vault.remains

    async def written_at(
        self, files: Sequence[tuple[RecordingId, str]]
    ) -> Mapping[RecordingId, datetime | None]:
        """Return when each file was written, None where it is gone; without its folder, nothing."""
        return await asyncio.to_thread(self._written_at, files)

    def _written_at(
        self, files: Sequence[tuple[RecordingId, str]]
    ) -> Mapping[RecordingId, datetime | None]:
        found: dict[RecordingId, datetime | None] = {}
        folders: dict[str, bool] = {}
        for recording_id, folder in files:
            path = self._directory / folder
            if folder not in folders:
                folders[folder] = path.is_dir()
            if folders[folder]:
                found[recording_id] = _changed(path, recording_id)
        return found


def _changed(folder: Path, recording_id: RecordingId) -> datetime | None:
    for suffix in STORED:
        try:
            seconds = (folder / f"{recording_id}{suffix}").stat().st_mtime
        except FileNotFoundError:
            continue
        except OSError:
            # It is there and cannot be looked at: destroying it will say why.
            return None
        return datetime.fromtimestamp(seconds, UTC)
    return None
