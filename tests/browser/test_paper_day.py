"""From the account to the revocation, at pages alone: five people's part of one paper (§ 8.1)."""

import hashlib
import re
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Page, expect

from recorder.accounts.model import Role
from recorder.web.languages import speaker
from tests.browser.desk import OfficeDesk, Seen, violations
from tests.browser.test_role_days import NUMBER, finds, hears, holds
from tests.signed_in import PURPOSE

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
NEW_PASSWORD, REASON = "zielony parasol nad rzeką", "koniec zatrudnienia"
SCAN = b"%PDF-1.7\n" + bytes(range(256))
TOO_LARGE = b"%PDF-1.7\n" + bytes(25 << 20)
ADDRESS = re.compile(r"/authorisations/[0-9a-f-]{36}")
ACTS = (
    "added an account",
    "proposed an authorisation",
    "granted an authorisation",
    "attached a signed scan",
    "took a signed scan",
    "changed the password",
    "set the second factor",
    "searched for calls",
    "began a listening",
    "placed a hold",
    "revoked an authorisation",
)
"""What the data protection officer finds, each by its filter."""


@pytest.mark.parametrize("language", ["pl", "en"])
async def test_a_paper_is_granted_printed_signed_used_seen_and_revoked(
    desk: OfficeDesk, language: str
) -> None:
    """R8.1a to R8.1e at the pages of a system administrator, two administrators and a listener."""
    say = speaker(language)
    call = await desk.call(seconds=5, caller_number=NUMBER)
    keeper, at_keeper = await desk.sit_down(await desk.person(Role.SYSADMIN), language=language)
    one, at_one = await desk.sit_down(await desk.person(Role.ADMINISTRATOR), language=language)
    two, at_two = await desk.sit_down(await desk.person(Role.ADMINISTRATOR), language=language)
    login = f"olga.{language}"
    temporary = await _adds(keeper, login, language)
    olga, at_olga = await desk.sit_down(language=language)
    # Before the paper: nobody is authorised until the account is their own (ADR 0068).
    await _begins(olga, login, temporary, language)
    paper = await _grants(one, two, login, language)
    await _prints(one, paper)
    await _attaches(one, at_one, paper, language)
    await finds(olga, desk, call, language)
    await hears(olga, language)
    await holds(olga, call, language)
    await _revokes(two, paper, language)
    await olga.goto(f"/calls/{call.id}")
    await olga.get_by_label(PURPOSE).check()
    await olga.get_by_role("button", name=say("Listen to the recording")).click()
    await expect(olga.locator("main")).to_contain_text(
        say("Your authorisation was revoked (§ 8.1).")
    )
    at_olga.complaints = [each for each in at_olga.complaints if "403" not in each]
    await _is_in_the_trail(desk, paper, language)
    for seen in (at_keeper, at_one, at_two, at_olga):
        assert seen.complaints == [], seen.complaints
        assert seen.strangers == []
        assert seen.kept == []


async def _adds(page: Page, login: str, language: str) -> str:
    """Return the first password, which is shown once."""
    say = speaker(language)
    await page.goto("/accounts")
    await page.fill("#login", login)
    await page.fill("#name", f"Olga Nowa {language}")
    await page.fill("#post", "inspektor")
    await page.locator("input[name=roles][value=listener]").check()
    await page.get_by_role("button", name=say("Add the account")).click()
    await expect(page.locator("h1")).to_have_text(say("First password"))
    return await page.locator(".codes code").inner_text()


async def _grants(one: Page, two: Page, login: str, language: str) -> str:
    """Let one administrator propose and another confirm; return the paper's address."""
    say = speaker(language)
    await one.goto("/authorisations")
    await one.get_by_role("link", name=say("Grant an authorisation")).click()
    person = await one.locator("#account option", has_text=f"({login})").get_attribute("value")
    await one.select_option("#account", person)
    await one.locator("input[name=roles][value=listener]").check()
    await one.fill("#lines", "746640800")
    await one.fill("#until", "1.1.2020")
    await one.get_by_role("button", name=say("Continue")).click()
    await expect(one.locator("[role=alert]")).to_contain_text(say("To: this day is over."))
    await one.fill("#until", "31.12.2099")
    await one.get_by_role("button", name=say("Continue")).click()
    await one.get_by_role("button", name=say("Propose the authorisation")).click()
    await one.wait_for_url(ADDRESS)
    paper = ADDRESS.search(one.url)
    assert paper is not None
    await two.goto(paper[0])
    await two.get_by_role("button", name=say("Confirm the authorisation")).click()
    await two.get_by_role("button", name=say("Confirm the authorisation")).click()
    await expect(two.get_by_role("status")).to_have_text(
        say("The authorisation is granted and has its number.")
    )
    assert await violations(two) == []
    return paper[0]


async def _prints(page: Page, paper: str) -> None:
    """Annex 1 is Polish whatever the page's language: it is the office's paper."""
    await page.goto(f"{paper}/form")
    await page.emulate_media(media="print")
    sheet = page.locator(".paper-form").first
    for said in ("Załącznik nr 1", "UPOWAŻNIENIE", "Olga Nowa", "746640800", "31.12.2099 włącznie"):
        await expect(sheet).to_contain_text(said)
    assert not await page.locator(".band-nav").first.is_visible()
    assert len(await page.pdf(format="A4")) > 0
    await page.emulate_media(media="screen")


async def _attaches(page: Page, seen: Seen, paper: str, language: str) -> None:
    """A program and a file of 25 MB are refused with a sentence; a scan is kept and handed out."""
    say = speaker(language)
    seen.complaints = [each for each in seen.complaints if "422" not in each]
    for name, content, sentence in (
        ("a.pdf", b"MZ program", "Scan: this is no PDF, PNG or JPEG, whatever its name says."),
        ("b.pdf", TOO_LARGE, "Send at most 1 MiB, as a signed scan at most 20 MiB."),
    ):
        await page.goto(paper)
        file = {"name": name, "mimeType": "application/pdf", "buffer": content}
        await page.set_input_files("#scan", file)  # type: ignore[arg-type]
        await page.get_by_role("button", name=say("Attach the scan")).click()
        await expect(page.locator("main")).to_contain_text(say(sentence))
    seen.complaints = [each for each in seen.complaints if not re.search("413|422", each)]
    await page.goto(paper)
    file = {"name": "podpis.pdf", "mimeType": "application/pdf", "buffer": SCAN}
    await page.set_input_files("#scan", file)  # type: ignore[arg-type]
    await page.get_by_role("button", name=say("Attach the scan")).click()
    await expect(page.locator("main")).to_contain_text(hashlib.sha256(SCAN).hexdigest())
    async with page.expect_download() as downloading:
        await page.locator(f"a[href^='{paper}/scans/']").click()
    download = await downloading.value
    assert Path(await download.path()).read_bytes() == SCAN


async def _begins(page: Page, login: str, temporary: str, language: str) -> None:
    """Sign in with the first password, change it, set the second factor, sign in with both."""
    say = speaker(language)
    await _signs_in(page, login, temporary)
    await page.goto("/holds")
    await expect(page.locator("h1")).to_have_text(say("My account"))
    await page.fill("#current", temporary)
    await page.fill("#password", NEW_PASSWORD)
    await page.get_by_role("button", name=say("Change the password")).click()
    await expect(page.get_by_role("status")).to_contain_text(
        say("The password is changed. You are signed out everywhere else.")
    )
    await page.get_by_role("button", name=say("Set the second factor")).click()
    secret = await page.locator("code.select").inner_text()
    now = int(await page.evaluate("Date.now() / 1000"))
    await page.fill("#code", pyotp.TOTP(secret).at(now))
    await page.get_by_role("button", name=say("Confirm")).click()
    await expect(page.locator(".codes")).to_be_visible()
    await page.get_by_role("button", name=say("Sign out")).click()
    # The same code counts once; the next one is taken half a minute early, as clocks differ.
    await _signs_in(page, login, NEW_PASSWORD, pyotp.TOTP(secret).at(now + 30))
    await expect(page.locator("h1")).to_have_text(say("Find a call"))


async def _signs_in(page: Page, login: str, password: str, code: str = "") -> None:
    await page.goto("/")
    await page.fill("#login", login)
    await page.fill("#password", password)
    await page.fill("#code", code)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def _revokes(page: Page, paper: str, language: str) -> None:
    say = speaker(language)
    await page.goto(paper)
    await page.fill("#reason", REASON)
    await page.get_by_role("button", name=say("Continue")).click()
    await expect(page.locator("main")).to_contain_text(REASON)
    assert await violations(page) == []
    await page.get_by_role("button", name=say("Revoke the authorisation")).click()
    await expect(page.get_by_role("status")).to_have_text(
        say("The authorisation is revoked from this instant.")
    )
    await expect(page.locator("main")).to_contain_text(REASON)


async def _is_in_the_trail(desk: OfficeDesk, paper: str, language: str) -> None:
    say = speaker(language)
    page, seen = await desk.sit_down(await desk.person(Role.DPO), language=language)
    for act in ACTS:
        await page.goto("/audit")
        await page.select_option("#act", label=say(act))
        await page.get_by_role("button", name=say("Find entries")).click()
        await expect(page.locator("tbody tr").first).to_contain_text(say(act))
        if "authorisation" in act:
            subject = paper.rpartition("/")[2]
            await expect(page.locator("tbody")).to_contain_text(subject)
    await page.get_by_role("button", name=say("Show numbers and texts")).click()
    await expect(page.locator("tbody")).to_contain_text(REASON)
    assert seen.complaints == []
