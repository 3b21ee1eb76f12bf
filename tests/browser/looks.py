"""What must be true of any page as it is shown: WCAG, its width, its own origin, its paper."""

import re
from importlib.resources import files
from pathlib import Path

from playwright.async_api import Page

from tests.browser.desk import NARROW, SCREENS, WIDE

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
"""What the dark scheme can change: it redefines colours and nothing else
(test_the_dark_scheme_changes_colours_alone)."""
HEIGHT = 900
PAPER = {"width": 718, "height": 1047}
"""A4 less its margins, in the pixels of print."""
SHEET = Path("recorder/web/static/rejestrator.css")

FIND = """async ([kind, values]) => {
  const found = await axe.run(document, {
    runOnly: {type: kind, values}, resultTypes: ['violations'], elementRef: false,
  });
  return found.violations.flatMap(each => each.nodes.map(node =>
    `${each.id}: ${node.html.slice(0, 200)} (${node.failureSummary.slice(0, 200)})`));
}"""
FRAME = """() => {
  const faults = [];
  const count = (what) => document.querySelectorAll(what).length;
  if (count('h1') !== 1) faults.push(`${count('h1')} first headings`);
  if (!document.title.replace('– Rejestrator', '').trim()) faults.push('no title');
  const skip = document.querySelector('a, button, input');
  if (skip?.getAttribute('href') !== '#main') faults.push('no skip link comes first');
  return faults;
}"""
WIDTH = """() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  const wide = [...document.querySelectorAll('body *')].filter(
    (each) => each.getBoundingClientRect().right > root.clientWidth + 1);
  return [`scrolls sideways: ${wide.slice(-2).map((each) => each.outerHTML.slice(0, 120))}`];
}"""
CUT = """() => [...document.querySelectorAll('main *')]
  .filter((each) => {
    const style = getComputedStyle(each);
    return each.clientWidth > 1 && style.overflowX !== 'visible'
      && each.scrollWidth > each.clientWidth + 1 && style.display !== 'none';
  })
  .map((each) => `cut on paper: ${each.outerHTML.slice(0, 120)}`)"""


async def look(page: Page, name: str, *, pictures: bool) -> list[str]:
    """Return what is wrong with a page at both widths, in both schemes and on paper."""
    await page.evaluate(AXE)
    faults = await page.evaluate(FRAME)
    for light, width, kind, values in (
        ("light", NARROW, "tag", RULES),
        ("dark", NARROW, "rule", COLOURS),
        ("dark", WIDE, "rule", COLOURS),
        ("light", WIDE, "tag", RULES),
    ):
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        # A button on its way from one colour to the other has neither.
        await page.emulate_media(color_scheme=light, reduced_motion="reduce")  # type: ignore[arg-type]
        for each in [
            *await page.evaluate(FIND, [kind, values]),
            *await page.evaluate(WIDTH),
        ]:
            faults.append(f"{light} {width}: {each}")
        if pictures:
            SCREENS.mkdir(parents=True, exist_ok=True)
            await page.screenshot(path=SCREENS / f"{name}-{light}-{width}.png", full_page=True)
    return [f"{name}: {each}" for each in [*faults, *await on_paper(page)]]


async def on_paper(page: Page) -> list[str]:
    """Return what would be cut when the page is printed."""
    await page.set_viewport_size(PAPER)  # type: ignore[arg-type]
    await page.emulate_media(media="print")
    faults = [*await page.evaluate(WIDTH), *await page.evaluate(CUT)]
    await page.emulate_media(media="screen")
    return [f"print: {each}" for each in faults]


def dark_rules() -> list[str]:
    """Return the declarations that the dark scheme makes, wherever they stand."""
    sheet = SHEET.read_text(encoding="utf-8")
    found = []
    for match in re.finditer(r"@media \(prefers-color-scheme: dark\) \{", sheet):
        depth, at = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(sheet[at], 0)
            at += 1
        found += re.findall(r"([\w-]+)\s*:[^;{}]+;", sheet[match.end() : at])
    return found
