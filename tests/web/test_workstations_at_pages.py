"""The list of workstations at pages: who may change it, and nobody shuts himself out (R6.2a)."""

import re

import pytest

from recorder.accounts.model import Role
from tests.web.office import WebOffice

pytestmark = pytest.mark.postgres
HOSTILE = "\u202e<script>alert(1)</script>\x07"
NEW = {"network": "10.9.8.0/24", "name": HOSTILE, "place": "pokój 12"}


async def test_a_workstation_is_listed_after_it_was_said_what_that_opens(
    office: WebOffice,
) -> None:
    sysadmin = await office.at_work(Role.SYSADMIN)
    checked = await sysadmin.post("/workstations/check", data=NEW)
    assert "Z 256 adresów" in checked.text
    assert "<script>" not in checked.text
    led = await sysadmin.post("/workstations", data=NEW)
    assert led.status_code == 303, led.text
    page = (await sysadmin.get(led.headers["location"])).text
    assert "10.9.8.0/24" in page
    assert "\\u202e&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "workstation:added" in await office.actions()
    again = await sysadmin.post("/workstations", data=NEW)
    assert again.status_code == 422


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("network", "", "podaj adres albo sieć"),
        ("network", "10.1.2.3/24", "podaj adres albo sieć"),
        ("network", "0.0.0.0/0", "tak szeroka"),
        ("name", " ", "które to stanowisko"),
        ("place", "x" * 121, "Najwyżej 120"),
    ],
)
async def test_a_slip_is_named_at_its_field_and_nothing_is_lost(
    office: WebOffice, field: str, value: str, said: str
) -> None:
    sysadmin = await office.at_work(Role.SYSADMIN)
    given = {"network": "10.9.8.7", "name": "kancelaria", "place": "p. 12"} | {field: value}
    refused = await sysadmin.post("/workstations/check", data=given)
    assert refused.status_code == 422
    assert said in refused.text
    assert f'href="#{field}"' in refused.text
    for other in set(given) - {field}:
        assert f'value="{given[other]}"' in refused.text


async def test_nobody_takes_off_the_entry_under_which_he_sits(office: WebOffice) -> None:
    sysadmin = await office.at_work(Role.SYSADMIN)
    page = (await sysadmin.get("/workstations")).text
    (own,) = re.findall(r'action="(/workstations/[0-9a-f-]{36}/remove)/check"', page)
    for path in (own, f"{own}/check"):
        refused = await sysadmin.post(path)
        assert refused.status_code == 409
        assert "odcięłoby dostęp" in refused.text
    await sysadmin.post("/workstations", data=NEW)
    page = (await sysadmin.get("/workstations")).text
    (other,) = set(re.findall(r'action="(/workstations/[0-9a-f-]{36}/remove)/check"', page)) - {own}
    assert "Z 256 adresów" not in (await sysadmin.post(f"{other}/check")).text
    led = await sysadmin.post(other)
    assert led.status_code == 303
    assert "10.9.8.0/24" not in (await sysadmin.get(led.headers["location"])).text
    assert (await sysadmin.post(other)).status_code == 404
    assert "workstation:removed" in await office.actions()


async def test_auditors_read_the_list_and_listeners_do_not(office: WebOffice) -> None:
    dpo = await office.at_work(Role.DPO)
    page = (await dpo.get("/workstations")).text
    assert "remove/check" not in page
    assert (await dpo.post("/workstations", data=NEW)).status_code == 403
    assert (await (await office.at_work(Role.LISTENER)).get("/workstations")).status_code == 403
