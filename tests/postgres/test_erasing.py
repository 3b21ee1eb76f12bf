"""Erasing on a real PostgreSQL: one winner of every race, and nothing left of a person."""

import random
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import tables, tables_keeping
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.holds import PostgresHolds
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.erasure.ports import Shredder
from recorder.erasure.rules import ended_before, judge
from recorder.erasure.service import Eraser
from recorder.errors import LedgerUnavailable
from recorder.holds.model import HoldId
from tests.builders import NOON
from tests.builders_keeping import OLGA, PURGE, a_hold, numbered
from tests.contracts.test_keeping import CLAIM, WARSAW, seal
from tests.fakes import FakeClock
from tests.fakes_erasure import FakeShredder, FakeWitness

pytestmark = pytest.mark.postgres
OLD = NOON - timedelta(days=31)


def text_of_database(url: str) -> str:
    """Return everything that a reader of the database can see."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        return "\n".join(
            str(row)
            for (name,) in names
            for row in connection.execute(f'SELECT * FROM "{name}"'.encode()).fetchall()
        )


def eraser(engine: AsyncEngine, vault: Shredder, clock: FakeClock) -> Eraser:
    witness = FakeWitness()
    return Eraser(
        erasures=PostgresErasures(engine, actor=PURGE),
        purge_log=PostgresPurgeLog(engine, actor=PURGE),
        vault=vault,
        clock=clock,
        witness=witness,
        actor=PURGE,
        retention_days=30,
        office_zone=WARSAW,
        lead=timedelta(hours=1),
        new_token=lambda: "token",
    )


async def test_nothing_of_a_person_is_left_in_the_database(database_url: str) -> None:
    """RK.4c, R7.2g: the number, the name, who answered; the call itself stays countable."""
    vault = FakeShredder()
    async with connect(database_url) as engine:
        recording = await seal(engine, 1, OLD)
        vault.put(recording, OLD)
        assert "600123456" in text_of_database(database_url)
        assert (await eraser(engine, vault, FakeClock()).run()).erased == 1
        left = text_of_database(database_url)
        for personal in ("600123456", "Jan Nowak", "desk"):
            assert personal not in left
        async with engine.connect() as connection:
            call = (await connection.execute(select(*tables.CallTable.__table__.columns))).one()
            stone = (
                await connection.execute(select(*tables_keeping.TombstoneTable.__table__.columns))
            ).one()
    assert (call.outcome, call.line, call.arrived_at) == ("recorded", "746640800", OLD)
    assert call.numbers_forgotten_at == NOON
    assert (stone.recording_id, stone.call_id) == numbered(1)
    assert (stone.route, stone.why, stone.actor) == ("automatic", "expired", "process:retention")
    assert (stone.erased_at, stone.retention_days, stone.sha256) == (NOON, 30, "0" * 64)
    assert stone.id.version == 4, "its id tells nothing of when"


async def test_the_reason_of_an_ended_hold_goes_with_the_recording(database_url: str) -> None:
    """RK.4c: a free text may name people; ground, reference and times stay as evidence."""
    async with connect(database_url) as engine:
        recording = await seal(engine, 1, OLD)
        holds = PostgresHolds(engine)
        await holds.place([a_hold(recording, ended_at=NOON)], actor=OLGA)
        async with engine.begin() as connection:
            table = tables_keeping.HoldTable
            await connection.execute(table.__table__.update().values(ended_at=NOON))  # type: ignore[attr-defined]
        erasures = PostgresErasures(engine, actor=PURGE)
        assert await erasures.claim([recording], CLAIM, approval=None)
        await erasures.close([recording], at=NOON)
        (hold,) = [await holds.get(HoldId(UUID(int=77)))]
    assert hold is not None
    assert (hold.reason, hold.reference) == ("", "RSD 12/2026")


async def test_the_query_leaves_out_nothing_that_is_erasable(database_url: str) -> None:
    """SQL narrows, Python decides: the verdict on all rows finds no more than on candidates."""
    chance = random.Random(30)
    async with connect(database_url) as engine:
        ages = [timedelta(seconds=chance.randint(25 * 86400, 33 * 86400)) for _ in range(300)]
        for number, age in enumerate(ages):
            await seal(engine, number, NOON - age)
        erasures = PostgresErasures(engine, actor=PURGE)
        everything = await erasures.candidates(
            ended_before=NOON + timedelta(days=1), after=None, limit=1000
        )
        assert len(everything) == len(ages)
        for days in (30, 29):
            terms = {"retention_days": days, "lead": timedelta(hours=1), "now": NOON}
            cut_off = ended_before(**terms)  # type: ignore[arg-type]
            narrowed = {
                each.id
                for each in await erasures.candidates(ended_before=cut_off, after=None, limit=1000)
            }
            due = {
                each.id
                for each in everything
                if judge(each, holds=[], office_zone=WARSAW, **terms).erase  # type: ignore[arg-type]
            }
            assert due
            assert due <= narrowed < {each.id for each in everything}


async def test_a_failing_question_for_holds_stops_the_run_with_everything_whole(
    database_url: str,
) -> None:
    """P3: the table is renamed under a run's feet, so that the question itself fails."""
    vault = FakeShredder()
    async with connect(database_url) as engine:
        recording = await seal(engine, 1, OLD)
        vault.put(recording, OLD)
        with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as raw:
            raw.execute("ALTER TABLE hold RENAME TO hold_away")
            with pytest.raises(LedgerUnavailable):
                await eraser(engine, vault, FakeClock()).run()
            assert recording in vault.keys
            raw.execute("ALTER TABLE hold_away RENAME TO hold")
        assert (await eraser(engine, vault, FakeClock()).run()).erased == 1


async def test_a_failure_is_an_incident_once_and_counted_each_time(database_url: str) -> None:
    """R7.2h."""
    vault = FakeShredder()
    async with connect(database_url) as engine:
        recording = await seal(engine, 1, OLD)
        vault.put(recording, OLD)
        vault.stuck = {recording}
        for failures in (1, 2, 3):
            await eraser(engine, vault, FakeClock()).run()
            row = await PostgresErasures(engine, actor=PURGE).get(recording)
            assert row is not None
            assert row.failures == failures
        async with engine.connect() as connection:
            incidents = (await connection.scalars(select(tables.IncidentTable.kind))).all()
    assert incidents == ["erasure_failed"]


async def test_numbers_of_calls_without_audio_go_by_the_same_clock(database_url: str) -> None:
    async with connect(database_url) as engine:
        recording = await seal(engine, 1, OLD)
        assert await PostgresLedger(engine).forget_numbers(before=NOON, at=NOON) == 0
        vault = FakeShredder()
        vault.put(recording, OLD)
        await eraser(engine, vault, FakeClock()).run()
        assert "600123456" not in text_of_database(database_url)
