"""The ledger on a real PostgreSQL."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import select

from recorder.adapters.postgres import queries, tables
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.custody.rules import describe
from recorder.embedded.postgres import EmbeddedPostgres
from recorder.errors import LedgerUnavailable
from recorder.model import CallId, CallRecord, Decision, Reason, Span
from tests.builders import IN_SCOPE, NOON, RECORDING, a_call
from tests.core.test_custody_rules import some_audio
from tests.postgres.conftest import url_of

pytestmark = pytest.mark.postgres
WARSAW = ZoneInfo("Europe/Warsaw")
DECLINED = Decision(record=False, reason=Reason.DECLINED)


async def record(url: str, call: CallRecord, *, with_audio: bool = False) -> bool:
    recording = (
        describe(call, some_audio(20), retention_days=30, office_zone=WARSAW, now=NOON)
        if with_audio
        else None
    )
    async with connect(url) as engine:
        return await PostgresLedger(engine).record_call(
            call, recording=recording, incidents=[], at=NOON
        )


async def the_call(url: str) -> Any:
    async with connect(url) as engine, engine.connect() as connection:
        return (await connection.execute(select(*tables.CallTable.__table__.columns))).one()


async def find(url: str, **criteria: Any) -> int:
    async with connect(url) as engine:
        wanted = queries.Criteria(**criteria)
        return len(await queries.find_calls(engine, wanted, office_zone=WARSAW))


async def test_the_same_call_twice_is_one_row(database_url: str) -> None:
    """I1: sealing may be repeated after any crash."""
    call = a_call(
        scope=IN_SCOPE,
        consent=IN_SCOPE,
        recording_id=RECORDING,
        ended_at=NOON,
        bridged=(Span(since=NOON, until=NOON + timedelta(seconds=20)),),
    )
    assert await record(database_url, call, with_audio=True)
    assert not await record(database_url, call, with_audio=True)
    assert (await the_call(database_url)).outcome == "recorded"
    async with connect(database_url) as engine:
        assert await PostgresLedger(engine).knows_channel("pbx1", call.channel_id)
        assert not await PostgresLedger(engine).knows_channel("pbx2", call.channel_id)


@pytest.mark.parametrize(
    "name",
    ["'); DROP TABLE call;--", "<b>", "../..", "$(x)", "a\nb\tc", "\u202e gnp", "x" * 5000, ""],
)
async def test_hostile_text_comes_back_as_it_was(database_url: str, name: str) -> None:
    """B3."""
    await record(database_url, a_call(scope=IN_SCOPE, caller_name=name, caller_number=name))
    row = await the_call(database_url)
    assert (row.caller_name, row.caller_number) == (name, name)


async def test_what_postgresql_cannot_hold_is_replaced_and_nothing_else(
    database_url: str,
) -> None:
    await record(database_url, a_call(scope=IN_SCOPE, caller_name="a\x00b\ud800c"))
    assert (await the_call(database_url)).caller_name == "a\ufffdb\ufffdc"


@pytest.mark.parametrize(
    "spellings",
    [
        ("600123456", "+48600123456", "0048 600 123 456", "48600123456", "600-123-456"),
        ("746640800", "+48 74 664 08 00", "0048746640800", "48746640800", "(74) 664-08-00"),
    ],
    ids=["mobile", "landline"],
)
async def test_a_number_is_found_in_every_usual_spelling(
    database_url: str, spellings: tuple[str, ...]
) -> None:
    """R7.5c, B4."""
    for number, delivered in enumerate(spellings):
        id_, channel = CallId(UUID(int=number + 1)), str(number)
        call = a_call(scope=IN_SCOPE, id=id_, channel_id=channel, caller_number=delivered)
        assert await record(database_url, replace(call, line=delivered))
    for typed in spellings:
        assert await find(database_url, caller=typed) == len(spellings)
        assert await find(database_url, called=typed) == len(spellings)
    for other in (f"{spellings[0][:-1]}9", spellings[0][:-1], "withheld"):
        assert await find(database_url, caller=other) == 0


async def test_a_withheld_number_is_found_by_line_day_and_hour(database_url: str) -> None:
    """R7.5a, R7.5c: noon UTC is 13:00 in Warsaw in November."""
    await record(database_url, a_call(scope=IN_SCOPE, caller_number=""))
    day = date(2026, 11, 12)
    known = {"caller": "withheld", "called": "74 664 08 00", "day": day}
    assert await find(database_url, hour=time(13, 40), **known) == 1
    assert await find(database_url, hour=time(14, 30), **known) == 0


async def test_calls_not_recorded_lose_their_numbers_and_others_do_not(database_url: str) -> None:
    """R7.2k."""
    await record(database_url, a_call(scope=IN_SCOPE, consent=DECLINED, ended_at=NOON))
    async with connect(database_url) as engine:
        ledger = PostgresLedger(engine)
        assert await ledger.forget_numbers(before=NOON, at=NOON) == 0
        later = NOON + timedelta(seconds=1)
        assert await ledger.forget_numbers(before=later, at=later) == 1
        assert await ledger.forget_numbers(before=later, at=later) == 0
    row = await the_call(database_url)
    assert (row.caller_number, row.caller_e164, row.caller_name) == (None, None, None)
    assert row.reason == "declined"


async def test_an_absent_postgresql_is_unavailable_and_quotes_no_number(
    postgres: EmbeddedPostgres,
) -> None:
    """F6."""
    nowhere = url_of(postgres, "postgres").replace(f":{postgres.port}/", ":1/")
    with pytest.raises(LedgerUnavailable) as caught:
        await record(nowhere, a_call(scope=IN_SCOPE))
    assert "600123456" not in str(caught.value)


async def test_a_read_only_postgresql_is_unavailable_and_quotes_no_number(
    postgres: EmbeddedPostgres, database_url: str
) -> None:
    """F8: as after a failover."""
    name = database_url.rpartition("/")[2]
    with psycopg.connect(postgres.plain_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    with pytest.raises(LedgerUnavailable) as caught:
        await record(database_url, a_call(scope=IN_SCOPE))
    assert "600123456" not in str(caught.value)
