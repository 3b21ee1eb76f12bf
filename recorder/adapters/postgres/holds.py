"""The rows about holds: placed and claimed under the same lock, so that one of the two wins."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.adapters.postgres import trail
from recorder.adapters.postgres.approvals import answer
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.tables import RecordingTable
from recorder.adapters.postgres.tables_keeping import HoldTable, TombstoneTable
from recorder.approvals.model import Answer, Approval, signature
from recorder.audit.event import Actor
from recorder.erasure.model import Stage
from recorder.holds import events
from recorder.holds.model import BatchId, Ending, Ground, Hold, HoldId
from recorder.holds.rules import Placing, judge_placing
from recorder.model import RecordingId

COLUMNS = tuple(HoldTable.__table__.columns)
STANDS = HoldTable.ended_at.is_(None)


class PostgresHolds:
    """See ``recorder.holds.ports.Holds`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def place(self, holds: Sequence[Hold], *, actor: Actor) -> Mapping[RecordingId, Placing]:
        """Place holds under the lock of each recording; answer for each whether it is held."""
        wanted = {hold.recording_id for hold in holds}
        with translated():
            async with self._engine.begin() as connection:
                answers = await _lock(connection, wanted)
                allowed = [hold for hold in holds if answers[hold.recording_id].allowed]
                if allowed:
                    await connection.execute(insert(HoldTable), [_row(each) for each in allowed])
                    await trail.append(
                        connection, [events.placed(each, actor=actor) for each in allowed]
                    )
                return answers

    async def get(self, hold_id: HoldId) -> Hold | None:
        """Return one hold, None if there is none."""
        async with asking(self._engine) as connection:
            found = await fetch(connection, HoldTable.id == hold_id)
            return found[0] if found else None

    async def standing(self) -> Sequence[Hold]:
        """Return every hold that stands, the next review first."""
        async with asking(self._engine) as connection:
            return await fetch(connection, STANDS)

    async def confirm(
        self, hold_id: HoldId, *, review_by: datetime, reason: str, actor: Actor, at: datetime
    ) -> bool:
        """Keep a standing hold on until its next review. False if it does not stand any more."""
        values = {"review_by": review_by, "reviewed_at": at, "lapses_at": None, "reminded_at": None}
        with translated():
            async with self._engine.begin() as connection:
                written = await connection.execute(
                    update(HoldTable)
                    .where(HoldTable.id == hold_id, STANDS)
                    .values(values)
                    .returning(*COLUMNS)
                )
                row = written.first()
                if row is None:
                    return False
                entry = events.reviewed(_hold(row), reason=reason, actor=actor, at=at)
                await trail.append(connection, [entry])
                return True

    async def end(
        self,
        hold_id: HoldId,
        *,
        ending: Ending,
        reason: str,
        reference: str,
        actor: Actor,
        at: datetime,
        approval: Approval | None,
    ) -> bool:
        """End a hold, and answer ``approval`` with it. False if one of them is over already."""
        values = {
            "ended_at": at,
            "ended_by": signature(actor),
            "ending": ending.value,
            "end_reference": clean(reference),
        }
        # It may have been reviewed since it was found lapsed: then it stands until it is lifted.
        lapses = [HoldTable.lapses_at <= at] if ending is Ending.LAPSED else []
        with translated():
            async with self._engine.begin() as connection:
                written = await connection.execute(
                    update(HoldTable)
                    .where(HoldTable.id == hold_id, STANDS, *lapses)
                    .values(values)
                    .returning(*COLUMNS)
                )
                row = written.first()
                if row is None:
                    return False
                if approval is not None and not await answer(
                    connection, approval.id, Answer.CONFIRMED, actor=actor, at=at
                ):
                    await connection.rollback()
                    return False
                entry = events.ended(
                    _hold(row),
                    ending=ending,
                    reason=reason,
                    reference=reference,
                    actor=actor,
                    at=at,
                )
                await trail.append(connection, [entry])
                return True


async def _lock(
    connection: AsyncConnection, ids: Collection[RecordingId]
) -> dict[RecordingId, Placing]:
    # In the order of ids, as claims are: two that meet wait for each other, and never both.
    query = (
        select(RecordingTable.id, RecordingTable.stage)
        .where(RecordingTable.id.in_(ids))
        .order_by(RecordingTable.id)
        .with_for_update()
    )
    stages = {row.id: Stage(row.stage) for row in await connection.execute(query)}
    # A second statement sees what was committed while the first one waited for a lock.
    buried = set(
        await connection.scalars(
            select(TombstoneTable.recording_id).where(TombstoneTable.recording_id.in_(ids))
        )
    )
    return {
        each: judge_placing(stages.get(each), has_tombstone=each in buried) for each in sorted(ids)
    }


async def holds_on(engine: AsyncEngine, ids: Collection[RecordingId]) -> Sequence[Hold]:
    """Return every hold that stands on these recordings."""
    async with asking(engine) as connection:
        return await fetch(connection, STANDS, HoldTable.recording_id.in_(ids))


async def fetch(connection: AsyncConnection, *conditions: Any) -> Sequence[Hold]:  # noqa: ANN401 - columns
    """Return the holds that meet these conditions, the next review first."""
    query = select(*COLUMNS).where(*conditions).order_by(HoldTable.review_by, HoldTable.id)
    return [_hold(row) for row in await connection.execute(query)]


def _row(hold: Hold) -> dict[str, Any]:
    return {
        "id": hold.id,
        "recording_id": hold.recording_id,
        "batch_id": hold.batch_id,
        "ground": hold.ground.value,
        "reference": clean(hold.reference),
        "reason": clean(hold.reason),
        "placed_by": hold.placed_by,
        "placed_at": hold.placed_at,
        "review_by": hold.review_by,
        "lapses_at": hold.lapses_at,
        "ended_by": "",
        "end_reference": "",
    }


def _hold(row: Row[Any]) -> Hold:
    return Hold(
        id=HoldId(row.id),
        recording_id=RecordingId(row.recording_id),
        batch_id=BatchId(row.batch_id),
        ground=Ground(row.ground),
        reference=row.reference,
        reason=row.reason,
        placed_by=row.placed_by,
        placed_at=row.placed_at,
        review_by=row.review_by,
        lapses_at=row.lapses_at,
        reviewed_at=row.reviewed_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        ending=None if row.ending is None else Ending(row.ending),
        end_reference=row.end_reference,
    )
