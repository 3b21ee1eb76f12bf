"""Five thousand unsealed calls at a start: drained oldest first, new calls unaffected (L8)."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.clock import SystemClock
from recorder.adapters.journals import DiskJournals
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.spool import DiskSpool
from recorder.capture.journal import encode, entry, fold
from recorder.capture.ordering import orders_of
from recorder.custody.service import Custodian
from recorder.model import CallId, RecordingId
from tests.builders import IN_SCOPE, NOON
from tests.keys import a_vault

pytestmark = [pytest.mark.postgres, pytest.mark.load]
BACKLOG = 5000
AUDIO = bytes(32_000)


def leave_behind(spool: Path, number: int) -> CallId:
    """Write what capture leaves of a call of one second; every tenth is a recording."""
    call_id, recording_id = CallId(UUID(int=number)), RecordingId(UUID(int=1_000_000 + number))
    recorded = number % 10 == 0
    verdict = {"record": recorded, "reason": IN_SCOPE.reason, "rule_version": "1"}
    lines = (
        (
            "call:entered",
            {
                "call_id": str(call_id),
                "node": "pbx1",
                "channel_id": f"1.{number}",
                "endpoint": "operator",
                "context": "from-operator",
                "line": "746640800",
                "caller_number": "600123456",
            },
        ),
        ("scope:decided", verdict),
        (
            "consent:decided",
            verdict | {"mode": "opt_out", "recording_id": str(recording_id) if recorded else None},
        ),
        ("line:changed", {"bridged": True, "parties": ["desk"]}),
        ("call:ended", {"at": (NOON + timedelta(seconds=1)).isoformat(), "cause": 16}),
    )
    journal = b"".join(encode(entry(kind, NOON, fields)) for kind, fields in lines)
    (spool / f"{call_id}.journal").write_bytes(journal)
    if recorded:
        (spool / f"{recording_id}.raw").write_bytes(AUDIO)
    return call_id


async def longest_standstill(until: asyncio.Event) -> list[float]:
    """Return how late a timer of 10 ms was, each time: what a new call would have waited."""
    late = []
    while not until.is_set():
        before = time.monotonic()
        await asyncio.sleep(0.01)
        late.append(time.monotonic() - before - 0.01)
    return sorted(late)


async def test_a_backlog_drains_oldest_first_and_holds_up_no_new_call(
    tmp_path: Path, database_url: str
) -> None:
    """L8, F6."""
    spool = tmp_path / "spool"
    spool.mkdir()
    (tmp_path / "announcements").mkdir()
    journals = DiskJournals(spool)
    left = [leave_behind(spool, number) for number in range(1, BACKLOG + 1)]
    assert journals.all_calls() == left, "oldest first, by the ids' own order"
    done = asyncio.Event()
    async with connect(database_url) as engine, asyncio.TaskGroup() as tasks:
        custodian = Custodian(
            journals=journals,
            spool=DiskSpool(spool),
            vault=a_vault(tmp_path),
            ledger=PostgresLedger(engine),
            announcements=AnnouncementCatalogue(tmp_path / "announcements"),
            clock=SystemClock(),
            configured_days=30,
            office_zone=ZoneInfo("Europe/Warsaw"),
            read_call=lambda call_id: fold(journals.read(call_id)),
            read_orders=lambda call: orders_of(call, journals.read(call.id)).settled,
        )
        for each in journals.all_calls():
            custodian.take(each, None)
        sealing = tasks.create_task(custodian.run())
        watching = tasks.create_task(longest_standstill(done))
        await custodian.all_sealed()
        done.set()
        late = await watching
        sealing.cancel()
    assert late[int(len(late) * 0.99)] < 0.03, "a new call waits for no sealing (§ 9: 30 ms)"
    assert late[-1] < 0.5
    assert list(spool.iterdir()) == []
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT id FROM call ORDER BY written_at").fetchall()
        recordings = connection.execute("SELECT count(*) FROM recording").fetchone()
    assert [each[0] for each in rows] == left
    assert recordings == (BACKLOG // 10,)
