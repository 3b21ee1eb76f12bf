"""Accounts at pages: who may change them, what is shown once, and nobody makes a grantor alone."""

import re
from typing import Any

import httpx
import pytest

from recorder.access.matrix import pair_problem
from recorder.accounts.model import Role
from recorder.web.pages.accounts import PAIRS
from tests.web.office import PASSWORD, WebOffice

pytestmark = pytest.mark.postgres
HOSTILE = "\u202e<script>alert(1)</script>\x07"
JAN: dict[str, Any] = {"login": "jan.lis", "name": HOSTILE, "post": "inspektor"}
JAN["roles"] = ["listener", "copy_maker"]
SECRET = re.compile(r'<ul class="codes"><li><code>([^<]+)</code>')


async def test_a_new_account_shows_its_first_password_once(office: WebOffice) -> None:
    sysadmin = await office.at_work(Role.SYSADMIN)
    added = await sysadmin.post("/accounts", data=JAN)
    assert added.status_code == 200, added.text
    (secret,) = SECRET.findall(added.text)
    assert added.headers["cache-control"] == "no-store"
    assert "<script>alert" not in added.text
    assert "\\u202e&lt;script&gt;" in added.text
    (one,) = re.findall(r'href="(/accounts/[0-9a-f-]{36})"', added.text)
    for path in ("/accounts", one):
        page = (await sysadmin.get(path)).text
        assert "jan.lis" in page
        assert secret not in page
        assert "<script>alert" not in page
    assert all(secret not in str(each) for each in await office.trail())
    assert "account:added" in await office.actions()
    again = await sysadmin.post("/accounts", data=JAN)
    assert again.status_code == 422
    assert "ma go już inne konto" in again.text
    jan = await office.sign_in("jan.lis", password=secret)
    assert (await jan.get("/holds")).headers["location"] == "/account"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("login", "Jan Lis", "od 2 do 32 znaków"),
        ("name", " ", "Imię i nazwisko: podaj"),
        ("post", "", "Stanowisko: podaj"),
        ("post", "x" * 121, "Najwyżej 120"),
        ("roles", [], "wybierz co najmniej jedną"),
        ("roles", ["dpo", "listener"], "nikt nie nadzoruje samego siebie"),
        ("roles", ["contractor", "listener"], "wykonawca usług konserwacji nie ma"),
        ("roles", ["sysadmin", "administrator"], "nigdy nie jest jedna osoba"),
    ],
)
async def test_a_slip_in_an_account_is_named_at_its_field_and_nothing_is_lost(
    office: WebOffice, field: str, value: Any, said: str
) -> None:
    sysadmin = await office.at_work(Role.SYSADMIN)
    given = JAN | {"name": "Jan Lis"} | {field: value}
    refused = await sysadmin.post("/accounts", data=given)
    assert refused.status_code == 422
    assert said in refused.text
    assert f'href="#{field}"' in refused.text
    assert f'id="{field}"' in refused.text
    for other in {"login", "name", "post"} - {field}:
        assert f'value="{given[other]}"' in refused.text
    for role in given["roles"]:
        assert re.search(f'value="{role}" checked', refused.text)
    assert [each.login for each in await office.parts.store.accounts()] == ["sysadmin"]


def test_every_forbidden_pair_has_its_sentence() -> None:
    problems = {pair_problem(frozenset({one, other})) for one in Role for other in Role} - {""}
    assert problems == set(PAIRS)


async def test_nobody_makes_an_administrator_alone_at_a_page(office: WebOffice) -> None:
    """R6.3e: the sentence says where it takes a present one; nothing was done."""
    await office.person(Role.ADMINISTRATOR, login="anna")
    ewa = await office.person(Role.LISTENER, login="ewa")
    sysadmin = await office.at_work(Role.SYSADMIN)
    wanted = {"roles": ["administrator", "listener"]}
    for path, form in (
        ("/accounts", JAN | wanted),
        (f"/accounts/{ewa.id}/roles/check", wanted),
        (f"/accounts/{ewa.id}/roles", wanted),
    ):
        refused = await sysadmin.post(path, data=form)
        assert refused.status_code == 422, path
        assert "recorder user roles" in refused.text
    assert {each.roles for each in await office.parts.store.accounts() if each.login == "ewa"} == {
        frozenset({Role.LISTENER})
    }


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.DPO])
async def test_an_overseers_account_is_locked_alone_and_opened_by_two(
    office: WebOffice, role: Role
) -> None:
    """R6.3e: the page says where it takes a present administrator; nothing was done."""
    await office.person(Role.ADMINISTRATOR, login="anna")
    theirs = await office.person(role, login="ewa")
    await office.do("UPDATE account SET totp_since = now(), totp_secret = 'x' WHERE login = 'ewa'")
    sysadmin = await office.at_work(Role.SYSADMIN)
    page = (await sysadmin.get(f"/accounts/{theirs.id}")).text
    assert "recorder user reset" in page
    assert f'action="/accounts/{theirs.id}/disable/check"' in page
    for act in ("password", "factor", "enable"):
        assert f"/{act}/check" not in page
    fewer: list[dict[str, list[str]]] = [{"roles": ["listener"]}, {"roles": []}]
    for wanted in fewer:
        for path in ("roles", "roles/check"):
            refused = await sysadmin.post(f"/accounts/{theirs.id}/{path}", data=wanted)
            assert refused.status_code == 422
            assert "recorder user roles" in refused.text
    for act in ("password", "factor"):
        for path in (act, f"{act}/check"):
            refused = await sysadmin.post(f"/accounts/{theirs.id}/{path}")
            assert refused.status_code == 409
            assert "recorder user reset" in refused.text
    assert (await sysadmin.post(f"/accounts/{theirs.id}/disable")).status_code == 303
    assert (await sysadmin.post(f"/accounts/{theirs.id}/enable")).status_code == 409
    changed = {"password:reset", "second_factor:reset", "account:enabled", "role:assigned"}
    assert changed.isdisjoint(await office.actions())


async def test_under_a_paper_the_page_asks_for_a_present_administrator(office: WebOffice) -> None:
    """R6.3e: the second factor always, the password while there is no second factor."""
    ewa = await office.person(Role.LISTENER, login="ewa")
    await office.authorise(ewa, [Role.LISTENER])
    sysadmin = await office.at_work(Role.SYSADMIN)
    path = f"/accounts/{ewa.id}"
    page = (await sysadmin.get(path)).text
    assert "Upoważnienie otwiera tej osobie nagrania" in page
    assert "/password/check" not in page
    for each in ("password", "password/check"):
        refused = await sysadmin.post(f"{path}/{each}")
        assert refused.status_code == 409, each
        assert "recorder user reset" in refused.text
    await office.do("UPDATE account SET totp_since = now(), totp_secret = 'x' WHERE login = 'ewa'")
    page = (await sysadmin.get(path)).text
    assert "Upoważnienie otwiera tej osobie nagrania" in page
    assert "/password/check" in page
    assert "/factor/check" not in page
    for each in ("factor", "factor/check"):
        assert (await sysadmin.post(f"{path}/{each}")).status_code == 409, each
    assert SECRET.findall((await sysadmin.post(f"{path}/password")).text)
    assert "second_factor:reset" not in await office.actions()


async def test_other_roles_are_given_after_it_was_said_what_changes(office: WebOffice) -> None:
    ewa = await office.person(Role.LISTENER, login="ewa")
    at_desk = await office.sign_in("ewa")
    sysadmin = await office.at_work(Role.SYSADMIN)
    path, wanted = f"/accounts/{ewa.id}/roles", {"roles": ["copy_maker"]}
    checked = (await sysadmin.post(f"{path}/check", data=wanted)).text
    assert "otrzyma rolę: osoba sporządzająca kopie" in checked
    assert "utraci rolę: osoba upoważniona do odsłuchu" in checked
    assert "zakończy się 1 sesja" in checked
    assert (await at_desk.get("/account")).status_code == 200
    led = await sysadmin.post(path, data=wanted)
    assert led.headers["location"] == f"/accounts/{ewa.id}?done=roles"
    page = (await sysadmin.get(led.headers["location"])).text
    assert "Role są zmienione" in page
    assert is_out(await at_desk.get("/account"))
    assert (await sysadmin.post(path, data=wanted)).status_code == 422
    assert (await sysadmin.post(path, data={"roles": "king"})).status_code == 400
    assert "role:assigned" in await office.actions()


async def test_a_locked_account_is_out_at_once_and_in_again_once_unlocked(
    office: WebOffice,
) -> None:
    ewa = await office.person(Role.LISTENER, login="ewa")
    at_desk = await office.sign_in("ewa")
    sysadmin = await office.at_work(Role.SYSADMIN)
    assert "zakończy się 1 sesja" in (await sysadmin.post(f"/accounts/{ewa.id}/disable/check")).text
    led = await sysadmin.post(f"/accounts/{ewa.id}/disable")
    assert "Konto jest zablokowane" in (await sysadmin.get(led.headers["location"])).text
    assert is_out(await at_desk.get("/account"))
    assert (await sysadmin.post(f"/accounts/{ewa.id}/disable")).status_code == 409
    assert (await sysadmin.post(f"/accounts/{ewa.id}/enable/check")).status_code == 200
    assert (await sysadmin.post(f"/accounts/{ewa.id}/enable")).status_code == 303
    await office.sign_in("ewa")
    assert {"account:disabled", "account:enabled"} <= set(await office.actions())


async def test_a_forgotten_password_is_replaced_by_one_that_is_shown_once(
    office: WebOffice,
) -> None:
    ewa = await office.person(Role.LISTENER, login="ewa")
    sysadmin = await office.at_work(Role.SYSADMIN)
    checked = await sysadmin.post(f"/accounts/{ewa.id}/password/check")
    assert not SECRET.findall(checked.text)
    answer = await sysadmin.post(f"/accounts/{ewa.id}/password")
    (secret,) = SECRET.findall(answer.text)
    assert answer.headers["cache-control"] == "no-store"
    assert secret not in (await sysadmin.get(f"/accounts/{ewa.id}")).text
    refused = await office.browser().post(
        "/sign-in", data={"login": "ewa", "password": PASSWORD, "code": "", "next": "/"}
    )
    assert refused.status_code != 303
    await office.sign_in("ewa", password=secret)
    assert "password:reset" in await office.actions()


async def test_a_lost_second_factor_is_taken_away_only_where_there_is_one(
    office: WebOffice,
) -> None:
    ewa = await office.person(Role.LISTENER, login="ewa")
    sysadmin = await office.at_work(Role.SYSADMIN)
    path = f"/accounts/{ewa.id}/factor"
    assert (await sysadmin.post(path)).status_code == 409
    await office.do("UPDATE account SET totp_since = now(), totp_secret = 'x' WHERE login = 'ewa'")
    assert "wystarczy samo hasło" in (await sysadmin.post(f"{path}/check")).text
    led = await sysadmin.post(path)
    assert "nie ustawiony" in (await sysadmin.get(led.headers["location"])).text
    assert "second_factor:reset" in await office.actions()


async def test_ones_own_account_is_left_to_another(office: WebOffice) -> None:
    sysadmin = await office.at_work(Role.SYSADMIN)
    (me,) = [each for each in await office.parts.store.accounts() if each.login == "sysadmin"]
    page = (await sysadmin.get(f"/accounts/{me.id}")).text
    assert '<form method="post" action="/accounts' not in page
    for act in ("disable", "password", "factor", "roles"):
        for path in (f"/accounts/{me.id}/{act}", f"/accounts/{me.id}/{act}/check"):
            refused = await sysadmin.post(path, data={"roles": "listener"})
            assert refused.status_code == 409, path
            assert "Twoje własne konto" in refused.text


async def test_overseers_read_accounts_and_change_none(office: WebOffice) -> None:
    ewa = await office.person(Role.LISTENER, login="ewa")
    for role in (Role.DPO, Role.ADMINISTRATOR):
        browser = await office.at_work(role)
        for path in ("/accounts", f"/accounts/{ewa.id}"):
            page = await browser.get(path)
            assert page.status_code == 200
            assert 'action="/accounts' not in page.text
        assert (await browser.post("/accounts", data=JAN)).status_code == 403
        for act in ("disable", "password", "factor", "roles", "roles/check"):
            assert (await browser.post(f"/accounts/{ewa.id}/{act}")).status_code == 403
    listener = await office.sign_in("ewa")
    assert (await listener.get("/accounts")).status_code == 403
    assert (await listener.get(f"/accounts/{ewa.id}")).status_code == 403


async def test_whoever_signed_in_long_ago_proves_it_anew_before_changing_accounts(
    office: WebOffice,
) -> None:
    ewa = await office.person(Role.LISTENER, login="ewa")
    sysadmin = await office.at_work(Role.SYSADMIN)
    await office.do("UPDATE session SET fresh_at = fresh_at - interval '11 minutes'")
    assert (await sysadmin.get("/accounts")).status_code == 200
    for path in ("/accounts", f"/accounts/{ewa.id}/disable", f"/accounts/{ewa.id}/roles"):
        assert (await sysadmin.post(path, data=JAN)).status_code == 403
    assert "account:disabled" not in await office.actions()


def is_out(answer: httpx.Response) -> bool:
    return str(answer.headers.get("location", "")).startswith("/sign-in")
