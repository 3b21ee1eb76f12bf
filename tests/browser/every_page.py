"""Every page there is, from the application's own route table, opened as each role opens it.

A page without parameters is in here by itself. One whose address names something is opened by
``KNOWN`` (what a name in braces stands for) or ``OPENERS`` (what has to be done first); with
neither, every walk fails and says so.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from playwright.async_api import APIResponse, Error, Page, Response

from recorder.access.matrix import mark_of
from recorder.accounts.model import Role
from recorder.authorisations.model import AuthorisationId
from recorder.web.gate import Need, Open
from recorder.web.handbook import chapters_for
from tests.browser.desk import Seen
from tests.browser.seeded import Seeded
from tests.signed_in import PURPOSE
from tests.web.office import WebOffice
from tests.web.test_who_may_do_what import routes

NOT_OPENED = {
    "/healthz": "for machines",
    "/readyz": "for machines",
    "/metrics": "for machines",
    "/sign-in/oidc": "leads to the provider: tests/web/test_provider.py",
    "/sign-in/oidc/return": "the provider leads here: tests/web/test_provider.py",
    "/information-clause/{language:str}": "in a language of its own: test_public_pages",
    "/accessibility/{language:str}": "in a language of its own: test_public_pages",
    "/first-run": "there once, before the first account: test_a_first_run_is_a_page_like_others",
}
"""GET routes that no walk opens, and why."""
PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
FORM = re.compile(r'<form\b[^>]*\baction="([^"]*)"')
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
PATTERN = "/wzornik"
"""The page of components: its forms lead nowhere."""
DOWNLOAD = "Download is starting"


@dataclass(kw_only=True)
class Seat:
    """Somebody before a browser at the seeded office; ``role`` None = not signed in."""

    seeded: Seeded
    role: Role | None
    page: Page
    seen: Seen
    faults: list[str] = field(default_factory=list)
    """What was wrong with any page of the walk."""

    @property
    def who(self) -> str:
        return self.role.value if self.role else "nobody"

    async def sent(self, path: str, **form: str) -> str:
        """Send a form as a page of ours does; return the address to which it leads."""
        answer = await self.page.request.post(
            path, form={**form}, headers={"Sec-Fetch-Site": "same-origin"}, max_redirects=0
        )
        assert answer.status == 303, (path, answer.status)
        return answer.headers["location"]


Opener = Callable[[Seat], Awaitable[Iterable[str]]]


async def _search(seat: Seat) -> list[str]:
    found = await seat.sent("/search", called=seat.seeded.words.line[:60])
    nothing = await seat.sent("/search", day="1.1.2020")
    return [found, nothing]


async def _player(seat: Seat) -> list[str]:
    call = seat.seeded.heard.id
    return [await seat.sent(f"/calls/{call}/playbacks", purpose=PURPOSE)]


async def _erasure(seat: Seat) -> list[str]:
    return [f"/calls/{seat.seeded.heard.id}/erasure"]


async def _trail(seat: Seat) -> list[str]:
    found = await seat.sent("/audit/search", act="session:opened")
    return [found, await seat.sent("/audit/search", until="1.1.2020")]


async def _number(seat: Seat) -> list[str]:
    return [await seat.sent("/audit/number", number="600 123 456")]


async def _scan(seat: Seat) -> list[str]:
    papers = seat.seeded.desk.office.parts.papers
    return [
        f"/authorisations/{each}/scans/{scan.id}"
        for each in await _visible_papers(seat)
        for scan in await papers.scans(AuthorisationId(each))
    ]


async def _papers(seat: Seat) -> list[str]:
    return [f"/authorisations/{each}" for each in await _visible_papers(seat)]


async def _forms(seat: Seat) -> list[str]:
    return [f"/authorisations/{each}/form" for each in await _visible_papers(seat)]


async def _visible_papers(seat: Seat) -> list[UUID]:
    office, own = seat.seeded.desk.office, seat.seeded.people[seat.role].id if seat.role else None
    if seat.role in {Role.ADMINISTRATOR, Role.DPO}:
        return seat.seeded.papers
    return [each.id for each in await office.parts.papers.all() if each.account_id == own]


async def _chapters(seat: Seat) -> list[str]:
    return [f"/help/{each.name}" for each in chapters_for({seat.role} if seat.role else ())]


async def _lines(seat: Seat) -> list[str]:
    found = await seat.sent("/maintenance/logs/search", component="capture", level="info")
    return [found, await seat.sent("/maintenance/logs/search", text="nothing like it")]


OPENERS: dict[str, Opener] = {
    "/help/{name:str}": _chapters,
    "/calls/{call_id:uuid}/erasure": _erasure,
    "/authorisations/{authorisation_id:uuid}": _papers,
    "/authorisations/{authorisation_id:uuid}/form": _forms,
    "/authorisations/{authorisation_id:uuid}/scans/{scan_id:uuid}": _scan,
    "/search/{search_id:uuid}": _search,
    "/calls/{call_id:uuid}/playbacks/{playback_id:uuid}": _player,
    "/audit/search/{search_id:uuid}": _trail,
    "/audit/number/{search_id:uuid}": _number,
    "/maintenance/logs/search/{search_id:uuid}": _lines,
}
"""Pages that something has to be done for first."""
KNOWN: dict[str, Callable[[Seeded], Iterable[object]]] = {
    "call_id": lambda seeded: [each.id for each in seeded.calls],
    "hold_id": lambda seeded: seeded.holds,
    "batch_id": lambda seeded: seeded.batches,
    "incident_id": lambda seeded: seeded.incidents,
    "day": lambda seeded: seeded.days,
    "account_id": lambda seeded: [each.id for each in seeded.people.values()],
    "announcement_id": lambda seeded: seeded.announcements,
}
"""What a name in an address stands for in the seeded office."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A page that is open, or a file that was given instead."""

    route: str
    path: str
    answer: Response | APIResponse

    @property
    def is_page(self) -> bool:
        return self.kind == "text/html"

    @property
    def kind(self) -> str:
        return self.answer.headers.get("content-type", "").partition(";")[0]

    @property
    def name(self) -> str:
        """A name for a picture: the route's, with nothing of what it is about."""
        return PARAMETER.sub("one", self.route).strip("/").replace("/", "-") or "home"


def routes_of_pages(office: WebOffice, *roles: Role | None) -> list[str]:
    """Return the GET routes that are not of the API; with a role, those that it may open."""
    return [
        path
        for method, path, need in routes(office)
        if method == "GET"
        and not path.startswith("/api/")
        and path not in NOT_OPENED
        and (not roles or any(_may(need, each) for each in roles))
    ]


async def seated(seeded: Seeded, role: Role | None, **look: Any) -> Seat:
    """Return a seat at which a person with this role is signed in."""
    login = seeded.people[role].login if role else ""
    page, seen = await seeded.desk.sit_down(login, **look)
    return Seat(seeded=seeded, role=role, page=page, seen=seen)


def _may(need: Need, role: Role | None) -> bool:
    if isinstance(need, Open):
        return role is None
    # ¹: a paper for one recording, which nobody has here.
    return role is not None and mark_of(need, role) not in {"–", "¹"}


async def paths_of(seat: Seat, route: str) -> list[str]:
    """Return the addresses under which this route is opened. Raises ``AssertionError``."""
    if route in OPENERS:
        return list(await OPENERS[route](seat))
    names = PARAMETER.findall(route)
    if not names:
        return [route]
    assert len(names) == 1, _unknown(route)
    assert names[0] in KNOWN, _unknown(route)
    values = list(KNOWN[names[0]](seat.seeded))
    assert values, f"the seeded office has nothing for {route}: tests/browser/seeded.py"
    return [PARAMETER.sub(str(each), route) for each in values]


def _unknown(route: str) -> str:
    return (
        f"no test knows how to open {route}: say in tests/browser/every_page.py what its name "
        "stands for (KNOWN, filled by tests/browser/seeded.py) or what is done first (OPENERS)"
    )


async def walk(seat: Seat) -> AsyncIterator[Opened]:
    """Open every page that is for this seat, one after another; what fails is in its faults."""
    for route in routes_of_pages(seat.seeded.desk.office, seat.role):
        try:
            paths = await paths_of(seat, route)
        except AssertionError as unknown:
            seat.faults.append(str(unknown))
            continue
        for path in paths:
            found = await opened(seat, route, path)
            if found.answer.status == 200:
                yield found
            else:
                seat.faults.append(f"{path} answers {found.answer.status} to {seat.who}")


async def opened(seat: Seat, route: str, path: str) -> Opened:
    """Open one page; what is not a page is given as it came."""
    seat.seen.complaints.clear()
    answer: Response | APIResponse | None = None
    try:
        answer = await seat.page.goto(path)
    except Error as error:
        if DOWNLOAD not in error.message:
            raise
    if answer is None:
        answer = await seat.page.request.get(path)
    return Opened(route=route, path=path, answer=answer)


def form_named(action: str) -> str:
    """Return where a form leads, whatever it is about."""
    return ID.sub("*", action)


async def with_forms(
    seat: Seat, is_new: Callable[[str, str], bool]
) -> AsyncIterator[tuple[str, str]]:
    """Give the pages, as route and address, with a form that is new, asked by address and name.

    What the server sends tells: no script of ours makes a form, and none needs to be shown for it.
    """
    for route in routes_of_pages(seat.seeded.desk.office, seat.role):
        for path in (await paths_of(seat, route))[:2]:
            answer = await seat.page.request.get(path)
            if answer.headers.get("content-type", "").partition(";")[0] != "text/html":
                continue
            _, _, main = (await answer.text()).partition("<main")
            names = {form_named(each) for each in FORM.findall(main)} - {PATTERN}
            if any(is_new(path, each) for each in names):
                yield route, path
