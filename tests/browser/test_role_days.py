"""Each role's day in both languages: papers, finding, hearing, holding, trail, no more."""

import base64
import re
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Page, expect

from recorder.accounts.model import Account, Role
from recorder.model import CallRecord
from recorder.web.languages import speaker
from tests.browser.desk import CALLER_HZ, OFFICE_HZ, OfficeDesk, until
from tests.browser.every_page import seated, walk
from tests.browser.seeded import Seeded
from tests.signed_in import PURPOSE
from tests.web.office import PASSWORD

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
NUMBER, NAME, CLERK, REFERENCE = "600987654", "Canary Kanarkowska", "kanar-desk", "RSD 987/2026"
DECODED = """async () => {
  const audio = document.querySelector('#player audio');
  const answer = await fetch(audio.src);
  const decoded = await new OfflineAudioContext(2, 1, 8000).decodeAudioData(
    await answer.arrayBuffer());
  const text = (lane) => {
    const bytes = new Uint8Array(decoded.getChannelData(lane).slice(8000, 16000).buffer);
    return btoa(Array.from(bytes, (each) => String.fromCharCode(each)).join(''));
  };
  return {seconds: decoded.duration, lanes: [text(0), text(1)]};
}"""


@pytest.mark.parametrize("language", ["pl", "en"])
async def test_from_the_paper_to_the_trail(desk: OfficeDesk, language: str) -> None:
    say = speaker(language)
    call = await desk.call(
        seconds=5, caller_number=NUMBER, caller_name=NAME, answered_by=CLERK, parties=(CLERK,)
    )
    listener = await desk.office.person(Role.LISTENER, login=f"day-listener-{language}")
    page, seen = await desk.sit_down(language=language)
    await _signs_in(page, listener.login, say("Find a call"))
    await page.goto(f"/calls/{call.id}")
    await page.get_by_label(PURPOSE).check()
    await page.get_by_role("button", name=say("Listen to the recording")).click()
    await expect(page.locator("main")).to_contain_text(say("You may not do this"))
    seen.complaints.clear()
    await _authorises(desk, listener)
    await page.goto("/")
    await finds(page, desk, call, language)
    await hears(page, language)
    await holds(page, call, language)
    assert seen.complaints == [], seen.complaints
    assert seen.strangers == []
    assert seen.kept == []
    await _is_in_the_trail(desk, call, language)


async def _signs_in(page: Page, login: str, lands_on: str) -> None:
    await page.goto("/")
    await page.fill("#login", login)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text(lands_on)


async def _authorises(desk: OfficeDesk, listener: Account) -> None:
    await desk.office.authorise(listener, [Role.LISTENER])


async def finds(page: Page, desk: OfficeDesk, call: CallRecord, language: str) -> None:
    """§ 7.5: from which number, to which number, on which day, about what time."""
    say, local = speaker(language), call.arrived_at.astimezone(desk.office.services.zone)
    await page.fill("#caller", "600 987 654")
    await page.fill("#called", "74 664 08 00")
    await page.fill("#day", f"{local:%d.%m.%Y}")
    await page.fill("#hour", f"{local:%H:%M}")
    await page.get_by_role("button", name=say("Find the call")).click()
    await page.wait_for_url(re.compile("/search/"))
    assert NUMBER not in page.url
    assert NUMBER not in await page.locator("table").inner_text(), "numbers are masked in a list"
    await page.locator(f"tbody a[href='/calls/{call.id}']").click()
    await page.wait_for_url(f"**/calls/{call.id}")


async def hears(page: Page, language: str) -> None:
    """Play the open call, and hear each side on its lane."""
    say = speaker(language)
    await page.get_by_label(PURPOSE).check()
    await page.get_by_role("button", name=say("Listen to the recording")).click()
    await page.locator(".lanes").wait_for()
    await page.get_by_role("button", name=say("Play or pause")).click()
    await until(page, "document.querySelector('#player audio').currentTime > 1")
    decoded = await page.evaluate(DECODED)
    assert decoded["seconds"] == pytest.approx(5, abs=0.1)
    for text, hertz in zip(decoded["lanes"], (CALLER_HZ, OFFICE_HZ), strict=True):
        assert _loudest(np.frombuffer(base64.b64decode(text), dtype="<f4")) == hertz
    await page.get_by_role("button", name=say("End listening")).click()
    await expect(page.get_by_role("status")).to_have_text(say("The listening is ended and noted."))


def _loudest(samples: Any) -> int:
    """One second of sound, so that a bin is a hertz."""
    assert len(samples) == 8000
    return int(np.argmax(np.abs(np.fft.rfft(samples))))


async def holds(page: Page, call: CallRecord, language: str) -> None:
    """Hold the call's recording for a while."""
    say = speaker(language)
    await page.goto(f"/calls/{call.id}")
    await page.get_by_role("button", name=say("Hold the recording")).click()
    await page.locator("input[name=ground]").first.check()
    await page.fill("#reference", REFERENCE)
    await page.fill("#reason", "groźby")
    await page.get_by_role("button", name=say("Continue")).click()
    await expect(page.locator("h1")).to_have_text(say("Confirm the hold"))
    await page.locator("main form .button").click()
    await page.wait_for_url(re.compile("/holds/batches/"))


async def _is_in_the_trail(desk: OfficeDesk, call: CallRecord, language: str) -> None:
    login = await desk.person(Role.DPO)
    page, seen = await desk.sit_down(login, language=language)
    await page.goto(f"/calls/{call.id}")
    heard = page.locator("section", has=page.locator("#heard-title"))
    await expect(heard).to_contain_text(PURPOSE)
    await page.goto("/audit")
    await expect(page.locator("main")).to_contain_text(str(call.recording_id))
    assert seen.complaints == []


async def test_a_contractor_meets_nobodys_data_on_any_page(tidy: Seeded) -> None:
    """R6.3: the canaries are in the database, the trail and the names of accounts."""
    office, account = tidy.desk.office, tidy.people[Role.CONTRACTOR]
    rename = "UPDATE account SET name = :name WHERE id = :id"
    await office.do(rename, name="Serwis Sieci", id=account.id)
    canaries = (
        *(tidy.words.number, "600 123 456", "600123", "123456", tidy.words.answered_by),
        *(tidy.words.reference, tidy.words.reason, *tidy.words.person.split()),
    )
    try:
        seat = await seated(tidy, Role.CONTRACTOR)
        pages: dict[str, str] = {}
        async for each in walk(seat):
            body = await each.answer.body()
            pages[each.path] = body.decode("utf-8", errors="replace").lower()
    finally:
        await office.do(rename, name=tidy.words.person, id=account.id)
    assert seat.faults == []
    assert len(pages) >= 4, pages.keys()
    met = [(path, each) for path, text in pages.items() for each in canaries
           if each.lower() in text]  # fmt: skip
    assert met == []
