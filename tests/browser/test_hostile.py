"""B3: whatever callers, colleagues and Asterisk write is text on every page, in files, on paper.

The pages are those of the route table; the office is `seeded.HOSTILE`.
"""

import csv
import io
import re

import pytest
from playwright.async_api import Dialog

from recorder.accounts.model import Role
from tests.browser.desk import NARROW
from tests.browser.every_page import Opened, Seat, seated, walk
from tests.browser.looks import FRAME, HEIGHT, WIDTH, on_paper
from tests.browser.seeded import Seeded

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
FORMULA = re.compile(r"^[=+\-@\t\r\x00]")
"""What a spreadsheet computes (ASVS 1.2.10)."""
MADE = "() => document.querySelectorAll('[data-hostile], main img, main iframe').length"


@pytest.mark.parametrize("role", list(Role))
async def test_what_anybody_wrote_is_text_on_every_page(hostile: Seeded, role: Role) -> None:
    seat = await seated(hostile, role, width=NARROW)
    dialogs: list[Dialog] = []
    seat.page.on("dialog", lambda each: dialogs.append(each))  # noqa: PLW0108
    shown: set[str] = set()
    async for each in walk(seat):
        if each.is_page:
            await _judge_page(seat, each)
            if "onerror=alert" in await seat.page.locator("main").inner_text():
                shown.add(each.route)
        else:
            await _judge_file(seat, each)
        seat.faults += [f"{each.path}: {said}" for said in seat.seen.complaints]
    assert seat.faults == [], "\n".join(seat.faults)
    assert dialogs == []
    assert seat.seen.strangers == []
    if role in {Role.LISTENER, Role.ADMINISTRATOR}:
        assert shown >= {"/calls/{call_id:uuid}", "/holds/{hold_id:uuid}", "/holds"}, shown
    await seat.page.context.close()


async def _judge_page(seat: Seat, each: Opened) -> None:
    page, found = seat.page, []
    if made := await page.evaluate(MADE):
        found.append(f"{made} elements were made of what somebody wrote")
    source = await each.answer.text()
    if told := UNPRINTABLE.search(source):
        found.append(f"a control character as it came: {told[0]!r}")
    await page.set_viewport_size({"width": NARROW, "height": HEIGHT})
    found += [*await page.evaluate(FRAME), *await page.evaluate(WIDTH), *await on_paper(page)]
    seat.faults += [f"{each.path}: {fault}" for fault in found]


async def _judge_file(seat: Seat, each: Opened) -> None:
    if each.kind != "text/csv":
        return
    text = (await each.answer.body()).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text), delimiter=";" if ";" in text[:80] else ","):
        for cell in row:
            if FORMULA.match(cell) or UNPRINTABLE.search(cell):
                seat.faults.append(f"{each.path}: a cell that computes or commands: {cell[:60]!r}")
