"""A process that erases and is killed at one of its calls to the system, for the crash tests.

One parent with everything imported forks a child for each line of standard input: the number of
the call at which the child kills itself (0 = never). It answers with the number of calls made,
or with "killed".
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.adapters.shredder import DiskShredder
from recorder.erasure.service import Eraser
from tests.builders_keeping import PURGE
from tests.fakes import FakeClock
from tests.fakes_erasure import FakeWitness
from tests.keys import a_vault

WRAPPED = ("open", "write", "fsync", "unlink", "rename", "stat")


class Counter:
    """Counts calls and dies, as by kill -9, before the one with the given number."""

    def __init__(self, dies_at: int) -> None:
        self.calls = 0
        self.dies_at = dies_at

    def tick(self) -> None:
        self.calls += 1
        if self.calls == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.tick()
            return call(*args, **kwargs)

        return counted


def install(counter: Counter) -> None:
    for name in WRAPPED:
        setattr(os, name, counter.before(getattr(os, name)))
    commit = psycopg.AsyncConnection.commit

    async def counted(self: psycopg.AsyncConnection[Any]) -> None:
        counter.tick()
        await commit(self)
        counter.tick()

    psycopg.AsyncConnection.commit = counted  # type: ignore[method-assign]


async def erase(url: str, directory: Path, now: datetime) -> None:
    clock, witness = FakeClock(), FakeWitness()
    clock.at = now
    async with connect(url) as engine:
        eraser = Eraser(
            erasures=PostgresErasures(engine, actor=PURGE),
            purge_log=PostgresPurgeLog(engine, actor=PURGE),
            vault=DiskShredder(directory / "vault", a_vault(directory)),
            clock=clock,
            witness=witness,
            actor=PURGE,
            retention_days=30,
            office_zone=ZoneInfo("Europe/Warsaw"),
            lead=timedelta(hours=1),
            new_token=lambda: "token",
        )
        await eraser.run()


def main() -> None:
    url, directory, now = sys.argv[1], Path(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            counter = Counter(int(line))
            install(counter)
            asyncio.run(erase(url, directory, now))
            counter.dies_at = 0
            os.write(writer, str(counter.calls).encode())
            os._exit(0)
        os.close(writer)
        said = os.read(reader, 100).decode()
        os.close(reader)
        _, status = os.waitpid(child, 0)
        died = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        sys.stdout.write(f"{'killed' if died else said or f'failed {status}'}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
