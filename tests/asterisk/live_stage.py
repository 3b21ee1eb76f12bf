"""A stage for live control: an office whose AMI a test can cut, and somebody who gives orders."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import uuid_utils.compat as uuids

from recorder.adapters.clock import SystemClock
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.live import PostgresOrderBook
from recorder.audit.event import Actor, ActorKind
from recorder.embedded import tones
from recorder.embedded.asterisk_config import DESK, TRUNK
from recorder.embedded.office import Office
from recorder.live.model import Act, Answer, InProgress, State
from recorder.live.service import LiveController
from tests.asterisk.conftest import CACHE, REGULATION, add_announcement
from tests.asterisk.observed import audio_of, row_of, rows, seen_of
from tests.asterisk.phones import Line, Phone
from tests.invariants import Caller
from tests.tcp_proxy import TcpProxy

LINE, QUEUE = "746640800", "746640811"
CODES = {Act.PAUSE: "*91", Act.RESUME: "*92", Act.STOP: "*93", Act.DISCARD: "*94"}
PERSON = Actor(kind=ActorKind.OPERATOR, name="test")
SECRET_HZ = 2300.0
"""What the caller says while it is paused, and nowhere else."""

EFFECTIVE_WITHIN_S = 2.0
TRACE = 0.001
_numbers = count(618_000_001)


@dataclass
class Stage:
    """One office, its telephones, and somebody who gives orders."""

    office: Office
    caller: Phone
    desk: Phone
    control: LiveController
    answered: dict[str, float] = field(default_factory=dict)
    """When the desk answered each caller, monotonic."""

    async def talk(
        self, line: str = LINE, *, caller_hz: float = tones.CALLER_HZ
    ) -> tuple[str, Line, Line]:
        """Call from outside and be answered; return number, caller's line, desk's line."""
        number = str(next(_numbers))
        seen_of[self.office.directory].placed.append((Caller(number=number), None))
        dialled = await self.caller.dials(line, caller_hz, caller=number)
        desk = await self.desk.rings(number)
        await desk.answer(tones.OFFICE_HZ)
        self.answered[number] = time.monotonic()
        await self.shows(number, lambda each: each is not None and each.connected)
        return number, dialled, desk

    async def sealed(self, number: str) -> dict[str, Any]:
        """Return the row of a call, waiting until it is sealed."""
        return await asyncio.to_thread(row_of, self.office, number)

    async def audio(self, row: dict[str, Any]) -> Any:
        """Return the samples of a sealed recording."""
        return await asyncio.to_thread(audio_of, self.office, row)

    async def shown(self, number: str) -> InProgress | None:
        """Return what the board shows of a caller; only ends of the number are there."""
        board = await self.control.board()
        masked = f"{number[:3]}***{number[-3:]}"
        return next((each for each in board.calls if each.caller == masked), None)

    async def shows(
        self, number: str, holds: Callable[[InProgress | None], bool], within_s: float = 5
    ) -> InProgress | None:
        """Wait until the board shows it."""
        async with asyncio.timeout(within_s):
            while not holds(found := await self.shown(number)):  # noqa: ASYNC110 - in the database
                await asyncio.sleep(0.05)
        return found

    async def order(self, number: str, act: Act) -> Answer | None:
        """Give an order as a page does; return its answer."""
        call = await self.shown(number)
        assert call is not None
        board = await self.control.board()
        node = board.node_of(call)
        order_id = await self.control.order(call, act, node=node, by=PERSON, reason="próba")
        _, answer = await self.control.answer(order_id)
        return answer

    async def in_state(self, number: str, state: State, within_s: float = 5) -> None:
        """Wait until the board shows a call in a state that is sure."""
        await self.shows(
            number,
            lambda each: each is not None and each.state is state and not each.in_doubt,
            within_s,
        )


@asynccontextmanager
async def stage_in(office: Office) -> AsyncIterator[Stage]:
    where = {"port": office.asterisk.desk_port, "pbx_port": office.asterisk.sip_port}
    url = office.postgres.member_url("recorder_runtime")
    async with (
        Phone.at("caller", TRUNK, **where) as caller,
        Phone.at("desk", DESK, **where) as desk,
        connect(url) as engine,
    ):
        control = LiveController(
            book=PostgresOrderBook(engine), clock=SystemClock(), new_id=uuids.uuid7
        )
        yield Stage(office=office, caller=caller, desk=desk, control=control)


def seconds_without_sound(samples: Any) -> float:
    """Return how long neither side has any sound at all."""
    return float((np.abs(samples).max(axis=1) == 0).sum()) / tones.SAMPLE_RATE


def holds_tone(samples: Any, hertz: float) -> bool:
    """Tell whether 10 ms of a tone are in five seconds of a side."""
    return any(tones.share_of(side, hertz) > TRACE for side in samples.T)


def recording_of(office: Office, call_id: str) -> str:
    text = (office.spool / f"{call_id}.journal").read_text()
    return text.rpartition('"recording_id":"')[2].partition('"')[0]


def timeline_of(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (each["kind"], each["detail"])
        for each in row["timeline"]
        if each["kind"].startswith(("recording:", "order:")) and each["kind"] != "recording:armed"
    ]


def trail_of(office: Office, call_id: UUID) -> list[tuple[str, str, str]]:
    query = "SELECT action, actor_kind, actor_name FROM audit_event WHERE subject = %s ORDER BY seq"
    found = rows(office, query, f"call:{call_id}")
    return [(each["action"], each["actor_kind"], each["actor_name"]) for each in found]


class AmiOnTheWay:
    """A proxy between capture and AMI, in a thread of its own."""

    def __init__(self) -> None:
        self.proxy = TcpProxy(0)
        self._up, self._over = threading.Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> TcpProxy:
        self._thread.start()
        assert self._up.wait(5)
        return self.proxy

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self.proxy.running():
            self._up.set()
            await self._over.wait()
            # Its own connections end before the loop does.
            self.proxy.reset()
            await asyncio.sleep(0.1)


@contextmanager
def office_with_proxy(directory: Path) -> Iterator[tuple[Office, TcpProxy]]:
    """An office whose capture reaches AMI by way of a proxy."""
    settings: dict[str, str] = {}
    office = Office(directory, cache=CACHE, regulation=REGULATION, report=print, settings=settings)
    office.open()
    try:
        with AmiOnTheWay() as proxy:
            proxy.forward_to(office.asterisk.ami_port)
            settings["RECORDER_AMI_PORT"] = str(proxy.port)
            add_announcement(office)
            office.start_capture()
            yield office, proxy
    finally:
        office.close()
