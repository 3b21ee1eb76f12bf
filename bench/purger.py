"""A process that erases what is due, wired as retention.py is, and is held by a benchmark."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Thread

import psutil

from recorder import logs
from recorder.adapters.keeping import open_keeping
from recorder.adapters.postgres.connect import connect
from recorder.adapters.regulation_file import load_regulation
from recorder.erasure.model import PurgeReport
from recorder.settings import load_settings

NICENESS, THREADS = 15, 8
"""As of retention.py."""


class Purger:
    """The process that erases, held and let go by this one."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env={**os.environ, **environment},  # noqa: TID251 - handed on, not read
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.told: dict[str, float] = {"erased": 0, "failed": 0, "memory_mib": 0.0}
        self.memory_mib: list[float] = []
        self.working_s = 0.0
        self.is_done = False
        self._reading = Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        for line in self._process.stdout:
            self.told = json.loads(line)
            self.memory_mib.append(self.told["memory_mib"])
        self.is_done = True

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self._say("go")
        began = time.monotonic()
        try:
            yield
        finally:
            if not self.is_done:
                self.working_s += time.monotonic() - began
                self._say("wait")
            else:
                self.working_s += max(0.0, self.told.get("ended", began) - began)

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        if not self.is_done:
            # It may end in this very moment.
            with suppress(BrokenPipeError):
                self._process.stdin.write(f"{word}\n")
                self._process.stdin.flush()

    def close(self) -> None:
        if self._process.poll() is None and not self.is_done:
            self._process.terminate()
        self._process.wait()
        self._reading.join()


async def purge() -> None:
    """Erase what is due, with the parts of retention.py, whenever this process is let go."""
    settings = load_settings()
    regulation = load_regulation(settings.regulation_file)
    # Standard output is for what the other process counts.
    logs.configure(level="warning", file=None, to_stdout=False)
    loop, free = asyncio.get_running_loop(), asyncio.Event()
    loop.set_default_executor(ThreadPoolExecutor(THREADS))

    def hear() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(free.set if line.strip() == "go" else free.clear)

    Thread(target=hear, daemon=True).start()
    memory = psutil.Process().memory_info

    async def tell(report: PurgeReport) -> None:
        told = {"erased": report.erased, "failed": report.failed, "ended": time.monotonic()}
        print(json.dumps({**told, "memory_mib": memory().rss / (1 << 20)}), flush=True)
        await free.wait()

    async with connect(settings.database_url.get_secret_value(), application="retention") as engine:
        keeping = open_keeping(settings, regulation, engine)
        await free.wait()
        report = await keeping.eraser.run(tell)
        free.set()
        await tell(report)


if __name__ == "__main__":
    os.nice(NICENESS)
    asyncio.run(purge())
