"""Envelope, door and bodies around an application of one line."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address
from zoneinfo import ZoneInfo

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from recorder.access.model import Place
from recorder.errors import LedgerUnavailable, NotFound, RuleViolation
from recorder.web.answers import Answers
from recorder.web.bodies import LARGEST, Bodies
from recorder.web.door import Door
from recorder.web.drawing import Drawing
from recorder.web.envelope import Envelope
from recorder.web.law import Paragraphs
from recorder.web.metrics import Measures
from recorder.web.rules import Origin, parse_origin
from recorder.workstations.rules import Address
from tests.fakes import FakeClock

OURS = parse_origin("https://rejestrator.example")
CANARY = "+48600987654"


class FakePlaces:
    """Lists whoever a test lists."""

    def __init__(self) -> None:
        self.listed = True
        self.down = False

    async def locate(self, *, peer: str, forwarded_for: list[str]) -> tuple[Address | None, Place]:
        if self.down:
            raise LedgerUnavailable("PostgreSQL does not answer")
        return ip_address(peer), Place.LISTED if self.listed else Place.UNLISTED


class Front:
    """The outer layers, and what they wrote down."""

    def __init__(self, inner: ASGIApp, origin: Origin = OURS) -> None:
        self.clock, self.places = FakeClock(), FakePlaces()
        self.noted: list[tuple[str, str, int]] = []
        self.measures = Measures()

        async def note(address: Address | None, why: str, unsaid: int) -> None:
            self.noted.append((str(address), why, unsaid))

        self.app = Envelope(
            Door(
                Bodies(inner, within_s=0.2),
                origin=origin,
                places=self.places,
                note=note,
                measures=self.measures,
                clock=self.clock,
                public=frozenset(),
            ),
            origin=origin,
            answers=Answers(
                Drawing(office="MOPS", zone=ZoneInfo("Europe/Warsaw"), paragraphs=Paragraphs({}))
            ),
            measures=self.measures,
            clock=self.clock,
        )
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url=str(origin))


async def greeting(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(f"{len(body)}")(scope, receive, send)


def failing(error: Exception) -> ASGIApp:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    return fail


WANTED = {
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-resource-policy",
    "cross-origin-opener-policy",
    "strict-transport-security",
    "cache-control",
}


def check_headers(answer: httpx.Response) -> None:
    assert set(answer.headers) >= WANTED
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError(CANARY), 500),
        (LedgerUnavailable(CANARY), 503),
        (NotFound(CANARY), 404),
        (RuleViolation("it is over"), 409),
        (OSError(f"/srv/{CANARY}"), 500),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/calls", "/calls"])
async def test_every_failure_has_all_headers_and_tells_nothing(
    error: Exception, status: int, path: str
) -> None:
    answer = await Front(failing(error)).client.get(path)
    assert answer.status_code == status
    check_headers(answer)
    assert CANARY not in answer.text
    assert "Traceback" not in answer.text
    if path.startswith("/api"):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"].startswith("urn:rejestrator:problem:")
        assert ("instance" in answer.json()) == (status == 500)


async def test_an_unlisted_workstation_sees_a_refusal_and_nothing_else() -> None:
    front = Front(greeting)
    front.places.listed = False
    for path in ("/", "/api/v1/me", "/sign-in", "/static/rejestrator.css", "/nowhere"):
        answer = await front.client.get(path)
        assert answer.status_code == 403
        check_headers(answer)
        assert "Rejestrator" not in answer.text
        assert "MOPS" not in answer.text
    assert (await front.client.get("/healthz")).status_code == 200


async def test_refusals_are_in_the_trail_but_cannot_flood_it() -> None:
    front = Front(greeting)
    front.places.listed = False
    for _ in range(50):
        await front.client.get("/")
    assert front.noted == [("127.0.0.1", "address_not_listed", 0)]
    front.clock.pass_by(120)
    await front.client.get("/")
    assert front.noted[1:] == [("127.0.0.1", "address_not_listed", 49)]


async def test_another_name_is_not_answered() -> None:
    front = Front(greeting)
    answer = await front.client.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert "evil" not in answer.text
    assert front.noted[0][1] == "wrong_host"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    ],
)
async def test_no_other_site_makes_a_browser_change_anything(headers: dict[str, str]) -> None:
    answer = await Front(greeting).client.post("/sign-out", headers=headers)
    assert answer.status_code == 403


async def test_a_page_of_ours_may() -> None:
    front = Front(greeting)
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "https://rejestrator.example"}):
        assert (await front.client.post("/sign-out", headers=headers)).status_code == 200


async def test_a_body_that_is_too_large_is_refused_announced_or_not() -> None:
    front = Front(greeting)
    origin = {"Origin": str(OURS)}
    exact = await front.client.post("/x", content=b"a" * LARGEST, headers=origin)
    assert exact.text == str(LARGEST)
    announced = await front.client.post("/x", content=b"a" * (LARGEST + 1), headers=origin)
    assert announced.status_code == 413

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"a" * 65536

    unannounced = await front.client.post("/x", content=chunks(), headers=origin)
    assert unannounced.status_code == 413


async def test_a_head_that_is_too_large_is_refused() -> None:
    answer = await Front(greeting).client.get("/x", headers={"X-Long": "a" * 20_000})
    assert answer.status_code == 400


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    front = Front(greeting)

    async def drip() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    sent: list[int] = []
    await front.app(*raw_post(drip(), sent))
    assert sent == [408]


def raw_post(
    body: AsyncIterator[bytes], sent: list[int]
) -> tuple[Scope, Receive, Callable[..., Awaitable[None]]]:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": await anext(body), "more_body": True}

    async def send(message: dict[str, int]) -> None:
        if "status" in message:
            sent.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/x",
        "query_string": b"",
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"rejestrator.example"), (b"origin", str(OURS).encode())],
    }
    return scope, receive, send


async def test_an_answer_that_breaks_off_is_cut_not_ended() -> None:
    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        async def parts() -> AsyncIterator[bytes]:
            yield b"one"
            raise LedgerUnavailable(CANARY)

        await StreamingResponse(parts())(scope, receive, send)

    front = Front(half)
    transport = httpx.ASGITransport(front.app)
    async with httpx.AsyncClient(transport=transport, base_url=str(OURS)) as client:
        with pytest.raises(Exception, match=r"^$") as cut:
            await client.get("/x")
    assert CANARY not in str(cut.value)


async def test_people_are_told_in_their_language() -> None:
    front = Front(failing(LedgerUnavailable("away")))
    english = await front.client.get("/x", headers={"Accept-Language": "en"})
    polish = await front.client.get("/x")
    assert "The system cannot answer now" in english.text
    assert "System nie może teraz odpowiedzieć" in polish.text
    assert polish.headers["content-language"] == "pl"
