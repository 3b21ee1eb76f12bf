"""Every page without a mouse: all that acts is reached, and the focus is seen (2.1.1, 2.4.7).

The pages are those of the route table, each by the first role that opens it.
"""

import pytest
from playwright.async_api import Page

from recorder.accounts.model import Role
from tests.browser.every_page import opened, paths_of, routes_of_pages, seated
from tests.browser.seeded import Seeded

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
ORDER = (Role.ADMINISTRATOR, Role.LISTENER, Role.DPO, Role.SYSADMIN, Role.CONTRACTOR, None)
"""Whoever sees most comes first."""
MOST = 400
REACHABLE = """() => {
  const groups = new Set();
  window.acting = [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, audio[controls], [tabindex="0"]')]
    .filter((each) => each.type !== 'hidden' && !each.disabled && each.checkVisibility())
    .filter((each) => {
      if (each.type !== 'radio') return true;
      const named = `${each.form?.action} ${each.name}`;
      return !groups.has(named) && groups.add(named);
    });
  document.activeElement.blur();
  return acting.map((each) => each.outerHTML.slice(0, 100));
}"""
HERE = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const style = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  return {
    number: acting.findIndex((each) => each === at || (at.type === 'radio'
      && each.type === 'radio' && each.name === at.name && each.form === at.form)),
    seen: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)
      || at.tagName === 'AUDIO',
    there: box.width > 0 && box.height > 0 && box.right > 0 && box.bottom > 0
      && box.top < innerHeight,
    html: at.outerHTML.slice(0, 100),
  };
}"""


async def test_tab_reaches_all_that_acts_and_shows_where_it_is(tidy: Seeded) -> None:
    walked: set[str] = set()
    faults: list[str] = []
    for role in ORDER:
        seat = await seated(tidy, role)
        for route in routes_of_pages(tidy.desk.office, role):
            if route in walked:
                continue
            walked.add(route)
            for path in (await paths_of(seat, route))[:1]:
                if (await opened(seat, route, path)).is_page:
                    faults += [f"{route}: {each}" for each in await _tabbed(seat.page)]
        await seat.page.context.close()
    assert walked == set(routes_of_pages(tidy.desk.office, None, *Role))
    assert faults == [], "\n".join(faults)


async def test_the_skip_link_leads_past_the_navigation(tidy: Seeded) -> None:
    seat = await seated(tidy, Role.LISTENER)
    await seat.page.goto("/holds")
    await seat.page.keyboard.press("Tab")
    assert await seat.page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    await seat.page.keyboard.press("Enter")
    await seat.page.keyboard.press("Tab")
    assert await seat.page.evaluate("document.activeElement.closest('main') !== null")


async def _tabbed(page: Page) -> list[str]:
    names = await page.evaluate(REACHABLE)
    missing, faults = set(range(len(names))), []
    # Some elements have places of their own inside: an audio control, a text of several lines.
    for _ in range(min(MOST, 3 * len(names) + 10)):
        await page.keyboard.press("Tab")
        here = await page.evaluate(HERE)
        if here is None:
            if not missing:
                break
            continue
        missing.discard(here["number"])
        faults += [f"{what} {here['html']}" for what, holds in
                   (("no sign of the focus at", here["seen"]), ("out of sight:", here["there"]))
                   if not holds]  # fmt: skip
    return [*dict.fromkeys(faults), *(f"no Tab leads to {names[each]}" for each in missing)]
