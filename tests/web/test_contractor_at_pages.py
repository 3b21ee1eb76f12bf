"""The maintenance contractor at pages: let in for one fault, at most eight hours (R6.3c)."""

import httpx
import pytest

from recorder.accounts.model import Account, Role
from tests.web.office import WebOffice

pytestmark = pytest.mark.postgres
HOSTILE = "\u202e<script>alert(1)</script>\x07"


def fault_of(holder: Account, **changed: str) -> dict[str, str]:
    return {
        "account": str(holder.id),
        "contract": "UM/12/2026",
        "reason": "dysk",
        "hours": "1,5",
    } | changed


async def opened(browser: httpx.AsyncClient, holder: Account, **changed: str) -> str:
    """Go through check and act; return the page after it."""
    checked = await browser.post("/contractor/check", data=fault_of(holder, **changed))
    assert "Co się stanie" in checked.text, checked.text
    led = await browser.post("/contractor", data=fault_of(holder, **changed))
    assert led.status_code == 303, led.text
    return (await browser.get(led.headers["location"])).text


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.SYSADMIN])
async def test_a_contractor_is_let_in_for_a_fault_and_out_at_once(
    office: WebOffice, role: Role
) -> None:
    """R6.3c."""
    holder = await office.person(Role.CONTRACTOR)
    browser = await office.at_work(role)
    assert "Dostępu nigdy nie otwierano" in (await browser.get("/contractor")).text
    page = await opened(browser, holder, reason=HOSTILE)
    assert "UM/12/2026" in page
    assert "\\u202e&lt;script&gt;" in page
    assert "<script>alert" not in page
    contractor = await office.sign_in(holder.login)
    assert (await contractor.get("/dashboard")).status_code == 200
    checked = await browser.post(f"/contractor/{holder.id}/close/check")
    assert "natychmiast wylogowany" in checked.text
    led = await browser.post(f"/contractor/{holder.id}/close")
    assert "wylogowano" in (await browser.get(led.headers["location"])).text
    assert (await contractor.get("/dashboard")).status_code == 303
    assert (await browser.post(f"/contractor/{holder.id}/close")).status_code == 409
    actions = await office.actions()
    assert {"contractor:opened", "contractor:closed"} <= set(actions)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("account", HOSTILE, "wybierz z listy"),
        ("contract", " ", "podaj numer"),
        ("contract", "x" * 121, "podaj numer"),
        ("reason", "", "opisz, co nie działa"),
        ("hours", "8,01", "najwyżej 8"),
        ("hours", "0", "najwyżej 8"),
        ("hours", "-1", "najwyżej 8"),
        ("hours", "١", "najwyżej 8"),
        ("hours", HOSTILE, "najwyżej 8"),
    ],
)
async def test_a_slip_is_named_at_its_field_and_nothing_is_lost(
    office: WebOffice, field: str, value: str, said: str
) -> None:
    holder = await office.person(Role.CONTRACTOR)
    browser = await office.at_work(Role.ADMINISTRATOR)
    given = fault_of(holder, **{field: value})
    for path in ("/contractor/check", "/contractor"):
        page = await browser.post(path, data=given)
        assert page.status_code == 422
        assert said in page.text
        assert f'href="#{field}"' in page.text
        assert "<script>alert" not in page.text
        for other in set(given) - {field, "account"}:
            assert f'value="{given[other]}"' in page.text
    assert "contractor:opened" not in await office.actions()


async def test_only_a_contractor_is_let_in_and_the_dpo_reads_of_it(office: WebOffice) -> None:
    holder = await office.person(Role.CONTRACTOR)
    browser = await office.at_work(Role.ADMINISTRATOR)
    clerk = await office.person(Role.REGISTRY_CLERK)
    assert (await browser.post("/contractor", data=fault_of(clerk))).status_code == 422
    assert (await browser.post(f"/contractor/{clerk.id}/close")).status_code == 404
    await opened(browser, holder)
    dpo = await office.at_work(Role.DPO)
    page = (await dpo.get("/contractor")).text
    assert "UM/12/2026" in page
    assert "/close/check" not in page
    assert (await dpo.post("/contractor", data=fault_of(holder))).status_code == 403
    assert (await dpo.post(f"/contractor/{holder.id}/close")).status_code == 403
    assert 'action="/contractor/note"' in page
    assert (await browser.post("/contractor/note")).status_code == 409
    assert (await browser.post("/api/v1/contractor-accesses/note")).status_code == 409
    led = await dpo.post("/contractor/note")
    page = (await dpo.get(led.headers["location"])).text
    assert "Przyjęto do wiadomości" in page
    assert 'action="/contractor/note"' not in page
    assert (await dpo.post("/api/v1/contractor-accesses/note")).status_code == 204
    assert (await office.actions()).count("contractor:noted") == 1
    listener = await office.at_work(Role.LISTENER)
    assert (await listener.get("/contractor")).status_code == 403
