"""What ``recorder sizing`` reckons a call's rows to take, weighed in a real database."""

from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest

from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.custody.rules import describe
from recorder.model import CallId, Moment, RecordingId, SealedAudio, Span
from recorder.sizing import ROW_BYTES
from tests.builders import IN_SCOPE, NOON, a_call

pytestmark = pytest.mark.postgres
CALLS = 400
WARSAW = ZoneInfo("Europe/Warsaw")
AUDIO = SealedAudio(
    sha256="0" * 64,
    size_bytes=1 << 20,
    frames=1 << 18,
    sample_rate=8000,
    caller_dbfs=-21.5,
    office_dbfs=-20.5,
    silent=False,
    one_sided=False,
)
KINDS = (
    *("call:arrived", "announcement:started", "announcement:finished", "consent:decided"),
    *("call:released", "recording:armed", "call:bridged", "call:answered", "call:ended"),
)
"""As many as the journal of an ordinary call has."""


def weight(url: str) -> int:
    """Return how many bytes all tables and their indexes take."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found = connection.execute(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchone()
        assert found is not None
        return int(found[0])


async def test_a_recorded_call_takes_no_more_of_the_database_than_is_reckoned(
    database_url: str,
) -> None:
    async with connect(database_url) as engine:
        ledger = PostgresLedger(engine)

        async def seal(numbers: range) -> None:
            for number in numbers:
                arrived = NOON + timedelta(seconds=number)
                call = a_call(
                    id=CallId(UUID(int=(1 << 100) + number * 7919)),
                    channel_id=f"1764000000.{number}",
                    linked_id=f"1764000000.{number}",
                    caller_number=f"6{number:08}",
                    scope=IN_SCOPE,
                    consent=IN_SCOPE,
                    recording_id=RecordingId(UUID(int=(1 << 101) + number * 7919)),
                    arrived_at=arrived,
                    answered_at=arrived,
                    answered_by="desk",
                    parties=("desk",),
                    ended_at=arrived + timedelta(minutes=4),
                    hangup_cause=16,
                    bridged=(Span(since=arrived, until=arrived + timedelta(minutes=4)),),
                    timeline=tuple(Moment(at=arrived, kind=kind) for kind in KINDS),
                    quality=dict.fromkeys(("lp", "rlp", "rxjitter", "rtt", "rxmes"), 0.5),
                )
                recording = describe(
                    call, AUDIO, retention_days=30, office_zone=WARSAW, now=arrived
                )
                await ledger.record_call(call, recording=recording, incidents=[], at=arrived)

        # What empty pages and indexes take is not a call's.
        await seal(range(CALLS))
        before = weight(database_url)
        await seal(range(CALLS, 3 * CALLS))
    taken = (weight(database_url) - before) / (2 * CALLS)
    assert taken <= ROW_BYTES
    assert taken > ROW_BYTES / 20, "the figure has nothing to do with what is stored"
