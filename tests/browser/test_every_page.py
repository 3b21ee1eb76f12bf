"""Every page × role × language × scheme × width: WCAG 2.2 AA, its own origin, nothing kept.

The pages come from the route table (tests/browser/every_page.py): a new one is in here by itself.
"""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from recorder.accounts.model import Role
from recorder.embedded.postgres import EmbeddedPostgres
from tests.browser.conftest import a_desk
from tests.browser.desk import stored
from tests.browser.every_page import Seat, routes_of_pages, seated, walk
from tests.browser.looks import dark_rules, look
from tests.browser.seeded import Seeded
from tests.web.test_who_may_do_what import NOBODY

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]
LANGUAGES = ["pl", "en"]


async def judged(seat: Seat, name: str, language: str, *, pictures: bool = True) -> None:
    """Add what is wrong with the page that is shown to the faults of the walk."""
    seat.faults += await look(seat.page, name, pictures=pictures)
    if await seat.page.locator("html").get_attribute("lang") != language:
        seat.faults.append(f"{name}: does not say that it is in {language}")
    seat.faults += [f"{name}: {each}" for each in seat.seen.complaints]
    seat.faults += [f"{name}: leaves in the browser: {each}" for each in await stored(seat.page)]


@pytest.fixture(scope="module")
def pictured() -> set[str]:
    """Give the names of the pages of which there are pictures already, in a language."""
    return set()


@pytest.mark.timeout(900)  # an administrator has the most pages: two minutes on a quiet machine
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("role", [None, *Role])
async def test_every_page_is_as_a_page_must_be(
    tidy: Seeded, role: Role | None, language: str, pictured: set[str]
) -> None:
    """Pictures are made of a page as the first role opens it that may."""
    seat = await seated(tidy, role, language=language)
    pages = 0
    async for each in walk(seat):
        if each.is_page:
            shown, pages = f"{each.name}-{language}", pages + 1
            name = f"{each.name}-{seat.who}-{language}"
            await judged(seat, name, language, pictures=shown not in pictured)
            pictured.add(shown)
    await seat.page.context.close()
    assert pages
    assert seat.faults == [], "\n".join(seat.faults)
    assert seat.seen.strangers == []
    assert seat.seen.kept == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_page_that_refuses_is_as_a_page_must_be(tidy: Seeded, language: str) -> None:
    seat = await seated(tidy, Role.LISTENER, language=language)
    for name, path, status in (
        ("not-there", "/nowhere", 404),
        ("no-such-call", f"/calls/{NOBODY}", 404),
        ("search-is-over", f"/search/{NOBODY}", 404),
        ("erased", f"/calls/{tidy.erased.id}/playbacks/{NOBODY}", 410),
    ):
        answer = await seat.page.goto(path)
        assert answer is not None
        assert answer.status == status, path
        seat.seen.complaints = [each for each in seat.seen.complaints if str(status) not in each]
        await judged(seat, f"{name}-{language}", language)
    contractor = await seated(tidy, Role.CONTRACTOR, language=language)
    await contractor.page.goto("/holds")
    contractor.seen.complaints.clear()
    await judged(contractor, f"forbidden-{language}", language)
    faults = seat.faults + contractor.faults
    assert faults == [], "\n".join(faults)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_first_run_is_a_page_like_others(
    postgres: EmbeddedPostgres, browser: Browser, tmp_path: Path, language: str
) -> None:
    async with a_desk(postgres, browser, tmp_path, f"first_{language}") as desk:
        page, seen = await desk.sit_down(language=language)
        seat = Seat(seeded=Seeded(desk=desk), role=None, page=page, seen=seen)
        await page.goto("/first-run")
        await judged(seat, f"first-run-{language}", language)
    assert seat.faults == [], "\n".join(seat.faults)


async def test_every_page_is_in_a_walk(tidy: Seeded) -> None:
    """A role opens it, or it says why none does."""
    walked = {each for role in (None, *Role) for each in routes_of_pages(tidy.desk.office, role)}
    assert walked == set(routes_of_pages(tidy.desk.office))


async def test_the_dark_scheme_changes_colours_alone() -> None:
    """So a page that is sound in the light needs its colours looked at in the dark, no more."""
    made = dark_rules()
    assert len(made) > 10
    assert {each for each in made if not each.startswith("--")} <= {"color-scheme"}
