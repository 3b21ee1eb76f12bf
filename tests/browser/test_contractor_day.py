"""A contractor's day in both languages: state, logs, the bundle, and nobody met on the way (R6.3).

In English without scripts: nothing of it needs them.
"""

import io
import json
import re
import tarfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from recorder.access.matrix import mark_of
from recorder.access.model import Permission
from recorder.accounts.model import Account, Role
from recorder.web.languages import speaker
from tests.browser.desk import OfficeDesk, Seen
from tests.web.office import OPERATOR, PASSWORD
from tests.web.test_who_may_do_what import filled, routes

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
NUMBER, NAME, CLERK = "605987654", "Canary Konserwacka", "konser-desk"
CANARIES = (NUMBER, "605 987 654", "987654", "987 654", *NAME.lower().split(), CLERK)
LOOKS = 60


class Day:
    """A contractor before a browser, and what was met on every page."""

    def __init__(self, desk: OfficeDesk, page: Page, seen: Seen, language: str) -> None:
        self.desk, self.page, self.seen, self.say = desk, page, seen, speaker(language)

    async def reads(self, *texts: str) -> None:
        """Find these texts on the page that is open, and nobody."""
        for text in texts:
            await expect(self.page.locator("main")).to_contain_text(text)
        whole = (await self.page.content()).lower()
        assert [each for each in CANARIES if each in whole] == [], self.page.url
        assert not re.search("605.?987", self.page.url)

    async def presses(self, button: str) -> None:
        await self.page.get_by_role("button", name=self.say(button), exact=True).click()

    async def has_a_bundle_made(self) -> None:
        """Press the button, and look again until it is over."""
        button = self.page.locator("main form[action='/maintenance/bundle'] .button")
        await button.click()
        again = self.page.get_by_role("link", name=self.say("Look again"))
        for _ in range(LOOKS):
            if not await again.count():
                return
            await again.click()
        raise AssertionError("the bundle was never over")


@pytest.mark.parametrize(("language", "scripts"), [("pl", True), ("en", False)])
async def test_a_contractors_day(desk: OfficeDesk, language: str, scripts: bool) -> None:
    await desk.call(seconds=2, caller_number=NUMBER, caller_name=NAME, answered_by=CLERK)
    _wrote(desk, "call_over")
    _wrote(desk, "sealing_waits", level="warning", who=f"{NAME} {NUMBER}", parties=[CLERK])
    _wrote(desk, "job_failed", level="error", job="scrub")
    contractor = await _let_in(desk, f"day-contractor-{language}")
    page, seen = await desk.sit_down(language=language, scripts=scripts)
    day = Day(desk, page, seen, language)
    await page.goto("/")
    await page.fill("#login", contractor.login)
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text(day.say("Maintenance"))
    await day.reads(day.say("Alarms"), day.say("Disks"), day.say("Schema of the database"))
    areas = page.locator(".areas-row a")
    assert [await each.get_attribute("href") for each in await areas.all()] == ["/maintenance"]
    await _reads_the_logs(day)
    await _takes_the_bundle(day)
    await _is_refused_a_bundle_with_somebody_in_it(day)
    await _meets_nothing_else(day)
    assert seen.complaints == [], seen.complaints
    assert seen.strangers == []
    await _is_out_once_access_is_over(day, contractor)


async def _reads_the_logs(day: Day) -> None:
    page = day.page
    await page.get_by_role("link", name=day.say("What the services wrote")).click()
    await day.reads("sealing_waits", "job_failed", "(removed)")
    await page.select_option("#level", "error")
    await page.fill("#component", "capture")
    await page.fill("#text", "scrub")
    await day.presses("Find lines")
    await page.wait_for_url(re.compile("/maintenance/logs/search/"))
    await day.reads("job_failed")
    await expect(page.locator("tbody")).not_to_contain_text("sealing_waits")
    await page.select_option("#level", "debug")
    await page.fill("#text", NUMBER)
    await day.presses("Find lines")
    await expect(page.locator(".empty h2")).to_have_text(day.say("No line fits"))
    await page.fill("#text", "")
    await page.fill("#since", "?")
    await day.presses("Find lines")
    await expect(page.locator("[role=alert]")).to_be_visible()
    await expect(page.locator("#since")).to_have_value("?")
    # The browser tells of every answer that is a fault.
    day.seen.complaints.clear()


async def _takes_the_bundle(day: Day) -> None:
    await day.page.goto("/maintenance")
    await day.page.get_by_role("link", name=day.say("Diagnostic bundle")).click()
    await day.has_a_bundle_made()
    await day.reads(day.say("The bundle is ready"))
    async with day.page.expect_download() as begun:
        await day.presses("Take the bundle")
    download = await begun.value
    assert re.fullmatch(r"rejestrator-diagnosis-\d{8}T\d{4}\.tar\.gz", download.suggested_filename)
    files = _files_of(await download.path())
    assert {"versions.json", "health.jsonl", "jobs.jsonl", "logs.jsonl"} <= set(files)
    assert "job_failed" in files["errors.jsonl"]
    whole = "".join(files.values()).lower()
    assert [each for each in CANARIES if each in whole] == []


async def _is_refused_a_bundle_with_somebody_in_it(day: Day) -> None:
    """A number in a text that is ours is a defect: it is told, and given to nobody."""
    _wrote(day.desk, "sealing_waits", level="warning", why=f"row of {NUMBER} is locked")
    await day.has_a_bundle_made()
    await day.reads(day.say("No bundle is given"), "logs.jsonl", "why")
    take = day.page.get_by_role("button", name=day.say("Take the bundle"))
    await expect(take).to_have_count(0)
    await day.page.goto("/maintenance/logs")
    await day.reads("row of (removed) is locked")
    _log(day.desk).unlink()


async def _meets_nothing_else(day: Day) -> None:
    """Every other page is refused, whoever types its address."""
    tried = 0
    for method, path, need in routes(day.desk.office):
        if method != "GET" or not isinstance(need, Permission):
            continue
        answer = await day.page.request.get(filled(path), max_redirects=0)
        text = (await answer.text()).lower()
        assert [each for each in CANARIES if each in text] == [], path
        if mark_of(need, Role.CONTRACTOR) == "–":
            tried += 1
            assert answer.status == 403, path
    assert tried > 20


async def _is_out_once_access_is_over(day: Day, contractor: Account) -> None:
    await day.page.goto("/maintenance/logs")
    await day.desk.office.do(
        "UPDATE contractor_access SET until = opened_at + interval '1 millisecond' "
        "WHERE account_id = :id",
        id=contractor.id,
    )
    await day.presses("Find lines")
    await day.reads(day.say("Access for maintenance is not open now (§ 6.3)."))
    await day.page.goto("/maintenance")
    await day.reads(day.say("Access for maintenance is not open now (§ 6.3)."))


async def _let_in(desk: OfficeDesk, login: str) -> Account:
    contractor = await desk.office.person(Role.CONTRACTOR, login=login)
    # Of no colleague: names of accounts are looked for in a bundle.
    await desk.office.do(
        "UPDATE account SET name = 'Serwis Sieci' WHERE id = :id", id=contractor.id
    )
    await desk.office.parts.contractors.open(
        contractor, contract="S/1", reason="fault", hours=1, by=OPERATOR
    )
    return contractor


def _log(desk: OfficeDesk) -> Path:
    assert desk.office.settings.log_file is not None
    return desk.office.settings.log_file.with_name("capture.log")


def _wrote(desk: OfficeDesk, event: str, level: str = "info", **more: Any) -> None:
    """Let capture have written a line."""
    at = desk.office.parts.clock.now() - timedelta(seconds=1)
    line = {"event": event, "level": level, "logger": "recorder.capture.service"}
    _log(desk).parent.mkdir(exist_ok=True)
    with _log(desk).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line | {"timestamp": at.isoformat()} | more) + "\n")


def _files_of(path: Path) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as tar:
        opened = {each.name: tar.extractfile(each) for each in tar.getmembers()}
        return {Path(name).name: file.read().decode() for name, file in opened.items() if file}
