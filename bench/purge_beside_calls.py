"""Calls and searches beside a purge, and without it, in one run (P4): script/bench purge --calls N.

A private office is called, as in ``script/bench capture``; people search its pages; in a process
of its own, wired as retention.py is, recordings that are due are erased. Batches of calls without
the purge and beside it take turns, so that whatever else the machine does weighs on both alike.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date
from itertools import cycle
from pathlib import Path
from threading import Event, Thread

import httpx
from due import fill, number_of
from listeners import Hall, browser, furnish
from purger import Purger
from rig import OURS, Rig, percentile, rig, waits

from recorder.adapters.keeping import PROCESS
from recorder.adapters.kernel_clock import KernelClock
from recorder.adapters.master_key import read_master_key
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.purge_log import PostgresPurgeLog

TALK_S, A_SECOND = 15.0, 5
SEARCHES_A_SECOND = 5.0
TURNS = ("without", "beside", "beside")
PEOPLE = 10
"""They search in turn: one alone would soon be asked to wait."""
BATCHES = 12
"""Some minutes of calls; whatever is due then stays."""


@dataclass(kw_only=True)
class Side:
    """What was measured without the purge, or beside it."""

    calls: int = 0
    failed: int = 0
    unrecorded: int = 0
    rings_ms: list[float] = field(default_factory=list)
    """From the announcement's end to the desk's first ring."""
    through_ms: list[float] = field(default_factory=list)
    """From the caller's INVITE to it, the announcement included."""
    lost_s: list[float] = field(default_factory=list)
    """Audio against connected time, of each recording."""
    cpu_s: float = 0.0
    asterisk_s: float = 0.0
    searches_ms: list[float] = field(default_factory=list)
    failures: int = 0

    @property
    def figures(self) -> dict[str, float]:
        """Return what is compared."""
        return {
            "calls": self.calls,
            "calls_failed": self.failed,
            "calls_without_recording": self.unrecorded,
            "announcement_to_first_ring_median_ms": _middle(self.rings_ms),
            "announcement_to_first_ring_p99_ms": _far(self.rings_ms, 0.99),
            "invite_to_first_ring_median_ms": _middle(self.through_ms),
            "invite_to_first_ring_p99_ms": _far(self.through_ms, 0.99),
            "audio_against_connected_worst_s": round(max(map(abs, self.lost_s), default=0.0), 3),
            "audio_lost_in_all_s": round(sum(max(0.0, -each) for each in self.lost_s), 3),
            "capture_cpu_per_call_ms": round(1000 * self.cpu_s / max(1, self.calls), 2),
            "asterisk_cpu_per_call_ms": round(1000 * self.asterisk_s / max(1, self.calls), 2),
            "searches": len(self.searches_ms),
            "searches_failed": self.failures,
            "search_median_ms": _middle(self.searches_ms),
            "search_p95_ms": _far(self.searches_ms, 0.95),
        }


def measure(recordings: int, calls: int, batches: int = BATCHES) -> dict[str, object]:
    """Return the figures of both sides, their ratios, and how fast the purge was beside calls."""
    with tempfile.TemporaryDirectory() as directory, rig(Path(directory), _report) as office:
        place = office.office
        _report(f"writing {recordings} recordings that are due")
        day = fill(
            place.postgres.url,
            vault=place.vault,
            keys=place.keys,
            master=read_master_key(place.master_key),
            count=recordings,
        )
        place.start_web()
        place.employ()
        hall = asyncio.run(
            furnish(
                place.environment,
                Path(directory),
                address=place.web_address,
                people=PEOPLE,
                hours=1,
            )
        )
        asyncio.run(_vouch(place.postgres.member_url("recorder_retention")))
        sides = {"without": Side(), "beside": Side()}
        _batch(office, Side(), hall, calls=calls, day=day, recordings=recordings)
        login = {"RECORDER_DATABASE_URL": place.postgres.member_url("recorder_retention")}
        purger = Purger({**place.environment, **login})
        try:
            for number in range(batches):
                where = TURNS[number % len(TURNS)]
                if purger.is_done:
                    break
                _report(f"{calls} calls {where}; {purger.told['erased']:.0f} erased")
                if where == "beside":
                    with purger.at_work():
                        side = sides[where]
                        _batch(office, side, hall, calls=calls, day=day, recordings=recordings)
                else:
                    _batch(office, sides[where], hall, calls=calls, day=day, recordings=recordings)
        finally:
            purger.close()
        # Ended in the middle of a page, some are claimed: their files may be gone already.
        stages = dict(office.rows("SELECT stage, count(*) FROM recording GROUP BY 1"))
        left = sum(1 for _ in place.vault.rglob("*.rec"))
    told, memory = purger.told, purger.memory_mib or [0.0]
    return {
        "recordings": recordings,
        "erased": told["erased"],
        "failed": told["failed"],
        "left": {**stages, "files": left},
        "seconds": round(purger.working_s, 1),
        "per_second": round(told["erased"] / max(1.0, purger.working_s)),
        "memory_mib": [round(memory[len(memory) // 10]), round(max(memory)), round(memory[-1])],
        "beside_calls": _compared(sides["without"].figures, sides["beside"].figures),
    }


def _compared(without: dict[str, float], beside: dict[str, float]) -> dict[str, object]:
    ratio = {
        each: round(beside[each] / without[each], 2)
        for each in without
        if each.endswith("_ms") and without[each]
    }
    return {"without_purge": without, "beside_purge": beside, "ratio": ratio}


def _batch(office: Rig, side: Side, hall: Hall, *, calls: int, day: date, recordings: int) -> None:
    """Place calls while people search, and add to this side what was seen."""
    before = office.rows("SELECT count(*), now() FROM call")[0]
    cpu, until = office.capture_s(), Event()
    searching = Thread(target=_search_until, args=(side, hall, until, day, recordings))
    searching.start()
    try:
        placed = office.place(
            OURS, calls=calls, at_once=calls, a_second=A_SECOND, talk_s=TALK_S, trace=True
        )
        office.wait_for_rows(before[0] + calls)
    finally:
        until.set()
        searching.join()
    query = """SELECT recording.frames / 8000.0 - call.bridged_seconds
               FROM recording JOIN call ON call.id = call_id
               WHERE call.node <> 'bench' AND call.written_at >= '%s'"""
    lost = [float(each) for (each,) in office.rows(query % before[1].isoformat())]
    side.calls += calls
    side.failed += placed.failed
    side.unrecorded += calls - len(lost)
    side.rings_ms += waits(office.announced(), placed.rang)
    side.through_ms += waits(placed.sent, placed.rang)
    side.lost_s += lost
    side.cpu_s += office.capture_s() - cpu
    side.asterisk_s += placed.asterisk_s


def _search_until(side: Side, hall: Hall, until: Event, day: date, recordings: int) -> None:
    asyncio.run(_search(side, hall, until, day, recordings))


async def _search(side: Side, hall: Hall, until: Event, day: date, recordings: int) -> None:
    """§ 7.5: caller and day, as the form is sent and its answer read."""
    chance = random.Random(len(side.searches_ms))  # noqa: S311 - which call to look for
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(browser(hall, person)) for person in hall.people]
        for client in cycle(clients):
            if until.is_set():
                return
            began = time.perf_counter()
            wanted = {"caller": number_of(chance.randrange(recordings)), "day": f"{day:%d.%m.%Y}"}
            led = await client.post("/search", data=wanted)
            answer = await client.get(led.headers.get("location", "/nowhere"))
            took = time.perf_counter() - began
            if answer.status_code == httpx.codes.OK:
                side.searches_ms.append(1000 * took)
            else:
                side.failures += 1
            await asyncio.sleep(max(0.0, 1 / SEARCHES_A_SECOND - took))


async def _vouch(url: str) -> None:
    """Say that this machine's clock is right: no benchmark waits for a person."""
    async with connect(url, application="bench") as engine:
        await PostgresPurgeLog(engine, actor=PROCESS).passed(KernelClock().read())


def _middle(values: list[float]) -> float:
    return round(statistics.median(values), 1) if values else 0.0


def _far(values: list[float], share: float) -> float:
    return round(percentile(values, share), 1) if values else 0.0


def _report(line: str) -> None:
    print(line, file=sys.stderr)
