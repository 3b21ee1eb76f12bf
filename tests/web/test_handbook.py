"""The handbook: a chapter beside each page, in both languages, in the pages' own words."""

import re
from pathlib import Path

import pytest

from recorder.accounts.model import Role
from recorder.web.drawing import FOLDER
from recorder.web.handbook import CHAPTERS, chapter_of, chapters_for
from recorder.web.languages import LANGUAGES, catalogue
from recorder.web.messages import messages
from tests.web.office import WebOffice
from tests.web.test_who_may_do_what import routes

pytestmark = pytest.mark.postgres
EXAMPLES = {"600 123 456", "+48…", "wczoraj", "12 listopada", "yesterday", "12 November"}
QUOTED = re.compile("[„“]([^”“„]+)”")


def text_of(name: str, language: str) -> str:
    return Path(FOLDER / "help" / f"{name}.{language}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_reads_its_own_handbook_and_no_other(office: WebOffice, role: Role) -> None:
    browser = await office.at_work(role)
    contents = (await browser.get("/help")).text
    mine = {each.name for each in chapters_for({role})}
    assert set(re.findall(r'<li><a href="/help/(\w+)"', contents)) == mine
    for each in CHAPTERS:
        answer = await browser.get(f"/help/{each.name}")
        assert answer.status_code == (200 if each.name in mine else 404), each
    assert (await browser.get("/help/..%2Fbase")).status_code == 404
    assert (await browser.get("/help/nothing")).status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_chapter_names_buttons_and_pages_as_the_pages_do(language: str) -> None:
    say = catalogue(language).gettext
    known = {say(each.id) for each in messages() if isinstance(each.id, str)} | EXAMPLES
    for chapter in CHAPTERS:
        for named in QUOTED.findall(text_of(chapter.name, language)):
            assert named in known, (chapter.name, language, named)


def test_both_languages_have_the_same_chapters_with_the_same_paragraphs() -> None:
    files = {each.name for each in (FOLDER / "help").iterdir()}
    assert files == {f"{each.name}.{language}.html" for each in CHAPTERS for language in LANGUAGES}
    for chapter in CHAPTERS:
        named = [
            re.findall(r'ui\.law\("([^"]+)"', text_of(chapter.name, each)) for each in LANGUAGES
        ]
        assert named[0] == named[1], chapter.name


async def test_each_page_links_to_its_own_chapter(office: WebOffice) -> None:
    dpo = await office.at_work(Role.DPO)
    for path, chapter in (
        ("/audit", "audit"), ("/holds", "holds"), ("/deletions", "deletion"),
        ("/authorisations", "papers"), ("/authorisations/review", "review"),
        ("/contractor", "contractor"), ("/settings", "settings"),
        ("/announcements", "announcements"), ("/first-steps", "steps"),
    ):  # fmt: skip
        assert f'href="/help/{chapter}"' in (await dpo.get(path)).text
    begins = [path for each in CHAPTERS for path in each.paths]
    served = [path for _, path, _ in routes(office)]
    for each in begins:
        assert any(path == each or path.startswith(f"{each}/") for path in served), each
    assert chapter_of("/wzornik", {Role.DPO}) is None
    assert chapter_of("/audit", {Role.CONTRACTOR}) is None
