"""The figures of the service that Prometheus asks for: counts and ages, nothing of anybody."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.queries import count_outcomes
from recorder.adapters.postgres.tables import IncidentTable, RecordingTable
from recorder.adapters.postgres.tables_web import PlaybackTable
from recorder.web.metrics import Measures

TODAY = "Calls that arrived today, by what became of them."


async def read_figures(
    engine: AsyncEngine, measures: Measures, *, now: datetime, midnight: Callable[[], datetime]
) -> None:
    """Set the gauges. Raises ``LedgerUnavailable``."""
    recording = RecordingTable
    with translated():
        async with engine.connect() as connection:
            oldest: datetime | None = await connection.scalar(select(func.min(recording.ended_at)))
            kept = await connection.scalar(select(func.count()).select_from(recording))
            late = await connection.scalar(
                select(func.count()).select_from(recording).where(recording.erase_by <= now)
            )
            open_playbacks = await connection.scalar(
                select(func.count())
                .select_from(PlaybackTable)
                .where(PlaybackTable.ended_at.is_(None))
            )
            incidents = (
                await connection.execute(
                    select(IncidentTable.kind, func.count())
                    .where(IncidentTable.at >= midnight())
                    .group_by(IncidentTable.kind)
                )
            ).all()
    age = 0.0 if oldest is None else (now - oldest).total_seconds()
    measures.set("recorder_recordings", "Recordings kept.", kept or 0)
    measures.set("recorder_oldest_recording_age_seconds", "Age of the oldest recording.", age)
    measures.set("recorder_recordings_past_their_time", "Recordings past erase_by.", late or 0)
    measures.set("recorder_playbacks_open", "Playbacks not ended yet.", open_playbacks or 0)
    measures.forget("recorder_calls_today")
    for each in await count_outcomes(engine, since=midnight()):
        measures.set(
            "recorder_calls_today", TODAY, each.calls, outcome=each.outcome, reason=each.reason
        )
    measures.forget("recorder_incidents_today")
    for kind, count in incidents:
        measures.set("recorder_incidents_today", "Incidents of today.", count, kind=kind)
