"""What every board promises, the fake in memory and PostgreSQL alike (RG.12)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.live import PostgresBoard, PostgresOrderBook
from recorder.adapters.postgres.tables_audit import AuditEventTable
from recorder.errors import LedgerUnavailable, NotFound, Unavailable
from recorder.live.model import Act, Answer, Order, OrderId, Settled, State
from recorder.live.ports import Board, OrderBook
from recorder.model import CallId
from tests.builders import CALL, NOON
from tests.fakes_live import FakeBoard
from tests.live_builders import DESK, a_node, an_order, in_progress
from tests.postgres.conftest import database_url, postgres, runtime_url  # noqa: F401 - fixtures

pytestmark = pytest.mark.postgres
SECOND = timedelta(seconds=1)
OTHER = CallId(UUID(int=99))


@dataclass(frozen=True, slots=True)
class Both:
    """The two sides of one board, its trail, and a switch that breaks the trail."""

    board: Board
    book: OrderBook
    trail: Callable[[], Awaitable[list[tuple[str, str]]]]
    break_trail: Callable[[], Awaitable[None]]


@pytest.fixture(params=["fake", "postgres"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[Both]:
    if request.param == "fake":
        fake = FakeBoard()

        async def told() -> list[tuple[str, str]]:
            return fake.trail

        async def broken() -> None:
            fake.trail_away = True

        yield Both(fake, fake, told, broken)
        return
    owner = request.getfixturevalue("database_url")
    async with connect(request.getfixturevalue("runtime_url")) as engine, connect(owner) as admin:

        async def entries() -> list[tuple[str, str]]:
            query = select(AuditEventTable.action, AuditEventTable.subject)
            async with engine.connect() as connection:
                found = await connection.execute(query.order_by(AuditEventTable.seq))
                return [(row.action, row.subject) for row in found]

        async def without_head() -> None:
            async with admin.begin() as connection:
                await connection.execute(text("ALTER TABLE audit_head RENAME TO gone"))

        yield Both(PostgresBoard(engine), PostgresOrderBook(engine), entries, without_head)


def settled(order: Order, answer: Answer = Answer.DONE) -> Settled:
    return Settled(order=order, answer=answer, at=NOON + SECOND)


async def test_an_order_is_taken_once_however_many_ask_at_once(both: Both) -> None:
    for number in range(5):
        await both.book.place(an_order(number=number), node="pbx1", reason="")
    await both.book.place(an_order(number=9), node="pbx2", reason="")
    taken = await asyncio.gather(*[both.board.take("pbx1", at=NOON) for _ in range(4)])
    ids = [each.id for orders in taken for each in orders]
    assert sorted(ids) == [an_order(number=number).id for number in range(5)]
    assert await both.board.take("pbx1", at=NOON) == []
    (other,) = await both.board.take("pbx2", at=NOON)
    assert other == an_order(number=9)


async def test_an_answer_is_told_once_and_only_a_doubt_is_followed_by_another(both: Both) -> None:
    order = an_order()
    await both.book.place(order, node="pbx1", reason="numer karty")
    assert (await both.book.answer(order.id))[1] is None
    for answer in (Answer.DOUBTFUL, Answer.DOUBTFUL, Answer.DONE, Answer.DOUBTFUL, Answer.EXPIRED):
        await both.board.settle([settled(order, answer)])
    assert await both.book.answer(order.id) == (order, Answer.DONE, NOON + SECOND)
    subject = f"call:{CALL}"
    assert await both.trail() == [
        ("order:placed", subject),
        ("order:doubted", subject),
        ("recording:paused", subject),
    ]


async def test_an_order_from_a_telephone_has_its_entry_once(both: Both) -> None:
    order = an_order(Act.STOP, by=DESK)
    await both.board.settle([settled(order), settled(order)])
    await both.board.settle([settled(order)])
    assert await both.trail() == [("recording:stopped", f"call:{CALL}")]
    assert await both.board.take("pbx1", at=NOON) == []


async def test_what_is_refused_when_it_is_given_is_never_taken(both: Both) -> None:
    order = an_order()
    await both.book.place(order, node="pbx1", reason="", answer=Answer.SWITCHBOARD_AWAY)
    assert await both.board.take("pbx1", at=NOON) == []
    assert (await both.book.answer(order.id))[1] is Answer.SWITCHBOARD_AWAY
    assert [action for action, _ in await both.trail()] == ["order:placed", "order:refused"]


async def test_without_the_trail_there_is_no_order_and_no_answer(both: Both) -> None:
    """RG.15."""
    first, second = an_order(number=1), an_order(number=2)
    await both.book.place(first, node="pbx1", reason="")
    await both.break_trail()
    with pytest.raises(Unavailable):
        await both.book.place(second, node="pbx1", reason="")
    with pytest.raises(NotFound):
        await both.book.answer(second.id)
    with pytest.raises(Unavailable):
        await both.board.settle([settled(first)])
    assert (await both.book.answer(first.id))[1] is None


async def test_calls_go_up_change_and_come_down(both: Both) -> None:
    mine, other = in_progress(), in_progress(call_id=OTHER, arrived_at=NOON - SECOND, node="pbx2")
    await both.board.show(a_node(name="pbx2"), changed=[other], gone=())
    await both.board.show(a_node(), changed=[mine], gone=())
    paused = replace(mine, state=State.PAUSED, in_doubt=True, parties=("desk", "desk-2"))
    later = a_node(seen_at=NOON + SECOND, switchboard=False, linked=False, control_set=False)
    await both.board.show(later, changed=[paused], gone=())
    nodes, calls = await both.book.in_progress()
    assert list(calls) == [other, paused]
    assert {each.name: each for each in nodes} == {"pbx1": later, "pbx2": a_node(name="pbx2")}
    await both.board.show(later, changed=(), gone=[CALL])
    assert list((await both.book.in_progress())[1]) == [other]
    await both.board.clear("pbx2")
    assert list((await both.book.in_progress())[1]) == []


@pytest.mark.parametrize("hostile", ["<script>\x00", "\u202e101", "x" * 5000])
async def test_what_the_pbx_says_is_kept_as_text(both: Both, hostile: str) -> None:
    """B3."""
    call = in_progress(line=hostile, parties=(hostile,))
    await both.board.show(a_node(), changed=[call], gone=())
    ((found,),) = [(await both.book.in_progress())[1]]
    assert found.line.replace("\ufffd", "\x00") == hostile


async def test_a_board_that_is_away_says_so() -> None:
    away: list[Any] = [FakeBoard()]
    away[0].away = True
    async with connect("postgresql+psycopg://recorder:secret@127.0.0.1:1/recorder") as engine:
        for board in (*away, PostgresBoard(engine)):
            with pytest.raises(LedgerUnavailable):
                await board.take("pbx1", at=NOON)
        with pytest.raises(LedgerUnavailable):
            await PostgresOrderBook(engine).answer(OrderId(UUID(int=1)))
