"""Every page of a listener's day is accessible, in both languages, light and dark (WCAG 2.2 AA)."""

import re

import pytest
from playwright.async_api import expect

from recorder.accounts.model import Role
from tests.browser.desk import LOOKS, OfficeDesk, screenshot, violations
from tests.signed_in import PURPOSE

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(("language", "light", "width"), LOOKS)
async def test_a_listeners_pages_have_no_violation(
    desk: OfficeDesk, language: str, light: str, width: int
) -> None:
    call = await desk.call()
    page, seen = await desk.sit_down(
        await desk.person(Role.LISTENER), language=language, light=light, width=width
    )
    look = f"{language}-{light}-{width}"

    async def judge(name: str, heading: str) -> None:
        await expect(page.locator("h1")).to_have_text(re.compile(heading))
        await screenshot(page, f"{name}-{look}")
        assert await violations(page) == [], name
        assert await page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        ), f"{name} scrolls sideways at {width}"

    await page.goto("/")
    await judge("search", "Wyszukiwanie połączenia|Find a call")
    await page.locator("main form details summary").click()
    await judge("search-more", "Wyszukiwanie połączenia|Find a call")
    await page.get_by_role("button", name=re.compile("Szukaj połączenia|Find the call")).click()
    await page.locator("[role=alert]").wait_for()
    await judge("search-faults", "Wyszukiwanie połączenia|Find a call")
    await page.fill("#day", "1.1.2020")
    await page.get_by_role("button", name=re.compile("Szukaj połączenia|Find the call")).click()
    await judge("nothing-found", "Znalezione|Found")
    await page.goto("/")
    await page.fill("#caller", "600 123 456")
    await page.keyboard.press("Enter")
    await judge("results", "Znalezione|Found")
    await page.goto(f"/calls/{call.id}")
    await judge("call", r"\d{2}:\d{2}")
    await page.get_by_role("button", name=re.compile("Odsłuchaj nagranie|Listen to")).click()
    await page.locator("[role=alert]").wait_for()
    await judge("call-without-purpose", r"\d{2}:\d{2}")
    await page.get_by_label(PURPOSE).check()
    await page.get_by_role("button", name=re.compile("Odsłuchaj nagranie|Listen to")).click()
    await page.locator(".lanes").wait_for()
    await judge("player", "Nagranie|Recording of")
    await page.goto(f"/calls/{call.id}")
    await page.get_by_role("button", name=re.compile("Zabezpiecz nagranie|Hold the rec")).click()
    await judge("hold-form", "Zabezpiecz 1|Hold 1")
    await page.locator("input[name=ground]").first.check()
    await page.fill("#reference", "W/31/2026")
    await page.fill("#reason", "groźby")
    await page.get_by_role("button", name=re.compile("Dalej|Continue")).click()
    await judge("hold-confirm", "Potwierdzenie|Confirm")
    await page.locator("main form .button").click()
    await judge("held", "Zabezpieczono 1|1 recording is")
    await page.goto("/holds")
    await judge("holds", "Zabezpieczenia|Holds")
    assert [each for each in seen.complaints if "422" not in each] == []
    assert seen.strangers == []
