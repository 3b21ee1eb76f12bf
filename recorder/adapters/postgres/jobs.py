"""The rows about jobs, the daily reports, and the lock that elects one worker."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.tables_keeping import DeletionReportTable, JobTable
from recorder.retention.model import DeletionReport, JobState

LOCK = 0x7265_7465_6E74
"""Advisory lock of the one retention process that works."""

JOB, REPORT = JobTable, DeletionReportTable
COUNT = text("""
WITH due AS (
    SELECT id, stage FROM recording WHERE erase_by >= :since AND erase_by < :until
), held AS (
    SELECT id FROM due WHERE stage = 'kept'
    AND EXISTS (SELECT FROM hold WHERE recording_id = due.id AND ended_at IS NULL)
)
SELECT
    (SELECT count(*) FROM due) AS still_there,
    (SELECT count(*) FROM held) AS held,
    (SELECT count(*) FROM tombstone WHERE erase_by >= :since AND erase_by < :until
        AND route = 'automatic') AS erased,
    (SELECT count(*) FROM tombstone WHERE erased_at >= :since AND erased_at < :until
        AND route = 'by_hand') AS by_hand
""")


class PostgresJobs:
    """See ``recorder.retention.ports.Jobs`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def started(self, name: str, *, worker: str, at: datetime, next_due: datetime) -> None:
        """Note a start."""
        changed = {
            "worker": worker,
            "last_started": at,
            "next_due": next_due,
            "progress": "",
        }
        statement = insert(JOB).values(name=name, last_error="", **changed)
        await self._write(statement.on_conflict_do_update(index_elements=["name"], set_=changed))

    async def told(self, name: str, progress: str) -> None:
        """Note how far it is."""
        await self._write(update(JOB).where(JOB.name == name).values(progress=progress))

    async def succeeded(self, name: str, *, at: datetime, progress: str) -> None:
        """Note a success."""
        values = {"last_succeeded": at, "progress": progress, "last_error": ""}
        await self._write(update(JOB).where(JOB.name == name).values(values))

    async def failed(self, name: str, *, at: datetime, error: str) -> None:
        """Note a failure by its type."""
        values = {"last_failed": at, "last_error": error}
        await self._write(update(JOB).where(JOB.name == name).values(values))

    async def states(self) -> Sequence[JobState]:
        """Return every job that ever started, by name."""
        columns = JOB.__table__.columns
        async with asking(self._engine) as connection:
            rows = await connection.execute(select(*columns).order_by(JOB.name))
            return [JobState(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name

    async def _write(self, statement: Any) -> None:  # noqa: ANN401 - insert or update
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(statement)


class PostgresReports:
    """See ``recorder.retention.ports.Reports`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def last_day(self) -> date | None:
        """Return the last day that has one."""
        async with asking(self._engine) as connection:
            return await connection.scalar(select(func.max(REPORT.day)))

    async def make(self, day: date, *, since: datetime, until: datetime, at: datetime) -> None:
        """Count and keep the report of a day; made again it is the same row."""
        with translated():
            async with self._engine.begin() as connection:
                found = (await connection.execute(COUNT, {"since": since, "until": until})).one()
                row = {
                    "expired": found.still_there + found.erased,
                    "erased": found.erased,
                    "held": found.held,
                    "failed": found.still_there - found.held,
                    "by_hand": found.by_hand,
                    "made_at": at,
                }
                await connection.execute(
                    insert(REPORT)
                    .values(day=day, **row)
                    .on_conflict_do_update(index_elements=["day"], set_=row)
                )

    async def newest(self, *, limit: int) -> Sequence[DeletionReport]:
        """Return the newest reports, newest first."""
        query = select(*REPORT.__table__.columns).order_by(REPORT.day.desc()).limit(limit)
        async with asking(self._engine) as connection:
            rows = await connection.execute(query)
            return [DeletionReport(**row._mapping) for row in rows]  # noqa: SLF001 - as above

    async def of_day(self, day: date) -> DeletionReport | None:
        """Return the report of one day, None if it has none yet."""
        query = select(*REPORT.__table__.columns).where(REPORT.day == day)
        async with asking(self._engine) as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else DeletionReport(**row._mapping)  # noqa: SLF001 - as above


class PostgresWorkerLock:
    """A session's advisory lock; it ends with the connection, however that ends."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None

    async def held(self) -> bool:
        """Tell whether this process is the one that works, taking its turn if nobody is."""
        with translated():
            if self._connection is not None and await self._is_alive(self._connection):
                return True
            self._connection = None
            connection = await self._engine.connect()
            # No transaction: an idle one would be ended by the server, and the lock with it.
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            if await connection.scalar(select(func.pg_try_advisory_lock(LOCK))):
                self._connection = connection
                return True
            await connection.close()
            return False

    async def release(self) -> None:
        """Let another process work."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            # Ending the connection alone frees the lock when the server has noticed, not before.
            with suppress(SQLAlchemyError, OSError):
                await connection.scalar(select(func.pg_advisory_unlock(LOCK)))
            await connection.invalidate()
            await connection.close()

    async def _is_alive(self, connection: AsyncConnection) -> bool:
        try:
            await connection.scalar(select(1))
        except (SQLAlchemyError, OSError):
            await connection.invalidate()
            await connection.close()
            return False
        return True
