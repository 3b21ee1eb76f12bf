"""Holds against purges: processes of their own, real files, a real PostgreSQL."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import tables_audit
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.inventory import PostgresInventory
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.adapters.postgres.trail_reading import PostgresTrail
from recorder.audit.service import Auditor
from recorder.custody.rules import folder_of
from recorder.erasure.model import Stage
from recorder.holds.rules import Why
from recorder.model import RecordingId
from tests.builders_keeping import PURGE
from tests.fakes_erasure import FakeWitness
from tests.keys import a_vault
from tests.postgres.test_erasing_crashes import OLD, seal

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parents[2]
RACES = 1000
AT_A_TIME = 50


class Racer:
    """One process; see ``racing.py``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, order: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return json.loads(await self._process.stdout.readline())


@asynccontextmanager
async def racer(role: str, url: str, directory: Path) -> AsyncIterator[Racer]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.postgres.racing", role, url, str(directory)),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield Racer(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@pytest.mark.timeout(600)
async def test_of_a_hold_and_a_purge_that_race_exactly_one_wins(
    database_url: str, runtime_url: str, retention_url: str, tmp_path: Path
) -> None:
    """R7.3g, P2: held means playable, erased means a tombstone; a thousand times.

    Two retention processes, of which one is elected, against two that place holds.
    """
    vault = a_vault(tmp_path)
    won_by_hold: set[RecordingId] = set()
    purged: set[RecordingId] = set()
    within_s, elections = 0.1, [0, 0]
    async with connect(database_url) as engine, AsyncExitStack() as stack:
        await PostgresPurgeLog(engine, actor=PURGE).passed(FakeWitness().read())
        roles = (("purge", retention_url), ("hold", runtime_url))
        purge, hold = [
            [await stack.enter_async_context(racer(role, url, tmp_path)) for _ in range(2)]
            for role, url in roles
        ]
        for start in range(0, RACES, AT_A_TIME):
            ids = [
                await seal(engine, vault, tmp_path, start + number, days_old=31)
                for number in range(AT_A_TIME)
            ]
            wanted = [str(each) for each in ids]
            answers = await asyncio.gather(
                *(each.ask({}) for each in purge),
                *(
                    each.ask({"ids": wanted[turn::2], "within_s": within_s})
                    for turn, each in enumerate(hold)
                ),
            )
            runs, said = answers[:2], answers[2] | answers[3]
            assert any(each["elected"] for each in runs)
            elections = [n + each["elected"] for n, each in zip(elections, runs, strict=True)]
            assert not any(each.get("failed") for each in runs)
            within_s = max(each.get("took_s", 0.0) for each in runs)
            held = {each for each in ids if said[str(each)] == Why.PLACED}
            assert {said[str(each)] for each in ids} <= {
                Why.PLACED,
                Why.BEING_ERASED,
                Why.ALREADY_ERASED,
            }
            await require_one_winner(engine, tmp_path, ids, held)
            won_by_hold |= held
            purged |= set(ids) - held
        assert await told(engine, "hold:placed") == sorted(map(str, won_by_hold))
        for action in ("recording:claimed", "recording:erased"):
            assert await told(engine, action) == sorted(map(str, purged))
        assert (await Auditor(PostgresTrail(engine), public=None).verify({})).fault is None
    assert len(won_by_hold) + len(purged) == RACES
    assert min(len(won_by_hold), len(purged)) > RACES / 20, "a race that one side wins is none"
    assert all(elections), "each of the two was the elected one at times"


async def require_one_winner(
    engine: AsyncEngine, directory: Path, ids: Sequence[RecordingId], held: set[RecordingId]
) -> None:
    """What is held is whole and can be heard; of everything else there is a tombstone alone."""
    vault, folder = a_vault(directory), folder_of(OLD)
    stones = await PostgresInventory(engine, actor=PURGE).tombstones_among(ids)
    assert stones == set(ids) - held
    for each in ids:
        row = await PostgresErasures(engine, actor=PURGE).get(each)
        if each in held:
            assert row is not None
            assert row.stage is Stage.KEPT
            assert await vault.digest(each, folder=folder)
        else:
            assert row is None
            assert await vault.remains(each, folder=folder) == (False, False)


async def told(engine: AsyncEngine, action: str) -> list[str]:
    """Return of which recordings the trail says so."""
    event = tables_audit.AuditEventTable
    async with engine.connect() as connection:
        rows = await connection.execute(
            select(event.subject, event.details).where(event.action == action)
        )
        return sorted(
            json.loads(row.details)["recording"]
            if action == "hold:placed"
            else row.subject.split(":")[1]
            for row in rows
        )
