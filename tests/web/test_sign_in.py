"""Signing in and out at a browser: sessions, cookies, guessing, the first account (A5, A6, A7)."""

import re
import time
from statistics import median
from typing import Any

import pyotp
import pytest

from recorder.accounts.model import Role
from tests.web.office import OPERATOR, PASSWORD, WebOffice

pytestmark = pytest.mark.postgres
COOKIE = "__Host-session"


async def test_a_person_signs_in_sees_the_first_page_and_signs_out(office: WebOffice) -> None:
    await office.person(Role.LISTENER, login="olga")
    browser = office.browser()
    led = await browser.get("/")
    assert (led.status_code, led.headers["location"]) == (303, "/sign-in?next=/")
    form = await browser.get("/sign-in")
    assert form.status_code == 200
    answer = await browser.post(
        "/sign-in", data={"login": "olga", "password": PASSWORD, "next": "/account"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    cookie = answer.headers["set-cookie"]
    for wanted in ("__Host-session=", "HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert wanted in cookie
    assert "Domain" not in cookie
    home = await browser.get("/")
    assert home.status_code == 200
    assert "Zenobia Kwiatkowska" in home.text
    token = browser.cookies[COOKIE]
    out = await browser.post("/sign-out")
    assert out.headers["location"] == "/sign-in"
    again = office.browser()
    again.cookies.set(COOKIE, token, domain="rejestrator.example")
    assert (await again.get("/")).status_code == 303
    assert {"session:opened", "session:closed"} <= set(await office.actions())


async def test_a_cookie_from_before_is_worth_nothing_after(office: WebOffice) -> None:
    """Session fixation: the token is new at every sign-in, and one planted is none."""
    await office.person(Role.LISTENER, login="olga")
    browser = office.browser()
    browser.cookies.set(COOKIE, "planted", domain="rejestrator.example")
    await browser.post("/sign-in", data={"login": "olga", "password": PASSWORD})
    tokens = {each.value for each in browser.cookies.jar if each.name == COOKIE} - {"planted"}
    other = await office.sign_in("olga")
    assert len({*tokens, other.cookies[COOKIE]}) == 2
    thief = office.browser()
    thief.cookies.set(COOKIE, "planted", domain="rejestrator.example")
    assert (await thief.get("/")).status_code == 303


async def test_wrong_passwords_are_answered_alike_and_then_slowed(office: WebOffice) -> None:
    await office.person(Role.LISTENER, login="olga")
    browser = office.browser()
    texts = set()
    for login in ("olga", "nobody"):
        answer = await browser.post("/sign-in", data={"login": login, "password": "wrong"})
        assert answer.status_code == 401
        texts.add(re.sub(r'value="(olga|nobody)"', "", answer.text))
    assert len(texts) == 1
    for _ in range(10):
        answer = await browser.post("/sign-in", data={"login": "olga", "password": "wrong"})
    assert "Zbyt wiele prób" in answer.text
    assert "session:refused" in await office.actions()


async def test_the_second_factor_is_set_confirmed_and_asked_for(office: WebOffice) -> None:
    await office.person(Role.LISTENER, login="olga")
    browser = await office.sign_in("olga")
    page = await browser.post("/account/second-factor")
    assert "<svg" in page.text
    assert "style=" not in page.text
    secret = re.search(r"<code class=\"select\">([A-Z2-7]{32})</code>", page.text)
    assert secret is not None
    wrong = await browser.post("/account/second-factor/confirm", data={"code": "000000"})
    assert wrong.status_code == 422
    totp = pyotp.TOTP(secret[1])
    codes = await browser.post("/account/second-factor/confirm", data={"code": totp.now()})
    recovery = re.findall(r"<code>([0-9a-f-]{23})</code>", codes.text)
    assert len(recovery) == 10
    without = await office.browser().post("/sign-in", data={"login": "olga", "password": PASSWORD})
    assert without.status_code == 401
    used = await office.browser().post(
        "/sign-in", data={"login": "olga", "password": PASSWORD, "code": totp.now()}
    )
    assert used.status_code == 401, "a code counts once"
    for expected in (303, 401):
        by_recovery = await office.browser().post(
            "/sign-in", data={"login": "olga", "password": PASSWORD, "code": recovery[0]}
        )
        assert by_recovery.status_code == expected


async def test_changing_the_password_ends_every_other_session(office: WebOffice) -> None:
    await office.person(Role.LISTENER, login="olga")
    here, there = await office.sign_in("olga"), await office.sign_in("olga")
    weak = await here.post("/account/password", data={"current": PASSWORD, "password": "short"})
    assert "ma mniej niż 12 znaków" in weak.text
    wrong = await here.post("/account/password", data={"current": "x", "password": "y" * 12})
    assert "To nie jest obecne hasło" in wrong.text
    new = "cztery zupełnie inne słowa"
    done = await here.post("/account/password", data={"current": PASSWORD, "password": new})
    assert done.headers["location"] == "/account?done=password"
    assert (await here.get("/account")).status_code == 200
    assert (await there.get("/account")).status_code == 303


async def test_one_ends_ones_own_sessions_and_nobody_elses(office: WebOffice) -> None:
    await office.person(Role.LISTENER, login="olga")
    await office.person(Role.LISTENER, login="kamil")
    here, there = await office.sign_in("olga"), await office.sign_in("olga")
    stranger = await office.sign_in("kamil")
    theirs = (await office.visitor(stranger)).session.id
    other = (await office.visitor(there)).session.id
    refused = await here.post(f"/account/sessions/{theirs}/end")
    absent = await here.post("/account/sessions/01a20c69-337a-75a6-9b83-bf45ec100461/end")
    assert refused.status_code == absent.status_code == 404
    assert refused.text == absent.text.replace("01a20c69-337a-75a6-9b83-bf45ec100461", str(theirs))
    await here.post(f"/account/sessions/{other}/end")
    assert (await there.get("/account")).status_code == 303
    assert (await stranger.get("/account")).status_code == 200


async def test_the_first_account_is_made_once_by_its_token(office: WebOffice) -> None:
    token = await office.parts.keeper.first_token(OPERATOR)
    browser = office.browser()
    first = {"token": token, "name": "Anna Dyrektor", "login": "anna", "password": PASSWORD}
    wrong = await browser.post("/first-run", data=first | {"token": "x" * 43})
    assert wrong.status_code == 422
    done = await browser.post("/first-run", data=first)
    assert done.headers["location"] == "/sign-in?next=/first-steps"
    again = await browser.post("/first-run", data=first | {"login": "beata"})
    assert again.status_code == 422
    assert (await (await office.sign_in("anna")).get("/")).status_code == 200


async def test_nobody_is_led_away(office: WebOffice) -> None:
    await office.person(Role.LISTENER, login="olga")
    for path in ("https://evil.example", "//evil.example", "/\\evil.example", "/%0d%0aX: y"):
        answer = await office.browser().post(
            "/sign-in", data={"login": "olga", "password": PASSWORD, "next": path}
        )
        assert answer.headers["location"] == "/"
        back = await office.browser().post("/language", data={"language": "en", "back": path})
        assert back.headers["location"] == "/"


async def test_the_language_is_chosen_and_remembered(office: WebOffice) -> None:
    browser = office.browser()
    assert "Zaloguj" in (await browser.get("/sign-in")).text
    await browser.post("/language", data={"language": "en", "back": "/sign-in"})
    english = await browser.get("/sign-in")
    assert "Sign in" in english.text
    assert '<html lang="en">' in english.text


async def test_a_form_that_is_none_is_refused(office: WebOffice) -> None:
    browser = office.browser()
    for content, kind, status in (
        (b'{"login": "a"}', "application/json", 415),
        (b"login=" + b"a" * 5000, "application/x-www-form-urlencoded", 413),
        (b"x=1&" * 100, "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe=\x00", "application/x-www-form-urlencoded", 401),
    ):
        answer = await browser.post("/sign-in", content=content, headers={"Content-Type": kind})
        assert answer.status_code == status, (content[:20], answer.text)


async def test_whether_a_login_is_known_cannot_be_told_by_the_time(office: WebOffice) -> None:
    """A6: medians over 200 of each, in turns, within 20 ms."""
    await office.person(Role.LISTENER, login="olga")
    browser = office.browser()
    took: dict[str, list[float]] = {"olga": [], "nobody": []}
    for _ in range(200):
        for login, times in took.items():
            # The delays and the rate have their own tests; here each attempt is a first one.
            await office.do("DELETE FROM request_rate")
            await office.do("DELETE FROM sign_in_throttle")
            began = time.perf_counter()
            answer = await browser.post("/sign-in", data={"login": login, "password": "wrong"})
            times.append(time.perf_counter() - began)
            assert answer.status_code == 401
    assert abs(median(took["olga"]) - median(took["nobody"])) < 0.02


async def test_who_leaves_while_a_form_is_sent_is_no_fault_of_the_service(
    office: WebOffice, caplog: pytest.LogCaptureFixture
) -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        """Nobody is there."""

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/sign-in",
        "raw_path": b"/sign-in",
        "query_string": b"",
        "client": ("10.1.2.3", 1),
        "headers": [
            (b"host", b"rejestrator.example"),
            (b"origin", b"https://rejestrator.example"),
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", b"100"),
        ],
    }
    await office.app(scope, gone, send)
    logged = caplog.text
    assert "'route': '/sign-in'" in logged
    assert "request_failed" not in logged
