"""What every ledger promises, the fake in memory and PostgreSQL alike."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import tables
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.audit.event import Actor, ActorKind
from recorder.custody.rules import describe
from recorder.erasure.model import Applied
from recorder.errors import LedgerUnavailable
from recorder.model import (
    CallId,
    CallRecord,
    Incident,
    IncidentKind,
    Recording,
    RecordingId,
)
from recorder.ports import Ledger
from tests.builders import CALL, IN_SCOPE, NOON, RECORDING, a_call, an_announcement
from tests.builders_keeping import a_change
from tests.core.test_custody_rules import some_audio
from tests.fakes_ledger import FakeLedger
from tests.postgres.conftest import database_url, postgres, runtime_url  # noqa: F401 - fixtures

pytestmark = pytest.mark.postgres
RETENTION = Actor(kind=ActorKind.PROCESS, name="retention")
OTHER = CallId(UUID(int=99))
WARSAW = ZoneInfo("Europe/Warsaw")


@dataclass(frozen=True, slots=True)
class Contents:
    """How much a ledger holds."""

    calls: int = 0
    recordings: int = 0
    incidents: int = 0
    announcements: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A ledger, and a look into it past the port."""

    ledger: Ledger
    contents: Callable[[], Awaitable[Contents]]
    put_in_force: Callable[[Applied], Awaitable[None]]


@pytest.fixture(params=["fake", "postgres"])
async def kept(request: pytest.FixtureRequest) -> AsyncIterator[Kept]:
    if request.param == "fake":
        fake = FakeLedger()

        async def put_in_force(applied: Applied) -> None:
            fake.applied = applied

        yield Kept(fake, lambda: _contents_of_fake(fake), put_in_force)
        return
    async with connect(request.getfixturevalue("runtime_url")) as engine:
        yield Kept(
            PostgresLedger(engine),
            lambda: _contents_of_database(engine),
            lambda applied: _put_in_force(engine, applied),
        )


@pytest.fixture(params=["fake", "postgres"])
async def unreachable(request: pytest.FixtureRequest) -> AsyncIterator[Ledger]:
    if request.param == "fake":
        fake = FakeLedger()
        fake.away = True
        yield fake
        return
    async with connect("postgresql+psycopg://recorder:secret@127.0.0.1:1/recorder") as engine:
        yield PostgresLedger(engine)


async def _put_in_force(engine: AsyncEngine, applied: Applied) -> None:
    await PostgresPurgeLog(engine, actor=RETENTION).apply(
        a_change(to_days=applied.days), written=applied.written, actor=RETENTION, approval=None
    )


async def _contents_of_fake(fake: FakeLedger) -> Contents:
    return Contents(
        calls=len(fake.calls),
        recordings=len(fake.recordings),
        incidents=len(fake.incidents),
        announcements=len(fake.announcements),
    )


async def _contents_of_database(engine: AsyncEngine) -> Contents:
    held = (
        tables.CallTable,
        tables.RecordingTable,
        tables.IncidentTable,
        tables.AnnouncementTable,
    )
    async with engine.connect() as connection:
        return Contents(
            *[await connection.scalar(select(func.count()).select_from(each)) or 0 for each in held]
        )


def a_recorded_call() -> tuple[CallRecord, Recording]:
    call = a_call(scope=IN_SCOPE, consent=IN_SCOPE, recording_id=RECORDING, ended_at=NOON)
    audio = some_audio(20)
    return call, describe(call, audio, retention_days=30, office_zone=WARSAW, now=NOON)


GAP = Incident(kind=IncidentKind.AUDIO_GAP, at=NOON, call_id=CALL)


async def test_a_call_is_written_whole(kept: Kept) -> None:
    call, recording = a_recorded_call()
    assert not await kept.ledger.knows_channel(call.node, call.channel_id)
    assert await kept.ledger.record_call(call, recording=recording, incidents=[GAP], at=NOON)
    assert await kept.ledger.knows_channel(call.node, call.channel_id)
    assert await kept.contents() == Contents(calls=1, recordings=1, incidents=1)


@pytest.mark.parametrize(
    "again",
    [
        pytest.param({}, id="the same call"),
        pytest.param({"channel_id": "1764000000.2"}, id="the same id"),
        pytest.param({"id": OTHER}, id="the same channel"),
    ],
)
async def test_a_call_that_is_there_changes_nothing(kept: Kept, again: dict[str, str]) -> None:
    """I1, I9: sealing may be repeated after any crash."""
    call, recording = a_recorded_call()
    first = a_call(scope=IN_SCOPE)
    assert await kept.ledger.record_call(first, recording=None, incidents=[], at=NOON)
    repeated = replace(call, **again)  # type: ignore[arg-type]
    written = kept.ledger.record_call(repeated, recording=recording, incidents=[GAP], at=NOON)
    assert not await written
    assert await kept.contents() == Contents(calls=1)


async def test_two_nodes_may_have_a_channel_of_the_same_name(kept: Kept) -> None:
    one = a_call(scope=IN_SCOPE)
    other = replace(one, id=OTHER, node="pbx2")
    assert await kept.ledger.record_call(one, recording=None, incidents=[], at=NOON)
    assert await kept.ledger.record_call(other, recording=None, incidents=[], at=NOON)
    assert await kept.contents() == Contents(calls=2)


async def test_of_ten_writers_at_once_one_writes(kept: Kept) -> None:
    call, recording = a_recorded_call()
    written = await asyncio.gather(
        *(
            kept.ledger.record_call(call, recording=recording, incidents=[GAP], at=NOON)
            for _ in range(10)
        )
    )
    assert sorted(written) == [False] * 9 + [True]
    assert await kept.contents() == Contents(calls=1, recordings=1, incidents=1)


async def test_a_version_of_an_announcement_is_one_however_often_it_is_kept(kept: Kept) -> None:
    """R8.2d."""
    version = an_announcement()
    for active_from in (None, NOON, NOON):
        await kept.ledger.keep_announcement(replace(version, active_from=active_from))
    assert await kept.contents() == Contents(announcements=1)


async def test_a_recording_is_marked_damaged_once_with_one_incident(kept: Kept) -> None:
    """RG.3."""
    call, recording = a_recorded_call()
    assert await kept.ledger.record_call(call, recording=recording, incidents=[], at=NOON)
    marked = [
        await kept.ledger.mark_damaged(each, at=NOON, detail="cut")
        for each in (RecordingId(UUID(int=77)), RECORDING, RECORDING)
    ]
    assert marked == [False, True, False]
    assert await kept.contents() == Contents(calls=1, recordings=1, incidents=1)


async def test_an_incident_needs_no_call(kept: Kept) -> None:
    await kept.ledger.record_incident(Incident(kind=IncidentKind.ORPHAN_AUDIO, at=NOON))
    assert await kept.contents() == Contents(incidents=1)


async def test_an_incident_told_once_is_one_row_however_often_it_is_found(kept: Kept) -> None:
    found = Incident(kind=IncidentKind.ORPHAN_AUDIO, at=NOON, detail="1.raw")
    assert [await kept.ledger.record_incident(found, once=True) for _ in range(2)] == [True, False]
    assert await kept.ledger.record_incident(replace(found, detail="2.raw"), once=True)
    assert await kept.ledger.record_incident(found), "not once is as often as it is told"
    assert await kept.contents() == Contents(incidents=3)


async def test_a_ledger_that_cannot_be_reached_says_so_each_time(unreachable: Ledger) -> None:
    """F6: and says nothing of the call nor of the password."""
    call, recording = a_recorded_call()
    attempts: list[Callable[[], Awaitable[object]]] = [
        lambda: unreachable.record_call(call, recording=recording, incidents=[], at=NOON),
        lambda: unreachable.knows_channel(call.node, call.channel_id),
        lambda: unreachable.record_incident(GAP),
        lambda: unreachable.mark_damaged(RECORDING, at=NOON, detail="cut"),
        lambda: unreachable.keep_announcement(an_announcement()),
    ]
    for attempt in attempts:
        with pytest.raises(LedgerUnavailable) as caught:
            await attempt()
        assert "600123456" not in str(caught.value)
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None


async def test_the_days_are_those_of_the_file_until_others_are_put_in_force(kept: Kept) -> None:
    """R7.2c."""
    assert await kept.ledger.retention_days(30) == 30
    await kept.put_in_force(Applied(14, 30))
    assert await kept.ledger.retention_days(30) == 14
    assert await kept.ledger.retention_days(20) == 14


async def test_without_an_answer_nobody_guesses_the_days(unreachable: Ledger) -> None:
    with pytest.raises(LedgerUnavailable):
        await unreachable.retention_days(30)
