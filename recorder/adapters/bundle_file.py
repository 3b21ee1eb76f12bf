"""A diagnostic bundle as one file: JSON that any editor shows, in a tar that any system opens."""

import io
import json
import os
import tarfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from recorder.errors import RuleViolation, VaultUnavailable
from recorder.maintenance.model import Bundle, Part

FOLDER = "rejestrator-diagnosis"
README = """Diagnostic bundle of Rejestrator, made {at:%Y-%m-%d %H:%M} UTC.

Each file is JSON, in .jsonl a line for each thing; logs.jsonl and errors.jsonl are log lines, the
newest last.
OPERATIONS.md has a heading for every event and incident that is named here.
It was searched for telephone numbers{compared} before it was written.
missing.json, where there is one, says what could not be asked, and why.

{files}
"""


def name_of(at: datetime) -> str:
    """Return a name for a bundle made at this moment."""
    return f"{FOLDER}-{at:%Y%m%dT%H%M}.tar.gz"


def packed(bundle: Bundle, *, at: datetime, compared: bool) -> bytes:
    """Return a bundle as a ``.tar.gz``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in _files(bundle, at, compared=compared):
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size, member.mode, member.mtime = len(content), 0o600, int(at.timestamp())
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _files(bundle: Bundle, at: datetime, *, compared: bool) -> Iterator[tuple[str, bytes]]:
    readme = README.format(
        at=at,
        compared=" and for the names and numbers of the ledger"
        if compared
        else " alone: PostgreSQL was away, so not for names",
        files="\n".join(each.file for each in bundle.parts),
    )
    yield "README.txt", readme.encode()
    for part in bundle.parts:
        yield part.file, _json(part)


def _json(part: Part) -> bytes:
    content = part.content
    if isinstance(content, list):
        return b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in content)
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, for its maker alone.

    Raises ``RuleViolation`` when it is there, ``VaultUnavailable`` when it cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except FileExistsError:
        raise RuleViolation(f"{path} exists; nothing is overwritten") from None
    except OSError as error:
        raise VaultUnavailable(f"{path} cannot be written ({error.strerror}); see --to") from error
