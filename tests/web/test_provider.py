"""Signing in at a browser by an OpenID provider that is a process of its own."""

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession

from recorder.accounts.model import Link, Role, SignsInBy
from recorder.commands.web import provider_door
from recorder.web.app import create_app
from tests.directory.provider import CLIENT, SECRET
from tests.directory.serving import serving
from tests.directory.test_oidc import SUBJECT
from tests.web.office import OPERATOR, WebOffice

pytestmark = pytest.mark.postgres
BINDING = "__Host-signing-in"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
async def by_provider(office: WebOffice, issuer: str) -> WebOffice:
    office.settings = office.settings.model_copy(
        update={
            "oidc_issuer": issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": type(office.settings.oidc_client_secret)(SECRET),
            "oidc_plain_loopback": True,
        }
    )
    door = provider_door(office.settings, office.parts, office.origin)
    office.services = replace(office.services, provider=door)
    office.app = create_app(office.services)
    return office


async def sent_to(location: str) -> str:
    """Follow to the provider; return the way back, as a path of ours."""
    async with ClientSession() as session, session.get(location, allow_redirects=False) as answer:
        parts = urlsplit(answer.headers["Location"])
    return f"{parts.path}?{parts.query}"


async def test_a_person_goes_to_the_provider_and_comes_back_signed_in(
    by_provider: WebOffice, issuer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    account = await by_provider.person(Role.LISTENER)
    browser = by_provider.browser()
    assert "/sign-in/oidc?next=" in (await browser.get("/sign-in")).text
    sent = await browser.get("/sign-in/oidc?next=https://evil.example/")
    assert sent.headers["location"].startswith(f"{issuer}/authorize?")
    cookie = sent.headers["set-cookie"]
    assert cookie.startswith(BINDING)
    assert all(each in cookie for each in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"))
    back = await sent_to(sent.headers["location"])
    another_site = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    stranger = await browser.get(back, headers=another_site)
    assert stranger.status_code == 400
    assert SUBJECT in stranger.text, "its owner is told what to have linked"
    await by_provider.parts.linker.link(
        account, Link(by=SignsInBy.OIDC, subject=SUBJECT, issuer=issuer), actor=OPERATOR
    )
    assert (await browser.get(back, headers=another_site)).status_code == 400, "used up"

    sent = await browser.get("/sign-in/oidc?next=//evil.example")
    back = await sent_to(sent.headers["location"])
    thief = by_provider.browser()
    assert (await thief.get(back, headers=another_site)).status_code == 400

    sent = await browser.get("/sign-in/oidc?next=//evil.example")
    entered = await browser.get(await sent_to(sent.headers["location"]), headers=another_site)
    assert entered.status_code == 200
    assert entered.headers["refresh"] == "0; url=/", "led to no other site"
    assert "evil" not in entered.text
    cookies = entered.headers.get_list("set-cookie")
    assert any("__Host-session=" in each and "SameSite=strict" in each for each in cookies)
    assert (await browser.get("/account")).status_code == 200
    said = "".join(capsys.readouterr())
    query = parse_qs(urlsplit(back).query)
    token = browser.cookies.get("__Host-session") or "-"
    for secret in (SECRET, SUBJECT, query["code"][0], query["state"][0], token):
        assert secret not in said


async def test_the_second_factor_is_a_page_of_ours_after_the_provider(
    by_provider: WebOffice, issuer: str
) -> None:
    account = await by_provider.person(Role.LISTENER)
    await by_provider.parts.linker.link(
        account, Link(by=SignsInBy.OIDC, subject=SUBJECT, issuer=issuer), actor=OPERATOR
    )
    await by_provider.do(
        "UPDATE account SET totp_secret = :secret, totp_since = now() WHERE id = :id",
        id=account.id,
        secret="JBSWY3DPEHPK3PXP" * 2,
    )
    browser = by_provider.browser()
    sent = await browser.get("/sign-in/oidc")
    page = await browser.get(await sent_to(sent.headers["location"]))
    assert "__Host-session=" not in str(page.headers)
    handle = re.search(r'name="handle" value="([^"]+)"', page.text)
    assert handle
    wrong = await browser.post("/sign-in/oidc/code", data={"handle": handle[1], "code": "1"})
    assert (wrong.status_code, "__Host-session=" in str(wrong.headers)) == (422, False)
    assert (await browser.get("/account")).status_code == 303


async def test_a_provider_that_is_away_is_told_and_leaves_the_form(
    office: WebOffice,
) -> None:
    assert (await office.browser().get("/sign-in/oidc")).headers["location"] == "/sign-in"
    office.settings = office.settings.model_copy(
        update={
            "oidc_issuer": "http://127.0.0.1:9",
            "oidc_client_id": CLIENT,
            "oidc_plain_loopback": True,
        }
    )
    door = provider_door(office.settings, office.parts, office.origin)
    office.app = create_app(replace(office.services, provider=door))
    answer = await office.browser().get("/sign-in/oidc")
    assert answer.status_code == 503
    assert 'name="password"' in answer.text
