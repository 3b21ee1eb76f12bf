"""F19: the web without descriptors and without memory says no, and is well again by itself."""

import asyncio
import resource
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from recorder.accounts.model import Role
from recorder.embedded.office import answers
from tests.limits import FILES, address_space, crowd, limited
from tests.web import test_real_clients
from tests.web.office import PASSWORD
from tests.web.test_real_clients import process

pytestmark = pytest.mark.postgres


@pytest.fixture
def pids(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that a test has started."""
    found: list[int] = []
    started = test_real_clients.started

    def noted(directory: Path) -> "subprocess.Popen[bytes]":
        running = started(directory)
        found.append(running.pid)
        return running

    monkeypatch.setattr(test_real_clients, "started", noted)
    return found


async def test_a_silent_crowd_takes_every_descriptor_for_as_long_as_a_head_may_take(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pids: list[int]
) -> None:
    async with process(database_url, tmp_path, monkeypatch) as (_, origin):
        port = int(origin.rpartition(":")[2])
        with limited(pids[0], resource.RLIMIT_NOFILE, FILES), crowd(port):
            assert not answers(f"{origin}/healthz"), "nobody met the shortage"
            until = time.monotonic() + 30
            while not await asyncio.to_thread(answers, f"{origin}/healthz"):
                assert time.monotonic() < until, "its door did not open again"
            async with httpx.AsyncClient(base_url=origin) as client:
                assert (await client.get("/sign-in")).status_code == 200


async def test_without_memory_a_request_is_refused_and_told_and_the_next_one_is_not(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pids: list[int]
) -> None:
    async with process(database_url, tmp_path, monkeypatch) as (office, origin):
        await office.person(Role.LISTENER, login="olga")
        form, headers = {"login": "olga", "password": PASSWORD}, {"Origin": origin}
        async with httpx.AsyncClient(base_url=origin, timeout=30) as client:
            # Less than the stack of a thread. With nothing at all a process may end, and is
            # started anew.
            with limited(pids[0], resource.RLIMIT_AS, address_space(pids[0]) + (4 << 20)):
                refused = [
                    (await client.post("/sign-in", data=form, headers=headers)).status_code
                    for _ in range(3)
                ]
            assert refused == [500, 500, 500]
            entered = await client.post("/sign-in", data=form, headers=headers)
            assert entered.status_code == 303
