"""Calls in hand with a PBX and a spool that fail: the caller gets through (promises 1 to 3)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.capture import events as ev
from recorder.capture import live_call, service
from recorder.capture.journal import encode, entry, fold
from recorder.capture.service import Capture, Ended
from recorder.errors import CallGone, SwitchboardUnavailable
from recorder.live.model import Settled
from recorder.model import CallId, CallRecord, IncidentKind, Mode, Reason, RecordingId
from recorder.regulation import AnnouncementTerms
from tests.builders import NOON, a_scope
from tests.fakes import FakeAnnouncements, FakeClock, FakeJournals, FakeSpool, FakeSwitchboard

FLOOR = 1 << 20
AWAY = SwitchboardUnavailable("no answer")
TERMS = AnnouncementTerms(
    mode=Mode.OPT_OUT, choice_wait_s=0, longest_s=20, language="pl", language_keys={}
)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_call, "RELEASE_RETRY_S", 0)
    monkeypatch.setattr(service, "WATCH_EVERY_S", 0.001)


def at(seconds: float) -> Any:
    return {"at": NOON + timedelta(seconds=seconds), "mono": 1000.0 + seconds}


def an_arrival(channel_id: str, **changes: str) -> ev.Arrival:
    values: dict[str, Any] = {
        "channel_id": channel_id,
        "at": NOON,
        "endpoint": "operator",
        "context": "from-operator",
        "line": "746640800",
        "caller_number": "600123456",
        "caller_name": "",
    }
    return ev.Arrival(**(values | changes))


def a_snapshot(**changes: Any) -> ev.Snapshot:
    values: dict[str, Any] = {
        "at": NOON + timedelta(minutes=1),
        "started_at": NOON - timedelta(hours=1),
        "channels": frozenset(),
        "waiting": {},
        "lines": {},
    }
    return ev.Snapshot(**(values | changes))


class Office:
    """Capture among fakes, and what it handed on."""

    def __init__(self) -> None:
        self.switchboard = FakeSwitchboard()
        self.journals = FakeJournals()
        self.spool = FakeSpool()
        self.announcements = FakeAnnouncements()
        self.clock = FakeClock()
        self.ended: list[Ended] = []
        self.settled: list[Settled] = []
        self.numbers: Iterator[int] = iter(range(1, 100_000))
        self.capture = self.start_anew()

    def start_anew(self) -> Capture:
        """Make another capture on the same spool, as after a crash."""
        self.capture = Capture(
            switchboard=self.switchboard,
            journals=self.journals,
            spool=self.spool,
            announcements=self.announcements,
            clock=self.clock,
            scope=a_scope(),
            terms=TERMS,
            node="pbx1",
            floor_bytes=FLOOR,
            new_id=lambda: CallId(UUID(int=next(self.numbers))),
            on_ended=self.ended.append,
            on_settled=self.settled.append,
        )
        return self.capture

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.capture.run())
            await asyncio.sleep(0)
            yield
            task.cancel()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not done():  # noqa: ASYNC110 - ``done`` looks at anything
                await asyncio.sleep(0.001)

    async def released(self, channel_id: str) -> None:
        await self.until(lambda: channel_id in self.switchboard.outcomes)

    def tell(self, channel_id: str, event: ev.Event) -> None:
        self.capture.deliver(channel_id, event)

    async def announce(self, channel_id: str) -> None:
        """Play the announcement to its end; permission to record follows."""
        await self.until(lambda: self.switchboard.count("play", channel_id) == 1)
        playback_id = f"{self.call_id(channel_id)}-1"
        self.tell(channel_id, ev.PlaybackStarted(playback_id=playback_id, **at(0)))
        self.tell(channel_id, ev.PlaybackFinished(playback_id=playback_id, done=True, **at(10)))

    async def over(self, channel_id: str) -> CallRecord:
        """End the call and return what is known of it."""
        self.tell(channel_id, ev.CallEnded(cause=16, **at(60)))
        return await self.handed_on(channel_id)

    async def handed_on(self, channel_id: str) -> CallRecord:
        await self.until(lambda: bool(self.records(channel_id)))
        (record,) = self.records(channel_id)
        return record

    def records(self, channel_id: str) -> list[CallRecord]:
        found = (each.record or fold(self.journals.read(each.call_id)) for each in self.ended)
        return [each for each in found if each.channel_id == channel_id]

    def call_id(self, channel_id: str) -> CallId:
        return self.capture._calls[channel_id].id


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    made = Office()
    async with made.running():
        yield made


async def test_a_call_from_outside_is_followed_announced_released_and_recorded(
    office: Office,
) -> None:
    """§ 8.2, RG.6: in this order, and permission on disk before the PBX may record."""
    on_disk = []
    release = office.switchboard.release

    async def look_at_the_disk(channel_id: str, **more: Any) -> None:
        call_id = office.call_id(channel_id)
        on_disk.append(office.journals.stored[call_id][: office.journals.durable[call_id]])
        await release(channel_id, **more)

    office.switchboard.release = look_at_the_disk  # type: ignore[method-assign]
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.announce("1.1")
    await office.released("1.1")
    office.tell("1.1", ev.LineChanged(bridged=True, parties=("desk",), **at(20)))
    call = await office.over("1.1")
    assert [each for each, _ in office.switchboard.commands] == [
        "follow",
        "answer",
        "play",
        "release",
    ]
    assert call.recording_id == office.switchboard.recording["1.1"] is not None
    assert b'"kind":"consent:decided"' in on_disk[0]
    assert call.answered_by == "desk"
    assert call.bridged_seconds == 40.0
    assert call.hangup_cause == 16
    assert office.ended[0].record is None
    assert office.capture.live_calls == 0


async def test_the_same_arrival_twice_is_one_call(office: Office) -> None:
    """F14."""
    office.capture.arrive(an_arrival("1.1"), 0)
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.announce("1.1")
    await office.released("1.1")
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.over("1.1")
    assert len(office.journals.stored) == 1
    assert office.switchboard.count("play", "1.1") == 1
    assert office.switchboard.count("release", "1.1") == 1


async def test_a_call_out_of_scope_goes_on_at_once_and_is_over_for_us(office: Office) -> None:
    """R3.4b."""
    office.capture.arrive(an_arrival("1.1", endpoint="desk"), 0)
    call = await office.handed_on("1.1")
    assert office.switchboard.commands == [("release", "1.1")]
    assert office.switchboard.recording["1.1"] is None
    assert call.decision is not None
    assert call.decision.reason is Reason.NOT_FROM_A_TRUNK


async def test_an_event_for_a_call_nobody_knows_is_nobodys(office: Office) -> None:
    """F14."""
    office.tell("9.9", ev.CallEnded(**at(1)))
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.announce("1.1")
    await office.released("1.1")
    assert office.ended == []


async def test_below_the_floor_of_free_space_the_caller_is_not_even_asked(office: Office) -> None:
    """F9."""
    office.spool.free = FLOOR - 1
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.released("1.1")
    call = await office.over("1.1")
    assert office.switchboard.outcomes["1.1"] == Reason.DISK_LOW
    assert office.switchboard.recording["1.1"] is None
    assert office.switchboard.count("answer", "1.1") == 0
    assert call.incidents == (IncidentKind.DISK_LOW,)


async def test_with_the_floor_of_free_space_the_call_is_recorded(office: Office) -> None:
    """F9: the other side of the edge."""
    office.spool.free = FLOOR
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.announce("1.1")
    await office.released("1.1")
    assert office.switchboard.recording["1.1"] is not None


async def test_a_spool_that_takes_nothing_costs_the_recording_and_not_the_record(
    office: Office,
) -> None:
    """F10: the call's record goes on in memory and is handed on whole."""
    office.spool.free = None
    office.journals.refuses = True
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.released("1.1")
    call = await office.over("1.1")
    assert office.switchboard.outcomes["1.1"] == Reason.SPOOL_UNAVAILABLE
    assert office.switchboard.recording["1.1"] is None
    assert office.ended[0].record == call
    assert call.caller_number == "600123456"
    assert call.ended_at == NOON + timedelta(seconds=60)
    assert call.incidents == (IncidentKind.SPOOL_UNAVAILABLE,)
    assert office.journals.stored == {}


@pytest.mark.parametrize("switch", ["refuses", "refuses_durable"])
async def test_a_permission_that_cannot_be_put_on_disk_is_none(office: Office, switch: str) -> None:
    """F9, F11: announced, agreed, and yet not recorded; nothing before it is lost."""
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.until(lambda: office.switchboard.count("play", "1.1") == 1)
    setattr(office.journals, switch, True)
    await office.announce("1.1")
    await office.released("1.1")
    call = await office.over("1.1")
    assert office.switchboard.recording["1.1"] is None
    assert office.switchboard.outcomes["1.1"] == Reason.SPOOL_UNAVAILABLE
    assert call.recording_id is None
    assert call.decision is not None
    assert call.decision.reason is Reason.SPOOL_UNAVAILABLE
    assert call.incidents == (IncidentKind.SPOOL_UNAVAILABLE,)
    assert len(call.announcements) == 1
    assert office.switchboard.count("release", "1.1") == 1


async def test_a_caller_taken_back_before_the_release_withdraws_the_permission(
    office: Office,
) -> None:
    """F2: the dialplan's watchdog was faster, so nothing records."""
    office.switchboard.faults["release"] = [CallGone("409")]
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.announce("1.1")
    call = await office.over("1.1")
    assert call.recording_id is None
    assert call.decision is not None
    assert not call.decision.record
    assert call.decision.reason is Reason.APP_UNRESPONSIVE
    assert call.incidents == (IncidentKind.APP_UNRESPONSIVE,)


async def test_a_release_without_an_answer_is_tried_again_until_it_is_accepted(
    office: Office,
) -> None:
    """F3."""
    office.switchboard.faults["release"] = [AWAY] * 5
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.announce("1.1")
    await office.released("1.1")
    call = await office.over("1.1")
    assert office.switchboard.count("release", "1.1") == 6
    assert call.recording_id == office.switchboard.recording["1.1"] is not None


async def test_a_release_that_may_have_been_heard_keeps_its_permission(office: Office) -> None:
    """F3: after an attempt without an answer the file tells, so its id must not be forgotten."""
    office.switchboard.faults["release"] = [AWAY, CallGone("409")]
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.announce("1.1")
    call = await office.over("1.1")
    assert call.recording_id is not None
    assert call.decision is not None
    assert call.decision.record


async def test_a_release_is_not_tried_for_ever(office: Office) -> None:
    office.switchboard.faults["release"] = [AWAY] * 1000
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.announce("1.1")
    await office.over("1.1")
    assert office.switchboard.count("release", "1.1") == live_call.RELEASE_ATTEMPTS


@pytest.mark.parametrize("command", ["answer", "play"])
@pytest.mark.parametrize("fault", [AWAY, CallGone("404")], ids=["away", "gone"])
async def test_a_refused_command_releases_the_caller_unrecorded(
    office: Office, command: str, fault: Exception
) -> None:
    """F21."""
    office.switchboard.faults[command] = [fault]
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.released("1.1")
    call = await office.over("1.1")
    assert office.switchboard.recording["1.1"] is None
    assert call.recording_id is None
    reason = Reason.CALLER_LEFT if isinstance(fault, CallGone) else Reason.ANNOUNCEMENT_FAILED
    assert office.switchboard.outcomes["1.1"] == reason


async def test_a_call_that_cannot_be_followed_is_served_all_the_same(office: Office) -> None:
    office.switchboard.faults["follow"] = [AWAY]
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.announce("1.1")
    await office.released("1.1")
    assert office.switchboard.recording["1.1"] is not None


def poison() -> ev.Event:
    """An event on which the rules fail."""
    nothing: Any = None
    return ev.KeyPressed(key="1", at=nothing, mono=0)


async def test_a_failing_rule_releases_its_caller_and_hurts_nobody_else(office: Office) -> None:
    """Promise 1."""
    office.capture.arrive(an_arrival("1.1"), 0)
    office.capture.arrive(an_arrival("1.2"), 0)
    await office.until(lambda: office.switchboard.count("play", "1.1") == 1)
    office.tell("1.1", poison())
    await office.released("1.1")
    assert office.switchboard.recording["1.1"] is None
    await office.announce("1.2")
    await office.released("1.2")
    assert office.switchboard.recording["1.2"] is not None
    await office.until(lambda: office.capture.live_calls == 1)
    assert office.ended == []


async def test_a_call_that_fails_even_while_it_is_released_hurts_nobody_else(
    office: Office,
) -> None:
    """Promise 1."""
    office.capture.arrive(an_arrival("1.1"), 0)
    office.capture.arrive(an_arrival("1.2"), 0)
    await office.until(lambda: len(office.switchboard.commands) == 6)
    office.switchboard.faults["release"] = [ZeroDivisionError()]
    office.tell("1.1", poison())
    await office.until(lambda: office.capture.live_calls == 1)
    await office.announce("1.2")
    await office.released("1.2")
    assert office.switchboard.recording["1.2"] is not None


def no_announcements(*_: object) -> None:
    raise ZeroDivisionError


async def test_a_call_that_cannot_be_taken_goes_on_at_once_and_has_its_row(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 1: a defect costs the recording, not 45 s of the caller's time."""
    monkeypatch.setattr(office.announcements, "active", no_announcements)
    office.capture.arrive(an_arrival("1.1"), 0)
    call = await office.handed_on("1.1")
    assert office.switchboard.outcomes == {"1.1": "app_unresponsive"}
    assert office.switchboard.recording == {"1.1": None}
    assert call.decision is not None
    assert (call.decision.record, call.decision.reason) == (False, Reason.APP_UNRESPONSIVE)
    assert call.incidents == (IncidentKind.APP_UNRESPONSIVE,)
    assert call.caller_number == "600123456"


async def test_a_waiting_caller_who_cannot_be_taken_up_again_costs_no_other_caller_theirs(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F1: whatever the first one's journal does to us."""
    monkeypatch.setattr(office.announcements, "active", no_announcements)
    waiting = {each: an_arrival(each) for each in ("1.1", "1.2")}
    await office.capture.reconcile(a_snapshot(channels=frozenset(waiting), waiting=waiting))
    for each in waiting:
        await office.released(each)
        assert (await office.handed_on(each)).channel_id == each


async def test_a_spool_that_vanishes_with_the_journal_leaves_the_call_its_row(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F10: what was noted before is not read back, it is remembered."""
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.until(lambda: office.switchboard.count("play", "1.1") == 1)
    office.journals.stored.clear()
    office.journals.refuses = True
    await office.announce("1.1")
    await office.released("1.1")
    call = await office.over("1.1")
    assert call.caller_number == "600123456"
    assert call.decision is not None
    assert call.decision.reason is Reason.SPOOL_UNAVAILABLE


async def test_a_call_of_which_nothing_is_left_hurts_nobody_else(office: Office) -> None:
    """A restart, then the spool gone: only the next one of these lines is lost."""
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.announce("1.1")
    await office.released("1.1")
    left_behind = dict(office.journals.stored)
    office.start_anew()
    async with office.running():
        office.journals.stored = left_behind
        alive = a_snapshot(channels=frozenset({"1.1"}))
        await office.capture.reconcile(alive)
        office.journals.stored.clear()
        office.journals.refuses = True
        office.tell("1.1", ev.CallEnded(cause=16, **at(60)))
        await office.until(lambda: not office.capture.live_calls)
        office.journals.refuses = False
        office.capture.arrive(an_arrival("1.2"), 0)
        await office.announce("1.2")
        assert (await office.over("1.2")).channel_id == "1.2"


async def test_a_flood_of_events_is_bounded_and_the_calls_end_is_not_lost_in_it(
    office: Office,
) -> None:
    """B5, F19."""
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.announce("1.1")
    await office.released("1.1")
    call = office.capture._calls["1.1"]
    for number in range(5000):
        office.tell("1.1", ev.HoldChanged(held=bool(number % 2), **at(11 + number / 1000)))
    assert call.dropped_events == 5000 - live_call.MOST_WAITING_EVENTS
    record = await office.over("1.1")
    holds = [each for each in record.timeline if each.kind in {"call:held", "call:unheld"}]
    assert len(holds) == live_call.MOST_WAITING_EVENTS - 1
    assert record.ended_at == NOON + timedelta(seconds=60)


async def test_a_refusal_after_a_flood_of_keys_is_heard(office: Office) -> None:
    """B5, RK.2a."""
    office.capture.arrive(an_arrival("1.1"), 0)
    await office.until(lambda: office.switchboard.count("play", "1.1") == 1)
    for _ in range(900):
        office.tell("1.1", ev.KeyPressed(key="7", **at(1)))
    office.tell("1.1", ev.KeyPressed(key="2", **at(2)))
    await office.released("1.1")
    assert office.switchboard.outcomes["1.1"] == Reason.DECLINED
    assert office.switchboard.recording["1.1"] is None


async def a_call_left_behind(office: Office, *, decided: bool) -> CallId:
    """Let a capture die while the caller stands in the application."""
    async with office.running():
        office.capture.arrive(an_arrival("1.1"), 0)
        await office.until(lambda: office.switchboard.count("play", "1.1") == 1)
        call_id = office.call_id("1.1")
        if decided:
            office.switchboard.faults["release"] = [AWAY] * live_call.RELEASE_ATTEMPTS
            await office.announce("1.1")
            await office.until(lambda: not office.switchboard.faults["release"])
    office.switchboard.commands.clear()
    return call_id


@pytest.mark.parametrize("decided", [True, False])
async def test_a_caller_left_in_the_application_by_a_crash_goes_on_as_the_journal_says(
    decided: bool,
) -> None:
    """F1: decided = recorded under its id; undecided = not recorded, app_restarted."""
    office = Office()
    call_id = await a_call_left_behind(office, decided=decided)
    noted = fold(office.journals.read(call_id)).recording_id
    office.start_anew()
    async with office.running():
        await office.capture.reconcile(a_snapshot(waiting={"1.1": an_arrival("1.1")}))
        await office.released("1.1")
        call = await office.over("1.1")
    assert (noted is not None) == decided
    assert office.switchboard.commands[-2:] == [("follow", "1.1"), ("release", "1.1")]
    assert office.switchboard.recording["1.1"] == noted
    assert call.id == call_id
    assert call.recording_id == noted
    assert call.unwatched
    assert call.decision is not None
    assert call.decision.record is decided
    assert (call.decision.reason is Reason.APP_RESTARTED) is not decided


async def test_a_caller_whom_no_journal_knows_goes_on_unrecorded_and_has_a_record(
    office: Office,
) -> None:
    """F1: killed before the first line; its end must be heard of all the same."""
    await office.capture.reconcile(a_snapshot(waiting={"1.1": an_arrival("1.1")}))
    await office.released("1.1")
    assert office.switchboard.commands == [("follow", "1.1"), ("release", "1.1")]
    call = await office.over("1.1")
    assert office.switchboard.outcomes["1.1"] == Reason.APP_RESTARTED
    assert office.switchboard.recording["1.1"] is None
    assert call.incidents == (IncidentKind.APP_RESTARTED,)


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"torn",
        encode({"v": 2, "kind": "call:entered"}),
        encode(entry("call:entered", NOON, {})),
        b"\xff\x00\n" * 100,
    ],
)
async def test_an_unreadable_journal_stays_as_it_is_and_stops_no_other_call(
    office: Office, stored: bytes
) -> None:
    """F15: refuse to touch, go on with the others."""
    unreadable = CallId(UUID(int=77))
    office.journals.stored[unreadable] = stored
    await office.capture.reconcile(a_snapshot(waiting={"1.1": an_arrival("1.1")}))
    await office.released("1.1")
    assert office.journals.stored[unreadable] == stored


async def test_a_call_that_ends_while_others_are_looked_up_again_breaks_nothing(
    office: Office,
) -> None:
    """F3: reconciling takes time, and calls go on ending meanwhile."""
    for channel_id in ("1.1", "1.2"):
        office.capture.arrive(an_arrival(channel_id), 0)
        await office.announce(channel_id)
        await office.released(channel_id)
    follow = office.switchboard.follow

    async def follow_slowly(channel_id: str) -> None:
        await follow(channel_id)
        if channel_id == "1.1":
            await office.over("1.2")

    office.switchboard.follow = follow_slowly  # type: ignore[method-assign]
    await office.capture.reconcile(a_snapshot(channels=frozenset({"1.1", "1.2"})))
    assert office.capture.live_calls == 1
    await office.over("1.1")


async def a_recorded_call(office: Office, channel_id: str) -> RecordingId:
    office.capture.arrive(an_arrival(channel_id), 0)
    await office.announce(channel_id)
    await office.released(channel_id)
    recording_id = office.switchboard.recording[channel_id]
    assert recording_id is not None
    return recording_id


async def test_calls_of_a_pbx_that_stays_away_end_when_it_was_lost_once_their_audio_stands_still(
    office: Office,
) -> None:
    """F4."""
    recording_id = await a_recorded_call(office, "1.1")
    office.spool.write(recording_id, b"1234", NOON)
    lost_at = office.clock.now()
    office.capture.disconnected()
    office.clock.pass_by(service.PBX_SILENT_S - 1)
    office.capture.disconnected()
    await asyncio.sleep(0.02)
    assert office.ended == []
    office.clock.pass_by(2)
    call = await office.handed_on("1.1")
    assert call.ended_at == lost_at
    assert call.pbx_lost
    assert call.incidents == (IncidentKind.PBX_LOST,)


async def test_a_call_whose_audio_grows_lives_though_the_pbx_is_not_heard(office: Office) -> None:
    """F3: a cut link is not a dead PBX."""
    recorded = await a_recorded_call(office, "1.1")
    looks = []

    def growing(recording_id: RecordingId) -> int | None:
        looks.append(recording_id)
        return len(looks)

    office.spool.audio_size = growing  # type: ignore[method-assign]
    office.capture.disconnected()
    office.clock.pass_by(service.PBX_SILENT_S + 1)
    await office.until(lambda: len(looks) >= 5)
    assert set(looks) == {recorded}
    assert office.ended == []


async def test_an_unrecorded_call_is_not_given_up_while_the_pbx_is_not_heard(
    office: Office,
) -> None:
    """F3: nothing tells whether it still lives, so the next connection decides."""
    recorded = await a_recorded_call(office, "1.1")
    office.spool.write(recorded, b"1234", NOON)
    office.capture.arrive(an_arrival("1.2"), 0)
    office.capture.disconnected()
    office.clock.pass_by(service.PBX_SILENT_S + 1)
    await office.handed_on("1.1")
    assert office.capture.live_calls == 1


async def test_a_call_that_ended_unheard_ends_with_its_last_sample(office: Office) -> None:
    """F3, § 7.2."""
    recording_id = await a_recorded_call(office, "1.1")
    last_sample = NOON + timedelta(seconds=33)
    office.spool.write(recording_id, b"1234", last_sample)
    await office.capture.reconcile(a_snapshot())
    call = await office.handed_on("1.1")
    assert call.ended_at == last_sample
    assert not call.pbx_lost


def bypassed(unique_id: str, when: datetime = NOON) -> str:
    empty = "|".join([""] * 5)
    return f"1|{when.timestamp()}|app_absent|{unique_id}|{empty}"


async def test_a_call_that_went_past_us_gets_its_record_unless_it_is_in_hand(
    office: Office,
) -> None:
    """R5.1b."""
    office.capture.arrive(an_arrival("1.1"), 0)
    office.capture.take_bypassed(bypassed("1.1"))
    office.capture.take_bypassed("torn|line")
    assert office.ended == []
    office.capture.take_bypassed(bypassed("1.2"))
    (ended,) = office.ended
    assert ended.record is not None
    assert ended.record.channel_id == "1.2"
    assert ended.record.arrived_at == NOON


@given(
    st.fixed_dictionaries(
        dict.fromkeys(("line", "caller_number", "caller_name"), st.text(max_size=300))
    ),
    st.sampled_from(["operator", "", "../x", "desk"]),
)
@settings(max_examples=50, deadline=None)
def test_whatever_a_caller_sends_they_are_released_and_their_record_says_it(
    sent: dict[str, str], endpoint: str
) -> None:
    """B3, promise 1."""

    async def call() -> CallRecord:
        office = Office()
        office.spool.free = 0
        async with office.running():
            office.capture.arrive(an_arrival("1.1", endpoint=endpoint, **sent), 0)
            await office.released("1.1")
            return await office.over("1.1")

    record = asyncio.run(call())
    assert (record.line, record.caller_number, record.caller_name) == (
        sent["line"],
        sent["caller_number"],
        sent["caller_name"],
    )
