"""Real calls as Asterisk told them, told again in another order, with gaps and repetitions (F14).

The logs in ``tests/calls`` were kept by ``tests/calls/record.py`` from real calls.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from recorder.adapters.ari import Event
from recorder.adapters.pbx_events import AriEvents
from recorder.capture.journal import fold
from recorder.capture.service import Capture, Ended
from recorder.custody.rules import outcome_of
from recorder.model import CallId, CallRecord, Mode
from recorder.regulation import AnnouncementTerms, Trunk
from tests.builders import a_scope, an_announcement
from tests.calls import record
from tests.fakes import FakeAnnouncements, FakeClock, FakeJournals, FakeSpool, FakeSwitchboard
from tests.services.test_capture import a_snapshot

CALLS = Path(record.__file__).parent
NAMES = sorted(record.CALLS)
LENGTH_MS = 1500
TERMS = AnnouncementTerms(
    mode=Mode.OPT_OUT, choice_wait_s=0, longest_s=20, language="pl", language_keys={}
)
AS_TOLD = {
    "recorded": "stayed_on_the_line",
    "declined": "declined",
    "caller_left": "caller_left",
    "not_answered": "not_answered",
    "queue": "stayed_on_the_line",
    "ring_group": "stayed_on_the_line",
}
COMPLAINTS = {"call_failed", "release_failed", "not_followed"}


@cache
def log_of(name: str) -> tuple[Event, ...]:
    text = (CALLS / f"{name}.jsonl").read_text(encoding="utf-8")
    events = [json.loads(line) for line in text.splitlines()]
    return tuple(Event(each["type"], each) for each in events)


@cache
def id_in(name: str) -> UUID:
    """Return the id that capture gave the call then; its playbacks carry it."""
    played = [event.text("playback", "id") for event in log_of(name)]
    return UUID(next(filter(None, played)).rpartition("-")[0])


class Replay:
    """Capture among fakes, told a log."""

    def __init__(self, name: str) -> None:
        self.clock = FakeClock()
        self.journals = FakeJournals()
        self.switchboard = FakeSwitchboard()
        self.ended: list[Ended] = []
        announcements = FakeAnnouncements()
        announcements.in_force = [replace(an_announcement(), length_ms=LENGTH_MS)]
        ids = iter([id_in(name), *(UUID(int=each) for each in range(1, 1000))])
        self.capture = Capture(
            switchboard=self.switchboard,
            journals=self.journals,
            spool=FakeSpool(),
            announcements=announcements,
            clock=self.clock,
            scope=a_scope(
                trunks=(Trunk(endpoint="trunk", context="from-trunk"),),
                lines=("746640800", "746640811", "746640812", "746640813"),
            ),
            terms=TERMS,
            node="pbx1",
            floor_bytes=1,
            new_id=lambda: CallId(next(ids)),
            on_ended=self.ended.append,
            on_settled=lambda _: None,
        )
        self.events = AriEvents(
            clock=self.clock, arrive=self.capture.arrive, deliver=self.capture.deliver
        )

    async def tell(self, log: Sequence[Event]) -> None:
        first = min((each.timestamp for each in log if each.timestamp), default=self.clock.at)
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.capture.run())
            await asyncio.sleep(0)
            for event in log:
                # Two clocks that agree: what is late arrives late, by both of them.
                now = max(self.clock.at, event.timestamp or first)
                self.clock.pass_by((now - self.clock.at).total_seconds())
                self.events(event)
                for _ in range(12):
                    await asyncio.sleep(0)
            # Then the link is lost, and at the next one no channel lives any more.
            self.capture.disconnected()
            await self.capture.reconcile(a_snapshot(at=self.clock.now(), started_at=None))
            while self.capture.live_calls:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            running.cancel()

    def calls(self) -> list[CallRecord]:
        # A journal that is still there at the next connection is handed on again; sealing takes
        # each once.
        ended = {each.call_id: each for each in self.ended}
        return [each.record or fold(self.journals.read(each.call_id)) for each in ended.values()]


def told(name: str, log: Sequence[Event]) -> list[CallRecord]:
    replay = Replay(name)
    with structlog.testing.capture_logs() as said:
        asyncio.run(replay.tell(log))
    assert not COMPLAINTS & {each["event"] for each in said}, said
    return replay.calls()


def reason_of(call: CallRecord) -> str:
    heard = bool(call.recording_id) and call.bridged_seconds > 0
    return outcome_of(call, recorded=heard).reason.value


@pytest.mark.parametrize("name", NAMES)
def test_a_call_told_as_it_was_ends_as_it_did(name: str) -> None:
    (call,) = told(name, log_of(name))
    assert reason_of(call) == AS_TOLD[name]
    assert call.ended_at is not None
    assert (call.answered_by == "desk") == (name not in {"caller_left", "not_answered"})


@st.composite
def tellings(draw: st.DrawFn) -> tuple[str, list[Event]]:
    """Draw a log in which events are late, missing and repeated."""
    name = draw(st.sampled_from(NAMES))
    events = list(log_of(name))
    for _ in range(draw(st.integers(0, 4))):
        index = draw(st.integers(0, len(events) - 1))
        what = draw(st.sampled_from(["drop", "repeat", "late", "early"]))
        event = events.pop(index)
        if what == "repeat":
            events.insert(index, event)
        if what in {"repeat", "late"}:
            events.insert(draw(st.integers(index, len(events))), event)
        if what == "early":
            events.insert(draw(st.integers(0, index)), event)
        if not events:
            break
    return name, events


@given(tellings())
def test_however_it_is_told_the_call_ends_alike_or_somebody_hears_of_it(
    telling: tuple[str, list[Event]],
) -> None:
    """F14: never an exception, one record at most, and no recording without the proof."""
    name, log = telling
    calls = told(name, log)
    assert len({each.channel_id for each in calls}) <= 1
    # An arrival told again after the end is another call to us; its channel has a row by then.
    for call in calls[:1]:
        reason = reason_of(call)
        decision = call.decision
        assert decision is not None
        if reason == AS_TOLD[name] or call.incidents:
            continue
        # Nothing went wrong that anybody could see: the caller seemed to leave before the end
        # of the announcement, or the office never to answer. No audio is lost in silence.
        assert reason in {"caller_left", "not_answered", "audio_lost", "stayed_on_the_line"}
        if call.recording_id is not None:
            assert finished(log), "recorded without the proof of the announcement"


def finished(log: Sequence[Event]) -> bool:
    return {"PlaybackStarted", "PlaybackFinished"} <= {each.type for each in log}


def test_the_logs_name_nobody() -> None:
    numbers: set[Any] = {
        event.text("channel", "caller", "number") for name in NAMES for event in log_of(name)
    }
    assert all(each.startswith(("600000", "7466408")) for each in numbers if each.isdigit())
