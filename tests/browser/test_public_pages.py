"""What everybody may read, in each of its languages: accessible, and from our own origin alone."""

import pytest

from tests.browser.desk import LOOKS, OfficeDesk, screenshot, violations

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(("_", "light", "width"), LOOKS[:2])
async def test_public_pages_have_no_violation(
    desk: OfficeDesk, _: str, light: str, width: int
) -> None:
    page, seen = await desk.sit_down(light=light, width=width, scripts=True)
    for path in ("information-clause", "accessibility"):
        for language in ("pl", "en", "uk"):
            await page.goto(f"/{path}/{language}")
            assert await page.locator("html").get_attribute("lang") == language
            await screenshot(page, f"{path}-{language}-{light}-{width}")
            assert await violations(page) == [], (path, language)
            assert await page.evaluate(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            )
    assert (seen.complaints, seen.strangers) == ([], [])
