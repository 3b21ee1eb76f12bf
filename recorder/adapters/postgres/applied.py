"""The retention that was put in force last."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from recorder.adapters.postgres.tables_keeping import RETENTION, AppliedSettingTable
from recorder.erasure.model import Applied

SETTING = AppliedSettingTable


async def last_applied(connection: AsyncConnection, *, lock: bool = False) -> Applied | None:
    """Return the days and what regulation.toml said then; None = nothing was ever applied.

    ``lock``: nobody else changes them before this transaction ends.
    """
    query = select(SETTING.value, SETTING.written).where(SETTING.name == RETENTION)
    row = (await connection.execute(query.with_for_update() if lock else query)).first()
    return None if row is None else Applied(row.value, row.written)
