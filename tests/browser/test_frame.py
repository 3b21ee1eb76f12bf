"""The frame in a real browser: every component accessible, menus without scripts, print."""

import pytest
from playwright.async_api import expect

from recorder.accounts.model import Role
from tests.browser.desk import LOOKS, NARROW, WIDE, OfficeDesk, screenshot, violations

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(("language", "light", "width"), LOOKS)
async def test_the_patterns_have_no_violation(
    desk: OfficeDesk, language: str, light: str, width: int
) -> None:
    page, seen = await desk.sit_down(
        await desk.person(Role.ADMINISTRATOR), language=language, light=light, width=width
    )
    await page.goto("/wzornik")
    for each in await page.locator("details:visible").all():
        await each.evaluate("details => { details.open = true }")
    await screenshot(page, f"patterns-{language}-{light}-{width}")
    assert await violations(page) == []
    assert await page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    assert (seen.complaints, seen.strangers) == ([], [])


async def test_the_areas_are_a_row_where_there_is_room_and_a_menu_where_there_is_none(
    desk: OfficeDesk,
) -> None:
    login = await desk.person(Role.LISTENER)
    page, _ = await desk.sit_down(login, width=NARROW, scripts=False)
    await page.goto("/")
    menu = page.locator(".areas-menu")
    await expect(menu.get_by_role("link", name="Zabezpieczenia")).to_be_hidden()
    await menu.locator("summary").focus()
    await page.keyboard.press("Enter")
    await menu.get_by_role("link", name="Zabezpieczenia").click()
    await expect(page.locator("h1")).to_have_text("Zabezpieczenia")
    wide, _ = await desk.sit_down(login, width=WIDE, scripts=False)
    await wide.goto("/holds")
    await expect(wide.locator(".areas-menu")).to_be_hidden()
    await expect(wide.locator(".areas-row [aria-current=page]")).to_have_text("Zabezpieczenia")


async def test_areas_of_one_group_stand_in_a_row_of_their_own(desk: OfficeDesk) -> None:
    login = await desk.person(Role.ADMINISTRATOR)
    page, _ = await desk.sit_down(login, width=WIDE, scripts=False)
    await page.goto("/holds")
    await expect(page.locator(".areas-under")).to_have_count(0)
    await page.locator(".areas-row").get_by_role("link", name="Administracja").click()
    under = page.locator(".areas-under")
    await expect(under.locator("[aria-current=page]")).to_have_text("Konta")
    await under.get_by_role("link", name="Upoważnienia").click()
    await expect(page.locator("h1")).to_have_text("Rejestr upoważnień")
    height = await page.locator(".areas-row").evaluate("row => row.offsetHeight")
    assert height < 100, "each row of areas is one line"


async def test_a_paragraph_opens_in_place_and_says_that_it_is_polish(desk: OfficeDesk) -> None:
    page, _ = await desk.sit_down(
        await desk.person(Role.ADMINISTRATOR), language="en", scripts=False
    )
    await page.goto("/wzornik")
    law = page.locator("details.law").first
    await expect(law.locator("blockquote")).to_be_hidden()
    await law.locator("summary").click()
    await expect(law.locator("blockquote[lang=pl]")).to_contain_text("w terminie do 14 dni")


async def test_a_printed_page_says_who_printed_it_and_shows_no_menu(desk: OfficeDesk) -> None:
    page, _ = await desk.sit_down(await desk.person(Role.ADMINISTRATOR))
    await page.goto("/wzornik")
    await expect(page.locator(".printed")).to_be_hidden()
    await page.emulate_media(media="print")
    await expect(page.locator(".printed")).to_contain_text("Wydrukował(a)")
    await expect(page.locator(".areas")).to_be_hidden()
    await expect(page.locator(".band-nav")).to_be_hidden()
    assert await page.pdf()
