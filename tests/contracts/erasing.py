"""What erasing does to files, as an act for ``tests/crashes.py``."""

import os
from pathlib import Path
from uuid import UUID

from recorder.adapters.vault import DiskVault
from recorder.model import RecordingId
from tests.keys import some_keys

RECORDING, FOLDER = RecordingId(UUID(int=2)), "2026/11/09"
CLOSED = "closed"
"""Stands for the tombstone: written once nothing remains, as the eraser's transaction is."""


async def erase(directory: str) -> None:
    vault = DiskVault(Path(directory) / "vault", some_keys(Path(directory) / "keys"))
    await vault.destroy_key(RECORDING)
    await vault.destroy_audio(RECORDING, folder=FOLDER)
    if not any(await vault.remains(RECORDING, folder=FOLDER)):
        with (Path(directory) / CLOSED).open("wb") as row:
            os.fsync(row.fileno())
