"""Benchmarks of capture, each beside its baseline in the same run (design, section 9).

The baseline is the same Asterisk and the same callers with a bare MixMonitor and no application,
or with nothing at all. Compared are processor time, lost files and moments in one run, never
wall-clock across runs; where several rounds are run the median counts and the spread is kept.
"""

import argparse
import json
import platform
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil
from rig import BARE, OURS, PLAIN, STAMPED, Rig, now, percentile, rig, waits, worst_from_median

from recorder.embedded.office import CHECKOUT

Row = dict[str, object]
CALLS, A_SECOND, TALK_S = 100, 20, 10.0
RING_CALLS, RING_TALK_S = 200, 5.0
DELAY_CALLS = 20
RATE_CALLS = 1200
STRESS_AT_ONCE, STRESS_TALK_S = 200, 25.0
SOAK_AT_ONCE, SOAK_TALK_S, SOAK_EVERY_S = 20, 15.0, 10.0


def main() -> None:
    """Run the rows asked for, print them, and keep them with the machine's description."""
    arguments = _parse()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as directory, rig(Path(directory), _report) as office:
        if arguments.soak is not None:
            rows += _soak(office, arguments.soak)
        elif arguments.stress:
            rows += _stress(office)
        elif arguments.rate:
            rows += _rate(office)
        else:
            rows += _calls(office, arguments.rounds)
            rows += _first_ring(office)
            rows += _delays(office)
    for row in rows:
        spread = f"  ({row['spread']})" if row.get("spread") else ""
        print(f"{row['what']:66} {row['value']:>10}  goal {row['goal']}{spread}")
    _keep(rows)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/bench capture",
        description="Measure capture on a private office, beside a bare MixMonitor.",
        epilog="Examples: script/bench capture --rounds 5 · script/bench capture --soak 60",
    )
    more = parser.add_mutually_exclusive_group()
    more.add_argument("--rate", action="store_true", help="20 calls a second for a minute (L3)")
    more.add_argument("--stress", action="store_true", help="200 calls at once (L2)")
    more.add_argument("--soak", type=float, metavar="MINUTES", help="20 calls at once (L5)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds whose median counts")
    return parser.parse_args()


def _calls(office: Rig, rounds: int) -> list[Row]:
    ratios, bare_ms, ours_ms, capture_ms, sealing_ms, failed = [], [], [], [], [], 0
    bare_lengths: list[float] = []
    for number in range(1, rounds + 1):
        _report(f"round {number} of {rounds}: {CALLS} bare calls, {CALLS} of ours, all at once")
        batch = {"calls": CALLS, "at_once": CALLS, "a_second": A_SECOND, "talk_s": TALK_S}
        bare = office.place(BARE, **batch)
        bare_lengths += office.bare_lengths()
        # With the database away nothing is sealed: what is spent now is capture's alone.
        office.office.postgres.stop()
        before = office.capture_s()
        ours = office.place(OURS, **batch)
        time.sleep(2)
        between = office.capture_s()
        office.office.postgres.start()
        office.wait_for_rows(CALLS * number)
        time.sleep(1)
        ratios.append(ours.asterisk_s / bare.asterisk_s)
        bare_ms.append(1000 * bare.asterisk_s / CALLS)
        ours_ms.append(1000 * ours.asterisk_s / CALLS)
        capture_ms.append(1000 * (between - before) / CALLS)
        sealing_ms.append(1000 * (office.capture_s() - between) / CALLS)
        failed += bare.failed + ours.failed
    lengths = office.lengths()
    return [
        _median("Asterisk CPU per recorded call / bare MixMonitor", ratios, "<= 1.10"),
        _median("Asterisk CPU per call of ours, stereo, ms", ours_ms, "none"),
        _median("Asterisk CPU per bare call, mono, ms", bare_ms, "baseline"),
        _median("capture CPU per call, nothing sealed, ms", capture_ms, "<= 6"),
        _median("sealing CPU per call, ms", sealing_ms, "none"),
        _row(f"{CALLS} at once: files of ours / bare", len(lengths) / len(bare_lengths), ">= 0.95"),
        _row("failed calls, ours + bare", failed, "0"),
        _row("audio against connected time, worst, s", _worst(lengths), "<= 0.1"),
        _row(
            "bare: length against their median, worst, s",
            worst_from_median(bare_lengths),
            "baseline",
        ),
        _row("capture memory afterwards, MiB", office.memory_mib(), "<= 150"),
    ]


def _first_ring(office: Rig) -> list[Row]:
    _report(f"first ring: {RING_CALLS} calls, {A_SECOND} new ones a second, with and without us")
    batch = {"calls": RING_CALLS, "at_once": RING_CALLS, "a_second": A_SECOND}
    bare = office.place(STAMPED, **batch, talk_s=RING_TALK_S, trace=True)
    before = office.rows("SELECT count(*) FROM call")[0][0]
    ours = office.place(OURS, **batch, talk_s=RING_TALK_S, trace=True)
    office.wait_for_rows(before + RING_CALLS)
    silent = waits(office.announced(), ours.rang)
    at_once = waits(bare.told, bare.rang)
    return [
        _row("announcement's end to first ring, p99, ms", percentile(silent, 0.99), "<= 30"),
        _row("announcement's end to first ring, median, ms", statistics.median(silent), "none"),
        _row("bare Playback's end to first ring, p99, ms", percentile(at_once, 0.99), "baseline"),
        _row("calls measured for it, of ours / bare", len(silent) / max(1, len(at_once)), "1"),
        _row("failed calls, ours + bare", ours.failed + bare.failed, "0"),
    ]


def _delays(office: Rig) -> list[Row]:
    """Time from the caller's INVITE to the desk's, at its worst, without us and past us."""
    batch = {"calls": DELAY_CALLS, "at_once": DELAY_CALLS, "a_second": 5, "talk_s": 2.0}
    _report("delay: a call without the subroutine, capture frozen, capture absent")
    found = {}
    found["plain"] = office.place(PLAIN, **batch, trace=True)
    office.capture.send_signal(signal.SIGSTOP)
    found["frozen"] = office.place(OURS, **batch, trace=True)
    office.capture.send_signal(signal.SIGCONT)
    office.office.kill_capture()
    found["absent"] = office.place(OURS, **batch, trace=True)
    took = {name: waits(each.sent, each.rang) for name, each in found.items()}
    plain = statistics.median(took["plain"])
    return [
        _row("INVITE to first ring without the subroutine, median, ms", plain, "baseline"),
        _row("the same, worst, ms", max(took["plain"]), "baseline"),
        _row("delay added, capture absent, worst, ms", max(took["absent"]) - plain, "<= 50"),
        _row("delay added, capture frozen, worst, ms", max(took["frozen"]) - plain, "<= 1500"),
        _row("failed calls", sum(each.failed for each in found.values()), "0"),
        _row("calls that rang, of all", sum(map(len, took.values())) / (3 * DELAY_CALLS), "1"),
    ]


def _rate(office: Rig) -> list[Row]:
    _report(f"{RATE_CALLS} calls of 5 s, {A_SECOND} a second")
    before = office.capture_s()
    batch = {"calls": RATE_CALLS, "at_once": 400, "a_second": A_SECOND, "talk_s": 5.0}
    ours = office.place(OURS, **batch, trace=True)
    office.wait_for_rows(RATE_CALLS)
    reasons = office.rows("SELECT reason, count(*) FROM call GROUP BY 1 ORDER BY 2 DESC")
    _report(f"  reasons: {dict(reasons)}")
    spent = office.capture_s() - before
    silent = waits(office.announced(), ours.rang)
    busy = ours.asterisk_s / ours.wall_s / (psutil.cpu_count() or 1)
    return [
        _row("20 a second for 60 s: failed calls", ours.failed, "0"),
        _row("recordings of calls", len(office.lengths()) / RATE_CALLS, "1"),
        _row("audio against connected time, worst, s", _worst(office.lengths()), "<= 0.1"),
        _row("capture CPU per call with sealing, ms", 1000 * spent / RATE_CALLS, "<= 10"),
        _row("announcement's end to first ring, p99, ms", percentile(silent, 0.99), "<= 30"),
        _row("Asterisk's share of the machine", busy, "<= 0.7 (else p99 says nothing)"),
        _row("capture memory afterwards, MiB", office.memory_mib(), "<= 150"),
    ]


def _stress(office: Rig) -> list[Row]:
    _report(f"{STRESS_AT_ONCE} calls at once, bare and ours")
    batch = {"calls": STRESS_AT_ONCE, "at_once": STRESS_AT_ONCE, "a_second": A_SECOND}
    bare = office.place(BARE, **batch, talk_s=STRESS_TALK_S)
    bare_lengths = office.bare_lengths()
    ours = office.place(OURS, **batch, talk_s=STRESS_TALK_S)
    memory = office.memory_mib()
    office.wait_for_rows(STRESS_AT_ONCE)
    lengths = office.lengths()
    worst = worst_from_median(bare_lengths)
    return [
        _row("200 at once: files of ours / bare", len(lengths) / len(bare_lengths), ">= 0.95"),
        _row("200 at once: files lost, ours", STRESS_AT_ONCE - len(lengths), "0"),
        _row("failed calls, ours", ours.failed, "0"),
        _row("failed calls, bare", bare.failed, "baseline"),
        _row("audio against connected time, worst, s", _worst(lengths), "none"),
        _row("bare: length against their median, worst, s", worst, "baseline"),
        _row("capture memory at 200 calls, MiB", memory, "<= 150"),
    ]


def _soak(office: Rig, minutes: float) -> list[Row]:
    calls = max(SOAK_AT_ONCE, int(minutes * 60 * SOAK_AT_ONCE / SOAK_TALK_S))
    _report(f"{minutes:g} minutes, {SOAK_AT_ONCE} at once, {calls} calls of {SOAK_TALK_S:g} s")
    samples: list[tuple[float, float, int, int]] = []
    placing = _in_batches(office, calls)
    for failed in placing:
        samples.append(_sample(office))
        _report(f"  {samples[-1][1]:.1f} MiB, {samples[-1][2]} files open, {failed} failed")
    office.wait_for_rows(calls)
    late = samples[len(samples) // 2 if minutes < 20 else int(len(samples) * 10 / minutes) :]
    hours = [each[0] / 3600 for each in late]
    slope = float(np.polyfit(hours, [each[1] for each in late], 1)[0]) if len(late) > 2 else 0.0
    return [
        _row(f"soak {minutes:g} min: memory slope, MiB an hour", slope, "< 1 (over 60 min)"),
        _row("soak: calls without a recording", calls - len(office.lengths()), "0"),
        _row("soak: failed calls", failed, "0"),
        _row("soak: open files, last - first", late[-1][2] - late[0][2], "0"),
        _row("soak: database connections, last - first", late[-1][3] - late[0][3], "0"),
        _row("soak: memory, MiB", late[-1][1], "<= 150"),
    ]


def _in_batches(office: Rig, calls: int) -> Iterator[int]:
    failed, left = 0, calls
    while left > 0:
        batch = min(left, 4 * SOAK_AT_ONCE)
        placed = office.place(
            OURS, calls=batch, at_once=SOAK_AT_ONCE, a_second=4, talk_s=SOAK_TALK_S
        )
        failed, left = failed + placed.failed, left - batch
        yield failed


def _sample(office: Rig) -> tuple[float, float, int, int]:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'capture'"
    connections = office.rows(query)[0][0]
    return time.monotonic(), office.memory_mib(), office.capture.num_fds(), connections


def _worst(lengths: Sequence[tuple[float, float]]) -> float:
    return max((abs(audio - bridged) for audio, bridged in lengths), default=float("nan"))


def _row(what: str, value: float, goal: str) -> Row:
    return {"what": what, "value": round(value, 3), "goal": goal}


def _median(what: str, values: Sequence[float], goal: str) -> Row:
    spread = f"{min(values):.3f} to {max(values):.3f} in {len(values)} rounds"
    return _row(what, statistics.median(values), goal) | {"spread": spread}


def _keep(rows: list[Row]) -> None:
    path = CHECKOUT / "bench/results" / f"capture-{now():%Y-%m-%d}.json"
    runs = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    memory = psutil.virtual_memory().total / (1 << 30)
    runs.append(
        {
            "at": now().isoformat(timespec="seconds"),
            "command": " ".join(("script/bench capture", *sys.argv[1:])),
            "machine": {
                "cores": psutil.cpu_count(),
                "memory_gib": round(memory, 1),
                "python": platform.python_version(),
                "kernel": platform.release(),
                "load_before": _LOAD[0],
            },
            "rows": rows,
        }
    )
    path.write_text(json.dumps(runs, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path.relative_to(CHECKOUT)}")


def _report(line: str) -> None:
    print(line, file=sys.stderr)


_LOAD = psutil.getloadavg()

if __name__ == "__main__":
    main()
