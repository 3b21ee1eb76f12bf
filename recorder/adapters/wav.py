"""From the spool's raw audio to a 16-bit stereo WAV, and what can be measured on the way.

Shapes: blocks of frames × 2 channels, int16, 8,000 frames a second. Memory does not grow with
the call. Levels come from energy alone, never from content (RG.14).
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

SAMPLE_RATE = 8000
"""Hertz. What MixMonitor writes to a ``.raw`` file, whatever the call's codec."""

CHANNELS = 2
BYTES_PER_FRAME = 2 * CHANNELS
BLOCK_FRAMES = 1 << 17
FULL_SCALE = 32768.0
FLOOR_DBFS = -120.0
"""Level given for digital silence."""

SILENT_DBFS = -60.0
"""A side below this level all along said nothing that a person could hear."""

Frames = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one pass over the audio told."""

    frames: int
    caller_dbfs: float
    office_dbfs: float

    @property
    def silent(self) -> bool:
        """Neither side was heard."""
        return max(self.caller_dbfs, self.office_dbfs) < SILENT_DBFS

    @property
    def one_sided(self) -> bool:
        """Exactly one side was heard."""
        return (self.caller_dbfs < SILENT_DBFS) != (self.office_dbfs < SILENT_DBFS)


def write_wav(raw: Path, wav: Path) -> Measured:
    """Write ``raw`` as a WAV: left the caller, right the office, sample for sample.

    A last frame torn by a crash is dropped. Raises ``OSError`` and
    ``soundfile.LibsndfileError`` when a file cannot be read or written.
    """
    frames = raw.stat().st_size // BYTES_PER_FRAME
    energy = np.zeros(CHANNELS)
    with (
        raw.open("rb") as source,
        soundfile.SoundFile(
            wav, "w", samplerate=SAMPLE_RATE, channels=CHANNELS, subtype="PCM_16", format="WAV"
        ) as target,
    ):
        left = frames
        while left > 0:
            block = np.fromfile(source, dtype="<i2", count=min(left, BLOCK_FRAMES) * CHANNELS)
            if block.size == 0:
                break
            pairs: Frames = block[: block.size // CHANNELS * CHANNELS].reshape(-1, CHANNELS)
            target.write(pairs)
            # Squares of 16-bit samples overflow int16; float32 keeps them and halves the memory.
            real = pairs.astype(np.float32)
            energy += np.einsum("ij,ij->j", real, real, dtype=np.float64)
            left -= len(pairs)
    written = frames - left
    return Measured(
        frames=written,
        caller_dbfs=_dbfs(energy[0], written),
        office_dbfs=_dbfs(energy[1], written),
    )


def _dbfs(energy: float, frames: int) -> float:
    if frames == 0 or energy <= 0:
        return FLOOR_DBFS
    level = 10 * math.log10(energy / frames / FULL_SCALE**2)
    return round(max(FLOOR_DBFS, level), 1)
