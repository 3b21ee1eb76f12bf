"""Sealing survives a crash after any step and waits for what is away (F6, F13, F16, RG.5)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from recorder.capture.journal import entry, fold
from recorder.capture.ordering import orders_of
from recorder.custody import service
from recorder.custody.service import Custodian
from recorder.dates import erase_by
from recorder.erasure.model import Applied
from recorder.errors import LedgerUnavailable
from recorder.model import (
    Announcement,
    AnnouncementId,
    AnnouncementPlayed,
    CallId,
    Decision,
    IncidentKind,
    Layer,
    PlaybackResult,
    Reason,
    RecordingId,
)
from tests.builders import IN_SCOPE, NOON, a_call
from tests.fakes import FakeAnnouncements, FakeClock, FakeJournals, FakeSpool, FakeVault
from tests.fakes_ledger import FakeLedger

SECOND = bytes(32_000)
END = NOON + timedelta(seconds=30)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(service, "LONGEST_PAUSE_S", 0.002)
    monkeypatch.setattr(service, "LOOK_AGAIN_S", 0)


class Crash(BaseException):
    """The process dies here."""


class Steps:
    """Counts what is done to the outside world, and crashes around the step it is told."""

    def __init__(self, crash_at: int = -1, *, done: bool = True) -> None:
        self.count = 0
        self._crash_at = crash_at
        self._done = done

    def around(self, port: Any, *names: str) -> Any:
        return _Stepping(port, self, names)

    def pass_or_crash(self, *, done: bool) -> None:
        if self.count == self._crash_at and done is self._done:
            raise Crash


class _Stepping:
    def __init__(self, port: Any, steps: Steps, names: tuple[str, ...]) -> None:
        self._port, self._steps, self._names = port, steps, names

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._port, name)
        if name not in self._names:
            return act
        steps = self._steps

        def step(*args: Any, **kwargs: Any) -> Any:
            steps.count += 1
            steps.pass_or_crash(done=False)
            result = act(*args, **kwargs)
            if not asyncio.iscoroutine(result):
                steps.pass_or_crash(done=True)
                return result
            return self._finish(result)

        return step

    async def _finish(self, result: Any) -> Any:
        answer = await result
        self._steps.pass_or_crash(done=True)
        return answer


class World:
    """What outlives a crash: spool, journals, vault, ledger."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.clock.pass_by(3600)
        self.journals = FakeJournals()
        self.spool = FakeSpool()
        self.vault = FakeVault(self.spool)
        self.ledger = FakeLedger()
        self.announcements = FakeAnnouncements()

    def custodian(self, steps: Steps | None = None) -> Custodian:
        steps = steps or Steps()
        return Custodian(
            journals=steps.around(self.journals, "wipe"),
            spool=steps.around(self.spool, "wipe_audio"),
            vault=steps.around(self.vault, "store"),
            ledger=steps.around(self.ledger, "keep_announcement", "knows_channel", "record_call"),
            announcements=self.announcements,
            clock=self.clock,
            configured_days=30,
            office_zone=ZoneInfo("Europe/Warsaw"),
            read_call=lambda call_id: fold(self.journals.read(call_id)),
            read_orders=lambda call: orders_of(call, self.journals.read(call.id)).settled,
        )

    @asynccontextmanager
    async def sealing(self) -> AsyncIterator[Custodian]:
        custodian = self.custodian()
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(custodian.run())
            yield custodian
            task.cancel()

    def a_call(self, number: int, *, seconds: int | None = 20) -> CallId:
        """Leave a permitted call of 20 s in the spool, with so many seconds of audio."""
        call_id, recording_id = CallId(UUID(int=number)), RecordingId(UUID(int=1000 + number))

        def note(kind: str, **fields: Any) -> None:
            self.journals.append(call_id, entry(kind, NOON, fields), durable=True)

        note(
            "call:entered",
            call_id=str(call_id),
            node="pbx1",
            channel_id=f"1.{number}",
            endpoint="operator",
            context="from-operator",
            line="746640800",
            caller_number="600123456",
        )
        permitted = {"record": True, "reason": IN_SCOPE.reason, "rule_version": "1"}
        note("scope:decided", **permitted)
        note("consent:decided", recording_id=str(recording_id), mode="opt_out", **permitted)
        for since, bridged in ((10, True), (30, False)):
            at = (NOON + timedelta(seconds=since)).isoformat()
            note("line:changed", at=at, bridged=bridged, parties=["desk"] if bridged else [])
        note("call:ended", at=END.isoformat(), cause=16, pbx_lost=False)
        if seconds is not None:
            self.spool.write(recording_id, SECOND * seconds, END)
        return call_id

    def state(self) -> object:
        ledger, spool = self.ledger, self.spool
        return (
            *(dict(each) for each in (ledger.calls, ledger.recordings, ledger.announcements)),
            list(ledger.incidents),
            *(dict(each) for each in (self.vault.files, spool.audio, self.journals.stored)),
        )


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 - ``done`` looks at anything
            await asyncio.sleep(0.001)


async def sealed(*, seconds: int | None) -> World:
    world = World()
    await world.custodian().seal(world.a_call(1, seconds=seconds))
    return world


async def test_a_sealed_call_has_its_row_its_file_and_nothing_left_in_the_spool() -> None:
    """R7.2a, I2, I4."""
    world = await sealed(seconds=20)
    (recording,) = world.ledger.recordings.values()
    assert world.vault.files == {("2026/11/12", recording.id): SECOND * 20}
    assert recording.ended_at == END
    assert not recording.incomplete
    assert world.spool.audio == {}
    assert world.journals.stored == {}
    assert world.ledger.incidents == []
    assert list(world.ledger.announcements) == [world.announcements.in_force[0].id]


async def test_a_recording_goes_by_the_days_that_persons_set_from_its_first_minute() -> None:
    """R7.2c: what the pages and the plan show is not the file's thirty."""
    world = World()
    world.ledger.applied = Applied(14, 30)
    await world.custodian().seal(world.a_call(1))
    (recording,) = world.ledger.recordings.values()
    assert recording.erase_by == erase_by(END, days=14, office_zone=ZoneInfo("Europe/Warsaw"))


@pytest.mark.parametrize("seconds", [None, 0], ids=["no file", "empty file"])
async def test_a_connected_call_without_audio_is_reported_and_its_spool_is_wiped(
    seconds: int | None,
) -> None:
    """I2, I3: permission to record is not a recording."""
    world = await sealed(seconds=seconds)
    assert len(world.ledger.calls) == 1
    assert world.ledger.recordings == {}
    assert [each.kind for each in world.ledger.incidents] == [IncidentKind.AUDIO_LOST]
    assert world.vault.files == {}
    assert world.spool.audio == {}
    assert world.journals.stored == {}


async def test_audio_with_a_gap_is_kept_and_reported() -> None:
    """RG.5, I3."""
    world = await sealed(seconds=10)
    (recording,) = world.ledger.recordings.values()
    assert recording.incomplete
    assert [each.kind for each in world.ledger.incidents] == [IncidentKind.AUDIO_GAP]


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("seconds", [20, 10, None])
async def test_a_crash_around_any_step_ends_in_the_same_state_once_sealed_again(
    done: bool, seconds: int | None
) -> None:
    """F16: crash at the Nth step, N = 1, 2, 3 … until sealing completes untouched."""
    expected = (await sealed(seconds=seconds)).state()
    for crash_at in range(1, 100):
        world = World()
        call_id = world.a_call(1, seconds=seconds)
        try:
            await world.custodian(Steps(crash_at, done=done)).seal(call_id)
        except Crash:
            # After a start, whoever still has a journal is sealed.
            for left in world.journals.all_calls():
                await world.custodian().seal(left)
            assert world.state() == expected, f"crash at step {crash_at}"
        else:
            assert crash_at >= 5, "there are steps to crash at"
            assert world.state() == expected
            return
    pytest.fail("sealing never completed")


async def test_a_crash_before_the_rows_leaves_audio_and_journal_in_the_spool() -> None:
    """F16, F17: nothing is wiped before its rows are there."""
    for crash_at in range(1, 4):
        world = World()
        call_id = world.a_call(1)
        with pytest.raises(Crash):
            await world.custodian(Steps(crash_at, done=True)).seal(call_id)
        assert world.ledger.calls == {}
        assert len(world.spool.audio) == 1
        assert call_id in world.journals.stored


async def test_sealing_a_call_a_second_time_only_wipes() -> None:
    """F16."""
    world = await sealed(seconds=20)
    before, stores = world.state(), world.vault.stores
    assert await world.custodian().seal(world.a_call(1)) is False
    assert world.state() == before
    assert world.vault.stores == stores


async def test_a_record_that_the_spool_could_not_hold_is_sealed_without_a_journal() -> None:
    """F9, F10."""
    world = World()
    call = a_call(scope=IN_SCOPE, ended_at=END)
    assert await world.custodian().seal(call.id, call)
    assert world.ledger.calls == {call.id: call}


async def test_while_the_ledger_is_away_calls_wait_and_then_all_are_sealed() -> None:
    """F6: nothing is lost, nothing twice."""
    world = World()
    world.ledger.away = True
    async with world.sealing() as custodian:
        calls = [world.a_call(number) for number in range(1, 11)]
        for each in calls:
            custodian.take(each, None)
        await until(lambda: custodian.waiting == 10)
        assert world.ledger.calls == {}
        assert len(world.spool.audio) == 10
        world.ledger.away = False
        await custodian.all_sealed()
    assert set(world.ledger.calls) == set(calls)
    assert len(world.vault.files) == 10
    assert world.spool.audio == {}
    assert custodian.waiting == 0
    assert custodian.sealed == 10


async def test_a_backlog_is_sealed_oldest_first() -> None:
    """L8."""
    world = World()
    async with world.sealing() as custodian:
        calls = [world.a_call(number) for number in (3, 1, 2)]
        for each in calls:
            custodian.take(each, None)
        await custodian.all_sealed()
    assert list(world.ledger.calls) == calls


async def test_one_file_that_cannot_be_stored_does_not_keep_others_from_being_sealed() -> None:
    """F13: one bad file never stops the run, and is stored once it can be."""
    world = World()
    bad, good = world.a_call(1), world.a_call(2)
    world.vault.broken = {RecordingId(UUID(int=1001))}
    async with world.sealing() as custodian:
        custodian.take(bad, None)
        custodian.take(good, None)
        await until(lambda: good in world.ledger.calls)
        assert bad not in world.ledger.calls
        assert world.spool.audio_size(RecordingId(UUID(int=1001))) == 20 * len(SECOND)
        world.vault.broken.clear()
        await custodian.all_sealed()
    assert set(world.ledger.calls) == {bad, good}


async def test_a_journal_that_cannot_be_read_keeps_nobody_else_and_is_not_touched() -> None:
    """F15."""
    world = World()
    bad, good = world.a_call(1), world.a_call(2)
    world.journals.stored[bad] = b'{"v":2,"kind":"call:entered"}\n'
    async with world.sealing() as custodian:
        custodian.take(bad, None)
        custodian.take(good, None)
        await custodian.all_sealed()
    assert list(world.ledger.calls) == [good]
    assert bad in world.journals.stored
    assert RecordingId(UUID(int=1001)) in world.spool.audio


async def test_while_the_spool_is_away_nobody_says_that_the_audio_is_lost() -> None:
    """F10: neither a row nor a wipe before the folder is back to say what is in it."""
    world = World()
    call_id = world.a_call(1)
    record = fold(world.journals.read(call_id))
    audio, world.spool.audio = world.spool.audio, {}
    world.spool.free = None
    async with world.sealing() as custodian:
        custodian.take(call_id, record)
        await asyncio.sleep(0.01)
        assert custodian.waits_for(call_id)
        assert world.ledger.calls == {}
        world.spool.audio, world.spool.free = audio, 1 << 40
        await custodian.all_sealed()
    assert len(world.ledger.recordings) == 1
    assert world.ledger.incidents == []


async def test_a_call_handed_over_again_while_it_waits_is_sealed_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A new link to the PBX finds the journals of calls that wait for the ledger."""
    world = World()
    world.ledger.away = True
    async with world.sealing() as custodian:
        call_id = world.a_call(1)
        for _ in range(3):
            custodian.take(call_id, None)
        assert custodian.waits_for(call_id)
        world.ledger.away = False
        await custodian.all_sealed()
        assert not custodian.waits_for(call_id)
    assert custodian.sealed == 1
    assert world.vault.stores == 1


async def test_a_file_that_still_grows_is_waited_for() -> None:
    """L1: the PBX writes once a second."""
    world = World()
    call_id = world.a_call(1, seconds=15)
    recording_id = RecordingId(UUID(int=1001))
    world.spool.written_at[recording_id] = world.clock.now()
    looks = iter(range(16, 21))
    size_of = world.spool.audio_size

    def grow(recording_id: RecordingId) -> int | None:
        seconds = next(looks, 20)
        world.spool.write(recording_id, SECOND * seconds, world.clock.now())
        return size_of(recording_id)

    world.spool.audio_size = grow  # type: ignore[method-assign]
    await world.custodian().seal(call_id)
    assert list(world.vault.files.values()) == [SECOND * 20]


async def test_a_file_that_never_settles_is_sealed_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "MOST_LOOKS", 3)
    world = World()
    call_id = world.a_call(1, seconds=5)
    world.spool.written_at[RecordingId(UUID(int=1001))] = world.clock.now() + timedelta(days=1)
    await world.custodian().seal(call_id)
    (recording,) = world.ledger.recordings.values()
    assert recording.incomplete
    assert recording.audio.seconds == 5


async def test_a_version_is_registered_once_and_again_when_it_is_activated() -> None:
    """R8.2d."""
    world = World()
    custodian = world.custodian()
    kept: list[Announcement] = []
    keep = world.ledger.keep_announcement

    async def note(announcement: Announcement) -> None:
        kept.append(announcement)
        await keep(announcement)

    world.ledger.keep_announcement = note  # type: ignore[method-assign]
    for number in (1, 2):
        await custodian.seal(world.a_call(number))
    assert kept == world.announcements.in_force
    later = replace(kept[0], active_from=END)
    world.announcements.in_force = [later]
    for number in (3, 4):
        await custodian.seal(world.a_call(number))
    assert kept[1:] == [later]


async def test_an_incident_of_no_call_is_written_with_the_time_it_was_told() -> None:
    world = World()
    await world.custodian().report(IncidentKind.ANNOUNCEMENT_MISSING, "pl")
    (incident,) = world.ledger.incidents
    assert incident.kind is IncidentKind.ANNOUNCEMENT_MISSING
    assert incident.at == world.clock.now()
    assert incident.call_id is None


def heard(result: PlaybackResult) -> AnnouncementPlayed:
    return AnnouncementPlayed(
        announcement_id=AnnouncementId(UUID(int=1)),
        layer=Layer.FIRST,
        language="pl",
        sha256="",
        length_ms=1000,
        result=result,
    )


async def test_three_failed_announcements_in_a_row_are_one_alarm_until_one_is_heard() -> None:
    """R8.2b."""
    world = World()
    custodian = world.custodian()
    failed = Decision(record=False, reason=Reason.ANNOUNCEMENT_FAILED)
    left = Decision(record=False, reason=Reason.CALLER_LEFT)
    told = []
    for number, each in enumerate("ffxffhfffff"):
        played = (heard(PlaybackResult.HEARD),) if each == "h" else ()
        call = a_call(
            id=CallId(UUID(int=number)),
            channel_id=str(number),
            scope=IN_SCOPE,
            consent={"f": failed, "x": left, "h": IN_SCOPE}[each],
            announcements=played,
            ended_at=END,
        )
        world.ledger.away = number == 3
        with suppress(LedgerUnavailable):
            await custodian.seal(call.id, call)
        world.ledger.away = False
        await custodian.seal(call.id, call)
        kinds = [each.kind for each in world.ledger.incidents]
        told.append(kinds.count(IncidentKind.ANNOUNCEMENT_FAILING))
    assert told == [0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2]
