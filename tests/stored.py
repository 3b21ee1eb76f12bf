"""How a test reads what was sealed: the one place that knows how the vault keeps it."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

Samples = npt.NDArray[np.float64]


def stored_file(vault: Path, recording: Mapping[str, Any]) -> Path:
    """Return where a recording of this row (``recording_id``, ``stored_on``) must be."""
    return vault / str(recording["stored_on"]) / f"{recording['recording_id']}.wav"


def all_stored(vault: Path) -> Iterator[Path]:
    """Yield every file in the vault, ours or not."""
    yield from (each for each in vault.rglob("*") if not each.is_dir())


def digest_of(vault: Path, recording: Mapping[str, Any]) -> str:
    """Return what the row's ``sha256`` must be, read anew from the disk."""
    return hashlib.sha256(stored_file(vault, recording).read_bytes()).hexdigest()


def read_audio(vault: Path, recording: Mapping[str, Any]) -> Samples:
    """Return the samples, one column a side: the caller's, the office's."""
    samples, rate = soundfile.read(stored_file(vault, recording), always_2d=True)
    assert rate == 8000
    assert samples.shape[1] == 2
    return samples  # type: ignore[no-any-return]
