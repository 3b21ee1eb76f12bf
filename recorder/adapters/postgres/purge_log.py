"""What one purge leaves for the next: clocks, standing holds, brakes, the days in force."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import uuid_utils.compat as uuids
from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.adapters.postgres import trail
from recorder.adapters.postgres.applied import last_applied
from recorder.adapters.postgres.approvals import answer
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.erasures import raise_incident
from recorder.adapters.postgres.tables_audit import AuditEventTable
from recorder.adapters.postgres.tables_keeping import (
    RETENTION,
    AppliedSettingTable,
    BrakeTable,
    HoldTable,
    JobTable,
    PurgeStateTable,
    RetentionChangeTable,
)
from recorder.approvals.model import Answer, Approval, signature
from recorder.audit.event import Actor
from recorder.erasure import events
from recorder.erasure.brakes import Brake, Instant, vanished
from recorder.erasure.model import Applied, OpenBrake, RetentionChange
from recorder.model import IncidentKind
from recorder.retention.model import RECONCILE

STATE, BRAKE, SETTING = PurgeStateTable, BrakeTable, AppliedSettingTable
CHANGE, JOB = RetentionChangeTable, JobTable
EVENT = AuditEventTable


class PostgresPurgeLog:
    """See ``recorder.erasure.ports.PurgeLog`` for the promises. ``actor`` signs what stops."""

    def __init__(self, engine: AsyncEngine, *, actor: Actor) -> None:
        self._engine = engine
        self._actor = actor

    async def last_instant(self) -> Instant | None:
        """Return the clocks at the last run that was let through."""
        async with asking(self._engine) as connection:
            row = (await connection.execute(select(STATE.at, STATE.boot_id, STATE.boot_s))).first()
        return None if row is None else Instant(at=row.at, boot_id=row.boot_id, boot_s=row.boot_s)

    async def vanished_holds(self) -> Collection[str]:
        """Return holds that stood at the last run and ended without a word in the trail."""
        with translated():
            async with self._engine.connect() as connection:
                # One snapshot: a hold lifted between two looks would seem to have vanished.
                await connection.execution_options(isolation_level="REPEATABLE READ")
                stood = (await connection.scalars(select(STATE.standing_holds))).first() or []
                stand = await _standing(connection)
                missing = vanished(stood=stood, stand=stand, ended_in_trail=())
                if not missing:
                    return missing
                told = await _ended_in_trail(connection, missing)
                return vanished(stood=stood, stand=stand, ended_in_trail=told)

    async def brakes(self) -> Sequence[OpenBrake]:
        """Return the brakes that are on, and those released but not yet used."""
        async with asking(self._engine) as connection:
            return await _brakes(connection)

    async def put_on(self, brake: Brake, *, detail: str, at: datetime, token: str) -> OpenBrake:
        """Put a brake on, with incident and entry; one that is on already stays as it is."""
        outgrown = (BRAKE.brake == brake.value, BRAKE.detail != detail)
        row = {"token": token, "brake": brake.value, "at": at, "detail": detail, "released_by": ""}
        with translated():
            async with self._engine.begin() as connection:
                await _use_up(connection, *outgrown, at=at)
                written = await connection.execute(
                    insert(BRAKE).values(row).on_conflict_do_nothing().returning(BRAKE.token)
                )
                if written.first() is not None:
                    entry = events.braked(brake, token=token, actor=self._actor, at=at)
                    await trail.append(connection, [entry])
                    kind = (
                        IncidentKind.CLOCK_JUMP
                        if brake is Brake.CLOCK_JUMP
                        else IncidentKind.PURGE_BRAKED
                    )
                    await raise_incident(connection, kind, at=at, detail=f"{brake}: {detail}")
                return next(each for each in await _brakes(connection) if each.brake is brake)

    async def release(self, token: str, *, actor: Actor, at: datetime) -> OpenBrake | None:
        """Let the next run through. None if no brake has this token."""
        with translated():
            async with self._engine.begin() as connection:
                row = (
                    await connection.execute(
                        update(BRAKE)
                        .where(
                            BRAKE.token == token,
                            BRAKE.released_at.is_(None),
                            BRAKE.used_at.is_(None),
                        )
                        .values(released_at=at, released_by=signature(actor))
                        .returning(*BRAKE.__table__.columns)
                    )
                ).first()
                if row is None:
                    return None
                entry = events.released(Brake(row.brake), token=token, actor=actor, at=at)
                await trail.append(connection, [entry])
                if row.brake == Brake.MANY_ORPHANS.value:
                    await _reconcile(connection, at)
                return _brake(row)

    async def passed(self, instant: Instant) -> None:
        """Note the clocks and the holds of this run; the purge's released brakes are used up."""
        with translated():
            async with self._engine.begin() as connection:
                row = {
                    "id": 1,
                    "at": instant.at,
                    "boot_id": instant.boot_id,
                    "boot_s": instant.boot_s,
                    "standing_holds": sorted(await _standing(connection)),
                }
                await connection.execute(
                    insert(STATE).values(row).on_conflict_do_update(index_elements=["id"], set_=row)
                )
                # Files without rows are for reconciliation, which comes later.
                others = BRAKE.brake != Brake.MANY_ORPHANS.value
                await _use_up(connection, others, at=instant.at)

    async def use_up(self, brake: Brake, *, at: datetime) -> None:
        """Note that what a person released was done; one that is on stays on."""
        with translated():
            async with self._engine.begin() as connection:
                await _use_up(connection, BRAKE.brake == brake.value, at=at)

    async def applied(self) -> Applied | None:
        """Return the retention that was put in force last."""
        async with asking(self._engine) as connection:
            return await last_applied(connection)

    async def note_written(self, written: int) -> None:
        """Note what regulation.toml says; the days in force stay as they are."""
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(
                    update(SETTING).where(SETTING.name == RETENTION).values(written=written)
                )

    async def apply(
        self, change: RetentionChange, *, written: int, actor: Actor, approval: Approval | None
    ) -> bool:
        """Put the days of a change in force, with its entry and its line in the list of changes."""
        row = {
            "name": RETENTION,
            "value": change.to_days,
            "written": written,
            "applied_at": change.at,
            "applied_by": signature(actor),
        }
        line = {each.name: getattr(change, each.name) for each in fields(change)}
        line |= {"id": uuids.uuid7(), "reason": clean(change.reason)}
        with translated():
            async with self._engine.begin() as connection:
                # Before the trail: whoever claims holds this row's lock when it writes there.
                before = await last_applied(connection, lock=True)
                if (before.days if before else None) != change.from_days:
                    return False
                if approval is not None and not await answer(
                    connection, approval.id, Answer.CONFIRMED, actor=actor, at=change.at
                ):
                    return False
                await connection.execute(
                    insert(SETTING)
                    .values(row)
                    .on_conflict_do_update(index_elements=["name"], set_=row)
                )
                await connection.execute(insert(CHANGE).values(line))
                await trail.append(connection, [events.days_changed(change, actor=actor)])
                # It puts right the day that is stored with each recording, and shown.
                await _reconcile(connection, change.at)
                return True

    async def changes(self, *, limit: int) -> Sequence[RetentionChange]:
        """Return the changes, newest first."""
        columns = [getattr(CHANGE, each.name) for each in fields(RetentionChange)]
        query = select(*columns).order_by(CHANGE.at.desc(), CHANGE.id.desc()).limit(limit)
        async with asking(self._engine) as connection:
            rows = (await connection.execute(query)).mappings()
            return [RetentionChange(**row) for row in rows]


async def _standing(connection: AsyncConnection) -> set[str]:
    ids = await connection.scalars(select(HoldTable.id).where(HoldTable.ended_at.is_(None)))
    return {str(each) for each in ids}


async def _ended_in_trail(connection: AsyncConnection, missing: Collection[str]) -> set[str]:
    # The trail and not the hold's own row: a row can be changed or taken away without a word.
    subjects = {f"hold:{each}": each for each in missing}
    told = await connection.scalars(
        select(EVENT.subject).where(
            EVENT.subject.in_(subjects), EVENT.action.in_(["hold:lifted", "hold:lapsed"])
        )
    )
    return {subjects[each] for each in told}


async def _reconcile(connection: AsyncConnection, at: datetime) -> None:
    """Have the next reconciliation begin at once."""
    await connection.execute(update(JOB).where(JOB.name == RECONCILE).values(next_due=at))


async def _use_up(connection: AsyncConnection, *of: ColumnElement[bool], at: datetime) -> None:
    released = (BRAKE.released_at.is_not(None), BRAKE.used_at.is_(None))
    await connection.execute(update(BRAKE).where(*of, *released).values(used_at=at))


async def _brakes(connection: AsyncConnection) -> Sequence[OpenBrake]:
    query = select(*BRAKE.__table__.columns).where(BRAKE.used_at.is_(None)).order_by(BRAKE.at)
    return [_brake(row) for row in await connection.execute(query)]


def _brake(row: Row[Any]) -> OpenBrake:
    return OpenBrake(
        brake=Brake(row.brake),
        at=row.at,
        detail=row.detail,
        token=row.token,
        released=row.released_at is not None,
    )
