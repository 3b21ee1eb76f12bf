"""A sealed stream of unknown length: every byte counts, and so does where it ends."""

import io
from pathlib import Path
from uuid import UUID

import pytest

from recorder.adapters.container import CHUNK, TAG
from recorder.adapters.sealed_stream import HEADER, open_stream, seal_stream
from recorder.errors import BackupDamaged

KEY, OWNER = bytes(range(32)), UUID(int=7)


def sealed(path: Path, plain: bytes) -> bytes:
    with path.open("wb") as target:
        seal_stream(io.BytesIO(plain), target, KEY, owner=OWNER)
    return path.read_bytes()


def plain_of(path: Path, *, key: bytes = KEY, owner: UUID = OWNER) -> bytes:
    with path.open("rb") as source:
        return b"".join(open_stream(source, key, owner=owner))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_sealed_comes_out(tmp_path: Path, size: int) -> None:
    plain = bytes(each % 251 for each in range(size))
    content = sealed(tmp_path / "dump", plain)
    assert plain_of(tmp_path / "dump") == plain
    assert len(content) == HEADER.size + size + max(1, -(-size // CHUNK)) * TAG


def test_a_changed_byte_or_a_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    content = sealed(path, b"x" * (2 * CHUNK))
    places = (0, 20, HEADER.size, HEADER.size + CHUNK, len(content) - 1)
    for at in places:
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(BackupDamaged):
            plain_of(path)
    whole_chunk = HEADER.size + CHUNK + TAG
    for length in (0, 10, HEADER.size, HEADER.size + 5, whole_chunk, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(BackupDamaged):
            plain_of(path)
    path.write_bytes(content + b"more")
    with pytest.raises(BackupDamaged):
        plain_of(path)


def test_another_key_or_backup_does_not_open_it(tmp_path: Path) -> None:
    sealed(tmp_path / "dump", b"rows")
    with pytest.raises(BackupDamaged):
        plain_of(tmp_path / "dump", key=bytes(32))
    with pytest.raises(BackupDamaged):
        plain_of(tmp_path / "dump", owner=UUID(int=8))
