"""The sealed form of one recording: `docs/vault-format.md` has it byte by byte.

A header in clear, then chunks of 64 KiB, each encrypted and authenticated on its own with
AES-256-GCM: any place is read alone, and a byte that was changed, cut, moved or put there by
another is found before it is heard (RG.3).
"""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recorder.errors import RecordingDamaged
from recorder.model import RecordingId

HEADER = struct.Struct("<8sII16sQ")
"""Magic, bytes a chunk, zero, recording id, bytes of the WAV. Authenticated with every chunk."""

MAGIC = b"REJREC1\n"
CHUNK = 1 << 16
TAG = 16
KEY_BYTES = 32


def chunks_of(size: int) -> int:
    """Return how many chunks hold so many bytes; there is always a last one."""
    return max(1, -(-size // CHUNK))


def sealed_size(size: int) -> int:
    """Return the bytes of a container that holds so many.

    >>> sealed_size(44), sealed_size(65536), sealed_size(65537)
    (100, 65592, 65609)
    """
    return HEADER.size + size + chunks_of(size) * TAG


def nonce(index: int, *, last: bool) -> bytes:
    """Return the nonce of one chunk. A key seals one container once, so a counter never repeats.

    Telling the last chunk from the others is what makes a file cut at a chunk's end fail.
    """
    return bytes(7) + index.to_bytes(4, "big") + bytes([last])


class Sealer:
    """Writes one container as a stream; ``size`` bytes must pass through it."""

    def __init__(
        self, target: BinaryIO, key: bytes, *, recording_id: RecordingId, size: int
    ) -> None:
        self._target, self._cipher = target, AESGCM(key)
        self._last = chunks_of(size) - 1
        self._left, self._index = size, 0
        self._waiting = bytearray()
        self._header = HEADER.pack(MAGIC, CHUNK, 0, recording_id.bytes, size)
        target.write(self._header)

    def write(self, block: bytes) -> None:
        """Take more bytes; whole chunks are sealed as they come."""
        self._left -= len(block)
        self._waiting += block
        done = 0
        with memoryview(self._waiting) as waiting:
            while len(waiting) - done >= CHUNK and self._index < self._last:
                self._seal(waiting[done : done + CHUNK])
                done += CHUNK
        del self._waiting[:done]

    def finish(self) -> None:
        """Seal the last chunk."""
        if self._left or self._index != self._last:
            raise OSError("the audio is not as long as was said")
        self._seal(self._waiting)

    def _seal(self, chunk: memoryview | bytearray) -> None:
        at = nonce(self._index, last=self._index == self._last)
        self._target.write(self._cipher.encrypt(at, chunk, self._header))
        self._index += 1


class Sealed:
    """Reads one container from an open file. Everything it returns has been authenticated.

    Raises ``RecordingDamaged``, and ``OSError`` when the disk does not give the bytes.
    """

    def __init__(self, handle: int, key: bytes, *, recording_id: RecordingId) -> None:
        self._handle, self._cipher = handle, AESGCM(key)
        self._header = os.pread(handle, HEADER.size, 0)
        if len(self._header) < HEADER.size:
            raise RecordingDamaged("the file is shorter than its header")
        magic, chunk, zero, owner, size = HEADER.unpack(self._header)
        self.size: int = size
        if (magic, chunk, zero) != (MAGIC, CHUNK, 0):
            raise RecordingDamaged("the file has no header of a recording")
        if UUID(bytes=owner) != recording_id:
            raise RecordingDamaged("the file is another recording's")
        if os.fstat(handle).st_size != sealed_size(self.size):
            raise RecordingDamaged("the file is not as long as its header says")
        self._last = chunks_of(self.size) - 1

    def chunk(self, index: int) -> bytes:
        """Return the bytes of one chunk."""
        # The file's length was compared before: only a file cut meanwhile reads short here.
        stored = os.pread(
            self._handle,
            min(CHUNK, self.size - index * CHUNK) + TAG,
            HEADER.size + index * (CHUNK + TAG),
        )
        try:
            return self._cipher.decrypt(
                nonce(index, last=index == self._last), stored, self._header
            )
        except InvalidTag:
            raise RecordingDamaged("the audio is not what was sealed") from None

    def chunks(self) -> Iterator[bytes]:
        """Yield all of it, chunk by chunk."""
        for index in range(self._last + 1):
            yield self.chunk(index)

    def read(self, start: int, length: int) -> bytes:
        """Return a range, cut at the end."""
        end = min(start + length, self.size)
        if start >= end:
            # Even an empty answer about the end is given only by a file that is whole.
            self.chunk(self._last)
            return b""
        first = start // CHUNK
        found = b"".join(self.chunk(index) for index in range(first, (end - 1) // CHUNK + 1))
        return found[start - first * CHUNK : end - first * CHUNK]
