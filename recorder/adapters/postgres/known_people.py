"""Whose numbers and names the rows hold, for looking that they stand nowhere else."""

from collections.abc import AsyncIterator, Collection

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.tables import CallTable
from recorder.adapters.postgres.tables_access import AccountTable

AT_ONCE = 1000
NAMES = (CallTable.caller_name, AccountTable.name)


class PostgresKnownPeople:
    """See ``recorder.maintenance.ports.KnownPeople`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def callers_among(self, numbers: Collection[str]) -> frozenset[str]:
        """Return those of ``numbers`` that a caller has."""
        found: set[str] = set()
        asked = sorted(numbers)
        for at in range(0, len(asked), AT_ONCE):
            some = asked[at : at + AT_ONCE]
            query = (
                select(CallTable.caller_number, CallTable.caller_e164)
                .where(or_(CallTable.caller_number.in_(some), CallTable.caller_e164.in_(some)))
                .distinct()
            )
            with translated():
                async with self._engine.connect() as connection:
                    for row in await connection.execute(query):
                        found.update(each for each in row if each in numbers)
        return frozenset(found)

    async def names(self) -> AsyncIterator[str]:
        """Yield each name once a table."""
        for column in NAMES:
            query = select(column).where(column.is_not(None), column != "").distinct()
            with translated():
                async with self._engine.connect() as connection:
                    found = await connection.stream_scalars(query)
                    async for name in found:
                        yield name or ""
