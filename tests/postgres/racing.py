"""The processes that race in ``test_races.py``: one that erases, one that places holds.

Each reads lines of JSON and answers each with a line. Started as
``python -m tests.postgres.racing ROLE URL DIRECTORY``.
"""

import asyncio
import json
import random
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.holds import PostgresHolds
from recorder.adapters.postgres.jobs import PostgresWorkerLock
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.adapters.shredder import DiskShredder
from recorder.erasure.service import Eraser
from recorder.holds.model import HoldId
from recorder.model import RecordingId
from tests.builders_keeping import OLGA, PURGE, a_hold
from tests.fakes import FakeClock
from tests.fakes_erasure import FakeWitness
from tests.keys import a_vault


class Purger:
    """A retention process: works only while it is the elected one, as ``JobRunner`` has it."""

    def __init__(self, engine: AsyncEngine, directory: Path) -> None:
        self._lock = PostgresWorkerLock(engine)
        self._eraser = Eraser(
            erasures=PostgresErasures(engine, actor=PURGE),
            purge_log=PostgresPurgeLog(engine, actor=PURGE),
            vault=DiskShredder(directory / "vault", a_vault(directory)),
            clock=FakeClock(),
            witness=FakeWitness(),
            actor=PURGE,
            retention_days=30,
            office_zone=ZoneInfo("Europe/Warsaw"),
            lead=timedelta(hours=1),
            new_token=lambda: "token",
        )

    async def answer(self, _: Any) -> dict[str, object]:
        began = time.monotonic()
        if not await self._lock.held():
            return {"elected": False}
        report = await self._eraser.run()
        # So that in the next round another may be the one.
        await self._lock.release()
        took_s = time.monotonic() - began
        counts = {each: getattr(report, each) for each in ("erased", "finished", "failed", "held")}
        return {"elected": True, "took_s": took_s, **counts}


class Placer:
    """A process of the web: places a hold on each of some recordings, at moments of chance."""

    def __init__(self, engine: AsyncEngine, directory: Path) -> None:
        self._holds = PostgresHolds(engine)
        self._chance = random.Random(directory.name)

    async def answer(self, order: Any) -> dict[str, object]:
        async with asyncio.TaskGroup() as tasks:
            placing = {
                each: tasks.create_task(self._place(RecordingId(UUID(each)), order["within_s"]))
                for each in order["ids"]
            }
        return {each: task.result() for each, task in placing.items()}

    async def _place(self, recording: RecordingId, within_s: float) -> str:
        await asyncio.sleep(self._chance.random() * within_s)
        hold = a_hold(recording, id=HoldId(UUID(int=recording.int + (1 << 90))))
        return (await self._holds.place([hold], actor=OLGA))[recording].why.value


async def serve(role: str, url: str, directory: Path) -> None:
    loop = asyncio.get_running_loop()
    async with connect(url) as engine:
        racer = Purger(engine, directory) if role == "purge" else Placer(engine, directory)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            sys.stdout.write(json.dumps(await racer.answer(json.loads(line))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
