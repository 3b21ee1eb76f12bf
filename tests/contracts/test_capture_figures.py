"""What Prometheus is told of capture, asked over real connections from the real probe."""

import asyncio
import http.client
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvloop
from prometheus_client.parser import text_string_to_metric_families

from recorder.adapters import capture_figures
from recorder.adapters.capture_figures import CaptureFigures, look_at
from recorder.adapters.clock import SystemClock
from recorder.adapters.probe import serve_probe
from recorder.embedded.postgres import free_port

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
SPOOL = {"recorder_spool_bytes", "recorder_spool_free_bytes", "recorder_spool_oldest_age_seconds"}
ALL = {
    "recorder_ari_connected",
    "recorder_ami_connected",
    "recorder_event_loop_lag_seconds",
    "recorder_calls_in_progress",
    "recorder_spool_floor_bytes",
} | SPOOL
LOCAL = "127.0.0.1"


def now() -> float:
    return SystemClock().now().timestamp()


@dataclass
class Links:
    """Asterisk, as far as the figures ask."""

    serves: bool = True
    connected: bool = True


def scrape(port: int, host: str = LOCAL) -> dict[str, float]:
    """Ask as Prometheus does; a figure with a label would be refused here."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert answer.status == 200
        assert (answer.getheader("Content-Type") or "").startswith("text/plain; version=")
        text = answer.read().decode("utf-8")
    finally:
        connection.close()
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type == "gauge"
        for sample in family.samples:
            assert sample.labels == {}
            assert sample.name not in found
            found[sample.name] = sample.value
    return found


@asynccontextmanager
async def measured(
    spool: Path, links: Links, *, ami: Links | None, hosts: tuple[str, ...] = (LOCAL,)
) -> AsyncIterator[int]:
    """Figures that are measured and served, as `ari_app.py` does; yields the port."""
    port = free_port()
    clock, floor = SystemClock(), 5 << 30
    figures = CaptureFigures(spool, floor, clock=clock, ari=links, ami=ami, calls=lambda: 3)
    async with asyncio.TaskGroup() as tasks:
        measuring = tasks.create_task(figures.run())
        async with serve_probe(hosts, port, is_ready=lambda: True, figures=figures.text):
            yield port
        measuring.cancel()


async def until(
    port: int, true: Callable[[dict[str, float]], bool], *, within_s: float = 5
) -> dict[str, float]:
    """Ask until it is so."""
    ends = time.monotonic() + within_s
    while not true(found := await asyncio.to_thread(scrape, port)):
        assert time.monotonic() < ends, found
        await asyncio.sleep(0.05)
    return found


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """A spool with an hour-old recording, a journal, and the lock, which is no call's."""
    folder = tmp_path / "spool"
    folder.mkdir()
    for name, size, age_s in (("a.raw", 3200, 3600), ("a.journal", 100, 5), (".lock", 7, 99999)):
        (folder / name).write_bytes(b"x" * size)
        then = now() - age_s
        os.utime(folder / name, (then, then))
    return folder


@pytest.mark.parametrize("loop", LOOPS)
def test_prometheus_reads_every_figure_of_capture(
    loop: Callable[[], asyncio.AbstractEventLoop], spool: Path
) -> None:
    async def questions() -> None:
        links = Links()
        async with measured(spool, links, ami=links) as port:
            found = await until(port, lambda each: set(each) >= SPOOL)
            assert set(found) == ALL
            assert found["recorder_ari_connected"] == found["recorder_ami_connected"] == 1
            assert found["recorder_calls_in_progress"] == 3
            assert found["recorder_spool_bytes"] == 3300
            assert found["recorder_spool_free_bytes"] > 0
            assert found["recorder_spool_floor_bytes"] == 5 * 1024**3
            assert found["recorder_spool_oldest_age_seconds"] == pytest.approx(3600, abs=30)
            links.serves = links.connected = False
            found = await asyncio.to_thread(scrape, port)
            assert found["recorder_ari_connected"] == found["recorder_ami_connected"] == 0

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(questions())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_that_stood_still_is_told_afterwards(
    loop: Callable[[], asyncio.AbstractEventLoop], spool: Path
) -> None:
    async def questions() -> None:
        async with measured(spool, Links(), ami=None) as port:
            await asyncio.sleep(0.1)
            time.sleep(1.2)  # noqa: ASYNC251 - this very standstill is measured
            found = await until(port, lambda each: each["recorder_event_loop_lag_seconds"] > 0.5)
            assert found["recorder_event_loop_lag_seconds"] < 30

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(questions())


@pytest.mark.parametrize("loop", LOOPS)
def test_prometheus_may_ask_at_an_address_of_its_own(
    loop: Callable[[], asyncio.AbstractEventLoop], spool: Path
) -> None:
    async def questions() -> None:
        hosts = (LOCAL, "127.0.0.2")
        async with measured(spool, Links(), ami=None, hosts=hosts) as port:
            for host in hosts:
                found = await asyncio.to_thread(scrape, port, host)
                assert found["recorder_ari_connected"] == 1
            with pytest.raises(ConnectionRefusedError):
                await asyncio.to_thread(scrape, port, "127.0.0.3")

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(questions())


def test_where_ami_is_not_used_nothing_is_said_of_it(spool: Path) -> None:
    async def questions() -> None:
        async with measured(spool, Links(), ami=None) as port:
            assert "recorder_ami_connected" not in await asyncio.to_thread(scrape, port)

    asyncio.run(questions())


def test_a_spool_that_is_gone_has_no_figures_rather_than_good_ones(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_figures, "LOOK_EVERY_S", 0.05)

    async def questions() -> None:
        async with measured(spool, Links(), ami=None) as port:
            await until(port, lambda each: set(each) >= SPOOL)
            spool.rename(spool.with_name("away"))
            await until(port, lambda each: not set(each) & SPOOL)

    asyncio.run(questions())


def test_a_disk_that_does_not_answer_makes_nobody_wait_and_is_not_called_well(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = look_at(spool, now())
    answers = [seen]

    def hang(*_: object) -> object:
        if answers:
            return answers.pop()
        time.sleep(2)
        return seen

    monkeypatch.setattr(capture_figures, "look_at", hang)
    monkeypatch.setattr(capture_figures, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(capture_figures, "STALE_S", 0.5)

    async def questions() -> None:
        async with measured(spool, Links(), ami=None) as port:
            await until(port, lambda each: set(each) >= SPOOL, within_s=0.5)
            await until(port, lambda each: not set(each) & SPOOL, within_s=1.5)

    asyncio.run(questions())


def test_an_empty_spool_is_of_no_age(tmp_path: Path) -> None:
    seen = look_at(tmp_path, now())
    assert seen is not None
    assert (seen.bytes, seen.oldest_age_s) == (0, 0)
