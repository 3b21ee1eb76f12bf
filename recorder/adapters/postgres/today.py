"""The calls of today, counted for the foot of the pages."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres.connect import asking
from recorder.adapters.postgres.tables import CallTable, IncidentTable
from recorder.model import IncidentKind
from recorder.web.footing import FAULTS, Today

CALL, INCIDENT = CallTable, IncidentTable


async def read_today(engine: AsyncEngine, *, midnight: datetime) -> Today:
    """Return what became of the calls since midnight. Raises ``LedgerUnavailable``."""
    here = CALL.arrived_at >= midnight
    counted = select(
        func.count(), func.count().filter(CALL.reason.in_([each.value for each in FAULTS]))
    ).where(here)
    newest = select(CALL.reason).where(here).order_by(CALL.arrived_at.desc()).limit(1)
    unexplained = select(func.count()).where(
        INCIDENT.kind == IncidentKind.UNEXPLAINED_CALL.value,
        INCIDENT.at >= midnight,
        INCIDENT.explained_at.is_(None),
        INCIDENT.closed_at.is_(None),
    )
    async with asking(engine) as connection:
        calls, faults = (await connection.execute(counted)).one()
        last = await connection.scalar(newest)
        lost = await connection.scalar(unexplained)
    # Every row has its reason; what has no row was found by comparing with the switchboard.
    lost = lost or 0
    return Today(calls=calls + lost, unexplained=lost, faults=faults, last=last)
