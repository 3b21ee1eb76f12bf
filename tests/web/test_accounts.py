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
    """A forgotten password waits for nobody: nor does a listener's who has her telephone."""
    await office.person(Role.ADMINISTRATOR, login="anna")
    ewa = await office.person(Role.LISTENER, login="ewa")
    olga = await office.person(Role.LISTENER, login="olga")
    await office.authorise(olga, [Role.LISTENER])
    await office.do(GIVE_A_FACTOR, login="olga")
    sysadmin = await office.at_work(Role.SYSADMIN)
    for path in (f"/api/v1/accounts/{each.id}" for each in (ewa, olga)):
        assert (await sysadmin.post(f"{path}/password-reset")).json()["temporary_password"]
        for act in ("disable", "enable"):
            assert (await sysadmin.post(f"{path}/{act}")).status_code == 204
    clerk = f"/api/v1/accounts/{ewa.id}/second-factor-reset"
    assert (await sysadmin.post(clerk)).status_code == 204


async def test_no_period_puts_the_register_out_of_reach(office: WebOffice) -> None:
    """B7: one administrator's proposal would stop every page of its holder, and the register."""
    ewa = await office.person(Role.LISTENER, login="ewa")
    anna = await office.at_work(Role.ADMINISTRATOR)
    for since, until in (
        ("2026-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"),
        ("0001-01-01T00:00:00+14:00", "2099-01-01T00:00:00Z"),
    ):
        asked = {
            "account_id": str(ewa.id),
            "roles": ["listener"],
            "valid_from": since,
            "valid_until": until,
        }
        assert (await anna.post("/api/v1/authorisations", json=asked)).status_code == 409
    assert (await anna.get("/api/v1/authorisations")).json()["authorisations"] == []


GIVE_A_FACTOR = "UPDATE account SET totp_since = now(), totp_secret = 'x' WHERE login = :login"
AS_IT_STANDS = "UPDATE authorisation SET roles = roles"
TO_COME = "UPDATE authorisation SET valid_from = valid_from + interval '9 days'"
PROPOSED = (
    "UPDATE authorisation SET granted_at = NULL, granted_by = NULL, year = NULL, number = NULL"
)
OVER = "UPDATE authorisation SET valid_until = now() - interval '1 second'"
REVOKED = "UPDATE authorisation SET revoked_at = now(), revoked_by = granted_by"


@pytest.mark.parametrize("role", [Role.LISTENER, Role.COPY_MAKER])
@pytest.mark.parametrize("state", [AS_IT_STANDS, TO_COME, PROPOSED])
async def test_nobody_hears_in_a_listeners_name_by_resetting_her_account(
    office: WebOffice, role: Role, state: str
) -> None:
    """R6.3e: by no order of the acts, and whatever roles the account has meanwhile."""
    ewa = await office.person(role, login="ewa")
    await office.authorise(ewa, [role])
    await office.do(state)
    sysadmin = await office.at_work(Role.SYSADMIN)
    path = f"/api/v1/accounts/{ewa.id}"
    before = await kept(office)

    async def refused(*acts: str) -> None:
        for act in acts:
            answer = await sysadmin.post(f"{path}/{act}")
            assert answer.status_code == 409, (act, answer.text)
            assert answer.json()["reason"] == "second_person"
            assert "recorder user reset" in answer.json()["detail"]

    await refused("second-factor-reset", "password-reset")
    assert await kept(office) == before
    assert (await sysadmin.put(f"{path}/roles", json={"roles": []})).status_code == 200
    assert (await sysadmin.post(f"{path}/disable")).status_code == 204
    await refused("second-factor-reset", "password-reset")
    assert (await sysadmin.post(f"{path}/enable")).status_code == 204
    assert (await sysadmin.put(f"{path}/roles", json={"roles": [role]})).status_code == 200
    await refused("second-factor-reset", "password-reset")
    await office.do(GIVE_A_FACTOR, login="ewa")
    assert (await sysadmin.post(f"{path}/password-reset")).status_code == 200
    await refused("second-factor-reset")
    assert "second_factor:reset" not in await office.actions()


@pytest.mark.parametrize("state", [OVER, REVOKED])
async def test_a_paper_that_is_over_asks_for_nobody(office: WebOffice, state: str) -> None:
    ewa = await office.person(Role.LISTENER, login="ewa")
    await office.authorise(ewa, [Role.LISTENER])
    await office.do(state)
    sysadmin = await office.at_work(Role.SYSADMIN)
    for act, status in (("second-factor-reset", 204), ("password-reset", 200)):
        answer = await sysadmin.post(f"/api/v1/accounts/{ewa.id}/{act}")
        assert answer.status_code == status, act


async def test_nobody_is_authorised_before_the_account_is_their_own(office: WebOffice) -> None:
    """R6.3e: else whoever gave the first password, or takes it anew, sits down first."""
    ewa = await office.person(Role.LISTENER, login="ewa")
    anna = await office.at_work(Role.ADMINISTRATOR)
    await office.person(Role.ADMINISTRATOR, login="beata")
    beata = await office.sign_in("beata")
    asked = {
        "account_id": str(ewa.id),
        "roles": ["listener"],
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_until": "2099-01-01T00:00:00Z",
    }
    first = "UPDATE account SET must_change_password = :it WHERE login = 'ewa'"
    await office.do(first, it=True)
    refused = await anna.post("/api/v1/authorisations", json=asked)
    assert (refused.status_code, "hasło początkowe" in refused.json()["detail"]) == (409, True)
    await office.do(first, it=False)
    proposed = (await anna.post("/api/v1/authorisations", json=asked)).json()["id"]
    confirm = f"/api/v1/authorisations/{proposed}/confirm"
    await office.do(first, it=True)
    refused = await beata.post(confirm)
    assert (refused.status_code, "hasło początkowe" in refused.json()["detail"]) == (409, True)
    await office.do(first, it=False)
    assert (await beata.post(confirm)).status_code == 200


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
    parts = office.parts
    keeper.agreement = Agreement(
        store=parts.store, papers=parts.papers, clock=parts.clock, four_eyes=False
    )
    await keeper.reset_totp(anna.id, actor=OPERATOR)
    (entry,) = [each for each in await office.trail() if each.action == "second_factor:reset"]
    assert json.loads(entry.details) == {"agreed_by": "nobody"}


async def kept(office: WebOffice) -> list[Any]:
    """Return the accounts with their secrets as they are stored."""
    store = office.parts.store
    return [await store.by_id(each.id) for each in await store.accounts()]
