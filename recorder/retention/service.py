"""Runs the jobs: one worker among many processes, and a failure stops nothing for ever."""

from collections.abc import Sequence

import structlog

from recorder.errors import Unavailable
from recorder.ports import Clock
from recorder.retention.model import Job
from recorder.retention.ports import Jobs, WorkerLock

log = structlog.get_logger(__name__)


class JobRunner:
    """Runs a job when its tick comes, if this process is the elected worker.

    What is due is read from the tables by the job itself: a tick lost or doubled loses and
    doubles nothing.
    """

    def __init__(
        self,
        *,
        jobs: Sequence[Job],
        rows: Jobs,
        lock: WorkerLock,
        clock: Clock,
        worker: str,
    ) -> None:
        self.jobs = {job.name: job for job in jobs}
        self._rows = rows
        self._lock = lock
        self._clock = clock
        self._worker = worker

    async def run(self, name: str) -> bool:
        """Run one job; True if it succeeded. Raises nothing: the next tick tries again."""
        job = self.jobs[name]
        try:
            if not await self._lock.held():
                return False
            now = self._clock.now()
            await self._rows.started(name, worker=self._worker, at=now, next_due=now + job.every)
            done = await job.work(lambda progress: self._rows.told(name, progress))
            await self._rows.succeeded(name, at=self._clock.now(), progress=done)
        except Unavailable as error:
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
            log.warning("job_failure_not_written", job=name)
