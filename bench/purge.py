"""Erases due recordings on real files and a real PostgreSQL: script/bench purge [how many].

``--calls N``: real calls and searches at the pages beside it, see ``purge_beside_calls``.

Beside the run, searches are timed and calls are sealed into the same database by another process,
as capture would; every few seconds the run pauses, and the same is measured without it. Memory is
read from /proc.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import purge_beside_calls
from due import NOW, fill
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.clock import SystemClock
from recorder.adapters.kernel_clock import KernelClock
from recorder.adapters.keys import DiskKeys, prepare
from recorder.adapters.master_key import MasterKey
from recorder.adapters.postgres import migrate, queries
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.adapters.shredder import DiskShredder
from recorder.adapters.vault import DiskVault
from recorder.audit.event import Actor, ActorKind
from recorder.custody.rules import describe
from recorder.embedded.postgres import EmbeddedPostgres
from recorder.erasure.brakes import Instant
from recorder.erasure.model import PurgeReport
from recorder.erasure.service import Eraser
from recorder.model import CallId, CallRecord, Decision, Reason, RecordingId, SealedAudio

WARSAW = ZoneInfo("Europe/Warsaw")
ACTOR = Actor(kind=ActorKind.PROCESS, name="retention")
LOAD = os.getloadavg()
ROOT = Path(__file__).resolve().parents[1]
THREADS = 8
NICENESS = 15
"""As of retention.py, with as many threads."""
PURGE_S, ALONE_S = 6.0, 4.0
"""So long it erases, and so long it pauses, in turn."""


class TrustedClock:
    """The machine's clock, vouched for: no benchmark waits for a person."""

    def read(self) -> Instant:
        return KernelClock().read()

    def synchronised(self) -> bool:
        return True


def resident_mib() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def search(engine: AsyncEngine) -> float:
    began = time.perf_counter()
    criteria = queries.Criteria(caller="600000123", day=(NOW - timedelta(days=31)).date())
    await queries.find_calls(engine, criteria, office_zone=WARSAW)
    return (time.perf_counter() - began) * 1000


async def seal(ledger: PostgresLedger, number: int) -> float:
    now = datetime.now(UTC)  # noqa: TID251 - measured beside the real clock
    yes = Decision(record=True, reason=Reason.STAYED_ON_THE_LINE)
    call = CallRecord(
        id=CallId(UUID(int=(1 << 100) + number)),
        node="bench",
        channel_id=str(number),
        arrived_at=now,
        endpoint="operator",
        context="in",
        line="746640800",
        caller_number="600123456",
        scope=yes,
        consent=yes,
        recording_id=RecordingId(UUID(int=(1 << 101) + number)),
        ended_at=now,
    )
    audio = SealedAudio(
        sha256="0" * 64,
        size_bytes=1,
        frames=8000,
        sample_rate=8000,
        caller_dbfs=-20.0,
        office_dbfs=-20.0,
        silent=False,
        one_sided=False,
    )
    recording = describe(call, audio, retention_days=30, office_zone=WARSAW, now=now)
    began = time.perf_counter()
    await ledger.record_call(call, recording=recording, incidents=[], at=now)
    return (time.perf_counter() - began) * 1000


async def beside(url: str) -> None:
    """Search and seal in a process of its own, a pair every 100 ms, until told to stop."""
    times: list[tuple[float, float, float]] = []
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    async with connect(url, application="bench") as engine:
        ledger = PostgresLedger(engine)
        while not ended.done():
            at = time.monotonic()
            times.append((at, await search(engine), await seal(ledger, len(times))))
            await asyncio.sleep(0.1)
    print(json.dumps(times))


@contextmanager
def others(url: str) -> Iterator[list[tuple[float, float, float]]]:
    """Run ``beside`` as long as this lasts; then the list holds what it measured, and when."""
    times: list[tuple[float, float, float]] = []
    with subprocess.Popen(
        [sys.executable, __file__, "--beside", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield times
        times += [tuple(each) for each in json.loads(process.communicate()[0])]


def p95(values: list[float]) -> float:
    return round(statistics.quantiles(values, n=20)[-1], 1)


def compared(alone: list[float], beside: list[float]) -> dict[str, float]:
    """Median and p95 without a purge and beside it."""
    return {
        "median_alone": round(statistics.median(alone), 1),
        "median_beside": round(statistics.median(beside), 1),
        "p95_alone": p95(alone),
        "p95_beside": p95(beside),
    }


async def measure(url: str, place: Path, count: int) -> dict[str, object]:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    vault = DiskVault(place / "vault", DiskKeys(place / "keys", MasterKey(bytes(32))))
    memory: list[float] = []
    pauses: list[tuple[float, float]] = []
    report = PurgeReport()

    async def watch(so_far: PurgeReport) -> None:
        # In between it pauses: whatever else the machine does then weighs on both alike.
        last = pauses[-1][1] if pauses else 0.0
        if time.monotonic() - last > PURGE_S:
            now = time.monotonic()
            await asyncio.sleep(ALONE_S)
            pauses.append((now, time.monotonic()))
        memory.append(resident_mib())
        print(f"\r{so_far.erased} of {count}", end="", file=sys.stderr, flush=True)

    async with connect(url, application="retention") as engine:
        eraser = Eraser(
            erasures=PostgresErasures(engine, actor=ACTOR),
            purge_log=PostgresPurgeLog(engine, actor=ACTOR),
            vault=DiskShredder(place / "vault", vault),
            clock=SystemClock(),
            witness=TrustedClock(),
            actor=ACTOR,
            retention_days=30,
            office_zone=WARSAW,
            lead=timedelta(hours=1),
            new_token=lambda: "bench",
        )
        with others(url) as measured:
            os.nice(NICENESS)
            # Python starts up meanwhile.
            await asyncio.sleep(ALONE_S)
            began, cpu = time.monotonic(), time.process_time()
            report = await eraser.run(watch)
            ended, cpu = time.monotonic(), time.process_time() - cpu
    took = ended - began - sum(until - since for since, until in pauses)
    alone = [each for each in measured if any(since < each[0] < until for since, until in pauses)]
    together = [each for each in measured if began < each[0] < ended and each not in alone]
    print(file=sys.stderr)
    left = sum(1 for _ in vault.present()), sum(1 for _ in vault.keys_present())
    return {
        "recordings": count,
        "erased": report.erased,
        "failed": report.failed,
        "left_files_keys": left,
        "seconds": round(took, 1),
        "per_second": round(report.erased / took),
        "cpu_s": round(cpu, 1),
        "memory_mib": [round(memory[len(memory) // 10]), round(max(memory)), round(memory[-1])],
        "search_ms": compared([each[1] for each in alone], [each[1] for each in together]),
        "seal_rows_ms": compared([each[2] for each in alone], [each[2] for each in together]),
    }


def main() -> None:
    if sys.argv[1:2] == ["--beside"]:
        asyncio.run(beside(sys.argv[2]))
        return
    parser = argparse.ArgumentParser(
        prog="script/bench purge",
        description="Measure a purge, and what it costs the others.",
        epilog="Examples: script/bench purge 100000 · script/bench purge --calls 30",
    )
    parser.add_argument("recordings", nargs="?", type=int, default=100_000, help="so many are due")
    parser.add_argument("--calls", type=int, default=0, help="real calls beside it, at once")
    arguments = parser.parse_args()
    if arguments.calls:
        keep(purge_beside_calls.measure(arguments.recordings, arguments.calls))
    else:
        keep(_alone(arguments.recordings))


def _alone(count: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory(dir=ROOT / ".local") as directory:
        place = Path(directory)
        place.chmod(0o755)
        server = EmbeddedPostgres(place / "postgres")
        server.start()
        try:
            migrate.upgrade(server.url)
            print(f"writing {count} recordings", file=sys.stderr)
            master = MasterKey(bytes(32))
            prepare(place / "keys", master)
            fill(server.url, vault=place / "vault", keys=place / "keys", master=master, count=count)
            found = asyncio.run(measure(server.url, place, count))
        finally:
            server.stop()
    return found


def keep(found: dict[str, object]) -> None:
    """Print what was found, and keep it with the machine's description."""
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_before": round(LOAD[0], 1),
    }
    results = {"machine": machine, "at": NOW.isoformat(timespec="seconds"), **found}
    print(json.dumps(results, indent=2))
    path = ROOT / "bench/results" / f"purge-{NOW:%Y-%m-%d}.json"
    runs = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    path.write_text(json.dumps([*runs, results], indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
