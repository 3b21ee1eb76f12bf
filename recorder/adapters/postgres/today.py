"""The calls of today, counted for the foot of the pages."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.tables import CallTable
from recorder.web.footing import FAULTS, Today

CALL = CallTable


async def read_today(engine: AsyncEngine, *, midnight: datetime) -> Today:
    """Return what became of the calls since midnight. Raises ``LedgerUnavailable``."""
    here = CALL.arrived_at >= midnight
    counted = select(
        func.count(), func.count().filter(CALL.reason.in_([each.value for each in FAULTS]))
    ).where(here)
    newest = select(CALL.reason).where(here).order_by(CALL.arrived_at.desc()).limit(1)
    with translated():
        async with engine.connect() as connection:
            calls, faults = (await connection.execute(counted)).one()
            last = await connection.scalar(newest)
    # Every row has its reason; what has no row is found by comparing with the switchboard.
    return Today(calls=calls, unexplained=0, faults=faults, last=last)
