"""Hold, transfer, queue, ring group: one call stays one recording, and of the caller alone.

All scenes are played at once, on one office, by telephones that each say a tone of their own;
the tests then look at what was kept of each.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import pytest

from recorder.embedded import tones
from recorder.embedded.asterisk_config import DESK, DESK_2, OUTSIDE, TRUNK
from recorder.embedded.office import Office
from tests.asterisk.observed import audio_of, row_of, rows, spool_files, wait_until
from tests.asterisk.phones import Line, Phone

pytestmark = pytest.mark.asterisk

LINE, QUEUE, RING_GROUP, MIXED_GROUP = "746640800", "746640811", "746640812", "746640814"
BY_THE_ROUTE, PAST_THE_ROUTE = "0600700800", "9600700800"
"""Two ways out: one runs ``Gosub(recorder,leaving,1)``, on the other nobody thought of it."""

CALLER, DESK_SAYS, COLLEAGUE = tones.CALLER_HZ, tones.OFFICE_HZ, 1300.0
DESK_ASIDE, COLLEAGUE_ASIDE, STRANGER = 2100.0, 2500.0, 2900.0
"""What is said between the office's own, and by somebody outside."""

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

    phones: Phones
    number: str
    """The caller's own number."""

    async def arrive(self, line: str = LINE) -> tuple[Line, Line]:
        """Call from outside, be announced to, and be answered by the desk."""
        dialled = await self.enter(line)
        desk = await self.phones.desk.rings(self.number)
        dialled.say(CALLER)
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
    await stage.stranger_takes(stage.number)
    await asyncio.sleep(4)
    await caller.hang_up()


async def group_member_inside(stage: Stage) -> None:
    caller, _ = await stage.arrive(MIXED_GROUP)
    await asyncio.sleep(1)
    await caller.hang_up()


SCENES: Mapping[str, Callable[[Stage], Awaitable[None]]] = {
    each.__name__: each
    for each in (
        *(blind_inside, attended_inside, held, queue_then_blind, ring_group_then_attended),
        *(caller_leaves_first, office_to_outside, office_inside, blind_outside),
        *(blind_outside_past_the_route, attended_outside, group_member_outside),
        group_member_inside,
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

    def sides(self) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
        samples = audio_of(self.office, self.row())
        return samples[:, 0], samples[:, 1]


async def play_all(office: Office) -> dict[str, Played]:
    async with _phones(office) as phones:
        stages = {name: Stage(phones, str(next(_numbers))) for name in SCENES}
        failures = await asyncio.gather(
            *(SCENES[name](stage) for name, stage in stages.items()), return_exceptions=True
        )
    return {
        name: Played(office, stage.number, failure)
        for (name, stage), failure in zip(stages.items(), failures, strict=True)
    }


def _phones(office: Office) -> Any:
    from contextlib import AsyncExitStack, asynccontextmanager

    @asynccontextmanager
    async def opened() -> Any:
        where = {"port": office.asterisk.desk_port, "pbx_port": office.asterisk.sip_port}
        async with AsyncExitStack() as stack:
            names = (("caller", TRUNK), ("desk", DESK), ("desk-2", DESK_2), ("outside", OUTSIDE))
            yield Phones(
                *[await stack.enter_async_context(Phone.at(*each, **where)) for each in names]
            )

    return opened()


@pytest.fixture(scope="module")
def played(office: Office) -> Iterator[dict[str, Played]]:
    yield asyncio.run(play_all(office))


@pytest.mark.parametrize("name", SCENES)
def test_look(played: dict[str, Played], name: str) -> None:
    p = played[name]
    print(name, p.number, repr(p.failure))
    if name.startswith("office"):
        return
    row = p.row()
    print(row["outcome"], row["reason"], row["answered_by"], row["bridged"], row["bridged_seconds"])
    for each in row["timeline"]:
        print("   ", each)
    print(rows(p.office, "SELECT kind FROM incident WHERE call_id = %s", row["id"]))
    if row["recording_id"]:
        for side in p.sides():
            print(
                len(side) / 8000,
                {
                    h: round(tones.share_of(side, h), 4)
                    for h in (
                        CALLER,
                        DESK_SAYS,
                        COLLEAGUE,
                        DESK_ASIDE,
                        COLLEAGUE_ASIDE,
                        STRANGER,
                        1700.0,
                    )
                },
            )
            print(
                "  ",
                [
                    max(
                        (
                            CALLER,
                            DESK_SAYS,
                            COLLEAGUE,
                            DESK_ASIDE,
                            COLLEAGUE_ASIDE,
                            STRANGER,
                            1700.0,
                            0.0,
                        ),
                        key=lambda h: tones.share_of(side[i : i + 2000], h) if h else 0.3,
                    )
                    for i in range(0, len(side), 2000)
                ],
            )
