"""Making files last, and making them go."""

import hashlib
import os
from pathlib import Path

BLOCK = 1 << 20


def sync_directory(directory: Path) -> None:
    """Put a directory's entries on disk: a rename without it may be lost with the power."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(path: Path) -> None:
    """Put a file's bytes on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes (hex), read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def overwrite_and_remove(path: Path) -> None:
    """Overwrite a file once, then remove it (the letter of § 7.2). Gone already is done."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        left = os.fstat(handle).st_size
        while left > 0:
            left -= os.write(handle, bytes(min(BLOCK, left)))
        os.fdatasync(handle)
    finally:
        os.close(handle)
    path.unlink(missing_ok=True)
