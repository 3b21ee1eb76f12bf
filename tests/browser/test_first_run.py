"""From the one-time token to a working installation, in one sequence that ends with a test call.

By the product alone: its pages, and its command line where the page of first steps sends a person
to the machine. What is typed there is what the page says, with a person's own names and folders.
"""

import asyncio
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Browser, Page, expect

from recorder.embedded.postgres import EmbeddedPostgres
from tests.browser.conftest import a_desk
from tests.browser.desk import OfficeDesk, Seen
from tests.browser.test_role_days import hears
from tests.web.office import PASSWORD, ROOT

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
PROGRAM = Path(sys.executable).with_name("recorder")


@dataclass
class Newcomer:
    """Somebody at a browser of their own, with a telephone for the codes."""

    page: Page
    seen: Seen
    spare: list[str]
    """Codes on paper; each opens once."""

    async def presses(self, within: str = "main form") -> None:
        await self.page.locator(f"{within} button").first.click()

    async def signs_in(self, login: str, password: str) -> None:
        await self.page.goto("/sign-in")
        await self.page.fill("#login", login)
        await self.page.fill("#password", password)
        async with self.page.expect_navigation():
            await self.presses()
        await self.page.goto("/account")
        await expect(self.page.locator("h1")).to_have_text("Moje konto")

    async def changes_the_password(self, old: str) -> None:
        await self.page.fill("#current", old)
        await self.page.fill("#password", PASSWORD)
        await self.presses("form[action='/account/password']")
        await expect(self.page.get_by_role("status")).to_contain_text("Hasło zostało zmienione")

    async def sets_the_second_factor(self) -> None:
        await self.presses("form[action='/account/second-factor']")
        secret = await self.page.locator("code.select").inner_text()
        await self.page.fill("#code", pyotp.TOTP(secret.replace(" ", "")).now())
        await self.presses()
        self.spare = await self.page.locator(".codes code").all_inner_texts()
        await self.page.locator("main a.button").click()

    async def is_now_at(self, title: str) -> None:
        await self.page.goto("/first-steps")
        now = self.page.locator("li[aria-current=step]")
        await expect(now.locator("> strong")).to_have_text(title)


async def test_one_is_led_from_the_token_to_a_call_that_can_be_heard(
    postgres: EmbeddedPostgres, browser: Browser, tmp_path: Path
) -> None:
    """Without a script up to the player: each step is undone, then done, the next is current."""
    regulation = _regulation(tmp_path)
    async with a_desk(
        postgres, browser, tmp_path, "first_office", regulation_file=regulation, totp="required"
    ) as desk:
        anna = await _newcomer(desk)
        await _first_administrator(desk, anna)
        await expect(anna.page.locator("h1")).to_have_text("Uruchomienie")
        await anna.is_now_at("Komunikat obowiązuje")
        await _at_the_machine(desk, anna)
        await anna.is_now_at("Drugi administrator")
        said = await _at_the_machine(
            desk, anna, "LOGIN=zofia", "…=Zofia Lis", answers=["anna", PASSWORD, anna.spare.pop()]
        )
        zofia = await _with_a_first_password(desk, "zofia", said)
        await anna.is_now_at("Ważne upoważnienie do odsłuchu")
        said = await _at_the_machine(desk, anna, "LOGIN=jan", "…=Jan Nowak")
        jan = await _with_a_first_password(desk, "jan", said, scripts=True)
        await _authorise(anna, zofia)
        await anna.is_now_at("Kopia zapasowa, którą można odczytać")
        await _at_the_machine(desk, anna, f"/mnt={tmp_path}")
        await anna.is_now_at("Próbne połączenie dzisiaj")
        await expect(anna.page.locator("main")).to_contain_text("Zadzwoń")
        call = await desk.call(seconds=5, ended_at=desk.office.parts.clock.now())
        await anna.page.get_by_role("link", name="Odśwież").click()
        await expect(anna.page.get_by_role("status")).to_contain_text("Wszystkie kroki wykonano")
        await expect(anna.page.locator("[aria-current=step]")).to_have_count(0)
        await expect(anna.page.locator(f"a[href='/calls/{call.id}']")).to_be_visible()
        await jan.page.goto(f"/calls/{call.id}")
        await hears(jan.page, "pl")
        for each in (anna, zofia, jan):
            assert each.seen.complaints == []
            assert each.seen.strangers == []


async def _newcomer(desk: OfficeDesk, *, scripts: bool = False) -> Newcomer:
    page, seen = await desk.sit_down(scripts=scripts)
    return Newcomer(page, seen, [])


async def _with_a_first_password(
    desk: OfficeDesk, login: str, said: str, *, scripts: bool = False
) -> Newcomer:
    """Return somebody to whom the first password was told, once they made the account their own."""
    first = said.splitlines()[0]
    somebody = await _newcomer(desk, scripts=scripts)
    await somebody.signs_in(login, first)
    await somebody.changes_the_password(first)
    await somebody.sets_the_second_factor()
    return somebody


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


async def _first_administrator(desk: OfficeDesk, anna: Newcomer) -> None:
    token = (await _recorder(desk, "user", "first-token")).splitlines()[0]
    await anna.page.goto("/first-run")
    await anna.page.fill("#token", token)
    await anna.page.fill("#name", "Anna Kowalska")
    await anna.page.fill("#login", "anna")
    await anna.page.fill("#password", PASSWORD)
    await anna.presses("main")
    await anna.signs_in("anna", PASSWORD)
    await anna.sets_the_second_factor()


async def _at_the_machine(
    desk: OfficeDesk, reader: Newcomer, *own: str, answers: list[str] | None = None
) -> str:
    """Type the command of the step that is to be done now; return what it says.

    ``own`` = what stands in the page's command for a person's own, and theirs: ``LOGIN=zofia``.
    """
    await reader.page.goto("/first-steps")
    command = await reader.page.locator("li[aria-current=step] p code").inner_text()
    for each in own:
        stands, theirs = each.split("=", 1)
        command = command.replace(stands, theirs)
    program, *words = shlex.split(command)
    assert program == "recorder"
    return await _recorder(desk, *words, answers=answers)


async def _recorder(desk: OfficeDesk, *words: str, answers: list[str] | None = None) -> str:
    done = await asyncio.to_thread(
        subprocess.run,
        [str(PROGRAM), *words],
        input="".join(f"{each}\n" for each in answers or []),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/bin"} | desk.office.environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def _authorise(anna: Newcomer, zofia: Newcomer) -> None:
    """Two administrators, the second at a desk of her own."""
    page, other = anna.page, zofia.page
    await page.goto("/first-steps")
    await page.locator("li[aria-current=step] a.button").click()
    jan = await page.locator("#account option", has_text="(jan)").get_attribute("value")
    await page.select_option("#account", jan)
    await page.locator("input[name=roles][value=listener]").check()
    await page.fill("#until", "31.12.2099")
    await anna.presses("main form.sheet")
    await anna.presses("main form .acts")
    await expect(page.locator("main")).to_contain_text("musi ją potwierdzić inna osoba")
    await other.goto(page.url.partition("?")[0])
    await zofia.presses("form[action$='/confirm/check']")
    await zofia.presses("form[action$='/confirm']")
    await expect(other.locator("h1")).to_contain_text(re.compile(r"Upoważnienie nr 1/20\d\d"))
