"""What happens to an open page when the right to it ends: the next act is refused, with a sentence.

Signing out, revoking and taking the workstation off the list are tried on the forms of every page.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect

from recorder.accounts.model import Role
from tests.browser.desk import stored
from tests.browser.every_page import PATTERN, form_named, seated, with_forms
from tests.browser.seeded import Seeded

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
FORMS = """() => [...document.querySelectorAll('main form')].flatMap((form, index) =>
  form.method === 'post' ? [[index, form.getAttribute('action')]] : [])"""
SEND = """index => {
  const form = document.querySelectorAll('main form')[index];
  form.noValidate = true;
  form.querySelector('button:not([type=button])').click();
}"""
ROLES = (Role.LISTENER, Role.ADMINISTRATOR, Role.SYSADMIN, Role.DPO, Role.COPY_MAKER)
ENDS = {
    "signed out": (
        "UPDATE session SET ended_at = now(), ending = 'signed_out'",
        "UPDATE session SET ended_at = NULL, ending = NULL",
        401,
        "Po 15 minutach bezczynności następuje wylogowanie",
    ),
    "off the list": (
        "UPDATE workstation SET removed_at = now()",
        "UPDATE workstation SET removed_at = NULL",
        403,
        "nie należy do wyznaczonych stacji roboczych",
    ),
}


@asynccontextmanager
async def ended(seeded: Seeded, how: str) -> AsyncIterator[tuple[int, str]]:
    end, undo, status, sentence = ENDS[how]
    await seeded.desk.office.do(end)
    try:
        yield status, sentence
    finally:
        await seeded.desk.office.do(undo)


async def test_the_next_act_of_any_page_is_refused_with_a_sentence(tidy: Seeded) -> None:
    """Each form once, by whoever sees it first, under each way in which the right ends."""
    tried: set[str] = set()
    faults: list[str] = []
    for role in ROLES:
        seat = await seated(tidy, role)
        async for route, path in with_forms(seat, lambda _, name: name not in tried):
            await seat.page.goto(path)
            for index, action in await seat.page.evaluate(FORMS):
                name = form_named(action)
                if name in tried or name == PATTERN:
                    continue
                tried.add(name)
                for how in ENDS:
                    await seat.page.goto(path)
                    async with ended(tidy, how) as (status, sentence):
                        found, text = await _sent(seat.page, index)
                    if found != status or sentence not in text:
                        faults.append(f"{name} at {route}, {how}: {found}, {text[:200]!r}")
        await seat.page.context.close()
    assert len(tried) > 25, tried
    assert faults == [], "\n".join(faults)


async def _sent(page: Page, index: int) -> tuple[int, str]:
    async with page.expect_navigation() as navigation:
        await page.evaluate(SEND, index)
    answer = await navigation.value
    assert answer is not None
    return answer.status, await page.locator("body").inner_text()


async def test_a_revoked_paper_is_told_at_the_next_act(trial: Seeded) -> None:
    """R8.1b."""
    seat = await seated(trial, Role.LISTENER)
    await seat.page.goto(f"/calls/{trial.heard.id}")
    await trial.desk.office.do("UPDATE authorisation SET revoked_at = now()")
    try:
        await seat.page.locator("input[name=purpose]").first.check()
        for button in ("Pokaż cały numer", "Odsłuchaj nagranie"):
            await seat.page.goto(f"/calls/{trial.heard.id}")
            await seat.page.locator("input[name=purpose]").first.check()
            await seat.page.get_by_role("button", name=button).click()
            await expect(seat.page.locator("main")).to_contain_text("Upoważnienie zostało odwołane")
    finally:
        await trial.desk.office.do("UPDATE authorisation SET revoked_at = NULL")


async def test_nothing_is_left_behind_in_the_browser_after_signing_out(tidy: Seeded) -> None:
    seat = await seated(tidy, Role.LISTENER)
    page = seat.page
    await page.goto(f"/calls/{tidy.heard.id}")
    await expect(page.locator("main")).to_contain_text("600***456")
    await page.get_by_role("button", name="Wyloguj").click()
    await expect(page.locator("h1")).to_have_text("Zaloguj się")
    assert await stored(page) == []
    assert [each["name"] for each in await page.context.cookies()] == []
    await page.go_back()
    await expect(page.locator("h1")).to_have_text("Zaloguj się")
    assert "600***456" not in await page.content()
    assert seat.seen.kept == []
