"""A stream of unknown length, sealed: `docs/vault-format.md` has it byte by byte.

As a recording's container, but what ends it is the last chunk alone: how long a database's dump
will be is known when it is over.
"""

import os
import struct
from collections.abc import Iterator
from typing import IO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recorder.adapters.container import CHUNK, TAG, nonce
from recorder.errors import BackupDamaged

HEADER = struct.Struct("<8sII16s")
"""Magic, bytes a chunk, zero, id of the backup. Authenticated with every chunk."""
MAGIC = b"REJDMP1\n"


def seal_stream(source: IO[bytes], target: IO[bytes], key: bytes, *, owner: UUID) -> None:
    """Write all of ``source``; a key seals one stream, ever."""
    cipher, header = AESGCM(key), HEADER.pack(MAGIC, CHUNK, 0, owner.bytes)
    target.write(header)
    index, chunk = 0, source.read(CHUNK)
    while True:
        following = source.read(CHUNK) if len(chunk) == CHUNK else b""
        last = not following
        target.write(cipher.encrypt(nonce(index, last=last), chunk, header))
        if last:
            return
        index, chunk = index + 1, following


def open_stream(source: IO[bytes], key: bytes, *, owner: UUID) -> Iterator[bytes]:
    """Yield the plain bytes; each has been authenticated. Raises ``BackupDamaged``."""
    cipher, header = AESGCM(key), source.read(HEADER.size)
    if header != HEADER.pack(MAGIC, CHUNK, 0, owner.bytes):
        raise BackupDamaged("the dump is not this backup's")
    left = os.fstat(source.fileno()).st_size - HEADER.size
    index = 0
    while True:
        chunk = source.read(CHUNK + TAG)
        left -= len(chunk)
        try:
            yield cipher.decrypt(nonce(index, last=left <= 0), chunk, header)
        except InvalidTag:
            raise BackupDamaged("the dump is not what was sealed") from None
        if left <= 0:
            return
        index += 1
