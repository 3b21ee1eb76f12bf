"""Orders about live recordings: to the PBX, into the journal, over a crash at any step (RG.12)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from recorder.audit.event import Actor, ActorKind
from recorder.capture import events as ev
from recorder.capture import live_call, ordering
from recorder.capture.journal import decode
from recorder.capture.ordering import orders_of
from recorder.custody.rules import outcome_of
from recorder.errors import CallGone, SwitchboardSilent, SwitchboardUnavailable
from recorder.live.model import Act, Answer, State
from recorder.model import CallId, Reason
from tests.live_builders import an_order
from tests.services.test_capture import Office, a_snapshot, an_arrival, at

pytestmark = pytest.mark.usefixtures("_no_pauses")
COMMANDS = {
    Act.PAUSE: "pause_recording",
    Act.RESUME: "resume_recording",
    Act.STOP: "stop_recording",
    Act.DISCARD: "stop_recording",
}


@pytest.fixture
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_call, "RELEASE_RETRY_S", 0)
    monkeypatch.setattr(live_call, "STANDS_STILL_S", 0.01)
    monkeypatch.setattr(ordering, "STOP_AGAIN_AFTER_S", 0.01)


class LiveOffice(Office):
    """One call on the line with the desk, being recorded."""

    async def talk(self) -> CallId:
        self.capture.arrive(an_arrival("1.1"), 0)
        await self.announce("1.1")
        await self.released("1.1")
        self.tell("1.1", ev.LineChanged(bridged=True, parties=("desk",), **at(20)))
        await self.until(lambda: bool(self.capture.in_progress()))
        await self.until(lambda: self.capture.in_progress()[0].connected)
        recording_id = self.switchboard.recording["1.1"]
        assert recording_id is not None
        self.spool.write(recording_id, b"\1" * 32_000, self.clock.now())
        return self.call_id("1.1")

    async def order(self, act: Act, *, number: int = 1, **changes: Any) -> Answer:
        call_id = self.call_id("1.1")
        order = an_order(
            act, number=number, call_id=call_id, **({"asked_at": self.clock.now()} | changes)
        )
        before = len(self.settled)
        assert self.capture.order(order) is None
        await self.until(lambda: len(self.settled) > before)
        return self.settled[-1].answer

    async def sure(self) -> None:
        await self.until(lambda: not self.capture.in_progress()[0].in_doubt)

    def state(self) -> State:
        return self.capture.in_progress()[0].state

    def entries(self, call_id: CallId) -> list[Any]:
        return list(self.journals.read(call_id))


@pytest.fixture
async def office() -> AsyncIterator[LiveOffice]:
    made = LiveOffice()
    async with made.running():
        yield made


@pytest.mark.parametrize("act", [Act.PAUSE, Act.STOP, Act.DISCARD])
async def test_an_order_is_on_disk_before_the_pbx_hears_of_it(office: LiveOffice, act: Act) -> None:
    call_id = await office.talk()
    on_disk: list[bytes] = []
    name = COMMANDS[act]
    command = getattr(office.switchboard, name)

    async def look(*args: Any) -> None:
        on_disk.append(office.journals.stored[call_id][: office.journals.durable[call_id]])
        await command(*args)

    setattr(office.switchboard, name, look)
    assert await office.order(act) is Answer.DONE
    assert decode(on_disk[0])[-1]["kind"] == "order:taken"
    settled = [each for each in office.entries(call_id) if each["kind"] == "order:settled"]
    assert [each["answer"] for each in settled] == ["done"]


async def test_what_was_done_is_not_done_again_and_what_is_over_is_refused(
    office: LiveOffice,
) -> None:
    await office.talk()
    assert await office.order(Act.PAUSE) is Answer.DONE
    assert await office.order(Act.PAUSE, number=2) is Answer.ALREADY
    assert await office.order(Act.RESUME, number=3) is Answer.DONE
    assert await office.order(Act.STOP, number=4) is Answer.DONE
    assert await office.order(Act.RESUME, number=5) is Answer.OVER
    assert office.switchboard.count("pause_recording", "1.1") == 1
    await office.over("1.1")
    gone = office.capture.order(an_order(call_id=CallId(UUID(int=404))))
    assert gone is not None
    assert gone.answer is Answer.CALL_OVER


async def test_an_old_order_is_refused_without_a_word_to_the_pbx(office: LiveOffice) -> None:
    await office.talk()
    before = office.clock.now()
    office.clock.pass_by(6)
    assert await office.order(Act.DISCARD, asked_at=before) is Answer.EXPIRED
    assert office.switchboard.count("stop_recording", "1.1") == 0
    assert office.state() is State.RECORDING


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (SwitchboardUnavailable("not connected"), Answer.SWITCHBOARD_AWAY),
        (CallGone("nothing is recorded"), Answer.NOT_RECORDING),
    ],
)
async def test_what_certainly_was_not_done_stays_undone(
    office: LiveOffice, fault: Exception, answer: Answer
) -> None:
    await office.talk()
    office.switchboard.faults["pause_recording"] = [fault]
    assert await office.order(Act.PAUSE) is answer
    assert office.state() is State.RECORDING
    await asyncio.sleep(0.05)
    assert office.switchboard.count("pause_recording", "1.1") == 1


async def test_a_pause_in_doubt_holds_and_is_asked_for_until_it_is_confirmed(
    office: LiveOffice,
) -> None:
    await office.talk()
    silent = SwitchboardSilent("no answer")
    office.switchboard.faults["pause_recording"] = [silent, silent]
    assert await office.order(Act.PAUSE) is Answer.DOUBTFUL
    shown = office.capture.in_progress()[0]
    assert (shown.state, shown.in_doubt) == (State.PAUSED, True)
    await office.until(lambda: len(office.settled) == 2)
    assert office.settled[-1].answer is Answer.DONE
    assert office.settled[0].order == office.settled[1].order
    assert office.switchboard.count("pause_recording", "1.1") == 3
    assert not office.capture.in_progress()[0].in_doubt


async def test_a_resuming_in_doubt_stays_paused(office: LiveOffice) -> None:
    """Of the two states, the one with less audio."""
    await office.talk()
    await office.order(Act.PAUSE)
    office.switchboard.faults["resume_recording"] = [SwitchboardSilent("no answer")]
    assert await office.order(Act.RESUME, number=2) is Answer.DOUBTFUL
    await office.until(lambda: len(office.settled) == 3)
    assert office.settled[-1].answer is Answer.SWITCHBOARD_AWAY
    assert office.state() is State.PAUSED
    assert office.switchboard.count("pause_recording", "1.1") == 2


async def test_discarded_audio_is_destroyed_once_it_stands_still(office: LiveOffice) -> None:
    call_id = await office.talk()
    assert await office.order(Act.DISCARD) is Answer.DONE
    assert office.spool.audio, "the PBX may still be writing it"
    office.clock.pass_by(2)
    await office.until(lambda: not office.spool.audio)
    await office.until(lambda: office.entries(call_id)[-1]["kind"] == "recording:wiped")
    call = await office.over("1.1")
    assert outcome_of(call, recorded=False).reason is Reason.DISCARDED


async def test_a_code_counts_from_the_desk_on_the_line_and_from_nobody_else(
    office: LiveOffice,
) -> None:
    """RG.12: not from the caller, not from who is not on the line, not from outside."""
    await office.talk()

    def press(extension: str, channel_id: str) -> None:
        event = ev.CodePressed(act=Act.PAUSE, extension=extension, channel_id=channel_id, **at(30))
        office.tell("1.1", event)

    press("operator", "1.1")
    press("desk-2", "2.2")
    await office.until(lambda: len(office.settled) == 1)
    assert office.settled[0].answer is Answer.NOT_OF_THE_OFFICE
    office.tell("1.1", ev.LineChanged(bridged=True, parties=("desk", "operator"), **at(31)))
    press("operator", "3.3")
    await office.until(lambda: len(office.settled) == 2)
    assert office.settled[1].answer is Answer.NOT_OF_THE_OFFICE
    assert office.switchboard.count("pause_recording", "1.1") == 0


async def test_the_desk_hears_what_became_of_its_code(office: LiveOffice) -> None:
    await office.talk()
    event = ev.CodePressed(act=Act.PAUSE, extension="desk", channel_id="2.2", **at(30))
    office.tell("1.1", event)
    await office.until(lambda: bool(office.switchboard.told))
    assert office.switchboard.told == [("2.2", Act.PAUSE, Answer.DONE)]
    assert office.settled[0].order.by == Actor(kind=ActorKind.EXTENSION, name="desk")


@pytest.mark.parametrize("act", [Act.PAUSE, Act.STOP, Act.DISCARD])
@pytest.mark.parametrize("lives", [True, False], ids=["lives on", "has ended"])
async def test_after_a_crash_at_any_step_of_an_order_the_next_process_finishes_it(
    act: Act, lives: bool
) -> None:
    """F1, RG.12: whatever part of the journal was on disk; never is it recorded on in silence."""
    whole = LiveOffice()
    async with whole.running():
        call_id = await whole.talk()
        before = len(whole.journals.stored[call_id].splitlines())
        await whole.order(act)
        await asyncio.sleep(0.05)
        lines = whole.journals.stored[call_id].splitlines(keepends=True)
        audio = dict(whole.spool.audio)
        flow_of = whole.switchboard.recording["1.1"]
    assert len(lines) > before + 1
    for kept in range(before + 1, len(lines) + 1):
        again = LiveOffice()
        again.journals.stored[call_id] = b"".join(lines[:kept])
        again.spool.audio = dict(audio)
        again.clock.pass_by(60)
        async with again.running():
            channels = frozenset({"1.1", "2.2"}) if lives else frozenset()
            lines_of = {"1.1": ("desk",)} if lives else {}
            await again.capture.reconcile(a_snapshot(channels=channels, lines=lines_of))
            if lives:
                expected = {
                    Act.PAUSE: State.PAUSED,
                    Act.STOP: State.STOPPED,
                    Act.DISCARD: State.DISCARDED,
                }[act]
                await again.sure()
                assert again.state() is expected, kept
                assert again.switchboard.count(COMMANDS[act], "1.1") >= 1
                call = await again.over("1.1")
            else:
                call = await again.handed_on("1.1")
            discarded = outcome_of(call, recorded=False).reason is Reason.DISCARDED
            assert discarded is (act is Act.DISCARD)
            assert call.recording_id == flow_of
            told = orders_of(call, again.journals.read(call_id))
            assert told.open is None
            assert len(told.settled) == 1


async def test_orders_beyond_number_displace_no_end_of_a_call(office: LiveOffice) -> None:
    """B5: who orders without end waits; the call ends all the same."""
    await office.talk()
    for number in range(3 * live_call.MOST_WAITING_EVENTS):
        order = an_order(Act.PAUSE, number=number, call_id=office.call_id("1.1"))
        office.capture.order(replace(order, asked_at=office.clock.now()))
    await office.over("1.1")
