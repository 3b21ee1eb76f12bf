"""R7.2c on PostgreSQL: two persons at once, and persons against the purge."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import uuid_utils.compat as uuids
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres.approvals import PostgresApprovals
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.jobs import PostgresJobs
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.adapters.postgres.tables_audit import AuditEventTable
from recorder.audit.event import Actor, ActorKind
from recorder.erasure.changing import RetentionDesk
from recorder.erasure.service import Eraser
from recorder.errors import LedgerUnavailable, RuleViolation
from tests.builders import NOON
from tests.builders_keeping import KAMIL, OLGA, PURGE, a_change
from tests.contracts.test_keeping import CLAIM, seal
from tests.fakes import FakeClock
from tests.fakes_erasure import FakeShredder, FakeWitness

pytestmark = pytest.mark.postgres
DAY = timedelta(days=1)
ROUNDS = 60


@pytest.fixture
async def engine(runtime_url: str) -> AsyncIterator[AsyncEngine]:
    async with connect(runtime_url) as engine:
        yield engine


def desk(engine: AsyncEngine) -> RetentionDesk:
    log = PostgresPurgeLog(engine, actor=PURGE)
    eraser = Eraser(
        erasures=PostgresErasures(engine, actor=PURGE),
        purge_log=log,
        vault=FakeShredder(),
        clock=FakeClock(),
        witness=FakeWitness(),
        actor=PURGE,
        retention_days=30,
        office_zone=ZoneInfo("Europe/Warsaw"),
        lead=timedelta(hours=1),
        new_token=lambda: "token",
    )
    return RetentionDesk(
        eraser=eraser,
        purge_log=log,
        approvals=PostgresApprovals(engine),
        clock=FakeClock(),
        new_id=uuids.uuid7,
        four_eyes=True,
    )


async def test_of_many_who_confirm_at_once_one_does_it(engine: AsyncEngine) -> None:
    await seal(engine, 1, NOON - 10 * DAY)
    approval = await desk(engine).ask(7, reason="order 12/2026", seen=1, actor=OLGA)
    assert approval is not None
    others = [Actor(kind=ActorKind.OPERATOR, name=f"person{n}") for n in range(8)]
    answers = await asyncio.gather(
        *(desk(engine).confirm(approval, seen=1, actor=each) for each in (*others, OLGA)),
        return_exceptions=True,
    )
    won = [each for each in answers if not isinstance(each, BaseException)]
    assert len(won) == 1
    assert all(isinstance(each, RuleViolation) for each in answers if each is not won[0])
    first, last = (await desk(engine).changes())[::-1]
    assert (first.from_days, first.to_days, first.decided_by) == (None, 30, "process:retention")
    assert (last.from_days, last.to_days, last.at_once) == (30, 7, 1)


async def test_the_stored_days_are_put_right_at_once(engine: AsyncEngine) -> None:
    """R7.2a: what a page shows follows the change, not the next of the six-hourly rounds."""
    jobs = PostgresJobs(engine)
    approval = await desk(engine).ask(7, reason="order 12/2026", seen=0, actor=OLGA)
    assert approval is not None
    for name in ("reconcile", "scrub"):
        await jobs.started(name, worker="w", at=NOON - DAY, next_due=NOON + DAY)
    await desk(engine).confirm(approval, seen=0, actor=KAMIL)
    due = {each.name: each.next_due for each in await jobs.states()}
    assert due == {"reconcile": NOON, "scrub": NOON + DAY}


async def test_the_database_itself_refuses_the_person_who_proposed(engine: AsyncEngine) -> None:
    """Whatever a program does: CHECK four_eyes."""
    approval = await desk(engine).ask(7, reason="order 12/2026", seen=0, actor=OLGA)
    change = a_change(from_days=30, to_days=7)
    log = PostgresPurgeLog(engine, actor=PURGE)
    with pytest.raises(LedgerUnavailable, match="23514"):
        await log.apply(change, written=30, actor=OLGA, approval=approval)
    assert (await desk(engine).in_force()).days == 30
    assert len(await desk(engine).changes()) == 1


async def test_no_run_claims_under_days_that_persons_changed(engine: AsyncEngine) -> None:
    """A confirmation against a purge, many times: the trail's order says who was first."""
    log, erasures = PostgresPurgeLog(engine, actor=PURGE), PostgresErasures(engine, actor=PURGE)
    assert await log.apply(a_change(), written=30, actor=KAMIL, approval=None)
    number, days = 0, 30
    for round_of in range(ROUNDS):
        ids = [await seal(engine, number + n, NOON - 20 * DAY) for n in range(3)]
        number += len(ids)
        other = 7 if days == 30 else 30
        change = a_change(from_days=days, to_days=other)
        run = replace(CLAIM, retention_days=days)
        acts = [
            *(erasures.claim([each], run, approval=None) for each in ids),
            log.apply(change, written=30, actor=KAMIL, approval=None),
        ]
        # Whoever is named first begins first, and mostly wins.
        first = acts if round_of % 2 else acts[::-1]
        assert (await asyncio.gather(*first))[-1 if round_of % 2 else 0]
        days = other
    hold, orders = None, []
    for action, details in await _trail(engine):
        if action == "retention:changed":
            hold = details["to_days"]
            orders.append(action)
        elif action == "recording:claimed":
            assert details["retention_days"] == hold
            orders.append(action)
    assert orders.count("retention:changed") == ROUNDS + 1
    # Both came first now and then, or this would prove nothing.
    claimed = orders.count("recording:claimed")
    assert 0 < claimed < number


async def _trail(engine: AsyncEngine) -> list[tuple[str, dict[str, object]]]:
    event = AuditEventTable
    async with engine.connect() as connection:
        rows = await connection.execute(select(event.action, event.details).order_by(event.seq))
        return [(row.action, json.loads(row.details)) for row in rows]
