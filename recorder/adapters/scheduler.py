"""Wakes the jobs: APScheduler in memory, since what is due is read from the tables."""

import asyncio
import logging
from datetime import UTC

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from recorder.ports import Clock
from recorder.retention.service import JobRunner


async def wake_jobs(runner: JobRunner, clock: Clock, *, first: str) -> None:
    """Run ``first`` before anything else (P6), then every job at once and at its ticks.

    Until cancelled. A tick that comes late or while the job runs is made up for once.
    """
    # Each tick would be two lines; the runner says in one what was done.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    await runner.run(first)
    scheduler = AsyncIOScheduler(
        timezone=UTC,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for name, job in runner.jobs.items():
        trigger = IntervalTrigger(seconds=int(job.every.total_seconds()))
        scheduler.add_job(runner.run, trigger, args=[name], id=name)
    scheduler.start()
    try:
        for name in runner.jobs.keys() - {first}:
            scheduler.modify_job(name, next_run_time=clock.now())
        await asyncio.Event().wait()
    finally:
        scheduler.shutdown(wait=False)
