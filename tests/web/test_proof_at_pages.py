"""A fresh proof asked for in the middle of an act: nothing that was filled in is lost."""

import html
import re

import httpx
import pyotp
import pytest

from recorder.accounts.model import Role
from recorder.adapters.totp import TotpBook
from tests.web.office import PASSWORD, WebOffice
from tests.web.test_who_may_do_what import routes

pytestmark = pytest.mark.postgres
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
ACTION = re.compile(r'<form method="post" action="([^"]+)" class="sheet narrow">')
HOSTILE = '"><script>alert(1)</script>\r\ndrugi wiersz'
JAN = [
    ("login", "jan.lis"),
    ("name", HOSTILE),
    ("post", "inspektor & spółka"),
    ("roles", "listener"),
    ("roles", "copy_maker"),
]


async def stale(office: WebOffice) -> None:
    await office.do("UPDATE session SET fresh_at = fresh_at - interval '11 minutes'")


async def logins(office: WebOffice) -> list[str]:
    return [each.login for each in await office.parts.store.accounts()]


def kept(page: httpx.Response) -> list[tuple[str, str]]:
    form = page.text.partition('class="sheet narrow">')[2]
    return [(name, html.unescape(value)) for name, value in HIDDEN.findall(form)]


def sent(fields: list[tuple[str, str]], **proof: str) -> dict[str, list[str]]:
    """Return a form as a browser sends it."""
    form: dict[str, list[str]] = {}
    for name, value in [*fields, *((f"proof-{each}", proof[each]) for each in proof)]:
        form.setdefault(name, []).append(value)
    return form


async def test_a_form_is_kept_while_the_proof_is_given_and_done_with_it(office: WebOffice) -> None:
    sysadmin = await office.at_work(Role.SYSADMIN)
    await stale(office)
    asked = await sysadmin.post("/accounts", data=sent(JAN))
    assert asked.status_code == 403
    assert "Potwierdź swoją tożsamość" in asked.text
    assert "<script>alert" not in asked.text
    assert ACTION.findall(asked.text) == ["/accounts"], "nothing filled in is in an address"
    assert asked.headers["cache-control"] == "no-store"
    assert kept(asked) == JAN
    assert await logins(office) == ["sysadmin"]

    wrong = await sysadmin.post("/accounts", data=sent(kept(asked), password="wrong", code=""))
    assert wrong.status_code == 403
    assert 'href="#proof-password"' in wrong.text
    assert kept(wrong) == JAN
    assert "wrong" not in dict(kept(wrong)).values()
    assert await logins(office) == ["sysadmin"]

    done = await sysadmin.post("/accounts", data=sent(kept(wrong), password=PASSWORD, code=""))
    assert done.status_code == 200, done.text
    assert "Hasło początkowe" in done.text
    (jan,) = [each for each in await office.parts.store.accounts() if each.login == "jan.lis"]
    assert jan.roles == {Role.LISTENER, Role.COPY_MAKER}
    assert (await office.actions())[-2:] == ["session:refreshed", "account:added"]
    assert all(PASSWORD not in str(each) for each in await office.trail())
    # For ten minutes nothing more is asked.
    again = await sysadmin.post("/accounts", data=sent(JAN))
    assert again.status_code == 422


async def test_the_code_of_the_second_factor_belongs_to_the_proof(office: WebOffice) -> None:
    secret = TotpBook().new_secret()
    await office.person(Role.SYSADMIN, login="olga")
    olga = await office.sign_in("olga")
    await office.do(
        "UPDATE account SET totp_since = now(), totp_secret = :s WHERE login = 'olga'", s=secret
    )
    await stale(office)
    refused = await olga.post("/accounts", data=sent(JAN, password=PASSWORD, code="000000"))
    assert refused.status_code == 403
    assert "000000" not in refused.text
    code = pyotp.TOTP(secret).now()
    done = await olga.post("/accounts", data=sent(kept(refused), password=PASSWORD, code=code))
    assert done.status_code == 200, done.text


async def test_a_proof_gives_no_right_that_the_person_lacks(office: WebOffice) -> None:
    listener = await office.at_work(Role.LISTENER)
    await stale(office)
    refused = await listener.post("/accounts", data=sent(JAN, password=PASSWORD, code=""))
    assert refused.status_code == 403
    assert "role_lacks_it" in refused.text
    assert "session:refreshed" not in await office.actions()
    nobody = await office.browser().post("/accounts", data=sent(JAN, password=PASSWORD, code=""))
    assert nobody.status_code == 401


async def test_guessing_at_the_proof_is_slowed_down_as_at_the_door(office: WebOffice) -> None:
    sysadmin = await office.at_work(Role.SYSADMIN)
    await stale(office)
    answers = [
        await sysadmin.post("/accounts", data=sent(JAN, password=f"guess {number}", code=""))
        for number in range(8)
    ]
    assert {each.status_code for each in answers} == {403}
    assert "Zbyt wiele prób" in answers[-1].text
    assert kept(answers[-1]) == JAN


async def test_a_slip_after_the_proof_is_named_and_nothing_is_lost(office: WebOffice) -> None:
    sysadmin = await office.at_work(Role.SYSADMIN)
    await stale(office)
    slip = [(name, "Jan Lis" if name == "login" else value) for name, value in JAN]
    answer = await sysadmin.post("/accounts", data=sent(slip, password=PASSWORD, code=""))
    assert answer.status_code == 422
    assert 'href="#login"' in answer.text
    assert 'value="listener" checked' in answer.text
    assert "proof-password" not in answer.text


async def test_no_form_of_a_page_has_a_field_of_the_proof(office: WebOffice) -> None:
    sysadmin = await office.at_work(Role.SYSADMIN)
    for method, path, _ in routes(office):
        if method == "GET" and "{" not in path and not path.startswith("/api"):
            answer = await sysadmin.get(path)
            assert 'name="proof-' not in answer.text, path
