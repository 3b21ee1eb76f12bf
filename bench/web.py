"""The pages, measured as people wait for them, and capture beside them (L9).

    script/bench web                        start, seek and search on a private office, 3 minutes
    script/bench web --calls 50             the same calls with and without 20 listeners beside them
    script/bench web --rows 10000000        searches among so many calls

Each figure with listeners stands beside the one without, of the same run.
"""

import argparse
import asyncio
import json
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import psutil
from listeners import COOKIE, Hall, furnish, work
from playwright.async_api import Page, async_playwright
from rig import OURS, Rig, now, percentile, rig, waits
from search import fill

from recorder.embedded.office import CHECKOUT

Row = dict[str, object]
LISTENERS, SEARCHES_A_SECOND, HOURS = 20, 10.0, 4
STARTS, SEEKS, ALONE = 5, 20, 200
SECONDS = 30.0
TALK_S = 20.0
FLAGS = (
    *("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--mute-audio"),
    "--autoplay-policy=no-user-gesture-required",
)
START = """() => new Promise((done) => {
  const audio = document.querySelector('#player audio');
  const began = performance.now();
  audio.addEventListener('playing', () => done(performance.now() - began), {once: true});
  document.querySelector('[data-do=play]').click();
})"""
SEEK = """(at) => new Promise((done) => {
  const audio = document.querySelector('#player audio');
  const began = performance.now();
  audio.addEventListener('seeked', () => done(performance.now() - began), {once: true});
  audio.currentTime = at;
})"""


def main() -> None:
    """Run what was asked for, print the rows, and keep them with the machine's description."""
    arguments = _parse()
    load = psutil.getloadavg()[0]
    with tempfile.TemporaryDirectory() as directory, rig(Path(directory), _report) as office:
        rows = _measured(office, Path(directory), arguments)
    for row in rows:
        print(f"{row['what']:66} {row['value']:>10}  goal {row['goal']}")
    _keep(rows, load)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/bench web",
        description="Measure the pages on a private office, and capture beside them.",
        epilog="Examples: script/bench web --calls 50 · script/bench web --rows 1000000",
    )
    parser.add_argument("--calls", type=int, default=0, help="calls recorded beside it, at once")
    parser.add_argument("--rows", type=int, default=0, help="calls to search among")
    parser.add_argument("--listeners", type=int, default=LISTENERS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long they listen")
    return parser.parse_args()


def _measured(office: Rig, directory: Path, arguments: argparse.Namespace) -> list[Row]:
    rows: list[Row] = []
    if arguments.rows:
        fill(office.office.postgres, arguments.rows, numbers_days=30)
    office.office.start_web()
    password = office.office.employ().read_text(encoding="ascii").splitlines()[0]
    _report(f"sealing {HOURS} recordings of an hour, signing {arguments.listeners} people in")
    hall = asyncio.run(
        furnish(
            office.office.environment,
            directory,
            address=office.office.web_address,
            people=arguments.listeners,
            hours=HOURS,
        )
    )
    _report(f"{ALONE} searches one after another")
    rows += _searched(hall.searched_alone(ALONE), arguments.rows, "alone")
    rows += asyncio.run(_in_a_browser(hall, password))
    if arguments.calls:
        _report(f"{arguments.calls} calls at once, nobody at the pages")
        rows += _calls(office, arguments.calls, "alone")
        with _at_work(hall) as busy:
            _report(f"the same, {arguments.listeners} people listening and searching")
            rows += _calls(office, arguments.calls, "beside listeners")
    else:
        with _at_work(hall) as busy:
            _report(f"{arguments.listeners} people listen and search for {arguments.seconds:g} s")
            time.sleep(arguments.seconds)
    return rows + _of_the_hall(busy, arguments.rows)


@contextmanager
def _at_work(hall: Hall) -> Iterator[Hall]:
    busy, until = hall.emptied(), Event()
    thread = Thread(
        target=work, args=(busy, until), kwargs={"searches_a_second": SEARCHES_A_SECOND}
    )
    thread.start()
    try:
        yield busy
    finally:
        until.set()
        thread.join()


def _calls(office: Rig, calls: int, where: str) -> list[Row]:
    before = office.rows("SELECT count(*) FROM call")[0][0]
    sealed = office.rows("SELECT count(*) FROM recording")[0][0]
    cpu = office.capture_s()
    placed = office.place(OURS, calls=calls, at_once=calls, a_second=5, talk_s=TALK_S, trace=True)
    office.wait_for_rows(before + calls)
    lost = calls - (office.rows("SELECT count(*) FROM recording")[0][0] - sealed)
    silent = waits(office.announced(), placed.rang)
    spent = 1000 * (office.capture_s() - cpu) / calls
    what, late = f"{calls} calls {where}", percentile(silent, 0.99)
    return [
        _row(f"{what}: announcement to first ring, p99, ms", late, "<= 30"),
        _row(f"{what}: the same, median, ms", statistics.median(silent), "none"),
        _row(f"{what}: failed", placed.failed, "0"),
        _row(f"{what}: without a recording", lost, "0"),
        _row(f"{what}: capture CPU per call, ms", spent, "none"),
    ]


def _of_the_hall(hall: Hall, rows: int) -> list[Row]:
    return [
        _row("seek of a listener, first byte, p95, ms", percentile(hall.seeks_ms, 0.95), "<= 300"),
        _row("seeks made", len(hall.seeks_ms), "none"),
        *_searched(hall, rows, "beside listeners"),
    ]


def _searched(hall: Hall, rows: int, where: str) -> list[Row]:
    what = f"search among {rows:,} calls {where}" if rows else f"search {where}"
    return [
        _row(f"{what}, form to answer, p95, ms", percentile(hall.searches_ms, 0.95), "<= 200"),
        _row(f"{what}, the same, median, ms", percentile(hall.searches_ms, 0.5), "none"),
        _row(f"{what}: made", len(hall.searches_ms), "none"),
        _row(f"{what}: requests that failed", len(hall.failures), "0"),
    ]


async def _in_a_browser(hall: Hall, password: str) -> list[Row]:
    chromium = shutil.which("chromium")
    if chromium is None:
        _report("Chromium is not here (apt-get install chromium): nothing is measured in it")
        return []
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        weight = await _first_visit(await launched.new_page(base_url=hall.address), password)
        starts, seeks = [], []
        for person in hall.people[:STARTS]:
            context = await launched.new_context(base_url=hall.address)
            await context.add_cookies(
                [{"name": COOKIE, "value": person.token, "url": hall.address}]
            )
            page = await context.new_page()
            await page.goto(f"/calls/{person.call}")
            await page.locator("input[name=purpose]").first.check()
            await page.locator("form[action$='/playbacks'] .button.main").click()
            await page.locator(".lanes").wait_for()
            starts.append(float(await page.evaluate(START)))
            places = [60 + (each * 1777) % 3400 for each in range(SEEKS)]
            seeks += [float(await page.evaluate(SEEK, each)) for each in places]
            await context.close()
        await launched.close()
    return [
        _row("first visit, sign-in to results, kB transferred", weight / 1000, "<= 200"),
        _row("one hour in Chromium: click to playing, median, ms", statistics.median(starts),
             "<= 300"),
        _row("one hour in Chromium: the same, worst, ms", max(starts), "none"),
        _row("one hour in Chromium: seek, median, ms", statistics.median(seeks), "none"),
        _row("one hour in Chromium: seek, p95, ms", percentile(seeks, 0.95), "<= 300"),
    ]  # fmt: skip


async def _first_visit(page: Page, password: str) -> float:
    """Return the bytes that came over the wire from signing in to a search's answer."""
    total = 0.0

    def finished(told: dict[str, float]) -> None:
        nonlocal total
        total += told["encodedDataLength"]

    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    session.on("Network.loadingFinished", finished)
    await page.goto("/sign-in")
    await page.fill("#login", "demo")
    await page.fill("#password", password)
    await page.keyboard.press("Enter")
    await page.locator("#caller").fill("600123456")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/search/*")
    await page.wait_for_load_state("networkidle")
    await page.context.close()
    return total


def _row(what: str, value: float, goal: str) -> Row:
    return {"what": what, "value": round(value, 2), "goal": goal}


def _keep(rows: list[Row], load: float) -> None:
    path = CHECKOUT / "bench/results" / f"web-{now():%Y-%m-%d}.json"
    runs = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    memory = psutil.virtual_memory().total / (1 << 30)
    runs.append(
        {
            "at": now().isoformat(timespec="seconds"),
            "command": " ".join(("script/bench web", *sys.argv[1:])),
            "machine": {
                "cores": psutil.cpu_count(),
                "memory_gib": round(memory, 1),
                "python": platform.python_version(),
                "kernel": platform.release(),
                "load_before": load,
            },
            "rows": rows,
        }
    )
    path.write_text(json.dumps(runs, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path.relative_to(CHECKOUT)}")


def _report(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
