"""Runs the jobs: one worker among many processes, and a failure stops nothing for ever."""

import asyncio
from collections.abc import Collection, Sequence

import structlog

from recorder.errors import RecorderError, Unavailable
from recorder.ports import Clock
from recorder.retention.model import Job
from recorder.retention.ports import Jobs, WorkerLock
from recorder.retention.rules import is_due

log = structlog.get_logger(__name__)


class JobRunner:
    """Runs a job when its row says that it is due, if this process is the elected worker.

    Which job is due is read from its row, and what is due in it by the job itself: a tick lost or
    doubled loses and doubles nothing. ``at_start`` names what every worker runs once, whatever
    its row says, as soon as it is elected and PostgreSQL answers (P6).
    """

    def __init__(
        self,
        *,
        jobs: Sequence[Job],
        rows: Jobs,
        lock: WorkerLock,
        clock: Clock,
        worker: str,
        at_start: Collection[str] = (),
    ) -> None:
        self.jobs = {job.name: job for job in jobs}
        self._rows = rows
        self._lock = lock
        self._clock = clock
        self._worker = worker
        self._owed = set(at_start)
        self._electing = asyncio.Lock()
        self._is_away = False

    async def run_if_due(self, name: str) -> bool:
        """Run one job if it is due; True if it ran and succeeded. Raises nothing."""
        try:
            async with self._electing:
                elected = await self._lock.held()
            due = elected and (name in self._owed or await self._is_due(name))
        except Unavailable as error:
            if not self._is_away:
                log.warning("job_waits", job=name, why=str(error))
            self._is_away = True
            return False
        self._is_away = False
        return due and await self._run(name)

    async def _is_due(self, name: str) -> bool:
        states = {each.name: each for each in await self._rows.states()}
        return is_due(
            states.get(name),
            every=self.jobs[name].every,
            worker=self._worker,
            now=self._clock.now(),
        )

    async def _run(self, name: str) -> bool:
        job = self.jobs[name]
        try:
            now = self._clock.now()
            await self._rows.started(name, worker=self._worker, at=now, next_due=now + job.every)
            self._owed.discard(name)
            done = await job.work(lambda progress: self._rows.told(name, progress))
            await self._rows.succeeded(name, at=self._clock.now(), progress=done)
        except RecorderError as error:
            log.warning("job_waits", job=name, why=str(error))
            await self._note_failure(name, error)
        # Whatever went wrong in one job, the others go on, and this one at its next tick.
        except Exception as error:
            log.exception("job_failed", job=name)
            await self._note_failure(name, error)
        else:
            log.info("job_done", job=name, progress=done)
            return True
        return False

    async def _note_failure(self, name: str, error: Exception) -> None:
        try:
            await self._rows.failed(name, at=self._clock.now(), error=type(error).__name__)
        except Unavailable:
            # The row says nothing of it, so that another look must come before the next day due.
            self._owed.add(name)
            log.warning("job_failure_not_written", job=name)
