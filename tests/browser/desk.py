"""A desk with a browser: who sits there, what they look at, and what must be true of any page."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import uuid_utils.compat as uuids
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
)

from recorder.accounts.model import Role
from recorder.model import AnnouncementPlayed, CallRecord, Moment, PlaybackResult, Span
from tests.builders import an_announcement
from tests.web.office import WebOffice

RATE = 8000
CALLER_HZ, OFFICE_HZ = 440, 1000
NARROW, WIDE = 360, 1920
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENS = Path(".local/screens")
"""Not committed; a chosen few are in docs/screens."""
LOOKS = (
    ("pl", "light", NARROW),
    ("pl", "dark", WIDE),
    ("en", "light", WIDE),
    ("en", "dark", NARROW),
)
"""Every two of language, light and width are met together."""
STORED = """async () => [
  ...Object.keys(localStorage), ...Object.keys(sessionStorage), ...await caches.keys(),
  ...(await indexedDB.databases()).map((each) => each.name),
  ...(await navigator.serviceWorker.getRegistrations()).map((each) => each.scope),
  ...(document.cookie ? [document.cookie] : []),
]"""
COOKIE = "rejestrator-demo-session"


def tones(seconds: float) -> bytes:
    """Return stereo sound: the caller's tone left, the office's right."""
    at = np.arange(RATE) / RATE
    sides = [9000 * np.sin(2 * np.pi * hertz * at) for hertz in (CALLER_HZ, OFFICE_HZ)]
    one_second = np.stack(sides, axis=1).astype("<i2").tobytes()
    return one_second * int(seconds)


@dataclass
class Seen:
    """What a browser complained of, and where it went."""

    origin: str
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """What the browser was allowed to keep, of what is ours to forbid."""

    def console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def response(self, response: Response) -> None:
        asked = response.headers.get("cache-control", "")
        if "no-store" not in asked and not response.url.startswith(f"{self.origin}/static/"):
            self.kept.append(response.url)

    def request(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "data:", "blob:", "about:")):
            self.strangers.append(request.url)


@dataclass
class OfficeDesk:
    """The office, and the browsers at it."""

    office: WebOffice
    browser: Browser
    _contexts: list[BrowserContext] = field(default_factory=list)
    _logins: int = 0

    @property
    def origin(self) -> str:
        return str(self.office.origin)

    async def person(self, *roles: Role) -> str:
        """Return the login of a new person with these roles and the papers they take."""
        self._logins += 1
        login = f"p{self._logins}-{roles[0].value.replace('_', '-')}"
        account = await self.office.person(*roles, login=login)
        papers = frozenset(roles) & {Role.LISTENER, Role.COPY_MAKER}
        if papers:
            await self.office.authorise(account, papers)
        return login

    async def sit_down(
        self,
        login: str = "",
        *,
        language: str = "pl",
        light: str = "light",
        width: int = 1280,
        scripts: bool = True,
    ) -> tuple[Page, Seen]:
        """Return a page of a new browser in which this person is signed in."""
        context = await self.browser.new_context(
            base_url=self.origin,
            viewport={"width": width, "height": 900},
            color_scheme=light,  # type: ignore[arg-type]
            java_script_enabled=scripts,
            locale={"pl": "pl-PL", "en": "en-GB"}[language],
            timezone_id="Europe/Warsaw",
        )
        self._contexts.append(context)
        if login:
            signed = await self.office.sign_in(login, address="127.0.0.1")
            given = signed.cookies[COOKIE]
            # As the server sets it: out of reach of scripts (test_sign_in.py).
            await context.add_cookies(
                [{"name": COOKIE, "value": given, "url": self.origin, "httpOnly": True}]
            )
        page = await context.new_page()
        seen = Seen(origin=self.origin)
        page.on("console", seen.console)
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("request", seen.request)
        page.on("response", seen.response)
        return page, seen

    async def call(self, *, seconds: float = 6.0, **known: Any) -> CallRecord:
        """Take down a recorded call with all that a page can show of one."""
        now = self.office.parts.clock.now()
        ended = known.pop("ended_at", now - timedelta(hours=2))
        return await self.office.call(
            sound=tones(seconds), ended_at=ended, **told_of(ended, seconds) | known
        )

    async def close(self) -> None:
        for each in self._contexts:
            await each.close()


def told_of(ended: datetime, seconds: float) -> dict[str, Any]:
    """Return a call's announcement, timeline and hold, for its page."""
    began = ended - timedelta(seconds=seconds)
    announcement = an_announcement()
    return {
        "arrived_at": began - timedelta(seconds=20),
        "caller_number": "600123456",
        "line": "746640800",
        "answered_at": began,
        "answered_by": "desk-1",
        "parties": ("desk-1",),
        "bridged": (Span(since=began, until=ended),),
        "announcements": (
            AnnouncementPlayed(
                announcement_id=announcement.id,
                layer=announcement.layer,
                language="pl",
                sha256=announcement.sha256,
                length_ms=10_000,
                started_at=began - timedelta(seconds=18),
                finished_at=began - timedelta(seconds=8),
                measured_ms=10_000,
                result=PlaybackResult.HEARD,
            ),
        ),
        "timeline": (
            Moment(at=began - timedelta(seconds=20), kind="call:entered"),
            Moment(at=began - timedelta(seconds=8), kind="consent:decided",
                   detail="stayed_on_the_line"),
            Moment(at=began, kind="call:connected", detail="desk-1"),
            Moment(at=began + timedelta(seconds=seconds / 3), kind="call:held"),
            Moment(at=began + timedelta(seconds=seconds / 2), kind="call:unheld"),
            Moment(at=ended, kind="call:ended"),
        ),
        "quality": {"rxcount": 300.0, "lp": 1.0, "rxjitter": 0.004},
        "recording_id": uuids.uuid7(),
    }  # fmt: skip


async def until(page: Page, holds: str) -> None:
    """Wait until an expression holds. Not ``wait_for_function``: our policy forbids its eval."""
    await page.evaluate(
        "() => new Promise(done => { const look = () => "
        f"({holds}) ? done() : requestAnimationFrame(look); look(); }})"
    )


async def stored(page: Page) -> list[str]:
    """Return what a page left in the browser that a script can read."""
    found: list[str] = await page.evaluate(STORED)
    return found


async def violations(page: Page) -> list[str]:
    """Return what axe finds wrong with a page as it is shown."""
    await page.wait_for_load_state("load")
    await page.evaluate(AXE)
    found = await page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
    )
    return [
        f"{each['id']}: {node['html'][:160]} ({node['failureSummary'][:160]})"
        for each in found["violations"]
        for node in each["nodes"]
    ]


async def screenshot(page: Page, name: str) -> None:
    """Keep a picture of a page."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENS / f"{name}.png", full_page=True)
