"""The checker can fail: each invariant is broken on purpose and must be reported by its id."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pytest
import soundfile

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.clock import SystemClock
from recorder.adapters.journals import DiskJournals
from recorder.adapters.keys import DiskKeys, prepare
from recorder.adapters.master_key import make_master_key, read_master_key
from recorder.adapters.postgres import trail
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.spool import DiskSpool
from recorder.adapters.vault import DiskVault
from recorder.audit.event import Actor, ActorKind, AuditEvent
from recorder.capture.journal import entry, fold
from recorder.custody.service import Custodian
from recorder.embedded import tones
from recorder.model import CallId, CallRecord, Decision, IncidentKind, Reason, RecordingId, Span
from tests.builders import IN_SCOPE, RECORDING, a_call
from tests.invariants import Caller, Site, broken
from tests.stored import Stored

pytestmark = pytest.mark.postgres
NUMBER, NAME = "600123456", "Jolanta Kowalska"
ENDED = SystemClock().now() - timedelta(minutes=1)
SECONDS = 4.0
MARKED = np.concatenate((tones.sine(tones.MARKER_HZ, 1), tones.sine(tones.CALLER_HZ, SECONDS - 1)))


class Sealed:
    """An office at rest after one recorded call, sealed by the service itself."""

    def __init__(self, directory: Path, database_url: str) -> None:
        self.url = database_url
        self.site = Site(
            database=database_url.replace("+psycopg", ""),
            spool=directory / "spool",
            stored=Stored(
                vault=directory / "vault",
                keys=directory / "keys",
                master_key=directory / "master-key",
            ),
            logs=[directory / "capture.log"],
            callers=[Caller(number=NUMBER)],
            names=[NAME],
        )
        self.site.spool.mkdir()
        stored = self.site.stored
        stored.vault.mkdir()
        make_master_key(stored.master_key)
        prepare(stored.keys, read_master_key(stored.master_key))
        (self.site.spool / ".lock").touch()
        self.log = directory / "capture.log"
        self.log.write_text('{"event": "call_sealed"}\n', encoding="utf-8")
        self.catalogue = AnnouncementCatalogue(directory / "announcements")

    def seal(self, call: CallRecord, audio: Any = None) -> None:
        if audio is None:
            audio = tones.sine(tones.CALLER_HZ, SECONDS)
        if call.recording_id is not None:
            samples = np.column_stack((audio, audio))
            path = self.site.spool / f"{call.recording_id}.raw"
            soundfile.write(path, samples, 8000, format="RAW", subtype="PCM_16")

        async def seal() -> None:
            async with connect(self.url) as engine:
                stored = self.site.stored
                keys = DiskKeys(stored.keys, read_master_key(stored.master_key))
                custodian = Custodian(
                    journals=DiskJournals(self.site.spool),
                    spool=DiskSpool(self.site.spool),
                    vault=DiskVault(stored.vault, keys),
                    ledger=PostgresLedger(engine),
                    announcements=self.catalogue,
                    clock=SystemClock(),
                    configured_days=30,
                    office_zone=ZoneInfo("Europe/Warsaw"),
                    read_call=lambda _: fold([]),
                    read_orders=lambda _: (),
                )
                await custodian.seal(call.id, call)

        asyncio.run(seal())

    def sql(self, statement: str) -> None:
        with psycopg.connect(self.site.database, autocommit=True) as connection:
            connection.execute(statement.encode())

    @property
    def file(self) -> Path:
        (found,) = self.site.stored.vault.rglob("*.rec")
        return found

    def journal(self, number: int, *entries: Mapping[str, object]) -> None:
        journals, call_id = DiskJournals(self.site.spool), CallId(UUID(int=number))
        for each in entries:
            journals.append(call_id, each, durable=False)
        journals.close(call_id)


def a_recorded_call(**changes: Any) -> CallRecord:
    values = {
        "scope": IN_SCOPE,
        "consent": IN_SCOPE,
        "recording_id": RECORDING,
        "arrived_at": ENDED - timedelta(seconds=20),
        "bridged": (Span(since=ENDED - timedelta(seconds=SECONDS), until=ENDED),),
        "answered_at": ENDED - timedelta(seconds=SECONDS),
        "ended_at": ENDED,
        "caller_number": NUMBER,
        "caller_name": NAME,
    }
    return a_call(**(values | changes))


@pytest.fixture
def sealed(tmp_path: Path, database_url: str) -> Sealed:
    made = Sealed(tmp_path, database_url)
    made.seal(a_recorded_call())
    return made


def test_an_office_in_order_breaks_nothing(sealed: Sealed) -> None:
    assert broken(sealed.site) == []


def test_nor_does_one_that_said_what_went_wrong(sealed: Sealed) -> None:
    lost = Decision(record=False, reason=Reason.APP_RESTARTED)
    other = {"id": CallId(UUID(int=7)), "channel_id": "7.7", "recording_id": None}
    sealed.seal(a_recorded_call(consent=lost, incidents=(IncidentKind.APP_RESTARTED,), **other))
    sealed.site.callers = [Caller(number=NUMBER, calls=2)]
    short = RecordingId(UUID(int=8))
    changes = {"id": CallId(UUID(int=8)), "channel_id": "8.8", "recording_id": short}
    half = tones.sine(tones.CALLER_HZ, SECONDS / 2)
    sealed.seal(a_recorded_call(caller_number="600", **changes), half)
    assert broken(sealed.site) == []


def as_lost_in_the_spool(sealed: Sealed) -> None:
    arrival = {
        "call_id": str(UUID(int=3)),
        "node": "pbx1",
        "channel_id": "3.3",
        "endpoint": "trunk",
        "context": "from-trunk",
        "line": "1",
        "caller_number": "",
    }
    long_ago = ENDED - timedelta(hours=1)
    sealed.journal(
        3,
        entry("call:entered", long_ago, arrival),
        entry("call:ended", long_ago, {"cause": 16, "pbx_lost": False}),
    )


def as_marked(sealed: Sealed) -> None:
    other = {"id": CallId(UUID(int=9)), "channel_id": "9.9", "caller_number": "600"}
    sealed.seal(a_recorded_call(recording_id=RecordingId(UUID(int=9)), **other), MARKED)


def as_tampered(sealed: Sealed) -> None:
    async def write() -> None:
        act = AuditEvent(
            action="recording:played",
            at=ENDED,
            actor=Actor(kind=ActorKind.PROCESS, name="capture"),
        )
        async with connect(sealed.url) as engine, engine.begin() as connection:
            await trail.append(connection, [act, act])

    asyncio.run(write())
    assert broken(sealed.site) == []
    sealed.sql("ALTER TABLE audit_event DISABLE TRIGGER USER")


def as_rewritten(sealed: Sealed) -> None:
    as_tampered(sealed)
    sealed.sql("UPDATE audit_event SET reason = 'of course' WHERE seq = 1")


def as_forgotten(sealed: Sealed) -> None:
    as_tampered(sealed)
    sealed.sql("DELETE FROM audit_event")
    sealed.sql("ALTER TABLE audit_head DISABLE TRIGGER USER")
    sealed.sql("UPDATE audit_head SET (seq, hash) = (0, decode(repeat('00', 32), 'hex'))")


def as_keyed(sealed: Sealed) -> None:
    stored = sealed.site.stored
    DiskKeys(stored.keys, read_master_key(stored.master_key)).create(RecordingId(UUID(int=6)))


def with_callers(**changes: Any) -> Callable[[Sealed], object]:
    def change(sealed: Sealed) -> None:
        sealed.site.callers = [replace(sealed.site.callers[0], **changes)]

    return change


def logged(text: str) -> Callable[[Sealed], object]:
    return lambda sealed: sealed.log.write_text(f'{{"event": "{text}"}}', encoding="utf-8")


HOLD = """INSERT INTO hold (id, recording_id, batch_id, ground, reference, reason, placed_by,
    placed_at, review_by, ended_by, end_reference)
    SELECT gen_random_uuid(), id, gen_random_uuid(), 'restriction', '', '', '',
    now() - interval '1 day', now() + interval '1 day', '', '' FROM recording"""
TOMBSTONE = """INSERT INTO tombstone (id, recording_id, call_id, first_sample_at, ended_at,
    erase_by, claimed_at, erased_at, route, why, actor, rule_version, retention_days, sha256)
    SELECT gen_random_uuid(), id, call_id, first_sample_at, ended_at, erase_by,
    now(), now(), 'automatic', '', '', '', 30, sha256 FROM recording"""
DUE = "UPDATE recording SET erase_by = now() - interval '1 s'"
STOPPED = """UPDATE call SET bridged_seconds = 9, timeline = jsonb_build_array(jsonb_build_object(
    'kind', 'recording:stopped', 'detail', '', 'at', to_jsonb(first_sample_at + interval '4 s')))
    FROM recording WHERE call_id = call.id"""


def test_what_is_held_may_be_past_its_day_and_what_was_stopped_shorter_than_its_call(
    sealed: Sealed,
) -> None:
    for each in (HOLD, DUE, STOPPED):
        sealed.sql(each)
    found = broken(sealed.site)
    assert {each.invariant for each in found} == {"I7"}, found
    assert "no hold:placed" in found[0].what


def told(statement: str) -> Callable[[Sealed], object]:
    return lambda sealed: sealed.sql(statement)


@pytest.mark.parametrize(
    ("invariant", "breaking"),
    [
        pytest.param("I1", with_callers(calls=2), id="a call without a row"),
        pytest.param("I1", with_callers(calls=0), id="a row too many"),
        pytest.param("I1", told("UPDATE call SET reason = 'declined'"), id="a wrong reason"),
        pytest.param("I2", told("DELETE FROM recording"), id="a recording without its row"),
        pytest.param(
            "I2",
            told("UPDATE call SET outcome = 'not_recorded', reason = 'audio_lost'"),
            id="a loss nobody was told of",
        ),
        pytest.param("I2", as_lost_in_the_spool, id="an ended call that is never sealed"),
        pytest.param(
            "I2",
            lambda sealed: sealed.journal(4, {"v": 99, "kind": "from:tomorrow"}),
            id="a journal nobody can read",
        ),
        pytest.param("I3", told("UPDATE call SET bridged_seconds = 9"), id="a gap"),
        pytest.param("I4", lambda sealed: sealed.file.unlink(), id="a row without its file"),
        pytest.param(
            "I4",
            lambda sealed: sealed.file.write_bytes(sealed.file.read_bytes()[:-1] + b"\x55"),
            id="one changed byte",
        ),
        pytest.param(
            "I4",
            lambda sealed: sealed.file.with_name("other.part").touch(),
            id="a file without a row",
        ),
        pytest.param("I4", as_keyed, id="a key without a row"),
        pytest.param(
            "I4",
            lambda sealed: (sealed.site.spool / f"{UUID(int=5)}.raw").touch(),
            id="audio left in the spool",
        ),
        pytest.param(
            "I5",
            told("UPDATE call SET outcome = 'not_recorded', reason = 'declined'"),
            id="audio of who declined",
        ),
        pytest.param("I5", as_marked, id="audio of before the consent"),
        pytest.param(
            "I6", told("UPDATE recording SET erase_by = now() - interval '1 s'"), id="too old"
        ),
        pytest.param("I6", told(f"{HOLD}; {TOMBSTONE}"), id="erased while held"),
        pytest.param(
            "I6", told(f"{HOLD}; UPDATE recording SET stage = 'erasing'"), id="half erased, held"
        ),
        pytest.param("I6", told(TOMBSTONE), id="a key that outlives its erasure"),
        pytest.param("I7", told(TOMBSTONE), id="erased without an entry"),
        pytest.param("I7", told(HOLD), id="held without an entry"),
        pytest.param("I7", as_rewritten, id="a rewritten entry"),
        pytest.param("I7", as_forgotten, id="a trail that begins anew"),
        pytest.param("I8", logged(f"call from {NUMBER}"), id="a number in a log"),
        pytest.param("I8", logged("Jolanta%20Kowalska"), id="a name in a log, escaped"),
        pytest.param("I8", logged("Sm9sYW50YSBLb3dhbHNrYQ=="), id="a name in a log, in base64"),
        pytest.param(
            "I8",
            lambda sealed: (sealed.site.spool / f"{NUMBER}.raw").touch(),
            id="a number in the name of a file",
        ),
        pytest.param("I9", with_callers(failed=1), id="a call that failed"),
        pytest.param("I9", with_callers(slowest_answer_s=1.6), id="a caller who waited"),
        pytest.param(
            "I9", with_callers(slowest_answer_s=5.1, caught=True), id="caught for too long"
        ),
        pytest.param(
            "I10", lambda sealed: setattr(sealed.site, "ready", False), id="nobody takes calls"
        ),
    ],
)
def test_a_broken_invariant_is_reported_by_its_id(
    sealed: Sealed, invariant: str, breaking: Callable[[Sealed], object]
) -> None:
    breaking(sealed)
    found = broken(sealed.site)
    assert invariant in {each.invariant for each in found}, found
