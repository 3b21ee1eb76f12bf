"""Capture's side of the board, and people's: shown, taken, told, over an outage (RG.12)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import pytest

from recorder.errors import NotFound
from recorder.live import desk, service
from recorder.live.desk import OrderDesk
from recorder.live.model import Act, Answer, InProgress, Links, Order, OrderId, Settled, State
from recorder.live.service import LiveController
from recorder.model import CallId
from tests.builders import CALL, NOON
from tests.fakes import FakeClock
from tests.fakes_live import FakeBoard
from tests.live_builders import PERSON, a_node, an_order, in_progress


class Hands:
    """Calls in hand; ``breaks`` is a defect of ours."""

    def __init__(self) -> None:
        self.calls: list[InProgress] = [in_progress()]
        self.orders: list[Order] = []
        self.breaks = False

    def in_progress(self) -> Sequence[InProgress]:
        if self.breaks:
            raise RuntimeError("a defect")
        return self.calls

    def order(self, order: Order) -> Settled | None:
        self.orders.append(order)
        if order.call_id == CALL:
            return None
        return Settled(order=order, answer=Answer.CALL_OVER, at=NOON)


class Desk:
    def __init__(self) -> None:
        self.board, self.hands, self.clock = FakeBoard(), Hands(), FakeClock()
        self.links = Links(linked=True, control_set=True, switchboard=True)
        self.desk = OrderDesk(
            board=self.board,
            hands=self.hands,
            node="pbx1",
            clock=self.clock,
            links=lambda: self.links,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.desk.run())
            yield
            task.cancel()

    async def until(self, holds: object) -> None:
        assert callable(holds)
        async with asyncio.timeout(5):
            while not holds():  # noqa: ASYNC110 - ``holds`` looks at anything
                await asyncio.sleep(0.001)


@pytest.fixture
async def made(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(desk, "LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(desk, "AWAY_PAUSE_S", 0.001)
    found = Desk()
    async with found.running():
        yield found


async def test_calls_are_shown_as_they_are_and_no_longer(made: Desk) -> None:
    await made.until(lambda: bool(made.board.calls))
    # As an earlier process of this name left it; one outage later it is cleared.
    made.board.away = True
    await asyncio.sleep(0.02)
    made.board.calls[CallId(UUID(int=66))] = in_progress(call_id=CallId(UUID(int=66)))
    made.board.away = False
    await made.until(lambda: list(made.board.calls.values()) == [in_progress()])
    made.hands.calls = [in_progress(state=State.PAUSED)]
    await made.until(lambda: made.board.calls[CALL].state is State.PAUSED)
    made.links = replace(made.links, switchboard=False)
    await made.until(lambda: not made.board.nodes["pbx1"].switchboard)
    made.hands.calls = []
    await made.until(lambda: not made.board.calls)


async def test_an_order_reaches_its_call_and_its_answer_the_board(made: Desk) -> None:
    mine, lost = an_order(), an_order(number=2, call_id=CallId(UUID(int=404)))
    for each in (mine, lost):
        await made.board.place(each, node="pbx1", reason="")
    await made.until(lambda: len(made.hands.orders) == 2)
    await made.until(lambda: lost.id in made.board.answers)
    assert made.board.answers[lost.id].answer is Answer.CALL_OVER
    assert mine.id not in made.board.answers
    made.desk.tell(Settled(order=mine, answer=Answer.DONE, at=NOON))
    await made.until(lambda: mine.id in made.board.answers)


async def test_what_was_settled_during_an_outage_is_told_after_it(made: Desk) -> None:
    await made.until(lambda: bool(made.board.calls))
    made.board.away = True
    await asyncio.sleep(0.02)
    made.desk.tell(Settled(order=an_order(Act.STOP), answer=Answer.DONE, at=NOON))
    await asyncio.sleep(0.02)
    made.board.calls.clear()
    made.board.away = False
    await made.until(lambda: bool(made.board.answers) and bool(made.board.calls))
    assert made.board.trail == [("recording:stopped", f"call:{CALL}")]


async def test_a_defect_in_it_ends_neither_capture_nor_itself(made: Desk) -> None:
    """Promise 1: whatever goes wrong here, the calls go on."""
    made.hands.breaks = True
    await asyncio.sleep(0.02)
    made.hands.breaks = False
    await made.until(lambda: bool(made.board.calls))


@pytest.mark.parametrize(
    ("node", "answer"),
    [
        (a_node(switchboard=False), Answer.SWITCHBOARD_AWAY),
        (a_node(seen_at=NOON.replace(hour=1)), Answer.CAPTURE_AWAY),
        (None, Answer.CAPTURE_AWAY),
    ],
)
async def test_an_order_that_cannot_arrive_is_refused_at_once_and_noted(
    node: object, answer: Answer
) -> None:
    board, clock = FakeBoard(), FakeClock()
    made = LiveController(book=board, clock=clock, new_id=lambda: UUID(int=1))
    order_id = await made.order(in_progress(), Act.PAUSE, node=node, by=PERSON, reason="")  # type: ignore[arg-type]
    order, found = await made.answer(order_id)
    assert (order.by, found) == (PERSON, answer)
    assert await board.take("pbx1", at=NOON) == []
    assert [action for action, _ in board.trail] == ["order:placed", "order:refused"]


async def test_whoever_waits_is_told_when_no_answer_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LOOK_EVERY_S", 0.001)
    board, clock = FakeBoard(), FakeClock()
    made = LiveController(book=board, clock=clock, new_id=lambda: UUID(int=1))
    order_id = await made.order(in_progress(), Act.PAUSE, node=a_node(), by=PERSON, reason="")
    waiting = asyncio.ensure_future(made.answer(order_id))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    clock.pass_by(service.ANSWER_WITHIN_S)
    assert (await waiting)[1] is None
    order = replace(an_order(), id=order_id)
    await board.settle([Settled(order=order, answer=Answer.DONE, at=NOON)])
    assert (await made.answer(order_id))[1] is Answer.DONE
    with pytest.raises(NotFound):
        await made.answer(OrderId(UUID(int=2)))
