"""Benchmarks of sealing, each beside plain WAV writing in the same run (design, section 9).

Processor time is compared, which other work on the machine does not touch; each length is sealed
in a process of its own, since a peak of memory is never taken back.
"""

import asyncio
import hashlib
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import psutil

from recorder.adapters import wav
from recorder.adapters.keys import DiskKeys, prepare
from recorder.adapters.master_key import MasterKey
from recorder.adapters.vault import DiskVault
from recorder.model import RecordingId

ROOT = Path(__file__).resolve().parents[1]
RECORDING = RecordingId(UUID(int=1))
FOLDER = "2026/11/12"
HOURS = (1, 4)
POSITIONS = 500
FIRST_BYTES = 32_000
"""One second of audio."""


def main() -> None:
    """Run all rows, print them, and keep them with the machine's description."""
    machine = {
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30), 1),
        "python": platform.python_version(),
    }
    with tempfile.TemporaryDirectory(dir=ROOT / ".local") as directory:
        place = Path(directory)
        prepare(place / "keys", MasterKey(bytes(32)))
        rows = [*_sealing(place), *_seeking(place)]
    now = datetime.now(UTC)  # noqa: TID251 - a benchmark has no clock to be handed
    for row in rows:
        print(f"{row['what']:58} {row['value']:>10}  goal {row['goal']}")
    path = ROOT / "bench/results" / f"seal-{now:%Y-%m-%d}.json"
    results = {"machine": machine, "at": now.isoformat(timespec="seconds"), "rows": rows}
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path.relative_to(ROOT)}")


def _sealing(place: Path) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    peaks = {}
    for hours in HOURS:
        _make_raw(place / "audio.raw", hours)
        plain, _, _ = _measured("plain", place)
        sealed, wall, peaks[hours] = _measured("sealed", place)
        audio = hours * 3600
        rows += [
            _row(f"sealing {hours} h, times real time of one core", audio / sealed, ">= 500"),
            _row(f"  the same on the wall clock, fsync included, {hours} h", audio / wall, "-"),
            _row(f"  plain WAV with its hash, times real time, {hours} h", audio / plain, "-"),
            _row(f"  CPU of sealing / of plain WAV, {hours} h", sealed / plain, "-"),
            _row(f"  peak memory, MiB, {hours} h", peaks[hours], "-"),
        ]
    return [*rows, _row("peak memory, 4 h less 1 h, MiB", peaks[4] - peaks[1], "<= 16")]


def _seeking(place: Path) -> list[dict[str, object]]:
    _make_raw(place / "audio.raw", 1)
    vault = _vault(place)
    asyncio.run(vault.store(RECORDING, raw=place / "audio.raw", folder=FOLDER))
    container = place / "vault" / FOLDER / f"{RECORDING}.rec"
    size = asyncio.run(vault.size(RECORDING, folder=FOLDER))
    places = random.Random(1)  # noqa: S311 - the same positions each time
    waits = []
    for _ in range(POSITIONS):
        start = places.randrange(size - FIRST_BYTES)
        _forget(container)
        began = time.perf_counter()
        found = asyncio.run(vault.read(RECORDING, folder=FOLDER, start=start, length=FIRST_BYTES))
        waits.append(1000 * (time.perf_counter() - began))
        assert len(found) == FIRST_BYTES  # noqa: S101
    waits.sort()
    return [
        _row("first second of 1 h, any position, cold, p50, ms", waits[POSITIONS // 2], "-"),
        _row(
            "first second of 1 h, any position, cold, p99, ms",
            waits[int(POSITIONS * 0.99)],
            "<= 300",
        ),
    ]


def _forget(path: Path) -> None:
    """Take a file out of the page cache."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def _make_raw(raw: Path, hours: int) -> None:
    minute = np.random.default_rng(1).integers(-9000, 9000, 60 * 16_000, dtype="<i2").tobytes()
    with raw.open("wb") as file:
        for _ in range(60 * hours):
            file.write(minute)


def _measured(how: str, place: Path) -> tuple[float, float, float]:
    """Do it in a process of its own: CPU seconds, wall seconds, peak MiB."""
    told = subprocess.run(
        [sys.executable, __file__, how, str(place)], capture_output=True, text=True, check=True
    ).stdout
    cpu, wall, peak = (float(each) for each in told.split())
    return cpu, wall, peak


def _act(how: str, place: Path) -> None:
    raw = place / "audio.raw"
    cpu, wall = time.process_time(), time.perf_counter()
    if how == "sealed":
        asyncio.run(_vault(place).store(RECORDING, raw=raw, folder=FOLDER))
    else:
        digest = hashlib.sha256()
        with (place / "plain.wav").open("wb") as file:

            def write(block: bytes) -> None:
                digest.update(block)
                file.write(block)

            wav.write_wav(raw, write, frames=wav.frames_in(raw))
            file.flush()
            os.fsync(file.fileno())
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(cpu, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _vault(place: Path) -> DiskVault:
    return DiskVault(place / "vault", DiskKeys(place / "keys", MasterKey(bytes(32))))


def _row(what: str, value: float, goal: str) -> dict[str, object]:
    return {"what": what, "value": round(value, 2), "goal": goal}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _act(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
