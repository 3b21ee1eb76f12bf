"""Forty-five days without a purge, then one run: real files, a real PostgreSQL (P6, P8)."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from recorder.adapters.postgres import tables
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.holds import PostgresHolds
from recorder.adapters.postgres.inventory import PostgresInventory
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.custody.rules import folder_of
from recorder.holds.model import HoldId
from recorder.model import RecordingId
from tests.builders import NOON
from tests.builders_keeping import OLGA, PURGE, a_change, a_hold
from tests.fakes_erasure import FakeWitness
from tests.keys import a_vault
from tests.postgres.test_erasing_crashes import seal

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parents[2]
OUTAGE = 45
A_DAY = 3
LIKE_ANYBODY = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"]
"""Root may write what is read-only, unless it gives up that it may."""


def purge(url: str, directory: Path) -> dict[str, object]:
    """Run one purge in a process that file permissions bind, at noon."""
    command = [sys.executable, "-m", "tests.postgres.racing", "purge", url, str(directory)]
    done = subprocess.run(
        [*(LIKE_ANYBODY if os.getuid() == 0 else []), *command],
        input="{}\n",
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_after_45_days_without_a_purge_one_run_erases_all_that_is_due(
    database_url: str, retention_url: str, tmp_path: Path
) -> None:
    """Calls were recorded meanwhile; three are held; a file, a key and a folder are in the way."""
    vault = a_vault(tmp_path)
    due: dict[RecordingId, str] = {}
    kept: dict[RecordingId, str] = {}

    async def fill() -> list[RecordingId]:
        # The machine was off: another start, and a clock that only the kernel vouches for.
        before = FakeWitness().read()
        before = replace(before, at=NOON - timedelta(days=OUTAGE), boot_id="before the outage")
        async with connect(database_url) as engine:
            log = PostgresPurgeLog(engine, actor=PURGE)
            await log.passed(before)
            await log.apply(a_change(at=before.at), written=30, actor=PURGE, approval=None)
            for age in range(OUTAGE + 30):
                for number in range(A_DAY):
                    at = age * A_DAY + number
                    each = await seal(engine, vault, tmp_path, at, days_old=age)
                    # On its thirtieth day a recording goes an hour before its time.
                    ended = folder_of(NOON - timedelta(days=age))
                    (due if age >= 30 else kept)[each] = ended
            held = [*due][:: len(due) // 2][:3]
            for each in held:
                await PostgresHolds(engine).place([a_hold(each, id=HoldId(each))], actor=OLGA)
            return held

    held = asyncio.run(fill())
    kept |= {each: due.pop(each) for each in held}
    locked, key_locked, *_ = due
    (audio,) = (tmp_path / "vault").rglob(f"{locked}.rec")
    (key,) = (tmp_path / "keys").glob(f"{key_locked}.*")
    audio.chmod(0)
    key.chmod(0o400)

    told = purge(retention_url, tmp_path)
    assert (told["erased"], told["failed"], told["held"]) == (len(due) - 2, 2, len(held))
    asyncio.run(require(database_url, tmp_path, gone=set(due) - {locked, key_locked}, kept=kept))
    assert not vault._keys.holds(locked), "nobody can hear what is in the way"
    assert not list((tmp_path / "vault").rglob(f"{key_locked}.rec")), "nor what its key is left of"
    assert asyncio.run(alarms(database_url)) == {locked: 1, key_locked: 1}

    audio.chmod(0o600)
    key.chmod(0o600)
    told = purge(retention_url, tmp_path)
    assert (told["erased"], told["finished"], told["failed"]) == (0, 2, 0)
    asyncio.run(require(database_url, tmp_path, gone=set(due), kept=kept))
    assert {each.id for each in vault.present()} == set(kept) == set(vault.keys_present())


async def require(
    url: str, directory: Path, *, gone: set[RecordingId], kept: dict[RecordingId, str]
) -> None:
    """What is gone left a tombstone; what is kept can be heard."""
    vault = a_vault(directory)
    async with connect(url) as engine:
        stones = await PostgresInventory(engine, actor=PURGE).tombstones_among([*gone, *kept])
    assert stones == gone
    for each, folder in kept.items():
        assert await vault.digest(each, folder=folder)


async def alarms(url: str) -> dict[RecordingId, int]:
    """Return what would not go, and how often it was tried; each is an incident."""
    async with connect(url) as engine:
        half = await PostgresErasures(engine, actor=PURGE).half_erased(after=None, limit=10)
        async with engine.connect() as connection:
            kinds = (await connection.scalars(select(tables.IncidentTable.kind))).all()
    assert kinds == ["erasure_failed"] * len(half)
    return {each.id: each.failures for each in half}
