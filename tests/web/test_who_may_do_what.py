"""Every route for every role, from every place: what happens is what the matrix says (A1).

The routes are the application's own: a new one is in here by itself, or the suite fails.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from starlette.routing import Mount, Route

from recorder.access.matrix import NEEDS_PAPER, mark_of
from recorder.access.model import Permission
from recorder.accounts.model import Role
from recorder.authorisations.rules import ROLES_OF_PAPER
from recorder.web.app import Application
from recorder.web.gate import Need, Open, need_of
from tests.web.office import STRANGER, WebOffice

pytestmark = pytest.mark.postgres
NOBODY = UUID(int=0x01A20C69337A75A69B83BF45EC100461)


def application(office: WebOffice) -> Application:
    """Return what stands behind the envelope, the door and the bounds of bodies."""
    inner = office.app
    while not isinstance(inner, Application):
        inner = inner._app  # type: ignore[attr-defined]
    return inner


def routes(office: WebOffice) -> Iterator[tuple[str, str, Need]]:
    """Yield method, path and need of every route, those of included routers too."""
    for route in application(office).routes:
        if isinstance(route, Mount):
            assert route.path == "/static"
            continue
        assert isinstance(route, Route)
        need, _ = need_of(route.endpoint)
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield method, route.path, need


def filled(path: str) -> str:
    return re.sub(r"\{[^}]+\}", str(NOBODY), path)


async def ask(browser: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    body: dict[str, str] | None = {} if path.startswith("/api") and method != "GET" else None
    return await browser.request(method, filled(path), json=body)


def refused(answer: httpx.Response) -> bool:
    return answer.status_code in {401, 403} or is_sign_in(answer)


def is_sign_in(answer: httpx.Response) -> bool:
    return str(answer.headers.get("location", "")).startswith("/sign-in?")


async def test_every_route_declares_what_it_needs(office: WebOffice) -> None:
    found = list(routes(office))
    assert len(found) > 20
    open_to_all = {(method, path) for method, path, need in found if need is Open.TO_ALL}
    assert open_to_all == {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/sign-in"),
        ("POST", "/sign-in"),
        ("GET", "/sign-in/oidc"),
        ("GET", "/sign-in/oidc/return"),
        ("POST", "/sign-in/oidc/code"),
        ("POST", "/sign-out"),
        ("GET", "/first-run"),
        ("POST", "/first-run"),
        ("POST", "/language"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/information-clause"),
        ("GET", "/information-clause/{language:str}"),
        ("GET", "/accessibility"),
        ("GET", "/accessibility/{language:str}"),
    }


@pytest.mark.parametrize("role", list(Role))
async def test_every_route_does_for_every_role_what_the_matrix_says(
    office: WebOffice, role: Role
) -> None:
    browser = await office.at_work(role)
    for method, path, need in routes(office):
        if need is Open.TO_ALL:
            continue
        answer = await ask(browser, method, path)
        assert isinstance(need, Permission)
        mark = mark_of(need, role)
        # The DPO hears one recording by a paper of its own, and has none here.
        allowed = mark not in {"–", "¹"}
        assert refused(answer) is not allowed, (method, path, need, answer.text)
        assert answer.status_code < 500, (method, path, answer.text)


async def test_nobody_who_is_not_signed_in_gets_past_the_door(office: WebOffice) -> None:
    # Each from a desk of its own: twice all the routes are more than one address may ask a minute.
    forged = office.browser("10.1.2.4", Cookie="__Host-session=" + "A" * 43)
    for browser in (office.browser(), forged):
        for method, path, need in routes(office):
            answer = await ask(browser, method, path)
            wanted = need is not Open.TO_ALL
            if path.startswith("/api") or method != "GET":
                assert (answer.status_code == 401) is wanted or path == "/sign-in", (method, path)
            else:
                assert is_sign_in(answer) is wanted, (method, path)


async def test_from_an_unlisted_address_everybody_is_refused_alike(office: WebOffice) -> None:
    """R6.2a, R6.2b: a forwarded header counts from nobody but the named proxy."""
    inside = await office.at_work(Role.SYSADMIN)
    for headers in ({}, {"X-Forwarded-For": "10.1.2.3"}, {"Forwarded": "for=10.1.2.3"}):
        browser = office.browser(STRANGER, **headers)
        browser.cookies = inside.cookies
        for method, path, _ in routes(office):
            if path in {"/healthz", "/readyz", "/metrics"}:
                continue
            answer = await ask(browser, method, path)
            assert answer.status_code == 403, (method, path)
            assert "Rejestrator" not in answer.text


@pytest.mark.parametrize("role", sorted(ROLES_OF_PAPER - {Role.DPO}))
async def test_an_authorisation_that_ended_a_second_ago_opens_nothing(
    office: WebOffice, role: Role
) -> None:
    """R8.1b."""
    browser = await office.at_work(role)
    await office.do("UPDATE authorisation SET valid_until = now() - interval '1 second'")
    seen = set()
    for method, path, need in routes(office):
        if need in NEEDS_PAPER and mark_of(need, role) != "–":
            answer = await ask(browser, method, path)
            assert answer.status_code == 403, (method, path)
            said = re.search(r'"reason":"(\w+)"|<code>(\w+)</code>', answer.text)
            assert said is not None, (method, path)
            seen.add(said[1] or said[2])
    assert seen == {"authorisation_ended"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE contractor_access SET closed_at = now()", "access_not_open"),
        (
            "UPDATE contractor_access SET until = opened_at + interval '1 millisecond'",
            "access_not_open",
        ),
    ],
)
async def test_a_contractor_is_in_while_a_fault_is_open_and_no_longer(
    office: WebOffice, change: str, reason: str
) -> None:
    """R6.3c."""
    browser = await office.at_work(Role.CONTRACTOR)
    assert (await browser.get("/api/v1/me")).status_code == 200
    await office.do(change)
    answer = await browser.get("/api/v1/me")
    assert (answer.status_code, answer.json()["reason"]) == (403, reason)


async def test_refusals_are_in_the_trail(office: WebOffice) -> None:
    """R8.1e, 16.3.2 of the ASVS."""
    browser = await office.at_work(Role.REGISTRY_CLERK)
    await browser.post(f"/api/v1/calls/{NOBODY}/reveal", json={})
    entry = (await office.trail())[-1]
    assert (entry.action, entry.reason) == ("access:refused", "role_lacks_it")
    assert "number:reveal" in entry.details


def test_no_route_is_served_outside_the_table() -> None:
    """A route made anywhere but in the table would be seen by none of the above."""
    root = Path(__file__).parents[2] / "recorder"
    makers = re.compile(r"from starlette\.routing import|\badd_api_route\(|\badd_route\(")
    found = [
        path.relative_to(root).as_posix()
        for path in root.glob("**/*.py")
        if makers.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["web/app.py"]
