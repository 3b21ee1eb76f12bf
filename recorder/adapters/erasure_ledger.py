"""The ledger of erasures as a file: what must not come back with a backup, and what must stay.

One line of JSON each. The first says when and how many follow, so that a cut file is found.
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.backup_files import make_folder, put_file, written_to
from recorder.adapters.postgres.restoring import ledger_of
from recorder.backup.model import ErasedLine, ErasureLedger, HoldLine, Opening
from recorder.errors import BackupDamaged

VERSION = 1


class LedgerFile:
    """See ``recorder.backup.work.LedgerExport`` for the promises."""

    def __init__(self, engine: AsyncEngine, path: Path | None) -> None:
        self._engine, self._path = engine, path

    async def export(self, *, at: datetime) -> int | None:
        """Write the ledger where the settings say; None = they say nothing."""
        if self._path is None:
            return None
        path = self._path
        erased, holds = await ledger_of(self._engine)
        return await asyncio.to_thread(write_ledger, path, at=at, erased=erased, holds=holds)


def write_ledger(
    path: Path, *, at: datetime, erased: Sequence[ErasedLine], holds: Sequence[HoldLine]
) -> int:
    """Write the ledger, whole or as it was before; return how many lines tell of something."""
    lines = [*erased, *holds]
    opening = Opening(ledger=VERSION, at=at, lines=len(lines))
    content = "".join(f"{each.model_dump_json()}\n" for each in (opening, *lines))
    with written_to():
        make_folder(path.parent)
        put_file(path, content.encode())
    return len(lines)


def read_ledger(path: Path) -> ErasureLedger:
    """Return the ledger in a file. Raises ``BackupDamaged`` and ``BackupUnavailable``."""
    with written_to():
        lines = path.read_bytes().splitlines()
    try:
        opening = Opening.model_validate_json(lines[0])
        found = [_line(each) for each in lines[1:]]
    except (ValidationError, ValueError, IndexError):
        raise BackupDamaged("the file is no ledger of erasures, or a newer release's") from None
    if opening.ledger != VERSION or opening.lines != len(found):
        raise BackupDamaged("the ledger of erasures is cut, or a newer release's")
    return ErasureLedger(
        at=opening.at,
        erased=tuple(each for each in found if isinstance(each, ErasedLine)),
        holds=tuple(each for each in found if isinstance(each, HoldLine)),
    )


def _line(text: bytes) -> ErasedLine | HoldLine:
    if "erased" in json.loads(text):
        return ErasedLine.model_validate_json(text)
    return HoldLine.model_validate_json(text)
