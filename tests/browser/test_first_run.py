"""From the one-time token to a working installation, in one sequence that ends with a test call."""

import re
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Browser, Page, expect

from recorder.accounts.model import Role
from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.postgres.trail_reading import PostgresTrail
from recorder.adapters.regulation_file import load_regulation
from recorder.adapters.starters import load_starters
from recorder.announcements.service import AnnouncementKeeper
from recorder.audit.event import AuditEvent
from recorder.embedded.postgres import EmbeddedPostgres
from tests.browser.conftest import a_desk
from tests.browser.desk import OfficeDesk
from tests.web.office import OPERATOR, PASSWORD, ROOT

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("first run"),
]


async def test_one_is_led_from_the_token_to_a_call_that_can_be_heard(
    postgres: EmbeddedPostgres, browser: Browser, tmp_path: Path
) -> None:
    """Without a script: each step is undone, then done, and the next one is the current."""
    regulation = _regulation(tmp_path)
    async with a_desk(
        postgres, browser, tmp_path, "first_office", regulation_file=regulation, totp="required"
    ) as desk:
        page, seen = await desk.sit_down(scripts=False)
        await _first_administrator(desk, page)
        await _second_factor(page)
        await expect(page.locator("h1")).to_have_text("Uruchomienie")
        await _now_is(page, "Komunikat obowiązuje")
        _announcements(desk)
        await _now_is(page, "Drugi administrator")
        for login, role in (("zofia", Role.ADMINISTRATOR), ("jan", Role.LISTENER)):
            await desk.office.person(role, login=login)
        await _now_is(page, "Ważne upoważnienie do odsłuchu")
        await _authorisation(desk, page)
        await _now_is(page, "Kopia zapasowa, którą można odczytać")
        now = desk.office.parts.clock.now()
        entry = AuditEvent(action="backup:made", at=now, actor=OPERATOR)
        await PostgresTrail(desk.office.engine).record(entry)
        await _now_is(page, "Próbne połączenie dzisiaj")
        await expect(page.locator("main")).to_contain_text("Zadzwoń")
        call = await desk.call(seconds=2, ended_at=now)
        await page.get_by_role("link", name="Odśwież").click()
        await expect(page.get_by_role("status")).to_contain_text("Wszystkie kroki wykonano")
        await expect(page.locator("[aria-current=step]")).to_have_count(0)
        await expect(page.locator(f"a[href='/calls/{call.id}']")).to_be_visible()
        assert seen.complaints == []
        assert seen.strangers == []


def _regulation(directory: Path) -> Path:
    text = (ROOT / "regulation.toml").read_text(encoding="utf-8")
    for was, becomes in (
        ("recording = false", "recording = true"),
        ("trunks = []", 'trunks = [{ endpoint = "operator", context = "from-operator" }]'),
        ("days = 30", "days = 23"),
        ("key_days = 0", "key_days = 7"),
    ):
        assert was in text
        text = text.replace(f"\n{was}", f"\n{becomes}")
    path = directory / "regulation.toml"
    path.write_text(text, encoding="utf-8")
    return path


async def _first_administrator(desk: OfficeDesk, page: Page) -> None:
    token = await desk.office.parts.keeper.first_token(OPERATOR)
    await page.goto("/first-run")
    await page.fill("#token", token)
    await page.fill("#name", "Anna Kowalska")
    await page.fill("#login", "anna")
    await page.fill("#password", PASSWORD)
    await page.locator("main button").click()
    await page.fill("#login", "anna")
    await page.fill("#password", PASSWORD)
    await page.locator("main button").first.click()


async def _second_factor(page: Page) -> None:
    await expect(page.locator("h1")).to_have_text("Moje konto")
    await page.locator("form[action='/account/second-factor'] button").click()
    secret = await page.locator("code.select").inner_text()
    await page.fill("#code", pyotp.TOTP(secret.replace(" ", "")).now())
    await page.locator("main form button").click()
    await page.locator("main a.button").click()


async def _now_is(page: Page, title: str) -> None:
    await page.goto("/first-steps")
    await expect(page.locator("li[aria-current=step] > strong")).to_have_text(title)


def _announcements(desk: OfficeDesk) -> None:
    """As ``recorder announcement install-starters --activate`` at the machine."""
    settings = desk.office.settings
    keeper = AnnouncementKeeper(
        catalogue=AnnouncementCatalogue(settings.announcement_dir),
        regulation=load_regulation(settings.regulation_file),
        clock=desk.office.parts.clock,
    )
    keeper.install(load_starters(), activate=True)


async def _authorisation(desk: OfficeDesk, page: Page) -> None:
    """Two administrators, the second at a desk of her own, once the listener's account is his."""
    await desk.office.do("UPDATE account SET totp_since = now() WHERE login = 'jan'")
    await page.locator("li[aria-current=step] a.button").click()
    await page.locator("select#account").select_option(index=1)
    await page.locator("input[name=roles][value=listener]").check()
    await page.fill("#until", "31.12.2099")
    await page.locator("main form.sheet button").first.click()
    await page.locator("main form .acts button").click()
    await expect(page.locator("main")).to_contain_text("musi ją potwierdzić inna osoba")
    paper = page.url.partition("?")[0]
    other, _ = await desk.sit_down("zofia", scripts=False)
    await desk.office.do("UPDATE account SET totp_since = now() WHERE login = 'zofia'")
    await other.goto(paper)
    await other.locator("form[action$='/confirm/check'] button").click()
    await other.locator("form[action$='/confirm'] button").click()
    await expect(other.locator("h1")).to_contain_text(re.compile(r"Upoważnienie nr 1/20\d\d"))
