"""Finding a call among many, by what people know and by what strangers type."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest
import uuid_utils.compat as uuids
from sqlalchemy.dialects.postgresql import dialect

from recorder.adapters.postgres import by_digits, migrate, queries
from recorder.adapters.postgres import ledger as ledger_module
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.postgres.rows import CallRow
from recorder.custody.rules import describe
from recorder.embedded.postgres import EmbeddedPostgres
from recorder.model import CallId, CallRecord, Decision, Outcome, Reason
from tests.builders import IN_SCOPE, NOON, RECORDING, a_call
from tests.core.test_custody_rules import some_audio
from tests.postgres.conftest import create, url_of

pytestmark = pytest.mark.postgres
WARSAW = ZoneInfo("Europe/Warsaw")
DECLINED = Decision(record=False, reason=Reason.DECLINED)

MANY_CALLS = """
INSERT INTO call (id, node, channel_id, linked_id, arrived_at, endpoint, context, line, line_e164,
    caller_number, caller_e164, caller_name, outcome, reason, rule_version, scope_reason, language,
    keys, bridged, bridged_seconds, answered_by, parties, timeline, pbx_lost, unwatched, quality,
    written_at)
SELECT uuidv7(), 'pbx1', i::text, '', at, 'operator', 'from-operator', '746640800', '+48746640800',
    CASE WHEN i % 12 = 0 THEN '' ELSE number END,
    CASE WHEN i % 12 = 0 THEN NULL ELSE '+48' || number END,
    '', 'not_recorded', 'declined', '1', '', 'pl', '[]', '[]', 0, '', '[]', '[]', false, false,
    '{}', at
FROM (
    SELECT i, (600000000 + i * 7 % 40000)::text AS number,
        timestamptz '2026-11-01 06:00+00' + i * interval '5 seconds' AS at
    FROM generate_series(1, 200000) AS i
) AS generated
"""


@pytest.fixture(scope="module")
def crowded_url(postgres: EmbeddedPostgres) -> str:
    """A database with 200,000 calls."""
    create(postgres, "crowded", template="template")
    url = url_of(postgres, "crowded")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(MANY_CALLS)
        connection.execute("ANALYZE")
    return url


async def record(url: str, *calls: CallRecord) -> None:
    async with connect(url) as engine:
        ledger = PostgresLedger(engine)
        for call in calls:
            assert await ledger.record_call(call, recording=None, incidents=[], at=NOON)


async def find(url: str, **criteria: Any) -> list[CallRow]:
    async with connect(url) as engine:
        wanted = queries.Criteria(**criteria)
        return list(await queries.find_calls(engine, wanted, office_zone=WARSAW))


def plan_of(url: str, criteria: queries.Criteria) -> list[dict[str, Any]]:
    """Return every node of the plan that PostgreSQL chooses."""
    statement = queries.search_statement(criteria, office_zone=WARSAW).compile(
        dialect=dialect(paramstyle="named"),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found = connection.execute(f"EXPLAIN (FORMAT JSON) {statement}".encode()).fetchone()
    assert found is not None
    waiting, nodes = [found[0][0]["Plan"]], []
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        waiting += node.get("Plans", [])
    return nodes


DAY, HOUR = date(2026, 11, 5), time(10, 15)


@pytest.mark.parametrize(
    ("criteria", "index"),
    [
        pytest.param(
            queries.Criteria(caller="600 012 345", called="746640800", day=DAY, hour=HOUR),
            "ix_call_",
            id="all four fields",
        ),
        pytest.param(
            queries.Criteria(caller="withheld", called="746640800", day=DAY, hour=HOUR),
            "ix_call_",
            id="all four, number withheld",
        ),
        pytest.param(
            queries.Criteria(caller="600012345"), "ix_call_caller_e164_arrived_at", id="caller"
        ),
        pytest.param(
            queries.Criteria(caller="sip:nobody"),
            "ix_call_caller_number_arrived_at",
            id="no number",
        ),
        pytest.param(
            queries.Criteria(caller="withheld"), "ix_call_withheld_arrived_at", id="withheld"
        ),
        pytest.param(queries.Criteria(day=DAY), "ix_call_arrived_at", id="day"),
        pytest.param(queries.Criteria(), "ix_call_arrived_at", id="the newest"),
    ],
)
def test_a_search_among_200_000_calls_reads_an_index(
    crowded_url: str, criteria: queries.Criteria, index: str
) -> None:
    """R7.5d."""
    nodes = plan_of(crowded_url, criteria)
    of_calls = [each for each in nodes if each.get("Relation Name") == "call"]
    assert of_calls
    assert all(each["Node Type"] != "Seq Scan" for each in of_calls)
    assert any(str(each.get("Index Name", "")).startswith(index) for each in nodes)


async def test_the_four_fields_find_the_call(crowded_url: str) -> None:
    """R7.5a: an hour more or less, and not a minute beyond."""
    (known,) = await find(crowded_url, limit=1, offset=100_000)
    assert known.caller_number
    arrived = known.arrived_at.astimezone(WARSAW)
    fields = {"caller": known.caller_number, "called": known.line, "day": arrived.date()}
    about = (arrived + timedelta(minutes=60)).time()
    assert known in await find(crowded_url, hour=about.replace(second=0), **fields)
    about = (arrived + timedelta(minutes=62)).time()
    assert known not in await find(crowded_url, hour=about.replace(second=0), **fields)


async def test_pages_follow_one_another_without_gap_or_repetition(crowded_url: str) -> None:
    first = await find(crowded_url, day=DAY, limit=30)
    second = await find(crowded_url, day=DAY, limit=30, offset=30)
    assert [*first, *second] == await find(crowded_url, day=DAY, limit=60)


@pytest.mark.parametrize(
    ("arrived", "hour", "found"),
    [
        pytest.param(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), time(2, 30), True, id="first"),
        pytest.param(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), time(2, 30), True, id="second"),
        pytest.param(datetime(2026, 10, 25, 2, 0, tzinfo=UTC), time(2, 30), False, id="after"),
    ],
)
async def test_an_hour_that_the_clock_shows_twice_means_both(
    database_url: str, arrived: datetime, hour: time, found: bool
) -> None:
    """R7.5a: who says half past two does not say which."""
    await record(database_url, a_call(scope=IN_SCOPE, arrived_at=arrived))
    known = {"day": date(2026, 10, 25), "hour": hour, "window": timedelta(minutes=10)}
    assert bool(await find(database_url, **known)) is found


@pytest.mark.parametrize(
    ("arrived", "day", "found"),
    [
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), date(2026, 10, 25), True),
        (datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC), date(2026, 10, 25), True),
        (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), date(2026, 10, 25), False),
    ],
)
async def test_a_day_is_the_offices_day_also_when_it_has_25_hours(
    database_url: str, arrived: datetime, day: date, found: bool
) -> None:
    await record(database_url, a_call(scope=IN_SCOPE, arrived_at=arrived))
    assert bool(await find(database_url, day=day)) is found


@pytest.mark.parametrize("day", [date.min, date.max])
@pytest.mark.parametrize("hour", [None, time.min, time.max])
async def test_the_ends_of_the_calendar_are_days_without_calls(
    database_url: str, day: date, hour: time | None
) -> None:
    """B10."""
    assert await find(database_url, day=day, hour=hour, window=timedelta(days=1)) == []


@pytest.mark.parametrize(
    "typed",
    ["%", "_", "600%", "' OR 1=1 --", "6" * 10_240, ".*", "\x00", "\ud800", "", "(SELECT 1)"],
)
async def test_what_is_typed_is_a_value_and_never_a_pattern(database_url: str, typed: str) -> None:
    """B10."""
    await record(database_url, a_call(scope=IN_SCOPE, caller_number="600123456"))
    assert await find(database_url, caller=typed) == []
    assert await find(database_url, called=typed) == []


async def test_a_number_longer_than_any_index_entry_is_kept_and_found(database_url: str) -> None:
    """B3: what does not compress does not fit an index; the call must still get its row."""
    long = "".join(sha256(bytes([n])).hexdigest() for n in range(140))
    await record(database_url, a_call(scope=IN_SCOPE, caller_number=long, line=long))
    assert len(await find(database_url, caller=long)) == 1
    assert len(await find(database_url, called=long)) == 1
    assert await find(database_url, caller=long[:-1]) == []


async def test_outcome_and_reason_narrow_the_list(database_url: str) -> None:
    await record(
        database_url,
        a_call(scope=IN_SCOPE, consent=DECLINED),
        a_call(scope=IN_SCOPE, id=CallId(UUID(int=7)), channel_id="7", ended_at=NOON),
    )
    declined = await find(database_url, reason=Reason.DECLINED)
    assert [each.reason for each in declined] == ["declined"]
    assert len(await find(database_url, outcome=Outcome.NOT_RECORDED)) == 2
    assert await find(database_url, outcome=Outcome.RECORDED) == []
    async with connect(database_url) as engine:
        counted = await queries.count_outcomes(engine, since=NOON)
        assert sum(each.calls for each in counted) == 2
        assert await queries.count_outcomes(engine, since=NOON + timedelta(seconds=1)) == []


async def test_a_recording_of_a_whole_day_is_kept(database_url: str) -> None:
    """A forgotten call of 20 hours has more bytes than a 32-bit number counts."""
    call = a_call(scope=IN_SCOPE, consent=IN_SCOPE, recording_id=RECORDING, ended_at=NOON)
    audio = replace(some_audio(20 * 3600), size_bytes=2_304_000_044)
    sealed = describe(call, audio, retention_days=30, office_zone=WARSAW, now=NOON)
    async with connect(database_url) as engine:
        await PostgresLedger(engine).record_call(call, recording=sealed, incidents=[], at=NOON)
        row = await queries.get_recording(engine, RECORDING)
    assert row is not None
    assert (row.size_bytes, row.seconds) == (2_304_000_044, 72_000)


async def test_a_figure_that_is_no_number_costs_no_row(database_url: str) -> None:
    figures = {"jitter": float("nan"), "loss": float("inf"), "mes": 87.5}
    await record(database_url, a_call(scope=IN_SCOPE, quality=figures))
    (row,) = await find(database_url)
    async with connect(database_url) as engine:
        call = await queries.get_call(engine, row.id)
    assert call is not None
    assert call.quality == {"mes": 87.5}


async def test_numbers_are_forgotten_however_many_are_due(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R7.2k: in batches, each its own transaction; what is not due keeps its number."""
    monkeypatch.setattr(ledger_module, "FORGET_AT_ONCE", 2)
    due = [
        a_call(scope=IN_SCOPE, consent=DECLINED, id=CallId(UUID(int=n)), channel_id=str(n))
        for n in range(10, 15)
    ]
    later = NOON + timedelta(days=30)
    still_kept = replace(due[0], id=CallId(UUID(int=20)), channel_id="20", ended_at=later)
    await record(database_url, *due, still_kept)
    async with connect(database_url) as engine:
        assert await PostgresLedger(engine).forget_numbers(before=later, at=later) == 5
    numbers = sorted(str(each.caller_number) for each in await find(database_url))
    assert numbers == ["600123456", *["None"] * 5]


async def test_forgotten_numbers_are_nowhere_in_the_database(database_url: str) -> None:
    """R7.2k."""
    call = a_call(
        scope=IN_SCOPE, consent=DECLINED, caller_name="Zenobia Kwiatkowska", ended_at=NOON
    )
    later = NOON + timedelta(days=30)
    await record(database_url, call)
    async with connect(database_url) as engine:
        await PostgresLedger(engine).forget_numbers(before=later, at=later)
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT to_jsonb(call) FROM call").fetchall()
    held = json.dumps(rows)
    assert "declined" in held
    assert "600123456" not in held
    assert "Zenobia" not in held


def test_five_upgrades_of_a_crowded_database_change_nothing(crowded_url: str) -> None:
    """F18: an upgrade that has nothing to do is quick and safe to repeat."""
    assert [migrate.upgrade(crowded_url) for _ in range(5)] == [migrate.head()] * 5


@pytest.mark.parametrize("few", [0, 2, 5000], ids=["many", "some", "few"])
async def test_the_newest_that_begin_or_end_alike_are_the_same_either_way(
    database_url: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R7.5c: sorted whole or met by going back in time, page by page."""
    monkeypatch.setattr(by_digits, "FEW", few)
    calls = [
        a_call(
            id=CallId(uuids.uuid7()),
            channel_id=str(number),
            arrived_at=NOON - timedelta(minutes=number // 2),
            caller_number=f"60012{number % 3}{number:03}",
        )
        for number in range(20)
    ]
    await record(database_url, *calls)
    ordered = sorted(calls, key=lambda each: (each.arrived_at, each.id), reverse=True)
    for criteria, matches in (
        ({"caller_begins": "600 121"}, lambda each: each.caller_number.startswith("600121")),
        ({"caller_ends": "5"}, lambda each: each.caller_number.endswith("5")),
        (
            {"caller_begins": "600120", "caller_ends": "5"},
            lambda each: (
                each.caller_number.startswith("600120") and each.caller_number.endswith("5")
            ),
        ),
        ({"caller_begins": "60012", "day": date(2020, 1, 1)}, lambda _: False),
        ({"caller_begins": "60012", "employee": "nobody"}, lambda _: False),
        ({"caller_begins": "x"}, lambda _: False),
    ):
        wanted = [each.id for each in ordered if matches(each)]
        pages, after = [], None
        while page := await find(database_url, **criteria, after=after, limit=3):
            pages += [each.id for each in page]
            after = queries.Place(arrived_at=page[-1].arrived_at, call_id=page[-1].id)
        assert pages == wanted
        assert [each.id for each in await find(database_url, **criteria, offset=1)] == wanted[1:]


async def test_a_forgotten_number_was_not_withheld(database_url: str) -> None:
    withheld, forgotten = (
        a_call(id=CallId(uuids.uuid7()), channel_id=each, caller_number="") for each in "ab"
    )
    await record(database_url, withheld, forgotten)
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute(
            "UPDATE call SET numbers_forgotten_at = now() WHERE id = %s", [forgotten.id]
        )
    assert [each.id for each in await find(database_url, caller="withheld")] == [withheld.id]
