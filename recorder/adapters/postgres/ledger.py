"""The rows about calls and recordings: model objects in, one transaction per use case."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import uuid_utils.compat as uuids
from sqlalchemy import bindparam, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.adapters.postgres import tables
from recorder.adapters.postgres.applied import last_applied
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.forgetting import FORGOTTEN
from recorder.adapters.postgres.live import settle_all
from recorder.audit.event import AuditEvent
from recorder.custody.model import SealedAs
from recorder.custody.rules import outcome_of
from recorder.erasure.model import Stage
from recorder.erasure.rules import retention_in_force
from recorder.live.model import Settled
from recorder.model import (
    Announcement,
    CallId,
    CallRecord,
    Incident,
    IncidentKind,
    Outcome,
    Recording,
    RecordingId,
)
from recorder.phone_numbers import normalise

FORGET_AT_ONCE = 1000

# Built once: for rows as small as these, building a statement costs more than executing it.
_CALL = tables.CallTable
_NEW_CALL = insert(_CALL).on_conflict_do_nothing().returning(_CALL.id)
_NEW_PLAYED = insert(tables.AnnouncementPlayedTable)
_NEW_RECORDING = insert(tables.RecordingTable)
_NEW_INCIDENT = insert(tables.IncidentTable)
_CHANNEL_IS_KNOWN = select(
    exists().where(_CALL.node == bindparam("node"), _CALL.channel_id == bindparam("channel_id"))
)


class PostgresLedger:
    """Writes what happened. See ``recorder.ports.Ledger`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def record_call(
        self,
        call: CallRecord,
        *,
        recording: Recording | None,
        incidents: Sequence[Incident],
        at: datetime,
        orders: Sequence[Settled] = (),
        entries: Sequence[AuditEvent] = (),
    ) -> bool:
        """Write everything about one ended call in one transaction; False if it is there."""
        with translated():
            async with self._engine.begin() as connection:
                row = _call_row(call, recording=recording, at=at)
                written = await connection.execute(_NEW_CALL, row)
                if written.first() is None:
                    return False
                for played in _played_rows(call):
                    await connection.execute(_NEW_PLAYED, played)
                if recording is not None:
                    await connection.execute(_NEW_RECORDING, _recording_row(recording))
                for incident in incidents:
                    await _write_incident(connection, incident)
                if orders or entries:
                    await settle_all(connection, orders, node=call.node, more=entries)
                return True

    async def knows_channel(self, node: str, channel_id: str) -> bool:
        """Tell whether a call with this channel has a row."""
        channel = {"node": node, "channel_id": clean(channel_id)}
        async with asking(self._engine) as connection:
            return bool(await connection.scalar(_CHANNEL_IS_KNOWN, channel))

    async def retention_days(self, configured: int) -> int:
        """Return the days in force, given those of regulation.toml."""
        async with asking(self._engine) as connection:
            applied = await last_applied(connection)
        return retention_in_force(configured=configured, applied=applied).days

    async def record_incident(self, incident: Incident, *, once: bool = False) -> bool:
        """Write an incident that belongs to no call; True if it was written."""
        known = exists().where(
            tables.IncidentTable.kind == incident.kind.value,
            tables.IncidentTable.detail == clean(incident.detail),
        )
        with translated():
            async with self._engine.begin() as connection:
                if once and await connection.scalar(select(known)):
                    return False
                await _write_incident(connection, incident)
                return True

    async def mark_damaged(self, recording_id: RecordingId, *, at: datetime, detail: str) -> bool:
        """Mark a recording as damaged and write the incident; False if it was marked before."""
        recording = tables.RecordingTable
        mark = (
            update(recording)
            .where(
                recording.id == recording_id,
                recording.damaged_at.is_(None),
                # What is being erased is no longer whole, and is no alarm.
                recording.stage == Stage.KEPT.value,
            )
            .values(damaged_at=at)
            .returning(recording.call_id)
        )
        with translated():
            async with self._engine.begin() as connection:
                call_id = await connection.scalar(mark)
                if call_id is None:
                    return False
                await _write_incident(
                    connection,
                    Incident(
                        kind=IncidentKind.RECORDING_DAMAGED,
                        at=at,
                        call_id=CallId(call_id),
                        detail=detail,
                    ),
                )
                return True

    async def mark_sealed(self, recording_id: RecordingId, sealed_as: SealedAs) -> None:
        """Note in which form a recording lies in the vault from now on."""
        recording = tables.RecordingTable
        statement = update(recording).where(recording.id == recording_id)
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(statement.values(sealed_as=sealed_as.value))

    async def keep_announcement(self, announcement: Announcement) -> None:
        """Register a version, or update when it is active. The same version twice is one."""
        row = {
            "id": announcement.id,
            "layer": announcement.layer.value,
            "language": announcement.language,
            "text": clean(announcement.text),
            "sha256": announcement.sha256,
            "length_ms": announcement.length_ms,
            "level_dbfs": announcement.level_dbfs,
            "added_at": announcement.added_at,
            "active_from": announcement.active_from,
        }
        statement = insert(tables.AnnouncementTable).values(row)
        statement = statement.on_conflict_do_update(
            index_elements=["id"], set_={"active_from": announcement.active_from}
        )
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(statement)

    async def forget_numbers(self, *, before: datetime, at: datetime) -> int:
        """Take the numbers out of calls without audio that ended before ``before`` (R7.2k).

        Returns how many rows were emptied. What remains is outcome, reason and times. Goes in
        batches, each its own transaction: after a long outage there may be more rows than one
        statement has time for.
        """
        forgotten = 0
        while batch := await self._forget_some(before=before, at=at):
            forgotten += batch
        return forgotten

    async def _forget_some(self, *, before: datetime, at: datetime) -> int:
        call = tables.CallTable
        # A call whose end nobody saw counts from its arrival, which is earlier than any end:
        # so the arrival narrows, by the index, and the end decides.
        due = (
            select(call.id)
            .where(
                call.outcome == Outcome.NOT_RECORDED.value,
                call.numbers_forgotten_at.is_(None),
                call.arrived_at < before,
                or_(call.ended_at < before, call.ended_at.is_(None)),
            )
            .order_by(call.arrived_at)
            .limit(FORGET_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(call).where(call.id.in_(due)).values(**FORGOTTEN, numbers_forgotten_at=at)
        )
        with translated():
            async with self._engine.begin() as connection:
                result = await connection.execute(statement)
                return result.rowcount


async def _write_incident(connection: AsyncConnection, incident: Incident) -> None:
    row = {
        "id": uuids.uuid7(),
        "kind": incident.kind.value,
        "at": incident.at,
        "call_id": incident.call_id,
        "detail": clean(incident.detail),
    }
    await connection.execute(_NEW_INCIDENT, row)


def _call_row(call: CallRecord, *, recording: Recording | None, at: datetime) -> dict[str, Any]:
    decision = outcome_of(call, recorded=recording is not None)
    return {
        "id": call.id,
        "node": call.node,
        "channel_id": clean(call.channel_id),
        "linked_id": clean(call.linked_id),
        "arrived_at": call.arrived_at,
        "ended_at": call.ended_at,
        "endpoint": clean(call.endpoint),
        "context": clean(call.context),
        "line": clean(call.line),
        "line_e164": normalise(call.line),
        "caller_number": clean(call.caller_number),
        "caller_e164": normalise(call.caller_number),
        "caller_name": clean(call.caller_name),
        "outcome": (Outcome.RECORDED if decision.record else Outcome.NOT_RECORDED).value,
        "reason": decision.reason.value,
        "rule_version": decision.rule_version,
        "scope_reason": call.scope.reason.value if call.scope else "",
        "mode": call.mode.value if call.mode else None,
        "language": clean(call.language),
        "keys": [{"key": clean(each.key), "at": each.at.isoformat()} for each in call.keys],
        "bridged": [
            {"since": span.since.isoformat(), "until": span.until.isoformat()}
            for span in call.bridged
            if span.until is not None
        ],
        "bridged_seconds": call.bridged_seconds,
        "answered_at": call.answered_at,
        "answered_by": clean(call.answered_by),
        "parties": [clean(each) for each in call.parties],
        "timeline": [
            {"at": each.at.isoformat(), "kind": each.kind, "detail": clean(each.detail)}
            for each in call.timeline
        ],
        "hangup_cause": call.hangup_cause,
        "pbx_lost": call.pbx_lost,
        "unwatched": call.unwatched,
        # JSON knows no infinity, and a figure that is none says nothing.
        "quality": {
            clean(name): figure for name, figure in call.quality.items() if math.isfinite(figure)
        },
        "written_at": at,
    }


def _played_rows(call: CallRecord) -> list[dict[str, Any]]:
    return [
        {
            "call_id": call.id,
            "position": position,
            "announcement_id": each.announcement_id,
            "layer": each.layer.value,
            "language": each.language,
            "sha256": each.sha256,
            "length_ms": each.length_ms,
            "started_at": each.started_at,
            "finished_at": each.finished_at,
            "measured_ms": each.measured_ms,
            "result": each.result.value,
        }
        for position, each in enumerate(call.announcements)
    ]


def _recording_row(recording: Recording) -> dict[str, Any]:
    audio = recording.audio
    return {
        "id": recording.id,
        "call_id": recording.call_id,
        "stored_on": recording.stored_on,
        "sha256": audio.sha256,
        "size_bytes": audio.size_bytes,
        "frames": audio.frames,
        "sample_rate": audio.sample_rate,
        "caller_dbfs": audio.caller_dbfs,
        "office_dbfs": audio.office_dbfs,
        "silent": audio.silent,
        "one_sided": audio.one_sided,
        "first_sample_at": recording.first_sample_at,
        "ended_at": recording.ended_at,
        "erase_by": recording.erase_by,
        "sealed_at": recording.sealed_at,
        "truncated": recording.truncated,
        "incomplete": recording.incomplete,
        "sealed_as": SealedAs.REC1.value,
    }
