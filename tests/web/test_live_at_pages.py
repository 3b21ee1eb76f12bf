"""Calls in progress at pages and for programs: who sees what, who may order what (RG.12)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from recorder.accounts.model import Role
from recorder.adapters.postgres.live import PostgresBoard
from recorder.live.model import Act, Answer, InProgress, Node, Settled
from recorder.live.rules import AFTER
from recorder.model import CallId
from tests.live_builders import in_progress
from tests.web.office import OPERATOR, WebOffice

pytestmark = pytest.mark.postgres
MINE, OTHERS = CallId(UUID(int=71)), CallId(UUID(int=72))
HOSTILE = "<script>alert(1)</script>\u202e"
CANNOT = "teraz niemożliwe"
PAUSE, END = "Wstrzymaj nagrywanie", "Zakończ nagrywanie"


async def put_up(office: WebOffice, *calls: InProgress, reachable: bool = True) -> PostgresBoard:
    """Show calls as a capture process does that was heard of just now."""
    board = PostgresBoard(office.engine)
    node = Node(name="pbx1", seen_at=office.parts.clock.now(), switchboard=reachable)
    await board.show(node, changed=calls, gone=())
    return board


def two_calls(office: WebOffice) -> tuple[InProgress, InProgress]:
    now = office.parts.clock.now()
    mine = in_progress(call_id=MINE, arrived_at=now, since=now, parties=("101",))
    return mine, replace(mine, call_id=OTHERS, parties=("102",))


@asynccontextmanager
async def capturing(
    office: WebOffice, board: PostgresBoard, call: InProgress, answer: Answer = Answer.DONE
) -> AsyncIterator[None]:
    """Do what capture does about orders: take them, show what is so, answer."""

    async def work() -> None:
        while True:
            for order in await board.take("pbx1", at=office.parts.clock.now()):
                now = office.parts.clock.now()
                if answer is Answer.DONE:
                    await put_up(office, replace(call, state=AFTER[order.act], since=now))
                await board.settle([Settled(order=order, answer=answer, at=now)])
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work())
        yield
        task.cancel()


async def clerk_at(office: WebOffice, extension: str) -> httpx.AsyncClient:
    account = await office.person(Role.LISTENER)
    await office.authorise(account, frozenset({Role.LISTENER}))
    if extension:
        await office.parts.keeper.set_extension(account.id, extension, actor=OPERATOR)
    return await office.sign_in(account.login)


async def placed(office: WebOffice) -> list[Any]:
    return [each for each in await office.trail() if each.action == "order:placed"]


async def test_an_office_without_ami_is_told_that_control_is_off_and_no_fault(
    office: WebOffice,
) -> None:
    board = await put_up(office, *two_calls(office))
    node = Node(name="pbx1", seen_at=office.parts.clock.now(), switchboard=False, control_set=False)
    await board.show(node, changed=(), gone=())
    page = (await (await office.at_work(Role.ADMINISTRATOR)).get("/live")).text
    assert "Sterowanie trwającymi nagraniami jest wyłączone" in page
    assert "callout warning" not in page
    assert page.count(CANNOT) == 2


async def test_an_empty_page_says_what_that_means(office: WebOffice) -> None:
    page = (await (await office.at_work(Role.LISTENER)).get("/live")).text
    assert "Żadna rozmowa nie jest teraz nagrywana" in page
    assert "live:shown" in await office.actions()


async def test_a_clerk_acts_on_the_call_at_their_own_telephone_alone(office: WebOffice) -> None:
    """RG.12: the answer to others' is that of what is not there."""
    mine, others = two_calls(office)
    board = await put_up(office, mine, others)
    clerk = await clerk_at(office, "101")
    page = (await clerk.get("/live")).text
    assert page.count(PAUSE) == 1
    assert f"/live/{MINE}/pause" in page
    assert "600***456" in page
    refused = await clerk.post(f"/live/{OTHERS}/pause")
    assert refused.status_code == 404
    assert await placed(office) == []
    async with capturing(office, board, mine):
        led = await clerk.post(f"/live/{MINE}/pause")
    assert led.status_code == 303
    page = (await clerk.get(led.headers["location"])).text
    assert "Nagrywanie wstrzymane od" in page
    assert "Wznów nagrywanie" in page
    (entry,) = await placed(office)
    assert entry.subject == f"call:{MINE}"
    assert (await office.actions())[-2] == "recording:paused"


async def test_without_a_known_telephone_a_clerk_is_told_so(office: WebOffice) -> None:
    mine, others = two_calls(office)
    await put_up(office, mine, others)
    clerk = await clerk_at(office, "")
    page = (await clerk.get("/live")).text
    assert "Twój telefon nie jest znany" in page
    assert PAUSE not in page
    assert (await clerk.post(f"/live/{MINE}/pause")).status_code == 404


@pytest.mark.parametrize(("role", "acts"), [(Role.ADMINISTRATOR, 2), (Role.DPO, 0)])
async def test_an_administrator_acts_on_every_call_and_the_dpo_on_none(
    office: WebOffice, role: Role, acts: int
) -> None:
    await put_up(office, *two_calls(office))
    browser = await office.at_work(role)
    page = (await browser.get("/live")).text
    assert page.count(PAUSE) == page.count(END) == acts
    if not acts:
        assert (await browser.post(f"/live/{MINE}/pause")).status_code == 403


async def test_ending_says_what_will_happen_and_takes_a_reason(office: WebOffice) -> None:
    mine, _ = two_calls(office)
    board = await put_up(office, mine)
    clerk = await clerk_at(office, "101")
    asked = (await clerk.post(f"/live/{MINE}/stop/check")).text
    assert "Nie można tego cofnąć" in asked
    without = await clerk.post(f"/live/{MINE}/stop", data={"act": "discard", "reason": " "})
    assert without.status_code == 422
    wrong = await clerk.post(f"/live/{MINE}/stop", data={"act": "erase", "reason": "x"})
    assert wrong.status_code == 400
    assert await placed(office) == []
    async with capturing(office, board, mine):
        led = await clerk.post(
            f"/live/{MINE}/stop", data={"act": "discard", "reason": "na prośbę 600123456"}
        )
    page = (await clerk.get(led.headers["location"])).text
    assert "Wykonano." in page
    assert "nagranie zniszczone" in page
    (entry,) = await placed(office)
    # A person's own words may name somebody: they are what is forgotten first.
    assert "600123456" in str(entry.data)
    assert "600123456" not in str(entry.details)


async def test_with_the_switchboard_away_nothing_can_be_pressed(office: WebOffice) -> None:
    mine, _ = two_calls(office)
    await put_up(office, mine, reachable=False)
    clerk = await clerk_at(office, "101")
    page = (await clerk.get("/live")).text
    assert CANNOT in page
    assert PAUSE not in page
    assert "Centrala nie przyjmuje poleceń" in page
    led = await clerk.post(f"/live/{MINE}/pause")
    told = (await clerk.get(led.headers["location"])).text
    assert "centrala jest nieosiągalna" in told
    assert {"order:placed", "order:refused"} <= set(await office.actions())


async def test_a_capture_that_is_not_heard_of_is_said_to_be_away(office: WebOffice) -> None:
    mine, _ = two_calls(office)
    await put_up(office, mine)
    await office.do("UPDATE capture_node SET seen_at = seen_at - interval '7 seconds'")
    page = (await (await clerk_at(office, "101")).get("/live")).text
    assert "Usługa nagrywania nie zgłasza się" in page
    assert PAUSE not in page


async def test_a_doubt_is_told_as_one(office: WebOffice) -> None:
    mine, _ = two_calls(office)
    board = await put_up(office, mine)
    clerk = await clerk_at(office, "101")
    async with capturing(office, board, mine, Answer.DOUBTFUL):
        led = await clerk.post(f"/live/{MINE}/pause")
    page = (await clerk.get(led.headers["location"])).text
    assert "Centrala tego nie potwierdziła" in page


async def test_an_order_for_a_call_that_is_over_does_nothing(office: WebOffice) -> None:
    clerk = await clerk_at(office, "101")
    late = await clerk.post(f"/live/{MINE}/pause")
    assert late.status_code == 409
    assert "Rozmowa się zakończyła" in late.text
    assert await placed(office) == []


async def test_what_the_switchboard_says_is_text(office: WebOffice) -> None:
    """B3."""
    mine, _ = two_calls(office)
    await put_up(office, replace(mine, line=HOSTILE, parties=(HOSTILE, "x" * 5000)))
    page = (await (await office.at_work(Role.ADMINISTRATOR)).get("/live")).text
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page


async def test_another_persons_order_is_not_told(office: WebOffice) -> None:
    mine, _ = two_calls(office)
    await put_up(office, mine, reachable=False)
    led = await (await clerk_at(office, "101")).post(f"/live/{MINE}/pause")
    director = await office.at_work(Role.ADMINISTRATOR)
    assert "Twoje polecenie" not in (await director.get(led.headers["location"])).text
    order_id = led.headers["location"].partition("order=")[2]
    found = await director.get(f"/api/v1/live-calls/orders/{order_id}")
    assert found.status_code == 404
    assert (await director.get("/live?order=nonsense")).status_code == 200


async def test_a_program_sees_and_orders_the_same(office: WebOffice) -> None:
    mine, others = two_calls(office)
    board = await put_up(office, mine, others)
    clerk = await clerk_at(office, "101")
    told = (await clerk.get("/api/v1/live-calls")).json()
    assert [each["caller_number"] for each in told["calls"]] == ["600***456"] * 2
    assert told["calls"][0]["hindrance"] is None
    path = f"/api/v1/live-calls/{MINE}/orders"
    assert (await clerk.post(path, json={"act": Act.STOP})).status_code == 422
    async with capturing(office, board, mine):
        done = (await clerk.post(path, json={"act": Act.STOP, "reason": "koniec"})).json()
    assert (done["act"], done["answer"]) == ("stop", "done")
    again = (await clerk.get(f"/api/v1/live-calls/orders/{done['id']}")).json()
    assert again["answer"] == "done"
    for other in (OTHERS, UUID(int=404)):
        refused = await clerk.post(f"/api/v1/live-calls/{other}/orders", json={"act": Act.PAUSE})
        assert refused.status_code == 404
