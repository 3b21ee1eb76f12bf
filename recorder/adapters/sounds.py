"""Turns any sound file into what a telephone plays, or says why it cannot.

A file comes from outside and is not to be believed: its header may promise what is not there.
It is read in blocks, and what counts is what was read.
"""

import io
import math
import os
import re
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from recorder.announcements.rules import (
    GUARD_S,
    LOWEST_SAMPLE_RATE,
    TELEPHONE_RATE,
    Sound,
    SoundFigures,
)
from recorder.errors import AnnouncementRefused, SoundCutShort

LONGEST_MINUTES = 15
"""No announcement is longer; more is a mistake or an attack on the memory."""

MOST_CHANNELS = 8
HIGHEST_SAMPLE_RATE = 384_000
LARGEST_FILE = 1 << 30
BLOCK_FRAMES = 1 << 15
FULL_SCALE = 32768.0
FLOOR_DBFS = -120.0
"""Level given for digital silence."""

CLIPPED_AT = 0.999
SHORTEST_CLIPPED_RUN = 3
"""One sample at full scale is a peak; several in a row are a peak that was cut off."""

WINDOW_S = 0.02
SILENCE_DBFS = -50.0
"""A window below this level counts as silence at the ends of a sound."""

TRUNCATED = "the file is truncated: it promises more sound than it holds; copy it again"
NEITHER = "this is no WAV and no FLAC, whatever its name says"
OGG_PAGE = 1 << 16
"""Bytes; no page of an Ogg file is longer than about this."""
OGG_HEADER = 27
OGG_LAST = 0x04

ENCODINGS = {"alaw": "ALAW", "ulaw": "ULAW"}
"""What Asterisk plays without transcoding on such trunks, beside the linear samples."""

Samples = npt.NDArray[np.float32]


def read_sound(path: Path) -> Sound:
    """Read any file libsndfile knows and make it fit for the telephone.

    Mixed down, resampled to 8 kHz, with at least ``GUARD_S`` of silence at its start. Whether
    it is good enough is for ``judge_sound`` to say. Raises ``AnnouncementRefused`` for what
    holds no sound that can be measured.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise AnnouncementRefused(
            f"the file cannot be read ({error.strerror}); check its path and rights"
        ) from error
    try:
        return _read(handle)
    finally:
        os.close(handle)


def sound_of(content: bytes) -> Sound:
    """Read a sound that is in memory, as ``read_sound`` does: WAV or FLAC alone.

    It came over the network: of libsndfile's readers it meets the two simplest.
    """
    if not content:
        raise AnnouncementRefused("the file is empty (0 bytes); record it again")
    if not ((content[:4] == b"RIFF" and content[8:12] == b"WAVE") or content[:4] == b"fLaC"):
        raise AnnouncementRefused(NEITHER)
    handle = os.memfd_create("announcement", os.MFD_CLOEXEC)
    with os.fdopen(handle, "wb", closefd=True) as file:
        file.write(content)
        file.flush()
        os.lseek(handle, 0, os.SEEK_SET)
        return _read(handle)


def wav_of(samples: bytes) -> bytes:
    """Return linear telephone samples as a WAV file."""
    size = len(samples)
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, TELEPHONE_RATE,
        2 * TELEPHONE_RATE, 2, 16, b"data", size,
    )  # fmt: skip
    return head + samples


def _read(handle: int) -> Sound:
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise AnnouncementRefused("this is not a file; give a sound file, for example WAV")
        if about.st_size == 0:
            raise AnnouncementRefused("the file is empty (0 bytes); record it again")
        if about.st_size > LARGEST_FILE:
            raise AnnouncementRefused("the file is larger than 1 GiB; no announcement is")
        # By its handle, not its name: the content decides what it is, never the extension.
        with soundfile.SoundFile(handle, closefd=False) as file:
            if file.format == "OGG" and not _ends_as_ogg_does(handle, about.st_size):
                raise SoundCutShort(TRUNCATED)
            return _prepare(file)
    # What libsndfile and its binding raise on hostile input is not one class only.
    except (soundfile.SoundFileError, OSError, ValueError, TypeError, MemoryError) as error:
        raise AnnouncementRefused(
            "this is not a sound file that can be read; give WAV, FLAC, OGG or MP3"
        ) from error


def encode(samples: bytes) -> dict[str, bytes]:
    """Return what is stored for Asterisk, by file name extension: alaw, ulaw and sln."""
    linear = np.frombuffer(samples, dtype="<i2")
    return {"sln": samples} | {
        extension: _companded(linear, subtype) for extension, subtype in ENCODINGS.items()
    }


def level_dbfs(samples: npt.NDArray[np.floating]) -> float:
    """Return the root mean square level relative to full scale."""
    if samples.size == 0:
        return FLOOR_DBFS
    rms = math.sqrt(float(np.mean(np.square(samples, dtype=np.float64))))
    return max(FLOOR_DBFS, 20 * math.log10(rms)) if rms > 0 else FLOOR_DBFS


def _prepare(file: soundfile.SoundFile) -> Sound:
    _refuse_hostile_header(file)
    source = _Source(file)
    resampler = soxr.ResampleStream(
        file.samplerate, TELEPHONE_RATE, 1, dtype="float32", quality="VHQ"
    )
    if file.samplerate == TELEPHONE_RATE:
        # Untouched, so that the same sound given twice is the same version.
        blocks = list(source.blocks())
    else:
        blocks = [resampler.resample_chunk(block) for block in source.blocks()]
        blocks.append(resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True))
    if source.frames < _promised_frames(file):
        raise SoundCutShort(TRUNCATED)
    heard = np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)
    return _finish(heard, source, file)


def _refuse_hostile_header(file: soundfile.SoundFile) -> None:
    if not 1 <= file.channels <= MOST_CHANNELS:
        raise AnnouncementRefused(
            f"{file.channels} channels; an announcement has one or two, at most {MOST_CHANNELS}"
        )
    if not 1 <= file.samplerate <= HIGHEST_SAMPLE_RATE:
        raise AnnouncementRefused(
            f"the header says {file.samplerate} Hz; record at {LOWEST_SAMPLE_RATE} to 48,000 Hz"
        )
    if file.frames > LONGEST_MINUTES * 60 * file.samplerate:
        raise AnnouncementRefused(
            f"longer than {LONGEST_MINUTES} minutes by its header; no announcement is"
        )


def _promised_frames(file: soundfile.SoundFile) -> int:
    # libsndfile quietly shrinks a chunk that reaches beyond the end of the file, and says so
    # only in its log. A size of 0xFFFFFFFF or 0 is a writer that could not know: no promise.
    shrunk = re.search(r"^\s*data\s*:\s*(\d+) \(should be (\d+)\)", file.extra_info, re.MULTILINE)
    if shrunk and int(shrunk[1]) not in (0, 0xFFFFFFFF) and int(shrunk[1]) > int(shrunk[2]):
        return int(file.frames) + 1
    return int(file.frames)


def _ends_as_ogg_does(handle: int, size: int) -> bool:
    # Ogg has no length to compare with: its last page says that it is the last.
    tail = os.pread(handle, 2 * OGG_PAGE, max(0, size - 2 * OGG_PAGE))
    start = tail.rfind(b"OggS")
    page = tail[start:] if start >= 0 else b""
    if len(page) < OGG_HEADER or not page[5] & OGG_LAST:
        return False
    sizes = page[OGG_HEADER : OGG_HEADER + page[OGG_HEADER - 1]]
    return len(page) >= OGG_HEADER + page[OGG_HEADER - 1] + sum(sizes)


class _Source:
    """Reads a file in mono blocks and remembers what went by."""

    def __init__(self, file: soundfile.SoundFile) -> None:
        self._file = file
        self.frames = 0
        self.finite = True
        self.clipped = 0
        self._samples = 0
        self._run = np.zeros((SHORTEST_CLIPPED_RUN - 1, file.channels), dtype=bool)
        self._in_run = np.zeros((1, file.channels), dtype=bool)

    def blocks(self) -> Iterator[Samples]:
        """Yield the sound, mixed down."""
        most = LONGEST_MINUTES * 60 * self._file.samplerate
        while (block := self._read()).shape[0]:
            self.frames += block.shape[0]
            if self.frames > most:
                raise AnnouncementRefused(
                    f"longer than {LONGEST_MINUTES} minutes; no announcement is"
                )
            if not np.isfinite(block).all():
                self.finite = False
                block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
            self._count_clipped(block)
            yield block.mean(axis=1, dtype=np.float32)

    def _read(self) -> Samples:
        block: Samples = self._file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
        return block

    @property
    def clipped_share(self) -> float:
        """Share of samples that lie in runs at full scale."""
        return self.clipped / self._samples if self._samples else 0.0

    def _count_clipped(self, block: Samples) -> None:
        self._samples += block.size
        full = np.vstack([self._run, np.abs(block) >= CLIPPED_AT])
        windows = full[2:] & full[1:-1] & full[:-2]
        # Each window counts its last sample, the first of a run its two others as well.
        self.clipped += int(windows.sum())
        starts = windows & ~np.vstack([self._in_run, windows[:-1]])
        self.clipped += (SHORTEST_CLIPPED_RUN - 1) * int(starts.sum())
        self._in_run = windows[-1:]
        self._run = full[-(SHORTEST_CLIPPED_RUN - 1) :]


def _finish(heard: Samples, source: _Source, file: soundfile.SoundFile) -> Sound:
    peak = float(np.abs(heard).max(initial=0.0))
    if peak > 1.0:
        # Floats and the resampler's overshoot may exceed full scale: scale, never wrap.
        heard = heard / np.float32(peak)
    leading, trailing = _silences(heard)
    missing = max(0, round((GUARD_S - leading) * TELEPHONE_RATE)) if heard.size else 0
    heard = np.concatenate([np.zeros(missing, dtype=np.float32), heard])
    whole = np.clip(np.rint(heard * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype("<i2")
    return Sound(
        samples=whole.tobytes(),
        figures=SoundFigures(
            sample_rate=file.samplerate,
            channels=file.channels,
            finite=source.finite,
            clipped_share=source.clipped_share,
            seconds=whole.size / TELEPHONE_RATE,
            level_dbfs=level_dbfs(whole.astype(np.float32) / np.float32(FULL_SCALE)),
            leading_silence_s=leading + missing / TELEPHONE_RATE,
            trailing_silence_s=trailing,
            guard_added_s=missing / TELEPHONE_RATE,
        ),
    )


def _silences(heard: Samples) -> tuple[float, float]:
    """Return the seconds of silence at both ends; all of it twice when nothing is heard."""
    window = round(WINDOW_S * TELEPHONE_RATE)
    padded = np.pad(heard, (0, -heard.size % window)).reshape(-1, window)
    energy = np.mean(np.square(padded, dtype=np.float64), axis=1)
    loud = np.flatnonzero(energy > 10 ** (SILENCE_DBFS / 10))
    if loud.size == 0:
        return heard.size / TELEPHONE_RATE, heard.size / TELEPHONE_RATE
    after = heard.size - min(heard.size, (int(loud[-1]) + 1) * window)
    return int(loud[0]) * WINDOW_S, after / TELEPHONE_RATE


def _companded(linear: npt.NDArray[np.int16], subtype: str) -> bytes:
    # In memory through libsndfile: its tables are G.711, exactly.
    with soundfile.SoundFile(
        buffer := io.BytesIO(), "w", TELEPHONE_RATE, 1, subtype=subtype, format="RAW"
    ) as file:
        file.write(linear)
    return buffer.getvalue()
