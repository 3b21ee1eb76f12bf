"""The figures of the service that Prometheus asks for: counts and ages, nothing of anybody."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres.connect import asking
from recorder.adapters.postgres.queries import count_outcomes
from recorder.adapters.postgres.tables import IncidentTable, RecordingTable
from recorder.adapters.postgres.tables_keeping import HoldTable, JobTable
from recorder.adapters.postgres.tables_web import PlaybackTable
from recorder.model import IncidentKind
from recorder.web.metrics import Measures

TODAY = "Calls that arrived today, by what became of them."
TOTAL = "Calls since midnight, by decision and reason."


async def read_figures(
    engine: AsyncEngine, measures: Measures, *, now: datetime, midnight: Callable[[], datetime]
) -> None:
    """Set the gauges. Raises ``LedgerUnavailable``."""
    recording = RecordingTable
    async with asking(engine) as connection:
        oldest: datetime | None = await connection.scalar(select(func.min(recording.ended_at)))
        kept = await connection.scalar(select(func.count()).select_from(recording))
        late = await connection.scalar(
            select(func.count()).select_from(recording).where(recording.erase_by <= now)
        )
        unheld: datetime | None = await connection.scalar(
            select(func.min(recording.ended_at)).where(~_held(recording.id))
        )
        gaps = await connection.scalar(
            select(func.count())
            .select_from(IncidentTable)
            .where(IncidentTable.kind == IncidentKind.AUDIO_GAP.value)
        )
        jobs = (
            await connection.execute(
                select(JobTable.name, JobTable.last_succeeded).where(
                    JobTable.last_succeeded.is_not(None)
                )
            )
        ).all()
        unexplained = await connection.scalar(
            select(func.count())
            .select_from(IncidentTable)
            .where(
                IncidentTable.kind == IncidentKind.UNEXPLAINED_CALL.value,
                IncidentTable.explained_at.is_(None),
                IncidentTable.closed_at.is_(None),
            )
        )
        open_playbacks = await connection.scalar(
            select(func.count()).select_from(PlaybackTable).where(PlaybackTable.ended_at.is_(None))
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
    age = 0.0 if unheld is None else (now - unheld).total_seconds()
    measures.set(
        "recorder_oldest_unheld_recording_age_seconds",
        "Age of the oldest recording that no hold keeps.",
        age,
    )
    measures.set("recorder_audio_gap_total", "Recordings with a gap, ever.", gaps or 0)
    for name, succeeded in jobs:
        if succeeded is None:
            continue
        measures.set(
            "recorder_retention_last_success_timestamp_seconds",
            "When a job of retention last did its work.",
            succeeded.timestamp(),
            job=name,
        )
    measures.set("recorder_recordings_past_their_time", "Recordings past erase_by.", late or 0)
    says = "Calls of the PBX's records that nothing explains, and nobody yet."
    measures.set("recorder_calls_unexplained", says, unexplained or 0)
    measures.set("recorder_playbacks_open", "Playbacks not ended yet.", open_playbacks or 0)
    measures.forget("recorder_calls_today")
    measures.forget("recorder_calls_total")
    for each in await count_outcomes(engine, since=midnight()):
        measures.set(
            "recorder_calls_today", TODAY, each.calls, outcome=each.outcome, reason=each.reason
        )
        # Begins anew at midnight, as any counter may: rate() knows.
        measures.set(
            "recorder_calls_total", TOTAL, each.calls, decision=each.outcome, reason=each.reason
        )
    measures.forget("recorder_incidents_today")
    for kind, count in incidents:
        measures.set("recorder_incidents_today", "Incidents of today.", count, kind=kind)


def _held(recording_id: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a column
    standing = select(HoldTable.id).where(
        HoldTable.recording_id == recording_id, HoldTable.ended_at.is_(None)
    )
    return standing.exists()
