"""With JavaScript off everything works but the waveform: each act of finding, hearing, holding,
and of one's own account, by its form."""

import re

import pytest
from playwright.async_api import Page, expect

from recorder.accounts.model import Role
from tests.browser.desk import OfficeDesk, violations
from tests.signed_in import PURPOSE
from tests.web.office import PASSWORD

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]


async def act(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def test_a_listeners_acts_need_no_script(desk: OfficeDesk) -> None:
    call = await desk.call(seconds=2, caller_number="605111222", answered_by="desk-7")
    login = await desk.person(Role.LISTENER)
    page, seen = await desk.sit_down(scripts=False)
    await page.goto("/")
    await page.fill("#login", login)
    await page.fill("#password", PASSWORD)
    await act(page, "Zaloguj się")
    await act(page, "Szukaj połączenia")
    await expect(page.locator("[role=alert]")).to_contain_text("Podaj co najmniej")
    await page.locator("main details:has(#employee) > summary").click()
    await page.fill("#begins", "60511")
    await page.fill("#employee", "desk-7")
    await page.get_by_label(PURPOSE).check()
    await act(page, "Szukaj połączenia")
    await page.wait_for_url(re.compile("/search/"))
    await page.locator("input[name=recording]").check()
    await act(page, "Zabezpiecz wybrane nagrania")
    await expect(page.locator("h1")).to_have_text("Zabezpiecz 1 nagranie")
    await page.goto(f"/calls/{call.id}")
    await act(page, "Pokaż cały numer")
    await expect(page.locator("[role=alert]")).to_contain_text("Cel:")
    await page.get_by_label(PURPOSE).check()
    await act(page, "Pokaż cały numer")
    await expect(page.locator("main .facts .number").first).to_have_text("+48605111222")
    await page.get_by_label("albo numer wniosku").fill("W/31/2026")
    await act(page, "Odsłuchaj nagranie")
    await expect(page.locator("#player audio[controls]")).to_be_visible()
    await act(page, "Zakończ odsłuch")
    await expect(page.get_by_role("status")).to_contain_text("zakończono")
    await act(page, "Zabezpiecz nagranie")
    await page.locator("input[name=ground]").first.check()
    await page.fill("#reference", "W/31/2026")
    await page.fill("#reason", "groźby")
    await act(page, "Dalej")
    await act(page, "Zabezpiecz 1 nagranie")
    await expect(page.locator("h1")).to_have_text("Zabezpieczono 1 nagranie")
    assert [each for each in seen.complaints if "422" not in each] == []


async def test_ones_own_account_needs_no_script(desk: OfficeDesk) -> None:
    login = await desk.person(Role.LISTENER)
    other, _ = await desk.sit_down(login)
    await other.goto("/account")
    page, _ = await desk.sit_down(login, scripts=False)
    await page.goto("/account")
    await act(page, "English")
    await expect(page.locator("h1")).to_have_text("My account")
    await act(page, "Polski")
    await act(page, "Zakończ")
    await expect(page.get_by_role("status")).to_contain_text("Sesja została zakończona")
    await page.fill("#prove-password", PASSWORD)
    await act(page, "Potwierdź")
    await expect(page.get_by_role("status")).to_contain_text("Dziękujemy")
    await act(page, "Ustaw drugi składnik")
    await expect(page.locator(".qr svg")).to_be_visible()
    await page.goto("/account")
    await page.fill("#current", PASSWORD)
    await page.fill("#password", "cztery niezwiązane słowa tutaj")
    await act(page, "Zmień hasło")
    await expect(page.get_by_role("status")).to_contain_text("Hasło zostało zmienione")
    await act(page, "Wyloguj")
    await expect(page.locator("h1")).to_have_text("Zaloguj się")


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_form_outlives_the_proof_that_is_asked_for(
    desk: OfficeDesk, *, scripts: bool
) -> None:
    """What was filled in eleven minutes after signing in goes on with password and code."""
    login = await desk.person(Role.SYSADMIN)
    page, seen = await desk.sit_down(login, scripts=scripts, width=360)
    await page.goto("/workstations")
    await page.fill("#network", "10.77.1.0/28")
    await page.fill("#name", "kancelaria & <okienko>")
    await desk.office.do("UPDATE session SET fresh_at = fresh_at - interval '11 minutes'")
    await act(page, "Dalej")
    await expect(page.locator("h1")).to_have_text("Potwierdź swoją tożsamość")
    await expect(page).to_have_url(re.compile(r"/workstations/check$"))
    await expect(page.locator("#proof-password")).to_be_focused()
    if scripts:
        assert await violations(page) == []
    await page.fill("#proof-password", "nie to")
    await act(page, "Potwierdź i wyślij")
    await expect(page.locator("[role=alert]")).to_contain_text("hasło")
    await page.fill("#proof-password", PASSWORD)
    await act(page, "Potwierdź i wyślij")
    await expect(page.locator("h1")).to_have_text("Dodaj stanowisko")
    await expect(page.locator("main")).to_contain_text("kancelaria & <okienko>")
    assert [each for each in seen.complaints if "403" not in each] == []
