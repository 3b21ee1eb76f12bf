"""Hold, transfer, queue, ring group: one call stays one recording, and of the caller alone.

All scenes are played at once, on one office, by telephones that each say a tone of their own;
the tests then look at what was kept of each.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import numpy as np
import pytest
from pydantic import SecretStr

from recorder.adapters.ami import LONGEST_PAUSE_S, AmiControl
from recorder.adapters.ami_session import AmiAccount
from recorder.capture.following import STOP_AGAIN_AFTER_S
from recorder.embedded import tones
from recorder.embedded.asterisk_config import DESK, DESK_2, OUTSIDE, TRUNK
from recorder.embedded.office import Office
from recorder.errors import CallGone
from tests.asterisk.observed import audio_of, row_of, rows, spool_files, wait_until
from tests.asterisk.phones import Line, Phone

pytestmark = pytest.mark.asterisk

LINE, QUEUE, RING_GROUP, MIXED_GROUP = "746640800", "746640811", "746640812", "746640814"
BY_THE_ROUTE, PAST_THE_ROUTE = "0600700800", "9600700800"
"""Two ways out: one runs ``Gosub(recorder,leaving,1)``, on the other nobody thought of it."""

CALLER, DESK_SAYS, COLLEAGUE = tones.CALLER_HZ, tones.OFFICE_HZ, 1300.0
DESK_ASIDE, COLLEAGUE_ASIDE, STRANGER = 2100.0, 2500.0, 2900.0
"""What is said between the office's own, and by somebody outside."""

TONES = (CALLER, DESK_SAYS, COLLEAGUE, DESK_ASIDE, COLLEAGUE_ASIDE, STRANGER, tones.MARKER_HZ)
TRACE = 0.002
"""Share of a side's energy above which a tone is in it: 10 ms of 5 s."""

RINGS_S = 0.2
MADE_UP_FOR_WITHIN_S = LONGEST_PAUSE_S + STOP_AGAIN_AFTER_S + 5
"""How long after AMI is back, at the worst of both pauses."""

INCIDENTS = "SELECT kind FROM incident WHERE call_id = %s"

T = TypeVar("T")
_numbers = count(616_000_001)


@dataclass(frozen=True, slots=True)
class Phones:
    caller: Phone
    desk: Phone
    colleague: Phone
    outside: Phone


@dataclass(frozen=True, slots=True)
class Stage:
    """Where one scene is played."""

    office: Office
    phones: Phones
    number: str
    """The caller's own number."""

    async def arrive(self, line: str = LINE) -> tuple[Line, Line]:
        """Call from outside, be announced to, and be answered by the desk."""
        dialled = await self.enter(line)
        desk = await self.phones.desk.rings(self.number)
        dialled.say(CALLER)
        # Nobody lifts a telephone within one frame; the last of the marker is on its way.
        await asyncio.sleep(RINGS_S)
        await desk.answer(DESK_SAYS)
        await asyncio.sleep(2)
        return dialled, desk

    async def enter(self, line: str) -> Line:
        return await self.phones.caller.dials(line, tones.MARKER_HZ, caller=self.number)

    async def colleague_takes(self, who: str) -> Line:
        line = await self.phones.colleague.rings(who)
        await line.answer(COLLEAGUE)
        return line

    async def stranger_takes(self, who: str) -> Line:
        line = await self.phones.outside.rings(who)
        await line.answer(STRANGER)
        return line

    async def asks_aside(self, desk: Line, number: str, phone: Phone) -> tuple[Line, Line]:
        """Put the caller on hold and ask somebody, who answers."""
        await desk.hold()
        who = f"9{self.number}"
        dialling = asyncio.ensure_future(self.phones.desk.dials(number, DESK_ASIDE, caller=who))
        asked = await phone.rings(who)
        await asked.answer(COLLEAGUE_ASIDE)
        aside = await dialling
        await asyncio.sleep(2)
        return aside, asked


async def blind_inside(stage: Stage) -> None:
    caller, desk = await stage.arrive()
    await desk.pass_on("desk-2")
    await stage.colleague_takes(stage.number)
    await asyncio.sleep(3)
    await caller.hang_up()


async def attended_inside(stage: Stage, line: str = LINE) -> None:
    caller, desk = await stage.arrive(line)
    aside, asked = await stage.asks_aside(desk, "desk-2", stage.phones.colleague)
    asked.say(COLLEAGUE)
    await desk.pass_on_to(aside)
    await asyncio.sleep(3)
    await caller.hang_up()


async def held(stage: Stage) -> None:
    caller, desk = await stage.arrive()
    await desk.hold()
    await asyncio.sleep(2)
    await desk.unhold(DESK_SAYS)
    await asyncio.sleep(2)
    await caller.hang_up()


async def queue_then_blind(stage: Stage) -> None:
    caller, desk = await stage.arrive(QUEUE)
    await desk.pass_on("desk-2")
    await stage.colleague_takes(stage.number)
    await asyncio.sleep(3)
    await caller.hang_up()


async def ring_group_then_attended(stage: Stage) -> None:
    await attended_inside(stage, RING_GROUP)


async def caller_leaves_first(stage: Stage) -> None:
    caller, desk = await stage.arrive()
    aside, asked = await stage.asks_aside(desk, "desk-2", stage.phones.colleague)
    await caller.hang_up()
    await asyncio.sleep(3)
    await aside.hang_up()
    await asyncio.wait_for(asked.over.wait(), 5)


async def office_to_outside(stage: Stage) -> None:
    dialling = asyncio.ensure_future(
        stage.phones.desk.dials(BY_THE_ROUTE, DESK_SAYS, caller=stage.number)
    )
    await stage.stranger_takes(stage.number)
    await asyncio.sleep(2)
    await (await dialling).hang_up()


async def office_inside(stage: Stage) -> None:
    dialling = asyncio.ensure_future(
        stage.phones.desk.dials("desk-2", DESK_SAYS, caller=stage.number)
    )
    await stage.colleague_takes(stage.number)
    await asyncio.sleep(2)
    await (await dialling).hang_up()


async def blind_outside(stage: Stage, number: str = BY_THE_ROUTE) -> None:
    caller, desk = await stage.arrive()
    await desk.pass_on(number)
    await stage.stranger_takes(stage.number)
    await asyncio.sleep(4)
    await caller.hang_up()


async def blind_outside_past_the_route(stage: Stage) -> None:
    await blind_outside(stage, PAST_THE_ROUTE)


async def attended_outside(stage: Stage) -> None:
    caller, desk = await stage.arrive()
    aside, asked = await stage.asks_aside(desk, BY_THE_ROUTE, stage.phones.outside)
    asked.say(STRANGER)
    await desk.pass_on_to(aside)
    await asyncio.sleep(4)
    await caller.hang_up()


async def group_member_outside(stage: Stage) -> None:
    caller = await stage.enter(MIXED_GROUP)
    await stage.phones.desk.rings(stage.number)
    caller.say(CALLER)
    await asyncio.sleep(RINGS_S)
    await stage.stranger_takes(stage.number)
    await asyncio.sleep(4)
    await caller.hang_up()


async def group_member_inside(stage: Stage) -> None:
    caller, _ = await stage.arrive(MIXED_GROUP)
    await asyncio.sleep(1)
    await caller.hang_up()


async def muted_then_stopped(stage: Stage) -> None:
    caller, _ = await stage.arrive()
    asterisk = stage.office.asterisk
    channels = await asyncio.to_thread(asterisk.cli, "core show channels concise")
    ours = [each.split("!") for each in channels.splitlines() if f"!{stage.number}!" in each]
    (channel_id,) = [each[-1] for each in ours if each[0].startswith("PJSIP/trunk-")]
    account = AmiAccount(
        host="127.0.0.1",
        port=asterisk.ami_port,
        user="recorder",
        password=SecretStr(asterisk.ami_password),
    )
    with AmiControl(account) as control:
        await until(lambda: control.connected)
        await control.mute(channel_id)
        await asyncio.sleep(2)
        await control.unmute(channel_id)
        await asyncio.sleep(2)
        await control.stop(channel_id)
        await control.stop(channel_id)
        await asyncio.sleep(2)
        await caller.hang_up()
        with pytest.raises(CallGone):
            await stop_until_gone(control, channel_id)


async def stop_until_gone(control: AmiControl, channel_id: str) -> None:
    """Asterisk takes a moment to forget a channel."""
    async with asyncio.timeout(5):
        while True:
            await control.stop(channel_id)


async def until(holds: Callable[[], bool], within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for is in another thread
            await asyncio.sleep(0.02)


SCENES: Mapping[str, Callable[[Stage], Awaitable[None]]] = {
    each.__name__: each
    for each in (
        *(blind_inside, attended_inside, held, queue_then_blind, ring_group_then_attended),
        *(caller_leaves_first, office_to_outside, office_inside, blind_outside),
        *(blind_outside_past_the_route, attended_outside, group_member_outside),
        *(group_member_inside, muted_then_stopped),
    )
}


@dataclass(frozen=True, slots=True)
class Played:
    """What became of one scene."""

    office: Office
    number: str
    failure: BaseException | None

    def row(self) -> dict[str, Any]:
        if self.failure is not None:
            raise self.failure
        return row_of(self.office, self.number)

    def moments(self) -> list[str]:
        return [each["kind"] for each in self.row()["timeline"]]

    def details(self) -> list[str]:
        return [each["detail"] for each in self.row()["timeline"]]

    def sides(self) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
        samples = audio_of(self.office, self.row())
        return samples[:, 0], samples[:, 1]

    def heard(self) -> tuple[set[float], set[float]]:
        """Return the tones on either side: of the caller, and of the office."""
        left, right = (
            {tone for tone in TONES if tones.share_of(side, tone) > TRACE} for side in self.sides()
        )
        return left, right

    def ends_with(self, tone: float) -> bool:
        """Tell whether the office's side says this tone at its end."""
        _, office = self.sides()
        return tones.share_of(office[-tones.SAMPLE_RATE // 2 :], tone) > 0.9

    def assert_whole(self) -> None:
        """One recording, as long as its parts together."""
        row = self.row()
        assert row["outcome"] == "recorded"
        assert row["frames"] / tones.SAMPLE_RATE == pytest.approx(row["bridged_seconds"], abs=0.2)
        assert rows(self.office, INCIDENTS, row["id"]) == []


async def with_phones(office: Office, play: Callable[[Phones], Awaitable[T]]) -> T:
    where = {"port": office.asterisk.desk_port, "pbx_port": office.asterisk.sip_port}
    async with (
        Phone.at("caller", TRUNK, **where) as caller,
        Phone.at("desk", DESK, **where) as desk,
        Phone.at("desk-2", DESK_2, **where) as colleague,
        Phone.at("outside", OUTSIDE, **where) as outside,
    ):
        return await play(Phones(caller, desk, colleague, outside))


async def play_all(office: Office, phones: Phones) -> dict[str, Played]:
    stages = {name: Stage(office, phones, str(next(_numbers))) for name in SCENES}
    failures = await asyncio.gather(
        *(SCENES[name](stage) for name, stage in stages.items()), return_exceptions=True
    )
    return {
        name: Played(office, stage.number, failure)
        for (name, stage), failure in zip(stages.items(), failures, strict=True)
    }


@pytest.fixture(scope="module")
def played(office: Office) -> dict[str, Played]:
    return asyncio.run(with_phones(office, lambda phones: play_all(office, phones)))


@pytest.mark.parametrize("scene", ["blind_inside", "queue_then_blind"])
def test_a_call_passed_on_blindly_stays_one_recording(
    played: dict[str, Played], scene: str
) -> None:
    """R3.4c: a REFER of the desk, also of one that a queue reached through a Local channel."""
    call = played[scene]
    call.assert_whole()
    assert (call.row()["answered_by"], call.row()["parties"]) == ("desk", ["desk", "desk-2"])
    assert "blind → desk-2" in call.details()
    assert call.heard() == ({CALLER}, {DESK_SAYS, COLLEAGUE})
    assert call.ends_with(COLLEAGUE)


@pytest.mark.parametrize("scene", ["attended_inside", "ring_group_then_attended"])
def test_what_the_office_says_among_itself_before_it_passes_a_call_on_is_in_no_file(
    played: dict[str, Played], scene: str
) -> None:
    """R3.4c, R3.4e: a REFER with Replaces after asking, the caller on hold meanwhile."""
    call = played[scene]
    call.assert_whole()
    assert (call.row()["answered_by"], call.row()["parties"]) == ("desk", ["desk", "desk-2"])
    assert "attended → desk-2" in call.details()
    assert call.moments().count("call:held") == 1
    assert call.heard() == ({CALLER}, {DESK_SAYS, COLLEAGUE})
    assert call.ends_with(COLLEAGUE)


def test_a_held_call_goes_on_in_the_same_recording(played: dict[str, Played]) -> None:
    """R3.4c: a re-INVITE of the desk; nothing of the desk meanwhile."""
    call = played["held"]
    call.assert_whole()
    kinds = [each for each in call.moments() if each in {"call:held", "call:unheld"}]
    assert kinds == ["call:held", "call:unheld"]
    assert call.heard() == ({CALLER}, {DESK_SAYS})
    assert call.ends_with(DESK_SAYS)


def test_a_recording_ends_with_the_caller_though_the_office_talks_on(
    played: dict[str, Played],
) -> None:
    """R3.4d: the caller hangs up on hold, desk and colleague talk on for 3 s."""
    call = played["caller_leaves_first"]
    call.assert_whole()
    assert call.row()["frames"] / tones.SAMPLE_RATE == pytest.approx(4, abs=0.5)
    assert call.heard() == ({CALLER}, {DESK_SAYS})


@pytest.mark.parametrize("scene", ["office_to_outside", "office_inside"])
def test_a_call_of_the_office_itself_is_never_touched(
    played: dict[str, Played], scene: str
) -> None:
    """R3.4b: outbound and internal."""
    call = played[scene]
    if call.failure is not None:
        raise call.failure
    assert rows(call.office, "SELECT 1 FROM call WHERE caller_number = %s", call.number) == []
    wait_until(lambda: spool_files(call.office) == [], 10)


@pytest.mark.parametrize(
    ("scene", "talked_s"),
    [("blind_outside", 2), ("blind_outside_past_the_route", 2), ("attended_outside", 4)],
)
def test_a_caller_passed_on_to_the_outside_is_recorded_no_further(
    played: dict[str, Played], scene: str, talked_s: float
) -> None:
    """R3.4h, R8.2f: by the outbound route, and through AMI where that does not see it."""
    call = played[scene]
    row = call.row()
    assert row["outcome"] == "recorded"
    (stopped,) = [each for each in row["timeline"] if each["kind"] == "recording:stopped"]
    assert stopped["detail"] == "forwarded_outside"
    assert row["bridged_seconds"] > talked_s + 3, "the call went on"
    assert row["frames"] / tones.SAMPLE_RATE == pytest.approx(talked_s, abs=0.5)
    assert not row["incomplete"]
    assert call.heard() == ({CALLER}, {DESK_SAYS})
    assert rows(call.office, INCIDENTS, row["id"]) == []


def test_a_ring_group_whose_member_outside_answers_is_not_recorded(
    played: dict[str, Played],
) -> None:
    """R3.4h: reached by a Local channel; the caller is with the outside from the start."""
    call = played["group_member_outside"]
    row = call.row()
    if row["outcome"] == "recorded":
        # What was said before Asterisk had carried out the stop.
        assert row["frames"] / tones.SAMPLE_RATE < 0.5
    else:
        assert row["reason"] == "forwarded_outside"
    assert "recording:stopped" in call.moments()
    assert rows(call.office, INCIDENTS, row["id"]) == []


def test_a_ring_group_with_a_member_outside_is_recorded_when_the_desk_answers(
    played: dict[str, Played],
) -> None:
    """R3.4h: a telephone that only rings outside stops nothing."""
    call = played["group_member_inside"]
    call.assert_whole()
    assert "recording:stopped" not in call.moments()
    assert call.heard() == ({CALLER}, {DESK_SAYS})


def test_a_mute_writes_silence_and_keeps_the_time(played: dict[str, Played]) -> None:
    """RG.12, through AMI: 2 s of the call are silent on both sides, and it stops when told."""
    call = played["muted_then_stopped"]
    row = call.row()
    for side, says in zip(call.sides(), (CALLER, DESK_SAYS), strict=True):
        quarter = tones.SAMPLE_RATE // 4
        loud = [
            bool(np.abs(side[start : start + quarter]).max() > 0.01)
            for start in range(0, len(side) - quarter, quarter)
        ]
        assert loud.count(False) == pytest.approx(8, abs=2)
        assert loud[0]
        assert loud[-1]
        assert tones.share_of(side, says) > 0.9
    assert row["frames"] / tones.SAMPLE_RATE == pytest.approx(6, abs=0.6)
    assert row["bridged_seconds"] > 7


def journals_say(office: Office, word: str) -> bool:
    return any(word in each.read_text() for each in office.spool.glob("*.journal"))


async def outside_without_ami(office: Office, phones: Phones) -> Played:
    """Pass a caller on past the route while AMI is away, and give AMI back later."""
    stage, asterisk = Stage(office, phones, str(next(_numbers))), office.asterisk
    caller, desk = await stage.arrive()
    configuration = asterisk.directory / "etc/manager.conf"
    text = configuration.read_text(encoding="utf-8")
    configuration.write_text(text.replace("enabled=yes", "enabled=no", 1), encoding="utf-8")
    await asyncio.to_thread(asterisk.cli, "manager reload")
    for line in (await asyncio.to_thread(asterisk.cli, "manager show connected")).splitlines():
        if line.strip().startswith("recorder"):
            session = line.split()[4]
            await asyncio.to_thread(asterisk.cli, f"manager kick session {session}")
    await desk.pass_on(PAST_THE_ROUTE)
    await stage.stranger_takes(stage.number)
    await until(lambda: journals_say(office, "stop_refused"))
    await asyncio.sleep(1)
    assert not journals_say(office, "recording:stopped")
    configuration.write_text(text, encoding="utf-8")
    await asyncio.to_thread(asterisk.cli, "manager reload")
    await until(lambda: journals_say(office, "recording:stopped"), MADE_UP_FOR_WITHIN_S)
    await asyncio.sleep(2)
    await caller.hang_up()
    return Played(office, stage.number, None)


def test_while_ami_is_away_the_call_goes_on_and_the_stop_is_made_up_for(
    office: Office, played: dict[str, Played]
) -> None:
    """R3.4h: one incident; recorded until AMI is back, and said so."""
    call = asyncio.run(with_phones(office, lambda phones: outside_without_ami(office, phones)))
    row = call.row()
    assert rows(office, INCIDENTS, row["id"]) == [{"kind": "stop_refused"}]
    assert row["bridged_seconds"] - row["frames"] / tones.SAMPLE_RATE > 1.5
    assert not row["incomplete"]
    assert call.moments().count("recording:stopped") == 1
