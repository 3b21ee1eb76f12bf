"""From the spool's raw audio to a 16-bit stereo WAV, and what can be measured on the way.

Shapes: blocks of frames × 2 channels, int16, 8,000 frames a second. Memory does not grow with
the call. Levels come from energy alone, never from content (RG.14).
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

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

HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
"""RIFF, size, WAVE; fmt, size, PCM, channels, rate, bytes a second, a frame, bits; data, size."""

MOST_FRAMES = (0xFFFFFFFF - HEADER.size) // BYTES_PER_FRAME
"""A WAV counts its bytes in 32 bits: 37 hours."""

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


def frames_in(raw: Path) -> int:
    """Return how many whole frames ``raw`` holds; a last one torn by a crash is not one."""
    return raw.stat().st_size // BYTES_PER_FRAME


def size_of(frames: int) -> int:
    """Return the bytes of a WAV of so many frames."""
    return HEADER.size + frames * BYTES_PER_FRAME


def header(frames: int) -> bytes:
    """Return the header of a WAV of so many frames, so that a WAV can be written as a stream."""
    if frames > MOST_FRAMES:
        raise OSError("longer than a WAV can be")
    audio = frames * BYTES_PER_FRAME
    return HEADER.pack(
        *(b"RIFF", audio + HEADER.size - 8, b"WAVE"),
        *(b"fmt ", 16, 1, CHANNELS, SAMPLE_RATE),
        *(SAMPLE_RATE * BYTES_PER_FRAME, BYTES_PER_FRAME, 16),
        *(b"data", audio),
    )


def write_wav(raw: Path, write: Callable[[bytes], object], *, frames: int) -> Measured:
    """Hand ``frames`` of ``raw`` to ``write`` as a WAV: left the caller, right the office.

    Sample for sample, in blocks. Raises ``OSError`` when ``raw`` has become shorter.
    """
    write(header(frames))
    energy = np.zeros(CHANNELS)
    left = frames
    with raw.open("rb") as source:
        while left > 0:
            block = np.fromfile(source, dtype="<i2", count=min(left, BLOCK_FRAMES) * CHANNELS)
            if block.size == 0 or block.size % CHANNELS:
                raise OSError("the audio has become shorter")
            pairs: Frames = block.reshape(-1, CHANNELS)
            write(pairs.tobytes())
            # Squares of 16-bit samples overflow int16; float32 keeps them and halves the memory.
            real = pairs.astype(np.float32)
            energy += np.einsum("ij,ij->j", real, real, dtype=np.float64)
            left -= len(pairs)
    return Measured(
        frames=frames,
        caller_dbfs=_dbfs(energy[0], frames),
        office_dbfs=_dbfs(energy[1], frames),
    )


def _dbfs(energy: float, frames: int) -> float:
    if frames == 0 or energy <= 0:
        return FLOOR_DBFS
    level = 10 * math.log10(energy / frames / FULL_SCALE**2)
    return round(max(FLOOR_DBFS, level), 1)
