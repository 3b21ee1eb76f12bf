"""The allow-list in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_network
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import trail
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.tables_access import WorkstationTable
from recorder.audit.event import AuditEvent
from recorder.workstations.model import Workstation

COLUMNS = tuple(Workstation.__dataclass_fields__)
LISTED = (
    select(*(getattr(WorkstationTable, name) for name in COLUMNS))
    .where(WorkstationTable.removed_at.is_(None))
    .order_by(WorkstationTable.network)
)
"""Asked at every request, so put together once."""


class PostgresWorkstations:
    """See ``recorder.workstations.ports`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, workstation: Workstation, events: Sequence[AuditEvent]) -> bool:
        """Enter a network; False if it is on the list."""
        row = {name: getattr(workstation, name) for name in COLUMNS}
        row["network"] = str(workstation.network)
        row["name"], row["place"] = clean(workstation.name), clean(workstation.place)
        statement = (
            insert(WorkstationTable)
            .values(row)
            .on_conflict_do_nothing(
                index_elements=["network"], index_where=text("removed_at IS NULL")
            )
            .returning(WorkstationTable.id)
        )
        with translated():
            async with self._engine.begin() as connection:
                if (await connection.execute(statement)).first() is None:
                    return False
                await trail.append(connection, events)
                return True

    async def remove(
        self, workstation_id: UUID, *, at: datetime, events: Sequence[AuditEvent]
    ) -> bool:
        """Take a network off the list; False if it is not on it."""
        statement = (
            update(WorkstationTable)
            .where(WorkstationTable.id == workstation_id, WorkstationTable.removed_at.is_(None))
            .values(removed_at=at)
        )
        with translated():
            async with self._engine.begin() as connection:
                if (await connection.execute(statement)).rowcount != 1:
                    return False
                await trail.append(connection, events)
                return True

    async def listed(self) -> Sequence[Workstation]:
        """Return what is on the list now."""
        async with asking(self._engine) as connection:
            rows = (await connection.execute(LISTED)).mappings()
            return [Workstation(**{**row, "network": ip_network(row["network"])}) for row in rows]
