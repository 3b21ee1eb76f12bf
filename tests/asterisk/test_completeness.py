"""Real calls against the PBX's own records: recorded, declined, past capture, one taken away."""

import asyncio
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from recorder.adapters.clock import SystemClock
from recorder.adapters.in_hand import SpoolInHand
from recorder.adapters.pbx_records import NAME, PbxRecordFiles
from recorder.adapters.postgres.completeness import PostgresComparisons
from recorder.adapters.postgres.connect import connect
from recorder.audit.event import Actor, ActorKind
from recorder.completeness.model import Comparison
from recorder.completeness.service import Completeness
from recorder.embedded.office import Office
from tests.asterisk.observed import place, row_of, rows, wait_until
from tests.fakes import FakeClock

pytestmark = [pytest.mark.asterisk, pytest.mark.usefixtures("desk")]
WARSAW = ZoneInfo("Europe/Warsaw")
PROCESS = Actor(kind=ActorKind.PROCESS, name="retention")


def records_of(office: Office) -> Path:
    return Path(office.environment["RECORDER_CALL_RECORD_DIRS"]) / NAME


def all_records(office: Office) -> str:
    files = sorted(records_of(office).parent.glob(f"{NAME}*"))
    return "".join(each.read_text("utf-8") for each in files)


def compared(office: Office) -> Comparison:
    """Compare the day of these calls as an hour from now, when all of them have settled."""
    now, clock = SystemClock().now(), FakeClock()
    clock.at = now + timedelta(hours=1)

    async def ask() -> Comparison:
        async with connect(office.postgres.url, application="test") as engine:
            return await Completeness(
                records=PbxRecordFiles([records_of(office).parent], keep=timedelta(days=30)),
                in_hand=SpoolInHand(office.spool),
                comparisons=PostgresComparisons(engine, actor=PROCESS, trunks=["trunk"]),
                clock=clock,
                trunks=["trunk"],
                office_zone=WARSAW,
            ).compare(now.astimezone(WARSAW).date())

    return asyncio.run(ask())


def test_every_real_call_is_explained_until_a_row_is_taken_away(office: Office) -> None:
    """RG.13, B3: the PBX's records are read without a number in them."""
    told = {}
    for turn in range(3):
        told[place(office, talk_s=6.0)] = ("recorded", "stayed_on_the_line")
        if turn:
            told[place(office, talk_s=6.0, key="2")] = ("not_recorded", "declined")
    office.kill_capture()
    # Asterisk goes on in a new file when the old one is set aside.
    records_of(office).rename(f"{records_of(office)}.1")
    absent = place(office, talk_s=1.0, display='"x\\",y\\n" ')
    wait_until(lambda: len(all_records(office).splitlines()) >= 6, 10)
    found = compared(office)
    assert (found.explained, found.in_hand, found.unexplained) == (5, 1, ()), found
    office.start_capture()
    told[absent] = ("not_recorded", "app_absent")
    for number, outcome in told.items():
        row = row_of(office, number)
        assert (row["outcome"], row["reason"]) == outcome
        assert number not in all_records(office)
    found = compared(office)
    assert (found.explained, found.in_hand, found.unexplained) == (6, 0, ()), found
    assert found.without_record == ()

    victim = rows(office, "SELECT channel_id FROM call WHERE reason = 'declined' LIMIT 1")[0]
    with psycopg.connect(office.postgres.plain_url) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(
            "CREATE TABLE taken AS SELECT * FROM call WHERE channel_id = %s",
            [victim["channel_id"]],
        )
        superuser.execute("DELETE FROM call WHERE channel_id = %s", [victim["channel_id"]])
    try:
        found = compared(office)
        assert [each.channel_id for each in found.unexplained] == [victim["channel_id"]]
        incidents = rows(office, "SELECT detail FROM incident WHERE kind = 'unexplained_call'")
        assert incidents == [{"detail": victim["channel_id"]}]
    finally:
        with psycopg.connect(office.postgres.plain_url) as superuser:
            superuser.execute("INSERT INTO call SELECT * FROM taken")
            superuser.execute("DROP TABLE taken")
    assert compared(office).unexplained == ()
