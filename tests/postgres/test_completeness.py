"""Calls and the PBX's own records compared on a real PostgreSQL and real files (RG.13)."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import uuid_utils.compat as uuids
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.in_hand import SpoolInHand
from recorder.adapters.journals import DiskJournals
from recorder.adapters.pbx_records import NAME, PbxRecordFiles
from recorder.adapters.postgres.completeness import PostgresComparisons
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.incidents import PostgresIncidents
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.audit.event import Actor, ActorKind
from recorder.completeness.service import Completeness
from recorder.errors import PbxRecordsUnavailable, RuleViolation
from recorder.incidents.model import Incident, State
from recorder.incidents.service import IncidentDesk
from recorder.model import CallId, CallRecord, IncidentKind
from tests.builders import a_call
from tests.fakes import FakeClock

pytestmark = pytest.mark.postgres
WARSAW = ZoneInfo("Europe/Warsaw")
DAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 11, tzinfo=UTC)
NEXT_MORNING = datetime(2026, 11, 25, 7, tzinfo=UTC)
PROCESS = Actor(kind=ActorKind.PROCESS, name="retention")
ANNA = Actor(kind=ActorKind.ACCOUNT, name="anna")


@dataclass
class Desk:
    """A database, a folder of records, a spool, and what compares them."""

    engine: AsyncEngine
    folder: Path
    spool: Path
    clock: FakeClock
    completeness: Completeness
    incidents: PostgresIncidents

    def record(
        self,
        channel: str,
        *,
        at: datetime = NOON,
        endpoint: str = "trunk",
        answered: bool = True,
        name: str = NAME,
    ) -> None:
        disposition = "ANSWERED" if answered else "NO ANSWER"
        line = f"{at.timestamp():.6f},{at.timestamp() + 60:.6f},PJSIP/{endpoint}-0000001a,"
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(f"{line}{disposition},{channel}\n")

    async def row(self, channel: str, *, at: datetime = NOON) -> CallRecord:
        call = a_call(
            id=CallId(uuids.uuid7()),
            channel_id=channel,
            endpoint="trunk",
            arrived_at=at,
            ended_at=at + timedelta(minutes=1),
        )
        assert await PostgresLedger(self.engine).record_call(
            call, recording=None, incidents=[], at=at
        )
        return call

    async def open_ones(self) -> list[Incident]:
        return list(await self.incidents.page(State.OPEN, kind=None, after=None, limit=50))


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    folder, spool = tmp_path / "cdr-custom", tmp_path / "spool"
    folder.mkdir()
    spool.mkdir()
    clock = FakeClock()
    clock.at = NEXT_MORNING
    async with connect(database_url, application="test") as engine:
        yield Desk(
            engine=engine,
            folder=folder,
            spool=spool,
            clock=clock,
            completeness=Completeness(
                records=PbxRecordFiles([folder], keep=timedelta(days=30)),
                in_hand=SpoolInHand(spool),
                comparisons=PostgresComparisons(engine, actor=PROCESS, trunks=["trunk"]),
                clock=clock,
                trunks=["trunk"],
                office_zone=WARSAW,
            ),
            incidents=PostgresIncidents(engine),
        )


async def test_a_call_without_a_row_is_an_incident_once_and_ends_when_its_row_comes(
    desk: Desk,
) -> None:
    """RG.13."""
    for channel in ("1732.1", "1732.2"):
        desk.record(channel)
    await desk.row("1732.1")
    assert await desk.completeness.run() == "1 explained, 1 unexplained"
    assert await desk.completeness.run() == "1 explained, 1 unexplained"
    (incident,) = await desk.open_ones()
    assert (incident.kind, incident.detail, incident.at) == ("unexplained_call", "1732.2", NOON)
    await desk.row("1732.2")
    assert await desk.completeness.run() == "2 explained, 0 unexplained"
    closed = await desk.incidents.get(incident.id)
    assert closed is not None
    assert (closed.state, closed.closed_by) == (State.CLOSED, "process:retention")


async def test_a_row_that_a_superuser_takes_away_is_found(desk: Desk) -> None:
    """RG.13, A13."""
    for number in range(5):
        desk.record(f"1732.{number}")
        await desk.row(f"1732.{number}")
    assert await desk.completeness.run() == "5 explained, 0 unexplained"
    async with desk.engine.begin() as connection:
        await connection.execute(text("DELETE FROM call WHERE channel_id = '1732.3'"))
    assert await desk.completeness.run() == "4 explained, 1 unexplained"
    assert [each.detail for each in await desk.open_ones()] == ["1732.3"]


async def test_what_waits_in_the_spool_is_in_hand_and_what_rang_unheard_is_nothing(
    desk: Desk,
) -> None:
    for channel in ("1732.1", "1732.2", "1732.3"):
        desk.record(channel, answered=channel != "1732.3")
    DiskJournals(desk.spool).append(
        a_call().id, {"v": 1, "kind": "call:entered", "channel_id": "1732.1"}, durable=False
    )
    (desk.spool / "bypassed.log").write_text("1|1732.5|app_absent|1732.2|Y|Y|Y|Y|Y\n", "ascii")
    found = await desk.completeness.compare(DAY)
    assert (found.in_hand, found.never_answered, found.unexplained) == (2, 1, ())
    kept = await desk.completeness._comparisons.of_day(DAY)
    assert kept is not None
    assert (kept.in_hand, kept.is_complete) == (2, True)


async def test_rows_without_a_record_are_kept_and_a_missing_file_of_all_is_told_once(
    desk: Desk,
) -> None:
    rows = [await desk.row(f"1732.{number}") for number in range(12)]
    desk.record("9999.1", at=NOON - timedelta(days=9))
    for _ in range(2):
        await desk.completeness.compare(DAY)
    kept = await desk.completeness._comparisons.of_day(DAY)
    assert kept is not None
    assert {str(each) for each in kept.without_record} == {str(each.id) for each in rows}
    (incident,) = await desk.open_ones()
    assert (incident.kind, incident.detail) == ("pbx_records_missing", "2026-11-24")


async def test_turned_files_are_read_and_torn_lines_are_no_calls(desk: Desk) -> None:
    desk.record("1732.1", name=f"{NAME}.1")
    desk.record("1732.2")
    with (desk.folder / NAME).open("ab") as file:
        file.write(
            b"1732,\xff\xfe\n\0\0\0,,,,\nNaN,1,2,3,4\n1e99,1e99,PJSIP/trunk-1,ANSWERED,x\n173"
        )
    found = await desk.completeness.compare(DAY)
    assert {each.channel_id for each in found.unexplained} == {"1732.1", "1732.2"}


async def test_records_that_cannot_be_read_are_no_answer(desk: Desk) -> None:
    """The same as P3: nothing is explained, and nothing closed, by a question that failed."""
    desk.record("1732.1")
    await desk.completeness.run()
    for each in desk.folder.iterdir():
        each.unlink()
    desk.folder.rmdir()
    with pytest.raises(PbxRecordsUnavailable):
        await desk.completeness.run()
    assert len(await desk.open_ones()) == 1


async def test_days_are_counted_by_outcome_and_counted_anew_when_a_row_comes_late(
    desk: Desk,
) -> None:
    await desk.row("1732.1")
    assert await desk.completeness.count_calls() == "1 calls"
    await desk.row("1732.2")
    assert await desk.completeness.count_calls() == "2 calls"
    async with desk.engine.connect() as connection:
        rows = (await connection.execute(text("SELECT day, calls FROM call_day"))).all()
    assert [tuple(each) for each in rows] == [(DAY, 2)]


async def test_incidents_of_one_kind_and_day_are_explained_together_then_closed(
    desk: Desk,
) -> None:
    for number in range(3):
        desk.record(f"1732.{number}")
    desk.record("1732.9", at=NOON - timedelta(days=1))
    await desk.completeness.compare(DAY)
    await desk.completeness.compare(DAY - timedelta(days=1))
    about = IncidentDesk(incidents=desk.incidents, clock=desk.clock, office_zone=WARSAW)
    newest, *_ = await desk.open_ones()
    with pytest.raises(RuleViolation, match="not_explained"):
        await about.close(newest.id, actor=ANNA)
    assert await about.explain(newest.id, " próba łącza ", all_alike=True, actor=ANNA) == 3
    assert len(await desk.open_ones()) == 1
    (count,) = await desk.incidents.counts()
    assert (count.kind, count.open, count.explained) == (IncidentKind.UNEXPLAINED_CALL, 1, 3)
    await about.close(newest.id, actor=ANNA)
    told = await desk.incidents.get(newest.id)
    assert told is not None
    assert (told.explanation, told.explained_by) == ("próba łącza", "account:anna")
    assert told.state is State.CLOSED
    async with desk.engine.connect() as connection:
        actions = (await connection.scalars(text("SELECT action FROM audit_event"))).all()
    assert sorted(actions) == ["incident:closed", *["incident:explained"] * 3]


async def test_incidents_are_paged_newest_first(desk: Desk) -> None:
    for number in range(5):
        desk.record(f"1732.{number}", at=NOON + timedelta(minutes=number))
    await desk.completeness.compare(DAY)
    first = await desk.incidents.page(None, kind=None, after=None, limit=3)
    rest = await desk.incidents.page(State.OPEN, kind=None, after=first[-1].id, limit=3)
    assert [each.detail[-1] for each in [*first, *rest]] == ["4", "3", "2", "1", "0"]


async def test_files_of_days_before_are_set_aside_and_go_when_recordings_must(desk: Desk) -> None:
    """§ 7.2: a record is kept no longer than a recording."""
    desk.record("1732.1")
    old = desk.folder / f"{NAME}-20261001"
    old.write_text("1,2,PJSIP/trunk-1,ANSWERED,1730.1\n", "utf-8")
    os.utime(old, (0, (NEXT_MORNING - timedelta(days=30, seconds=1)).timestamp()))
    await desk.row("1732.1")
    assert await desk.completeness.run() == "1 explained, 0 unexplained"
    assert [each.name for each in desk.folder.iterdir()] == [f"{NAME}-20261124"]
    desk.record("1732.2", at=NEXT_MORNING - timedelta(hours=1))
    assert await desk.completeness.run() == "1 explained, 1 unexplained"
    assert {each.name for each in desk.folder.iterdir()} == {NAME, f"{NAME}-20261124"}
