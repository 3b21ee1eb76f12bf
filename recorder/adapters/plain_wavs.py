"""Recordings from before there were keys: plain WAVs in the vault, sealed and then destroyed."""

import asyncio
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recorder.adapters.container import Sealed, Sealer
from recorder.adapters.files import BLOCK, folder_beneath, overwrite_and_unlink
from recorder.adapters.vault import PLAIN, READ, SEALED, translated, written
from recorder.errors import RecordingDamaged
from recorder.model import RecordingId
from recorder.ports import Keys


class PlainWavs:
    """The plain WAVs of one vault. Each step may be repeated."""

    def __init__(self, directory: Path, keys: Keys) -> None:
        self._directory, self._keys = directory, keys

    async def seal(self, recording_id: RecordingId, *, folder: str, sha256: str) -> None:
        """Put a container beside the WAV and read it back; the WAV stays.

        Raises ``RecordingDamaged`` when the WAV is not the one that ``sha256`` names, and
        ``VaultUnavailable``.
        """
        with translated():
            await asyncio.to_thread(self._seal, recording_id, folder, sha256)

    async def destroy(self, recording_id: RecordingId, *, folder: str, sha256: str) -> None:
        """Overwrite and remove the WAV, once its container is read and found to be the same.

        Raises ``RecordingDamaged``, and then the WAV stays, and ``VaultUnavailable``.
        """
        with translated():
            await asyncio.to_thread(self._destroy, recording_id, folder, sha256)

    def _seal(self, recording_id: RecordingId, folder: str, sha256: str) -> None:
        with (
            folder_beneath(self._directory, folder) as handle,
            opened(f"{recording_id}{PLAIN}", handle) as source,
        ):
            # Read twice: a WAV that is not the recorded one must not become a sealed recording.
            if _digest(blocks(source)) != sha256:
                raise RecordingDamaged("the plain WAV is not the one of its row")
            size = os.fstat(source).st_size
            key = self._keys.create(recording_id)
            with written(recording_id, handle) as target:
                sealer = Sealer(target, key, recording_id=recording_id, size=size)
                for block in blocks(source):
                    sealer.write(block)
                sealer.finish()
            # As old as the audio is: a file younger than its row would stop a purge (P5).
            written_at = os.fstat(source).st_mtime_ns
            name = f"{recording_id}{SEALED}"
            os.utime(name, ns=(written_at, written_at), dir_fd=handle, follow_symlinks=False)
            self._compare(recording_id, handle, sha256)

    def _destroy(self, recording_id: RecordingId, folder: str, sha256: str) -> None:
        with folder_beneath(self._directory, folder) as handle:
            self._compare(recording_id, handle, sha256)
            overwrite_and_unlink(f"{recording_id}{PLAIN}", folder=handle)
            os.fsync(handle)

    def _compare(self, recording_id: RecordingId, folder: int, sha256: str) -> None:
        key = self._keys.get(recording_id)
        if key is None:
            raise RecordingDamaged("the recording's key is missing")
        with opened(f"{recording_id}{SEALED}", folder) as file:
            sealed = Sealed(file, key, recording_id=recording_id)
            if _digest(sealed.chunks()) != sha256:
                raise RecordingDamaged("the audio is not the one of its row")


@contextmanager
def opened(name: str, folder: int) -> Iterator[int]:
    """Open a file of an open folder for reading, following no link."""
    handle = os.open(name, READ, dir_fd=folder)
    try:
        yield handle
    finally:
        os.close(handle)


def blocks(handle: int) -> Iterator[bytes]:
    """Yield a file's bytes from its beginning."""
    at = 0
    while block := os.pread(handle, BLOCK, at):
        at += len(block)
        yield block


def _digest(pieces: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for each in pieces:
        digest.update(each)
    return digest.hexdigest()
