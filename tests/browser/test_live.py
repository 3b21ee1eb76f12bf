"""Calls in progress in a real browser, without a script: seen, paused, ended; no violation."""

from typing import Any

import pytest
from playwright.async_api import expect

from recorder.accounts.model import Role
from tests.browser.desk import LOOKS, OfficeDesk, screenshot, violations
from tests.web.office import OPERATOR
from tests.web.test_live_at_pages import capturing, put_up, two_calls

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

PAUSE = {"pl": "Wstrzymaj nagrywanie", "en": "Pause recording"}
PAUSED = {"pl": "Nagrywanie wstrzymane od", "en": "Recording is paused since"}
END = {"pl": "Zakończ nagrywanie", "en": "End recording"}
DISCARD = {"pl": "Zakończ i zniszcz", "en": "Stop and discard"}


@pytest.mark.parametrize(("language", "light", "width"), LOOKS)
async def test_a_clerk_pauses_and_ends_without_a_script_and_no_page_has_a_violation(
    desk: OfficeDesk, language: str, light: str, width: int
) -> None:
    """RG.12, RG.18."""
    office = desk.office
    login = await desk.person(Role.LISTENER)
    account = await office.parts.keeper.by_login(login)
    await office.parts.keeper.set_extension(account.id, "101", actor=OPERATOR)
    mine, others = two_calls(office)
    board = await put_up(office, mine, others)
    look: dict[str, Any] = {"language": language, "light": light, "width": width}
    page, seen = await desk.sit_down(login, **look)
    # Another seat: what is judged with scripts works without them.
    plain, _ = await desk.sit_down(login, scripts=False, **look)
    async with capturing(office, board, mine):
        await plain.goto("/live")
        await page.goto("/live")
        await screenshot(page, f"live-{language}-{light}-{width}")
        assert await violations(page) == []
        await plain.get_by_role("button", name=PAUSE[language]).click()
        await expect(plain.get_by_role("status").first).to_contain_text(PAUSED[language])
        await page.goto(plain.url)
        assert await violations(page) == []
        await page.get_by_role("button", name=END[language]).click()
        await screenshot(page, f"live-stop-{language}-{light}-{width}")
        assert await violations(page) == []
        assert await page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
        await page.locator("#reason").fill("na prośbę dzwoniącego")
        await page.get_by_role("button", name=DISCARD[language]).click()
        await expect(page.locator("h1")).to_have_count(1)
    assert "recording:discarded" in await office.actions()
    assert (seen.complaints, seen.strangers) == ([], [])
