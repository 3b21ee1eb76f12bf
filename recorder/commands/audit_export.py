"""The audit trail as files that verify without this program: docs/audit-trail.md."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TextIO
from zipfile import ZIP_DEFLATED, ZipFile

from recorder.adapters.postgres.trail_reading import PostgresTrail
from recorder.audit.notes import BadNote, PublicKey
from recorder.audit.rules import Entry, body_of
from recorder.errors import RuleViolation, VaultUnavailable

PAGE = 5000
FOLDER = "trail"
"""Of the archive's files."""


async def write_export(
    trail: PostgresTrail,
    folder: Path,
    public: PublicKey,
    checkpoints: Mapping[str, str],
    *,
    reveal: bool,
) -> int:
    """Write the trail up to its newest checkpoint into a new folder; return how many entries."""
    newest = _newest(public, checkpoints)
    written = 0
    try:
        _write_proofs(folder, await _proofs(trail, public, checkpoints))
        with _new(folder / "entries.jsonl") as file:
            async for lines in _lines(trail, newest, reveal=reveal):
                file.writelines(lines)
                written += len(lines)
    except FileExistsError:
        raise RuleViolation("the folder exists; nothing is overwritten") from None
    except OSError as error:
        raise VaultUnavailable(f"the export cannot be written ({error.strerror})") from error
    return written


def _write_proofs(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(mode=0o700)
    (folder / "checkpoints").mkdir(mode=0o700)
    for name, content in files.items():
        with _new(folder / name) as file:
            file.write(content)


async def zipped_export(
    trail: PostgresTrail, public: PublicKey, checkpoints: Mapping[str, str]
) -> AsyncIterator[bytes]:
    """Return the same files as one archive, piece by piece: nothing of it lies on our disk.

    Raises ``RuleViolation`` before the first piece where there is nothing to prove it by.
    """
    newest = _newest(public, checkpoints)
    proofs = await _proofs(trail, public, checkpoints)
    return _zipped(proofs, _lines(trail, newest, reveal=False))


async def _zipped(
    proofs: Mapping[str, str], pages: AsyncIterator[list[str]]
) -> AsyncIterator[bytes]:
    pipe = _Pipe()
    with ZipFile(pipe, "w", compression=ZIP_DEFLATED) as archive:
        for name, content in proofs.items():
            archive.writestr(f"{FOLDER}/{name}", content)
        with archive.open(f"{FOLDER}/entries.jsonl", "w", force_zip64=True) as file:
            async for lines in pages:
                await asyncio.to_thread(file.write, "".join(lines).encode())
                yield pipe.taken()
    yield pipe.taken()


class _Pipe:
    """What an archive is written into, and what is sent of it."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._waiting.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> bytes:
        """Return what was written since."""
        pieces, self._waiting = b"".join(self._waiting), []
        return pieces


async def _proofs(
    trail: PostgresTrail, public: PublicKey, checkpoints: Mapping[str, str]
) -> dict[str, str]:
    start = await trail.start()
    files = {f"checkpoints/{name}": note for name, note in checkpoints.items()}
    files["public-key.txt"] = f"{public}\n"
    if start and start.note:
        files["start.note"] = start.note
    return files


async def _lines(trail: PostgresTrail, newest: int, *, reveal: bool) -> AsyncIterator[list[str]]:
    seq = 0
    while page := await trail.entries_after(seq, limit=PAGE):
        # What came after the checkpoint was signed by nobody yet.
        yield [line_of(each, reveal=reveal) for each in page if each.seq <= newest]
        seq = page[-1].seq
        if seq > newest:
            return


def line_of(entry: Entry, *, reveal: bool) -> str:
    """Return an entry's line: the very text that was hashed, so that no reader must spell it."""
    personal = entry.personal if reveal else None
    line = {
        "body": body_of(entry),
        "hash": entry.hash.hex(),
        "personal": personal.data if personal else None,
        "salt": personal.salt.hex() if personal else None,
    }
    return json.dumps(line, ensure_ascii=False) + "\n"


def _newest(public: PublicKey, checkpoints: Mapping[str, str]) -> int:
    try:
        signed = [public.open(note).position.seq for note in checkpoints.values()]
    except BadNote as error:
        raise RuleViolation(f"a checkpoint is bad ({error}); `recorder audit verify`") from None
    if not signed:
        raise RuleViolation("there is no checkpoint to prove it; `recorder audit checkpoint`")
    return max(signed)


def _new(path: Path) -> TextIO:
    return os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    )
