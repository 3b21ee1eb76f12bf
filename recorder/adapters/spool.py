"""Audio of live calls, as MixMonitor writes it: headerless, 16-bit little-endian, two channels.

Left is what the caller says, right what the caller hears; 8 kHz, so 32,000 bytes a second.
"""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from recorder.adapters.files import overwrite_and_remove
from recorder.errors import SpoolUnavailable
from recorder.model import RecordingId

SUFFIX = ".raw"


class DiskSpool:
    """Audio as ``<recording id>.raw`` under one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def audio_path(self, recording_id: RecordingId) -> Path:
        """Return where the audio is, or would be."""
        return self._directory / f"{recording_id}{SUFFIX}"

    def audio_size(self, recording_id: RecordingId) -> int | None:
        """Return its size in bytes, None if there is no such file."""
        try:
            return self.audio_path(recording_id).stat().st_size
        except OSError:
            return None

    def audio_written_at(self, recording_id: RecordingId) -> datetime | None:
        """Return when its last byte was written, None if there is no such file."""
        try:
            changed = self.audio_path(recording_id).stat().st_mtime
        except OSError:
            return None
        return datetime.fromtimestamp(changed, UTC)

    def all_audio(self) -> Iterator[RecordingId]:
        """Yield the id of every audio file in the spool."""
        for path in self._directory.glob(f"*{SUFFIX}"):
            try:
                yield RecordingId(UUID(path.stem))
            except ValueError:
                continue

    def free_bytes(self) -> int:
        """Return the space left for audio. Raises ``SpoolUnavailable`` when not writable."""
        try:
            if os.statvfs(self._directory).f_flag & os.ST_RDONLY:
                raise SpoolUnavailable("the spool is mounted read-only")
            if not os.access(self._directory, os.W_OK | os.X_OK):
                raise SpoolUnavailable("the spool may not be written")
            return shutil.disk_usage(self._directory).free
        except OSError as error:
            raise SpoolUnavailable(f"the spool is missing ({error.strerror})") from error

    def wipe_audio(self, recording_id: RecordingId) -> None:
        """Overwrite and remove the audio. Removing what is gone is a success."""
        try:
            overwrite_and_remove(self.audio_path(recording_id))
        except OSError as error:
            raise SpoolUnavailable(f"the spool cannot be written ({error.strerror})") from error
