"""Sign-ins that wait for a provider, in PostgreSQL: a restart in between loses none."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.accounts.provider import BegunSignIn
from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.tables_access import BegunSignInTable

BEGUN = BegunSignInTable


class PostgresBegunSignIns:
    """See ``recorder.accounts.provider.BegunSignIns`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def keep(self, begun: BegunSignIn, *, older_than: datetime) -> None:
        """Keep one; drop those begun before ``older_than``."""
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(delete(BEGUN).where(BEGUN.begun_at < older_than))
                await connection.execute(insert(BEGUN).values(asdict(begun)))

    async def take(self, state_sha256: str) -> BegunSignIn | None:
        """Return and remove one: of two who ask at once, one gets it."""
        columns = [getattr(BEGUN, name) for name in BegunSignIn.__dataclass_fields__]
        statement = delete(BEGUN).where(BEGUN.state_sha256 == state_sha256).returning(*columns)
        with translated():
            async with self._engine.begin() as connection:
                row = (await connection.execute(statement)).mappings().first()
        return BegunSignIn(**row) if row else None
