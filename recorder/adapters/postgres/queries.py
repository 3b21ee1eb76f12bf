"""Reading calls and recordings: by number in any spelling, day, and hour with a window (R7.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import tables
from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.ledger import clean
from recorder.phone_numbers import normalise

WITHHELD = "withheld"
"""What is searched for a caller who sent no number."""

CALL, RECORDING = tables.CallTable, tables.RecordingTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What a person knows of a call. Everything given must hold."""

    caller: str | None = None
    """In any usual spelling, or ``withheld``."""
    called: str | None = None
    day: date | None = None
    """In the office's zone."""
    hour: time | None = None
    window: timedelta = timedelta(minutes=60)
    """How far from ``hour`` a call may be, both ways (R7.5a)."""
    outcome: str | None = None
    limit: int = 50
    offset: int = 0


async def find_calls(
    engine: AsyncEngine, criteria: Criteria, *, office_zone: ZoneInfo
) -> Sequence[Row[Any]]:
    """Return calls, newest first, each with the id of its recording if it has one."""
    query = (
        select(CALL, RECORDING.id.label("recording_id"), RECORDING.erase_by)
        .outerjoin(RECORDING, RECORDING.call_id == CALL.id)
        .where(*_conditions(criteria, office_zone))
        .order_by(CALL.arrived_at.desc())
        .limit(criteria.limit)
        .offset(criteria.offset)
    )
    # Columns of both tables are labelled apart: each has an id.
    columns = [*CALL.__table__.columns, RECORDING.id.label("recording_id"), RECORDING.erase_by]
    return await _rows(engine, query.with_only_columns(*columns))


async def find_recordings(
    engine: AsyncEngine, criteria: Criteria, *, office_zone: ZoneInfo
) -> Sequence[Row[Any]]:
    """Return recordings with who called whom and when, newest first."""
    query = (
        select(
            *RECORDING.__table__.columns,
            CALL.arrived_at,
            CALL.caller_number,
            CALL.line,
            CALL.answered_by,
        )
        .join(CALL, RECORDING.call_id == CALL.id)
        .where(*_conditions(criteria, office_zone))
        .order_by(CALL.arrived_at.desc())
        .limit(criteria.limit)
        .offset(criteria.offset)
    )
    return await _rows(engine, query)


async def get_call(engine: AsyncEngine, call_id: UUID) -> Row[Any] | None:
    """Return one call, None if there is none."""
    found = await _rows(engine, select(*CALL.__table__.columns).where(CALL.id == call_id))
    return found[0] if found else None


async def get_recording(engine: AsyncEngine, recording_id: UUID) -> Row[Any] | None:
    """Return one recording, None if there is none."""
    query = select(*RECORDING.__table__.columns).where(RECORDING.id == recording_id)
    found = await _rows(engine, query)
    return found[0] if found else None


async def announcements_of(engine: AsyncEngine, call_id: UUID) -> Sequence[Row[Any]]:
    """Return the proof of announcement of one call, in order (R8.2c)."""
    played = tables.AnnouncementPlayedTable
    query = select(*played.__table__.columns).where(played.call_id == call_id)
    return await _rows(engine, query.order_by(played.position))


async def incidents_of(engine: AsyncEngine, call_id: UUID) -> Sequence[Row[Any]]:
    """Return the incidents of one call."""
    incident = tables.IncidentTable
    query = select(*incident.__table__.columns).where(incident.call_id == call_id)
    return await _rows(engine, query.order_by(incident.at))


async def count_outcomes(engine: AsyncEngine, *, since: datetime) -> Sequence[Row[Any]]:
    """Return (outcome, reason, number of calls) since an instant."""
    query = (
        select(CALL.outcome, CALL.reason, func.count().label("calls"))
        .where(CALL.arrived_at >= since)
        .group_by(CALL.outcome, CALL.reason)
        .order_by(CALL.outcome.desc(), func.count().desc())
    )
    return await _rows(engine, query)


async def _rows(engine: AsyncEngine, query: Any) -> Sequence[Row[Any]]:  # noqa: ANN401 - any SELECT
    with translated():
        async with engine.connect() as connection:
            return (await connection.execute(query)).all()


def _conditions(criteria: Criteria, office_zone: ZoneInfo) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if criteria.caller is not None:
        conditions.append(_number(CALL.caller_number, CALL.caller_e164, criteria.caller))
    if criteria.called is not None:
        conditions.append(_number(CALL.line, CALL.line_e164, criteria.called))
    if criteria.outcome is not None:
        conditions.append(CALL.outcome == criteria.outcome)
    if criteria.day is not None:
        since, until = _between(criteria.day, criteria, office_zone)
        conditions.append(and_(CALL.arrived_at >= since, CALL.arrived_at < until))
    return conditions


def _number(raw: Any, e164: Any, wanted: str) -> ColumnElement[bool]:  # noqa: ANN401 - columns
    if wanted == WITHHELD:
        return or_(raw == "", raw.in_(("anonymous", "Anonymous", "restricted")))
    public = normalise(wanted)
    exact: ColumnElement[bool] = raw == clean(wanted)
    return or_(exact, e164 == public) if public else exact


def _between(day: date, criteria: Criteria, office_zone: ZoneInfo) -> tuple[datetime, datetime]:
    if criteria.hour is None:
        midnight = datetime.combine(day, time(), office_zone)
        return midnight, datetime.combine(day + timedelta(days=1), time(), office_zone)
    about = datetime.combine(day, criteria.hour, office_zone)
    return about - criteria.window, about + criteria.window + timedelta(minutes=1)
