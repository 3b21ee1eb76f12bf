"""What the disks say of the service, as far as this process may look."""

import os
from collections.abc import Mapping
from pathlib import Path

from recorder.adapters.spool import SUFFIX


def free_bytes(volumes: Mapping[str, Path]) -> dict[str, int]:
    """Return what is free for us on each volume that can be reached."""
    found = {}
    for name, path in volumes.items():
        try:
            told = os.statvfs(path)
        except OSError:
            continue
        found[name] = told.f_bavail * told.f_frsize
    return found


def unsealed(spool: Path) -> int | None:
    """Return how many recordings wait in the spool, None where it cannot be read."""
    try:
        return sum(1 for name in os.listdir(spool) if name.endswith(SUFFIX))  # noqa: PTH208 - names are enough
    except OSError:
        return None
