"""Stored recordings as real files of any size, with real keys, for tests of erasing."""

import asyncio
import os
from pathlib import Path

from recorder.adapters.files import overwrite_and_remove, sync_directory
from recorder.errors import VaultUnavailable
from recorder.model import RecordingId


class FilesOnDisk:
    """Audio and keys as files; destroys with the same calls to the system as the vault."""

    def __init__(self, vault: Path, keys: Path) -> None:
        self.vault, self.keys = vault, keys

    def key(self, recording_id: RecordingId) -> Path:
        return self.keys / f"{recording_id}.key"

    def audio(self, recording_id: RecordingId, folder: str) -> Path:
        return self.vault / folder / f"{recording_id}.rec"

    def put(self, recording_id: RecordingId, folder: str, audio: bytes, *, at: float) -> None:
        self.keys.mkdir(exist_ok=True)
        self.key(recording_id).write_bytes(os.urandom(60))
        path = self.audio(recording_id, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(audio)
        os.utime(path, (at, at))

    async def destroy_key(self, recording_id: RecordingId) -> None:
        await asyncio.to_thread(_destroy, self.key(recording_id))

    async def destroy_audio(self, recording_id: RecordingId, *, folder: str) -> None:
        await asyncio.to_thread(_destroy, self.audio(recording_id, folder))

    async def remains(self, recording_id: RecordingId, *, folder: str) -> tuple[bool, bool]:
        key, audio = self.key(recording_id), self.audio(recording_id, folder)
        return await asyncio.to_thread(lambda: (key.exists(), audio.exists()))


def _destroy(path: Path) -> None:
    try:
        overwrite_and_remove(path)
        sync_directory(path.parent)
    except OSError as error:
        raise VaultUnavailable(f"the vault cannot be written ({error.strerror})") from error
