"""A sealed recording that was touched anywhere is refused, never heard as garbage (RG.3, F13)."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.adapters import container
from recorder.adapters.container import HEADER, TAG, Sealed, Sealer, chunks_of, sealed_size
from recorder.errors import RecordingDamaged
from recorder.model import RecordingId
from tests.builders import RECORDING

KEY = bytes(range(32))
SMALL = 16
"""Bytes a chunk where every bit is tried."""


def sealed(plain: bytes, key: bytes = KEY, *, pieces: int = 7) -> bytes:
    target = io.BytesIO()
    sealer = Sealer(target, key, recording_id=RECORDING, size=len(plain))
    for start in range(0, len(plain), pieces):
        sealer.write(plain[start : start + pieces])
    sealer.finish()
    return target.getvalue()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "CHUNK", SMALL)


Opener = Callable[..., bytes]


@pytest.fixture
def open_all(tmp_path: Path) -> Opener:
    """Read a whole container as the vault does."""
    path = tmp_path / "one.rec"

    def read(stored: bytes, key: bytes = KEY, recording_id: RecordingId = RECORDING) -> bytes:
        path.write_bytes(stored)
        handle = os.open(path, os.O_RDONLY)
        try:
            return b"".join(Sealed(handle, key, recording_id=recording_id).chunks())
        finally:
            os.close(handle)

    return read


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33, 160])
@pytest.mark.parametrize("pieces", [1, 7, 16, 1000])
@pytest.mark.usefixtures("small_chunks")
def test_what_was_sealed_is_read_whatever_its_length_and_pieces(
    open_all: Opener, size: int, pieces: int
) -> None:
    plain = bytes(range(size))
    stored = sealed(plain, pieces=pieces)
    assert len(stored) == sealed_size(size)
    assert open_all(stored) == plain


@given(st.integers(0, 200), st.integers(0, 220), st.integers(0, 220))
def test_every_range_is_the_same_range_of_the_whole(size: int, start: int, length: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(container, "CHUNK", SMALL)
        plain = os.urandom(size)
        handle = os.memfd_create("container")
        try:
            os.write(handle, sealed(plain))
            found = Sealed(handle, KEY, recording_id=RECORDING).read(start, length)
        finally:
            os.close(handle)
    assert found == plain[start : start + length]


@pytest.mark.usefixtures("small_chunks")
def test_every_single_flipped_bit_is_refused(open_all: Opener) -> None:
    """Header, both chunks and both tags, bit by bit."""
    stored = sealed(b"a plain text of two chunks")
    assert chunks_of(26) == 2
    for bit in range(len(stored) * 8):
        damaged = bytearray(stored)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RecordingDamaged):
            open_all(bytes(damaged))


@pytest.mark.usefixtures("small_chunks")
def test_a_file_cut_or_lengthened_anywhere_is_refused(open_all: Opener) -> None:
    stored = sealed(bytes(5 * SMALL))
    for length in range(len(stored)):
        with pytest.raises(RecordingDamaged):
            open_all(stored[:length])
    for more in (b"\0", bytes(SMALL + TAG)):
        with pytest.raises(RecordingDamaged):
            open_all(stored + more)


@pytest.mark.usefixtures("small_chunks")
def test_a_cut_at_a_chunks_end_is_refused_even_when_the_header_agrees(open_all: Opener) -> None:
    """Without the mark of the last chunk, a forger of headers alone could shorten a call."""
    stored = sealed(bytes(5 * SMALL))
    for chunks in range(1, 5):
        header = HEADER.pack(container.MAGIC, SMALL, 0, RECORDING.bytes, chunks * SMALL)
        body = stored[HEADER.size :][: chunks * (SMALL + TAG)]
        with pytest.raises(RecordingDamaged):
            open_all(header + body)


@pytest.mark.usefixtures("small_chunks")
def test_chunks_that_changed_places_are_refused(open_all: Opener) -> None:
    stored = sealed(bytes(range(4 * SMALL)))
    step = SMALL + TAG
    body = [stored[HEADER.size + at * step :][:step] for at in range(4)]
    for one in range(4):
        for two in range(4):
            if one != two:
                moved, doubled = list(body), list(body)
                moved[one], moved[two] = body[two], body[one]
                doubled[one] = body[two]
                for wrong in (moved, doubled):
                    with pytest.raises(RecordingDamaged):
                        open_all(stored[: HEADER.size] + b"".join(wrong))


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(b"", id="0 bytes"),
        pytest.param(b"\x00", id="one byte"),
        pytest.param(bytes(40), id="zeros"),
        pytest.param(os.urandom(100_001), id="random, odd length"),
        pytest.param(b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(100), id="a WAV"),
        pytest.param(b"ID3\x04" + bytes(1000), id="ID3"),
        pytest.param(b"<!DOCTYPE html><html></html>" * 10, id="HTML"),
        pytest.param(
            HEADER.pack(container.MAGIC, 1 << 16, 0, RECORDING.bytes, 0xFFFFFFFFFFFFFFFF),
            id="a size of 2^64",
        ),
    ],
)
def test_what_is_no_container_is_refused(open_all: Opener, stored: bytes) -> None:
    """F13."""
    with pytest.raises(RecordingDamaged):
        open_all(stored)


def test_another_key_and_another_recordings_container_are_refused(open_all: Opener) -> None:
    stored = sealed(b"one")
    with pytest.raises(RecordingDamaged):
        open_all(stored, key=bytes(32))
    with pytest.raises(RecordingDamaged, match="another"):
        open_all(stored, recording_id=RecordingId(UUID(int=9)))


@pytest.mark.parametrize("passed", [0, 9, 11])
def test_a_length_that_was_not_kept_seals_nothing(passed: int) -> None:
    sealer = Sealer(io.BytesIO(), KEY, recording_id=RECORDING, size=10)
    sealer.write(bytes(passed))
    with pytest.raises(OSError, match="as long"):
        sealer.finish()
