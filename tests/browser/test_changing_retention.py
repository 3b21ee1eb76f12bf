"""The change of the retention in a browser: what is shown before anybody decides (R7.2c)."""

import pytest
from playwright.async_api import expect

from recorder.accounts.model import Role
from tests.browser.every_page import seated
from tests.browser.seeded import Seeded
from tests.browser.test_every_page import LANGUAGES, judged

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_a_change_does_is_a_page_as_others(tidy: Seeded, language: str) -> None:
    """The form, its faults and the check; nothing is proposed, so the office stays as it is."""
    seat = await seated(tidy, Role.ADMINISTRATOR, language=language)
    await seat.page.goto("/settings/retention")
    await judged(seat, f"retention-{language}", language)
    await seat.page.fill("#days", "31")
    await seat.page.fill("#reason", "12/2026")
    await seat.page.click("form[action='/settings/retention/check'] button")
    await expect(seat.page.locator("#days-wrong")).to_have_count(1)
    # Told by now: the browser reports an answer before it shows it.
    seat.seen.complaints = [each for each in seat.seen.complaints if "422" not in each]
    await judged(seat, f"retention-wrong-{language}", language)
    await seat.page.fill("#days", "7")
    await seat.page.click("form[action='/settings/retention/check'] button")
    assert await seat.page.locator("input[name='seen']").count() == 1
    await judged(seat, f"retention-check-{language}", language)
    await seat.page.goto("/help/retention")
    await judged(seat, f"help-retention-{language}", language)
    await seat.page.context.close()
    assert seat.faults == [], "\n".join(seat.faults)
    assert seat.seen.strangers == []
    assert seat.seen.kept == []
