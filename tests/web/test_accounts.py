"""Accounts through the API: nobody makes a grantor alone (R6.3e)."""

import pytest

from recorder.accounts.model import Role
from tests.web.office import WebOffice

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
