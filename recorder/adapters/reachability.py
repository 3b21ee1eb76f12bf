"""Whether what the web needs can be reached: asked afresh, each within its own time."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import migrate
from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.trail import require_open
from recorder.errors import LedgerUnavailable, RecorderError
from recorder.web.health import PartState

WITHIN_S = 3.0


class PartsOfWeb:
    """See ``recorder.web.health.Parts``."""

    def __init__(self, engine: AsyncEngine, **folders: Path) -> None:
        self._engine, self._folders = engine, folders
        self._revision = migrate.head()

    async def ask(self) -> Sequence[PartState]:
        """Return how each part is; nothing is raised."""
        database = await self._database()
        folders = [_folder(name, path) for name, path in self._folders.items()]
        return [database, *folders]

    async def _database(self) -> PartState:
        try:
            async with asyncio.timeout(WITHIN_S):
                found = await self._ask_revision()
        except (RecorderError, TimeoutError) as error:
            return PartState("database", reachable=False, says=type(error).__name__)
        if found != self._revision:
            return PartState("database", reachable=False, says="recorder db upgrade")
        return PartState("database", reachable=True, says=f"revision {found}")

    async def _ask_revision(self) -> str:
        with translated():
            async with self._engine.connect() as connection:
                found = await connection.scalar(text("SELECT version_num FROM alembic_version"))
                if found == self._revision:
                    # Read-only after a failover: nearly nothing would be answered.
                    await require_open(connection)
        if found is None:
            raise LedgerUnavailable("the database is empty: recorder db upgrade")
        return str(found)


def _folder(name: str, path: Path) -> PartState:
    if not path.is_dir():
        return PartState(name, reachable=False, says="the folder is missing")
    readable = os.access(path, os.R_OK | os.X_OK)
    return PartState(name, reachable=readable, says="readable" if readable else "not for this user")
