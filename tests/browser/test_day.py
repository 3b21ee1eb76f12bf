"""A listener's day at the keyboard, an administrator's without scripts, and hostile data."""

import re

import pytest
from playwright.async_api import Page, expect

from recorder.accounts.model import Role
from tests.browser.desk import OfficeDesk, until, violations
from tests.signed_in import PURPOSE
from tests.web.office import PASSWORD

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>\u202egnp'
FIRST_VISIT_BYTES = 200_000


async def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until what has the focus is called so."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        name = await page.evaluate(
            """() => { const e = document.activeElement;
            return (e.innerText || e.value || '') + '|' + (e.id || e.name || ''); }"""
        )
        if re.search(wanted, name):
            return
    raise AssertionError(f"no Tab leads to {wanted}")


async def test_signing_in_finding_hearing_and_holding_takes_no_mouse(desk: OfficeDesk) -> None:
    call = await desk.call(seconds=5, caller_number="601234567")
    login = await desk.person(Role.LISTENER)
    page, seen = await desk.sit_down()
    await page.goto("/")
    await expect(page.locator("#login")).to_be_focused()
    await page.keyboard.type(login)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).to_have_title(re.compile("Wyszukiwanie"))
    await expect(page.locator("#caller")).to_be_focused()
    await page.keyboard.type("601234567")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("/search/"))
    assert "601234567" not in page.url
    local = call.arrived_at.astimezone(desk.office.services.zone)
    await tab_to(page, f"{local:%H:%M}")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/calls/{call.id}", wait_until="load")
    await tab_to(page, "purpose")
    await page.keyboard.press(" ")
    await tab_to(page, "Odsłuchaj nagranie")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("/playbacks/"))
    await page.locator(".lanes").wait_for()
    await page.locator("#main").focus()
    await page.keyboard.press(" ")
    await until(page, "document.querySelector('#player audio').currentTime > 0.3")
    await page.goto(f"/calls/{call.id}")
    await tab_to(page, "Zabezpiecz nagranie")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Zabezpiecz 1 nagranie")
    await tab_to(page, "ground")
    await page.keyboard.press(" ")
    await tab_to(page, "reference")
    await page.keyboard.type("W/31/2026")
    await page.keyboard.press("Tab")
    await page.keyboard.type("groźby")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Potwierdzenie zabezpieczenia")
    await tab_to(page, "Zabezpiecz 1 nagranie")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Zabezpieczono 1 nagranie")
    assert seen.complaints == [], seen.complaints
    assert seen.strangers == []
    stored = await page.evaluate("localStorage.length + sessionStorage.length")
    assert stored == 0


async def test_without_scripts_two_administrators_lift_a_hold(desk: OfficeDesk) -> None:
    call = await desk.call(seconds=1, caller_number="602345678")
    one, _ = await desk.sit_down(await desk.person(Role.ADMINISTRATOR), scripts=False)
    two, _ = await desk.sit_down(await desk.person(Role.ADMINISTRATOR), scripts=False)
    await one.goto(f"/calls/{call.id}")
    await one.get_by_role("button", name="Zabezpiecz nagranie").click()
    await one.get_by_label("wniosek uprawnionego organu").check()
    await one.fill("#reference", "RSD 12/2026")
    await one.fill("#reason", "postępowanie")
    await one.get_by_label("Do zniesienia, z przeglądem").check()
    await one.get_by_role("button", name="Dalej").click()
    await one.get_by_role("button", name="Zabezpiecz 1 nagranie").click()
    await one.get_by_role("link", name="Zabezpieczenie 1").click()
    await one.locator("#lift-reason").wait_for()
    hold = one.url
    await one.fill("#lift-reason", "umorzono")
    await one.fill("#lift-reference", "1 Ds 5/2026")
    await one.get_by_role("button", name="Znieś zabezpieczenie").click()
    await expect(one.locator("h1")).to_have_text("Znieś zabezpieczenie")
    await one.get_by_role("button", name="Znieś zabezpieczenie").click()
    await expect(one.get_by_role("status")).to_contain_text("Zaproponowano zniesienie")
    await two.goto(hold)
    await two.get_by_role("button", name="Potwierdź zniesienie zabezpieczenia").click()
    await expect(two.locator("h1")).to_have_text("Potwierdź zniesienie zabezpieczenia")
    await two.get_by_role("button", name="Potwierdź zniesienie zabezpieczenia").click()
    await expect(two.get_by_role("status")).to_have_text("Zabezpieczenie zniesiono.")


async def test_an_administrators_pages_of_a_hold_have_no_violation(desk: OfficeDesk) -> None:
    call = await desk.call(seconds=1, caller_number="602345679")
    page, seen = await desk.sit_down(await desk.person(Role.ADMINISTRATOR), width=360)
    await page.goto(f"/calls/{call.id}")
    await page.get_by_role("button", name="Zabezpiecz nagranie").click()
    await page.get_by_label("wniosek uprawnionego organu").check()
    await page.fill("#reference", "RSD 12/2026")
    await page.fill("#reason", "postępowanie")
    await page.get_by_role("button", name="Dalej").click()
    await page.get_by_role("button", name="Zabezpiecz 1 nagranie").click()
    await page.get_by_role("link", name="Zabezpieczenie 1").click()
    await page.locator("#lift-reason").wait_for()
    assert await violations(page) == []
    await page.get_by_role("button", name="Znieś zabezpieczenie").click()
    await page.locator("[role=alert]").wait_for()
    assert await violations(page) == []
    await page.fill("#lift-reason", "umorzono")
    await page.fill("#lift-reference", "1 Ds 5/2026")
    await page.get_by_role("button", name="Znieś zabezpieczenie").click()
    await expect(page.locator("h1")).to_have_text("Znieś zabezpieczenie")
    assert await violations(page) == []
    assert [each for each in seen.complaints if "422" not in each] == []


async def test_hostile_data_is_text_on_every_page(desk: OfficeDesk) -> None:
    """B3."""
    call = await desk.call(
        seconds=1, caller_number=HOSTILE, caller_name=HOSTILE, answered_by=HOSTILE,
        parties=(HOSTILE,), endpoint=HOSTILE, context=HOSTILE, line=HOSTILE,
    )  # fmt: skip
    page, seen = await desk.sit_down(await desk.person(Role.LISTENER))
    pages = 0

    async def judge(heading: str) -> None:
        nonlocal pages
        await expect(page.locator("h1")).to_have_text(re.compile(heading))
        pages += 1
        assert await page.locator("main img, main script").count() == 0
        assert "\u202e" not in await page.content()

    await page.goto("/")
    await page.fill("#called", HOSTILE.replace("\u202e", ""))
    await page.keyboard.press("Enter")
    await judge("Znalezione")
    await page.goto(f"/calls/{call.id}")
    await expect(page.locator("main")).to_contain_text("onerror=alert(1)")
    await judge(r"\d{2}:\d{2}")
    await page.get_by_label(PURPOSE).check()
    await page.get_by_role("button", name="Odsłuchaj nagranie").click()
    await page.locator("#player").wait_for()
    await judge("Nagranie")
    await page.goto(f"/calls/{call.id}")
    await page.get_by_role("button", name="Zabezpiecz nagranie").click()
    await judge("Zabezpiecz 1")
    await page.locator("input[name=ground]").first.check()
    await page.fill("#reference", HOSTILE)
    await page.fill("#reason", HOSTILE)
    await page.get_by_role("button", name="Dalej").click()
    await judge("Potwierdzenie")
    await page.locator("main form .button").click()
    await judge("Zabezpieczono 1")
    await page.get_by_role("link", name="Zabezpieczenie 1").click()
    await judge("Zabezpieczenie")
    await page.goto("/holds")
    await judge("Zabezpieczenia")
    assert pages == 8
    assert seen.complaints == []
    assert seen.strangers == []


async def test_the_next_act_after_signing_out_elsewhere_is_refused_with_a_sentence(
    desk: OfficeDesk,
) -> None:
    call = await desk.call(seconds=1)
    login = await desk.person(Role.LISTENER)
    page, _ = await desk.sit_down(login)
    await page.goto(f"/calls/{call.id}")
    await desk.office.do(
        "UPDATE session SET ended_at = now(), ending = 'signed_out' WHERE account_id = "
        "(SELECT id FROM account WHERE login = :login)",
        login=login,
    )
    await page.get_by_label(PURPOSE).check()
    await page.get_by_role("button", name="Odsłuchaj nagranie").click()
    await expect(page.locator("h1")).to_have_text("Nie zalogowano")
    await expect(page.locator("main")).to_contain_text("Po 15 minutach bezczynności")


async def test_an_address_taken_off_the_list_is_refused_at_once(desk: OfficeDesk) -> None:
    """R6.2a."""
    page, _ = await desk.sit_down(await desk.person(Role.LISTENER))
    await page.goto("/")
    await desk.office.do("UPDATE workstation SET removed_at = now()")
    try:
        await page.goto("/holds")
        await expect(page.locator("body")).to_have_text(re.compile("Odmowa dostępu"))
    finally:
        await desk.office.do("UPDATE workstation SET removed_at = NULL")


async def test_a_first_visit_is_light(desk: OfficeDesk) -> None:
    """From signing in to what was found, as it comes over the wire."""
    await desk.call(seconds=2, caller_number="603456789")
    login = await desk.person(Role.LISTENER)
    page, _ = await desk.sit_down()
    sizes: list[float] = []
    wire = await page.context.new_cdp_session(page)
    await wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    await page.goto("/")
    await page.fill("#login", login)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await page.locator("#caller").fill("603456789")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("/search/"))
    await page.wait_for_load_state("networkidle")
    assert len(sizes) >= 4
    assert 10_000 < sum(sizes) <= FIRST_VISIT_BYTES, sizes
