"""How a test reads what was sealed: the one place that knows how the vault keeps it."""

import asyncio
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from recorder.adapters.keys import DiskKeys
from recorder.adapters.master_key import read_master_key
from recorder.adapters.vault import SEALED, DiskVault
from recorder.errors import NotFound, RecordingDamaged
from recorder.model import RecordingId

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A vault with its keys. A recording is a row with ``recording_id`` and ``stored_on``."""

    vault: Path
    keys: Path
    master_key: Path

    def file(self, recording: Mapping[str, Any]) -> Path:
        """Return where the recording must be."""
        return self.vault / str(recording["stored_on"]) / f"{recording['recording_id']}{SEALED}"

    def files(self) -> Iterator[Path]:
        """Yield every file in the vault, ours or not."""
        yield from (each for each in self.vault.rglob("*") if not each.is_dir())

    def with_keys(self) -> set[RecordingId]:
        """Return every recording that has a key."""
        return set(self._keys.present())

    def digest(self, recording: Mapping[str, Any]) -> str:
        """Return what the row's ``sha256`` must be, read anew from the disk; "" = unreadable."""
        wav = self._wav(recording)
        return "" if wav is None else hashlib.sha256(wav).hexdigest()

    def audio(self, recording: Mapping[str, Any]) -> Samples:
        """Return the samples, one column a side: the caller's, the office's."""
        wav = self._wav(recording)
        assert wav is not None
        samples, rate = soundfile.read(io.BytesIO(wav), always_2d=True)
        assert rate == 8000
        assert samples.shape[1] == 2
        return samples  # type: ignore[no-any-return]

    @property
    def _keys(self) -> DiskKeys:
        return DiskKeys(self.keys, read_master_key(self.master_key))

    def _wav(self, recording: Mapping[str, Any]) -> bytes | None:
        vault, name = DiskVault(self.vault, self._keys), RecordingId(recording["recording_id"])
        folder = str(recording["stored_on"])

        async def whole() -> bytes:
            size = await vault.size(name, folder=folder)
            return await vault.read(name, folder=folder, start=0, length=size)

        try:
            return asyncio.run(whole())
        except (NotFound, RecordingDamaged):
            return None
