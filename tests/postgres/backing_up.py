"""Backing up and restoring with every real adapter, as acts of ``tests/crashes.py``."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from tests.restoring import Installation, opened_set, places_in

LATER = timedelta(days=25)
"""After so long a backup is restored: what it holds of more than five days ago is due."""


async def back_up(url: str, directory: str, backup: str) -> None:
    """Make a backup of an office."""
    office = Installation(url, Path(directory))
    await asyncio.to_thread(office.back_up, places_in(Path(backup)))


async def restore(url: str, directory: str, backup: str, folder: str) -> None:
    """Restore an office from one of its backups, to the end."""
    office = Installation(url, Path(directory))
    office.clock.at += LATER
    await asyncio.to_thread(office.bring_back, opened_set(Path(folder), places_in(Path(backup))))
    await asyncio.to_thread(office.end)


if __name__ == "__main__":
    asyncio.run(back_up(*sys.argv[2:]) if sys.argv[1] == "back_up" else restore(*sys.argv[2:]))
