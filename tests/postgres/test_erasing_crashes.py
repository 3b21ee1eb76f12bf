"""kill -9 of a real process at random steps of erasing: real vault, real keys, real PostgreSQL."""

import asyncio
import os
import random
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import tables_audit
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.holds import PostgresHolds
from recorder.adapters.postgres.inventory import PostgresInventory
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.vault import DiskVault
from recorder.custody.rules import describe, folder_of
from recorder.erasure.model import Stage
from recorder.errors import RecordingDamaged
from recorder.holds.model import HoldId
from recorder.model import RecordingId
from tests.builders import IN_SCOPE, NOON, a_call
from tests.builders_keeping import OLGA, PURGE, a_hold, numbered
from tests.contracts.test_keeping import WARSAW
from tests.crashes import Run
from tests.crashes import Stage as CrashStage
from tests.keys import a_vault

pytestmark = pytest.mark.postgres
KILLS = 200
OLD = NOON - timedelta(days=31)


async def seal(
    engine: AsyncEngine, vault: DiskVault, directory: Path, number: int, *, days_old: int
) -> RecordingId:
    recording_id, call_id = numbered(number)
    ended = NOON - timedelta(days=days_old)
    call = a_call(
        id=call_id,
        channel_id=str(number),
        scope=IN_SCOPE,
        consent=IN_SCOPE,
        recording_id=recording_id,
        arrived_at=ended,
        ended_at=ended,
    )
    raw = directory / "audio.raw"
    raw.write_bytes(b"\x10\x00\x20\x00" * 800)
    audio = await vault.store(recording_id, raw=raw, folder=folder_of(ended))
    path = directory / "vault" / folder_of(ended) / f"{recording_id}.rec"
    os.utime(path, (ended.timestamp(), ended.timestamp()))
    recording = describe(call, audio, retention_days=30, office_zone=WARSAW, now=ended)
    await PostgresLedger(engine).record_call(call, recording=recording, incidents=[], at=ended)
    return recording_id


async def check(engine: AsyncEngine, vault: DiskVault, ids: list[RecordingId]) -> None:
    """Never a tombstone with a key or a file present; never a recording half readable."""
    inventory = PostgresInventory(engine, actor=PURGE)
    erasures = PostgresErasures(engine, actor=PURGE)
    async with engine.connect() as connection:
        event = tables_audit.AuditEventTable
        told = await connection.scalars(
            select(event.subject).where(event.action == "recording:claimed")
        )
        claimed = set(told.all())
    folder = folder_of(OLD)
    for each in ids:
        row, stones = await erasures.get(each), await inventory.tombstones_among([each])
        key, file = await vault.remains(each, folder=folder)
        assert (row is None) == (each in stones)
        if row is None:
            assert not key
            assert not file
        elif row.stage is Stage.KEPT:
            assert await vault.digest(each, folder=folder)
        else:
            assert f"recording:{each}" in claimed
            if not key and file:
                with pytest.raises(RecordingDamaged):
                    await vault.digest(each, folder=folder)


@pytest.mark.timeout(900)
async def test_killed_at_any_of_200_steps_the_next_run_ends_in_the_same_state(
    database_url: str, tmp_path: Path
) -> None:
    """R7.2e, F16, P9."""
    chance = random.Random(9)
    vault = a_vault(tmp_path)
    (tmp_path / "vault").mkdir(exist_ok=True)
    async with connect(database_url) as engine:
        held = await seal(engine, vault, tmp_path, 1, days_old=31)
        young = await seal(engine, vault, tmp_path, 2, days_old=3)
        await PostgresHolds(engine).place([a_hold(held, id=HoldId(held))], actor=OLGA)
        erased: list[RecordingId] = []
        kills = number = 0
        with CrashStage("tests.postgres.erasing") as stage:

            async def some_more() -> list[RecordingId]:
                nonlocal number
                number += 3
                return [
                    await seal(engine, vault, tmp_path, number + n, days_old=31) for n in range(3)
                ]

            async def erase(die_at: int | None) -> Run:
                arguments = (database_url, str(tmp_path), NOON.isoformat())
                return await asyncio.to_thread(stage.run, "erase_due", arguments, die_at=die_at)

            erased += await some_more()
            steps = len((await erase(None)).steps)
            assert steps > 35, "the steps of erasing are counted"
            await erase(None)
            while kills < KILLS:
                ids = await some_more()
                kills += (await erase(chance.randint(1, steps))).died_at is not None
                await check(engine, vault, [*ids, held])
                if chance.random() < 0.3:
                    kills += (await erase(chance.randint(1, steps))).died_at is not None
                    await check(engine, vault, [*ids, held])
                await erase(None)
                await check(engine, vault, [*ids, held])
                inventory = PostgresInventory(engine, actor=PURGE)
                assert await inventory.tombstones_among(ids) == set(ids)
                erased += ids
        assert await vault.digest(held, folder=folder_of(OLD))
        assert await vault.digest(young, folder=folder_of(NOON - timedelta(days=3)))
        left = {each.id for each in vault.present()}
        assert left == {held, young}
        assert set(vault.keys_present()) == {held, young}
        async with engine.connect() as connection:
            event = tables_audit.AuditEventTable
            for action in ("recording:claimed", "recording:erased"):
                told = await connection.scalars(select(event.subject).where(event.action == action))
                assert sorted(told.all()) == sorted(f"recording:{each}" for each in erased)
