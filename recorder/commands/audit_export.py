"""The audit trail as files that verify without this program: docs/audit-trail.md."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from recorder.adapters.postgres.trail_reading import PostgresTrail
from recorder.audit.notes import BadNote, PublicKey
from recorder.audit.rules import Entry, body_of
from recorder.errors import RuleViolation, VaultUnavailable

PAGE = 5000


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
    start = await trail.start()
    try:
        _write_proofs(folder, public, checkpoints, start.note if start else "")
        with _new(folder / "entries.jsonl") as file:
            return await _write_entries(trail, file, newest, reveal=reveal)
    except FileExistsError:
        raise RuleViolation("the folder exists; nothing is overwritten") from None
    except OSError as error:
        raise VaultUnavailable(f"the export cannot be written ({error.strerror})") from error


def _write_proofs(
    folder: Path, public: PublicKey, checkpoints: Mapping[str, str], start: str
) -> None:
    folder.mkdir(mode=0o700)
    (folder / "checkpoints").mkdir(mode=0o700)
    files = {f"checkpoints/{name}": note for name, note in checkpoints.items()}
    files["public-key.txt"] = f"{public}\n"
    if start:
        files["start.note"] = start
    for name, content in files.items():
        with _new(folder / name) as file:
            file.write(content)


async def _write_entries(trail: PostgresTrail, file: TextIO, newest: int, *, reveal: bool) -> int:
    written = seq = 0
    while page := await trail.entries_after(seq, limit=PAGE):
        for entry in page:
            # What came after the checkpoint was signed by nobody yet.
            if entry.seq > newest:
                return written
            file.write(line_of(entry, reveal=reveal))
            written += 1
        seq = page[-1].seq
    return written


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
