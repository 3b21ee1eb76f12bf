"""The rows about recordings that go: claimed under a lock, closed by a tombstone."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuids
from sqlalchemy import Row, bindparam, exists, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import Uuid

from recorder.adapters.postgres import trail
from recorder.adapters.postgres.approvals import answer
from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.forgetting import FORGET_CALL
from recorder.adapters.postgres.holds import holds_on
from recorder.adapters.postgres.tables import IncidentTable, RecordingTable
from recorder.adapters.postgres.tables_keeping import RETENTION, AppliedSettingTable, HoldTable
from recorder.approvals.model import Answer, Approval, signature
from recorder.audit.event import Actor
from recorder.erasure import events
from recorder.erasure.model import Candidate, Claim, Route, Stage, Tombstone, TombstoneId
from recorder.holds.model import Hold
from recorder.model import CallId, IncidentKind, RecordingId

RECORDING, SETTING = RecordingTable, AppliedSettingTable
COLUMNS = (
    RECORDING.id,
    RECORDING.call_id,
    RECORDING.stored_on,
    RECORDING.ended_at,
    RECORDING.sealed_at,
    RECORDING.stage,
    RECORDING.erase_failures,
)
# Built of our own column names alone; every value is bound.
CLOSE = text(f"""
WITH gone AS (
    DELETE FROM recording WHERE id = ANY(:ids) AND stage = 'erasing' RETURNING *
), calls AS (
    UPDATE call SET {FORGET_CALL}, numbers_forgotten_at = :at
    FROM gone WHERE call.id = gone.call_id
), holds AS (
    UPDATE hold SET reason = '' FROM gone WHERE hold.recording_id = gone.id
), approvals AS (
    UPDATE approval SET reason = '' WHERE subject IN (
        SELECT id FROM gone
        UNION ALL SELECT hold.id FROM hold JOIN gone ON hold.recording_id = gone.id
    )
)
INSERT INTO tombstone (id, recording_id, call_id, first_sample_at, ended_at, erase_by, claimed_at,
    erased_at, route, why, actor, rule_version, retention_days, sha256)
SELECT gen_random_uuid(), id, call_id, first_sample_at, ended_at, erase_by, erasing_since,
    :at, erasing_route, erasing_why, erasing_actor, erasing_rules, erasing_days, sha256
FROM gone
RETURNING *
""").bindparams(  # noqa: S608
    bindparam("ids", type_=ARRAY(Uuid()))
)
"""One statement: a recording is there with all that tells of a person, or its tombstone is."""


class PostgresErasures:
    """See ``recorder.erasure.ports.Erasures`` for the promises. ``actor`` signs what is closed."""

    def __init__(self, engine: AsyncEngine, *, actor: Actor) -> None:
        self._engine = engine
        self._actor = actor

    async def candidates(
        self, *, ended_before: datetime, after: Candidate | None, limit: int
    ) -> Sequence[Candidate]:
        """Return kept recordings that ended before, oldest end first, from behind ``after``."""
        query = (
            select(*COLUMNS)
            .where(RECORDING.stage == Stage.KEPT.value, RECORDING.ended_at < ended_before)
            .order_by(RECORDING.ended_at, RECORDING.id)
            .limit(limit)
        )
        if after is not None:
            place = tuple_(RECORDING.ended_at, RECORDING.id)
            query = query.where(place > tuple_(after.ended_at, after.id))
        return await self._fetch(query)

    async def half_erased(self, *, after: RecordingId | None, limit: int) -> Sequence[Candidate]:
        """Return recordings claimed by a run that did not finish them, in the order of ids."""
        query = (
            select(*COLUMNS)
            .where(RECORDING.stage == Stage.ERASING.value)
            .order_by(RECORDING.id)
            .limit(limit)
        )
        if after is not None:
            query = query.where(RECORDING.id > after)
        return await self._fetch(query)

    async def get(self, recording_id: RecordingId) -> Candidate | None:
        """Return one recording, None if it has no row."""
        found = await self._fetch(select(*COLUMNS).where(RECORDING.id == recording_id))
        return found[0] if found else None

    async def holds_on(self, ids: Collection[RecordingId]) -> Sequence[Hold]:
        """Return every hold that stands on these recordings."""
        return await holds_on(self._engine, ids)

    async def claim(
        self, ids: Collection[RecordingId], claim: Claim, *, approval: Approval | None
    ) -> frozenset[RecordingId]:
        """Write the intent, and claim what is kept and free; return which those are."""
        with translated():
            async with self._engine.begin() as connection:
                if not await _days_hold(connection, claim):
                    return frozenset()
                mine = await _claim(connection, ids, claim)
                if approval is not None and not (
                    mine
                    and await answer(
                        connection,
                        approval.id,
                        Answer.CONFIRMED,
                        actor=claim.actor,
                        at=claim.at,
                    )
                ):
                    await connection.rollback()
                    return frozenset()
                await trail.append(
                    connection, [events.claimed(each, claim) for each in sorted(mine)]
                )
                return mine

    async def close(self, ids: Collection[RecordingId], *, at: datetime) -> int:
        """Put tombstones where claimed recordings were; return how many there were to close."""
        with translated():
            async with self._engine.begin() as connection:
                rows = list(await connection.execute(CLOSE, {"ids": sorted(ids), "at": at}))
                entries = [events.erased(_tombstone(row), actor=self._actor) for row in rows]
                if entries:
                    await trail.append(connection, entries)
                return len(rows)

    async def note_failures(self, failures: Mapping[RecordingId, str], *, at: datetime) -> None:
        """Count a failed attempt, and raise the incident at the first of each recording."""
        with translated():
            async with self._engine.begin() as connection:
                for recording_id, problem in failures.items():
                    row = (
                        await connection.execute(
                            update(RECORDING)
                            .where(RECORDING.id == recording_id)
                            .values(
                                erase_failures=RECORDING.erase_failures + 1, erase_problem=problem
                            )
                            .returning(RECORDING.call_id, RECORDING.erase_failures)
                        )
                    ).first()
                    if row is not None and row.erase_failures == 1:
                        await raise_incident(
                            connection,
                            IncidentKind.ERASURE_FAILED,
                            at=at,
                            call_id=row.call_id,
                            detail=f"{recording_id}: {problem}",
                        )

    async def _fetch(self, query: Any) -> Sequence[Candidate]:  # noqa: ANN401 - a select
        with translated():
            async with self._engine.connect() as connection:
                return [_candidate(row) for row in await connection.execute(query)]


async def _days_hold(connection: AsyncConnection, claim: Claim) -> bool:
    """Tell whether a run's days hold, and keep them from being changed until the commit."""
    if claim.route is not Route.AUTOMATIC:
        return True
    query = select(SETTING.value).where(SETTING.name == RETENTION).with_for_update(read=True)
    found = (await connection.scalars(query)).first()
    return found is None or found == claim.retention_days


async def _claim(
    connection: AsyncConnection, ids: Collection[RecordingId], claim: Claim
) -> frozenset[RecordingId]:
    # A recording that somebody else has locked is left to them: a hold being placed wins, and
    # the next run looks again.
    locked = list(
        await connection.scalars(
            select(RECORDING.id)
            .where(RECORDING.id.in_(ids), RECORDING.stage == Stage.KEPT.value)
            .order_by(RECORDING.id)
            .with_for_update(skip_locked=True)
        )
    )
    # A statement of its own, begun with the locks in hand: it sees every hold that was placed
    # before them, and none can be placed after them.
    held = exists().where(HoldTable.recording_id == RECORDING.id, HoldTable.ended_at.is_(None))
    claimed = await connection.scalars(
        update(RECORDING)
        .where(RECORDING.id.in_(locked), RECORDING.stage == Stage.KEPT.value, ~held)
        .values(
            stage=Stage.ERASING.value,
            erasing_since=claim.at,
            erasing_route=claim.route.value,
            erasing_why=claim.why,
            erasing_actor=signature(claim.actor),
            erasing_days=claim.retention_days,
            erasing_rules=claim.rule_version,
        )
        .returning(RECORDING.id)
    )
    return frozenset(RecordingId(each) for each in claimed)


async def raise_incident(
    connection: AsyncConnection,
    kind: IncidentKind,
    *,
    at: datetime,
    detail: str,
    call_id: UUID | None = None,
) -> None:
    """Write an incident in the caller's transaction."""
    await connection.execute(
        insert(IncidentTable).values(
            id=uuids.uuid7(), kind=kind.value, at=at, call_id=call_id, detail=detail
        )
    )


def _candidate(row: Row[Any]) -> Candidate:
    return Candidate(
        id=RecordingId(row.id),
        call_id=CallId(row.call_id),
        stored_on=row.stored_on,
        ended_at=row.ended_at,
        sealed_at=row.sealed_at,
        stage=Stage(row.stage),
        failures=row.erase_failures,
    )


def _tombstone(row: Row[Any]) -> Tombstone:
    return Tombstone(
        id=TombstoneId(row.id),
        recording_id=RecordingId(row.recording_id),
        call_id=CallId(row.call_id),
        first_sample_at=row.first_sample_at,
        ended_at=row.ended_at,
        erase_by=row.erase_by,
        claimed_at=row.claimed_at,
        erased_at=row.erased_at,
        route=Route(row.route),
        actor=row.actor,
        rule_version=row.rule_version,
        retention_days=row.retention_days,
        sha256=row.sha256,
    )
