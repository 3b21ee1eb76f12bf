"""The information clause and the accessibility statement: what everybody may read (§ 8.2)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from recorder.accounts.model import Role
from recorder.regulation import parse_regulation
from recorder.web.door import PUBLIC
from recorder.web.public_texts import public_texts
from tests.web.office import ROOT, STRANGER, WebOffice, open_office

pytestmark = pytest.mark.postgres
SHIPPED = (ROOT / "regulation.toml").read_text(encoding="utf-8")
PAGES = ("/information-clause", "/accessibility")
ELSEWHERE = (
    *("/", "/sign-in", "/account", "/static/player.js", "/accessibility/xx"),
    *("/information-clause/", "//information-clause", "/information-clause/../account"),
)
WORDS: Mapping[str, tuple[str, ...]] = {
    "pl": ("Administrator danych", "iod@mops.walbrzych.pl", "do 30 dni", "do 4 miesięcy",
           "14 dni", "klawisz 2", "art. 6 ust. 1 lit. a, c, d, e", "Stawki 2"),
    "en": ("Controller", "up to 30 days", "up to 4 months", "14 days", "key 2", "Complaint"),
    "uk": ("Адміністратор даних", "до 30 днів", "до 4 місяців", "14 днів", "клавішу 2", "Скарга"),
}  # fmt: skip


def an_office(tmp_path: Path, text: str) -> dict[str, Any]:
    file = tmp_path / "own.toml"
    file.write_text(text, encoding="utf-8")
    return {"regulation_file": file}


async def test_the_clause_says_what_article_13_asks_in_three_languages(office: WebOffice) -> None:
    """R8.2g."""
    browser = office.browser()
    for language, words in WORDS.items():
        page = await browser.get(f"/information-clause/{language}")
        assert page.status_code == 200
        assert page.headers["content-language"] == language
        text = re.sub(r"<[^>]+>", "", page.text)
        for each in words:
            assert each in text, (language, each)
        assert f'<html lang="{language}">' in page.text
        for purpose in office.services.purposes:
            assert purpose in text
        alone = re.findall(r'<li><span lang="pl">', page.text)
        assert alone == [], "a purpose that ships is told in the reader's language"
    assert (await browser.get("/information-clause/xx")).status_code == 404
    assert (await browser.get("/information-clause")).headers["content-language"] == "pl"


async def test_the_clause_follows_the_regulation(database_url: str, tmp_path: Path) -> None:
    own = SHIPPED.replace("days = 30", "days = 17").replace('"opt_out"', '"opt_in"')
    async with open_office(database_url, tmp_path, **an_office(tmp_path, own)) as office:
        text = (await office.browser().get("/information-clause/pl")).text
    assert "do 17 dni" in text
    assert "klawiszem 1" in text
    assert "klawisz 2" not in text


def test_another_text_is_another_version() -> None:
    """R8.2g."""
    shipped = public_texts(parse_regulation(SHIPPED, source="x"))
    other = SHIPPED.replace("iod@mops", "dpo@mops", 1)
    assert public_texts(parse_regulation(other, source="x")).version != shipped.version
    scope = SHIPPED.replace("recording = false", "recording = true")
    assert public_texts(parse_regulation(scope, source="x")).version == shipped.version


async def test_the_statement_names_what_the_act_asks(office: WebOffice) -> None:
    """Act of 4 April 2019, art. 10."""
    page = (await office.browser().get("/accessibility/pl")).text
    for each in ("wstep", "podmiot", "url", "data-publikacja", "data-aktualizacja", "status",
                 "data-sporzadzenie", "kontakt", "email", "telefon", "procedura",
                 "architektura"):  # fmt: skip
        assert f'id="a11y-{each}"' in page, each
    assert "4 kwietnia 2019" in page
    assert "Rzecznika Praw Obywatelskich" in page


async def test_an_office_without_a_statement_says_so(database_url: str, tmp_path: Path) -> None:
    own = SHIPPED[: SHIPPED.index("# Act of 4 April 2019")]
    async with open_office(database_url, tmp_path, **an_office(tmp_path, own)) as office:
        for language in WORDS:
            page = await office.browser().get(f"/accessibility/{language}")
            assert page.status_code == 200
        assert "nie podał jeszcze" in (await office.browser().get("/accessibility/pl")).text


async def test_as_shipped_they_are_for_listed_addresses_as_all_else(office: WebOffice) -> None:
    """R6.2a, § 6.2."""
    for path in PAGES:
        assert (await office.browser(STRANGER).get(path)).status_code == 403
        assert (await office.browser().get(path)).status_code == 200


async def test_an_office_may_open_them_to_everybody_and_nothing_else_with_them(
    database_url: str, tmp_path: Path
) -> None:
    own = SHIPPED.replace("from_anywhere = false", "from_anywhere = true")
    async with open_office(database_url, tmp_path, **an_office(tmp_path, own)) as office:
        inside = await office.at_work(Role.SYSADMIN)
        stranger = office.browser(STRANGER)
        stranger.cookies = inside.cookies
        for path in PUBLIC:
            answer = await stranger.get(path)
            assert answer.status_code == 200, path
            assert "Zenobia" not in answer.text
            assert (await stranger.post(path)).status_code == 403, path
        for path in ELSEWHERE:
            assert (await stranger.get(path)).status_code == 403, path
        other = office.browser(STRANGER)
        assert (await other.get(PAGES[0], headers={"Host": "evil.example"})).status_code == 421


async def test_they_ask_the_database_nothing_where_they_are_open_to_everybody(
    database_url: str, tmp_path: Path
) -> None:
    own = SHIPPED.replace("from_anywhere = false", "from_anywhere = true")
    async with open_office(database_url, tmp_path, **an_office(tmp_path, own)) as office:
        browser = office.browser(STRANGER, Cookie="__Host-session=" + "A" * 43)
        asked: list[str] = []
        event.listen(
            office.engine.sync_engine, "before_cursor_execute", lambda *each: asked.append(each[2])
        )
        for path in PAGES:
            assert (await browser.get(path)).status_code == 200
        assert asked == []
        await office.browser().get("/sign-in")
        assert asked


async def test_they_are_linked_from_signing_in_and_from_every_page(office: WebOffice) -> None:
    signed = await office.at_work(Role.LISTENER)
    for page in (await office.browser().get("/sign-in"), await signed.get("/")):
        for path in PAGES:
            assert f'href="{path}"' in page.text
