"""Wakes the jobs: APScheduler in memory, since what is due is read from the tables."""

import asyncio
import logging
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from recorder.ports import Clock
from recorder.retention.service import JobRunner

LOOK_EVERY_S = 5
"""How soon a job that has come due, a dead worker or a database that is back is seen."""


async def wake_jobs(runner: JobRunner, clock: Clock, *, first: str) -> None:
    """Look for ``first`` before anything else (P6), then for every job every few seconds.

    Until cancelled. A look that comes late or while the job runs is made up for once.
    """
    # Each look would be two lines, and one more while a job runs; the runner says what was done.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    await runner.run_if_due(first)
    scheduler = AsyncIOScheduler(
        timezone=UTC,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for name in runner.jobs:
        trigger = IntervalTrigger(seconds=LOOK_EVERY_S)
        scheduler.add_job(
            runner.run_if_due, trigger, args=[name], id=name, next_run_time=clock.now()
        )
    scheduler.start()
    try:
        await asyncio.Event().wait()
    finally:
        # What is cut off begins anew at the next start: no failure, and nothing to look after.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        scheduler.shutdown(wait=False)
