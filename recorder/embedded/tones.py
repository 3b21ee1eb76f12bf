"""Tones that prove which side is where: written for SIPp, found again in a recording."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

SAMPLE_RATE = 8000
CALLER_HZ, OFFICE_HZ, MARKER_HZ = 440.0, 1000.0, 1700.0
"""The caller's tone, the office's, and the caller's before consent: it must be in no file."""


def sine(hertz: float, seconds: float, *, level: float = 0.25) -> npt.NDArray[np.float64]:
    """Return a mono tone, frames at 8 kHz, full scale 1.0."""
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)


def write_alaw(path: Path, samples: npt.NDArray[np.float64]) -> None:
    """Write headerless A-law at 8 kHz, as SIPp streams it."""
    soundfile.write(path, samples, SAMPLE_RATE, format="RAW", subtype="ALAW")


def share_of(samples: npt.NDArray[np.float64], hertz: float) -> float:
    """Return which part of the samples' energy lies within 20 Hz of ``hertz``, 0 to 1."""
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    total = float(spectrum.sum())
    return float(spectrum[np.abs(frequencies - hertz) <= 20].sum()) / total if total else 0.0  # noqa: PLR2004
