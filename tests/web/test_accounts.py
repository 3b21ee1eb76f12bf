"""Accounts through the API: nobody makes a grantor alone (R6.3e)."""

import json
from typing import Any

import pytest

from recorder.accounts.agreeing import Agreement
from recorder.accounts.model import Role
from tests.web.office import OPERATOR, WebOffice

pytestmark = pytest.mark.postgres
JAN = {"login": "jan", "name": "Jan Lis", "post": "inspektor", "roles": ["listener"]}


async def test_who_runs_the_machine_adds_people_but_no_administrator(office: WebOffice) -> None:
    await office.person(Role.ADMINISTRATOR, login="anna")
    sysadmin = await office.at_work(Role.SYSADMIN)
    added = await sysadmin.post("/api/v1/accounts", json=JAN)
    assert added.status_code == 201, added.text
    assert added.json()["temporary_password"]
    path = f"/api/v1/accounts/{added.json()['account']['id']}/roles"
    for answer in (
        await sysadmin.post(
            "/api/v1/accounts", json=JAN | {"login": "ewa", "roles": ["administrator"]}
        ),
        await sysadmin.put(path, json={"roles": ["listener", "administrator"]}),
    ):
        assert answer.status_code == 409, answer.text
        assert "recorder user roles" in answer.json()["detail"]
    changed = await sysadmin.put(path, json={"roles": ["copy_maker"]})
    assert changed.json()["roles"] == ["copy_maker"]


async def test_disabling_the_last_administrator_is_no_way_round(office: WebOffice) -> None:
    anna = await office.person(Role.ADMINISTRATOR, login="anna")
    sysadmin = await office.at_work(Role.SYSADMIN)
    gone = await sysadmin.post(f"/api/v1/accounts/{anna.id}/disable")
    assert gone.status_code == 204
    answer = await sysadmin.post("/api/v1/accounts", json=JAN | {"roles": ["administrator"]})
    assert answer.status_code == 409


async def test_an_administrator_keeps_the_role_while_others_change(office: WebOffice) -> None:
    anna = await office.person(Role.ADMINISTRATOR, login="anna")
    sysadmin = await office.at_work(Role.SYSADMIN)
    both = {"roles": ["administrator", "listener"]}
    changed = await sysadmin.put(f"/api/v1/accounts/{anna.id}/roles", json=both)
    assert sorted(changed.json()["roles"]) == ["administrator", "listener"]


GUARDED = [Role.ADMINISTRATOR, Role.DPO]


@pytest.mark.parametrize("role", GUARDED)
async def test_nobody_gets_an_overseers_account_by_resetting_it(
    office: WebOffice, role: Role
) -> None:
    """R6.3e: with password and second factor anew, who runs the machine would be that person."""
    await office.person(Role.ADMINISTRATOR, login="anna")
    theirs = await office.person(role, login="ewa")
    at_desk = await office.sign_in("ewa")
    sysadmin = await office.at_work(Role.SYSADMIN)
    path = f"/api/v1/accounts/{theirs.id}"
    token = {"name": "x", "account_id": str(theirs.id), "may": ["status:read"], "days": 1}
    before = await kept(office)
    acts = await office.actions()
    for answer in (
        await sysadmin.post(f"{path}/password-reset"),
        await sysadmin.post(f"{path}/second-factor-reset"),
        await sysadmin.post(f"{path}/enable"),
        await sysadmin.put(f"{path}/roles", json={"roles": []}),
        await sysadmin.put(f"{path}/roles", json={"roles": ["listener"]}),
        await sysadmin.post("/api/v1/tokens", json=token),
        await sysadmin.post("/api/v1/accounts", json=JAN | {"roles": [role]}),
    ):
        assert answer.status_code == 409, answer.text
        assert answer.json()["reason"] == "second_person"
        assert "recorder user reset" in answer.json()["detail"]
    assert await kept(office) == before
    assert await office.actions() == acts
    assert (await at_desk.get("/api/v1/me")).status_code == 200
    # What protects waits for nobody, and opens no way round.
    assert (await sysadmin.post(f"{path}/disable")).status_code == 204
    assert (await sysadmin.post(f"{path}/enable")).status_code == 409
    assert (await sysadmin.post(f"{path}/password-reset")).status_code == 409


async def test_who_runs_the_machine_helps_everybody_else(office: WebOffice) -> None:
    await office.person(Role.ADMINISTRATOR, login="anna")
    ewa = await office.person(Role.LISTENER, login="ewa")
    sysadmin = await office.at_work(Role.SYSADMIN)
    path = f"/api/v1/accounts/{ewa.id}"
    assert (await sysadmin.post(f"{path}/password-reset")).json()["temporary_password"]
    for act in ("second-factor-reset", "disable", "enable"):
        assert (await sysadmin.post(f"{path}/{act}")).status_code == 204


async def test_a_program_hears_only_after_an_administrator_agreed(office: WebOffice) -> None:
    """R6.3e: a token under a listener's paper is a way to hear, and nobody would notice."""
    ewa = await office.person(Role.LISTENER, login="ewa")
    await office.authorise(ewa, [Role.LISTENER])
    sysadmin = await office.at_work(Role.SYSADMIN)
    new = {"name": "x", "account_id": str(ewa.id), "days": 1}
    for may in ("recording:listen", "number:reveal", "call:list", "authorisation:grant"):
        refused = await sysadmin.post("/api/v1/tokens", json=new | {"may": ["status:read", may]})
        assert refused.status_code == 409, may
    assert (await sysadmin.get("/api/v1/tokens")).json()["tokens"] == []
    issued = await sysadmin.post("/api/v1/tokens", json=new | {"may": ["status:read"]})
    assert issued.status_code == 201


async def test_where_no_second_person_is_asked_the_entry_says_that_nobody_agreed(
    office: WebOffice,
) -> None:
    anna = await office.person(Role.ADMINISTRATOR, login="anna")
    keeper = office.parts.keeper
    keeper.agreement = Agreement(store=office.parts.store, four_eyes=False)
    await keeper.reset_totp(anna.id, actor=OPERATOR)
    (entry,) = [each for each in await office.trail() if each.action == "second_factor:reset"]
    assert json.loads(entry.details) == {"agreed_by": "nobody"}


async def kept(office: WebOffice) -> list[Any]:
    """Return the accounts with their secrets as they are stored."""
    store = office.parts.store
    return [await store.by_id(each.id) for each in await store.accounts()]
