"""What wakes the jobs is stopped without a word: a job cut off begins anew at the next start."""

import asyncio
import logging
from typing import cast

import pytest

from recorder.adapters.scheduler import wake_jobs
from recorder.retention.service import JobRunner
from tests.fakes import FakeClock


class Runner:
    """One job that is never done."""

    def __init__(self) -> None:
        self.jobs = {"scrub": None}
        self.entered = asyncio.Event()

    async def run_if_due(self, name: str) -> bool:
        if name == "purge":
            return True
        self.entered.set()
        await asyncio.Event().wait()
        return True


async def test_stopping_in_the_middle_of_a_job_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runner = Runner()
    waking = asyncio.ensure_future(wake_jobs(cast("JobRunner", runner), FakeClock(), first="purge"))
    await asyncio.wait_for(runner.entered.wait(), timeout=10)
    with caplog.at_level(logging.INFO):
        waking.cancel()
        await asyncio.gather(waking, return_exceptions=True)
        for _ in range(5):  # the executor's callbacks
            await asyncio.sleep(0)
    assert [each.message for each in caplog.records] == []
