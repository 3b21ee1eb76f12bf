"""Holding at pages: a frozen list, what will happen, and for lifting a second person (§ 7.3)."""

import re

import httpx
import pytest

from recorder.accounts.model import Role
from recorder.model import CallRecord
from tests.signed_in import PURPOSE
from tests.web.office import PASSWORD, WebOffice

pytestmark = pytest.mark.postgres
WHY = {
    "ground": "request_of_authority",
    "reference": "RSD 12/2026",
    "reason": "groźby",
    "kind": "provisional",
}
FULL = WHY | {"kind": "full", "days": "60"}


async def placed(browser: httpx.AsyncClient, *calls: CallRecord, **why: str) -> str:
    """Go through list, check and act; return where the act led."""
    chosen = {"recording": [str(each.recording_id) for each in calls]}
    listed = await browser.post("/holds/list", data=chosen)
    assert listed.status_code == 200, listed.text
    recordings = re.search(r'name="recordings" value="([^"]+)"', listed.text)
    assert recordings is not None
    given = WHY | why | {"recordings": recordings[1]}
    checked = await browser.post("/holds/check", data=given)
    assert "Co się stanie" in checked.text, checked.text
    led = await browser.post("/holds", data=given)
    assert led.status_code == 303, led.text
    return str(led.headers["location"])


async def hold_of(browser: httpx.AsyncClient, batch: str) -> str:
    page = (await browser.get(batch)).text
    found = re.search(r'href="(/holds/[0-9a-f-]{36})"', page)
    assert found is not None
    return found[1]


async def test_a_clerk_holds_for_seven_days_and_is_told_what_happens(office: WebOffice) -> None:
    """R7.3a."""
    call = await office.call(seconds=1)
    clerk = await office.at_work(Role.REGISTRY_CLERK)
    chosen = {"recording": [str(call.recording_id)]}
    form = (await clerk.post("/holds/list", data=chosen)).text
    assert "wygasa po 7 dniach" in form
    given = WHY | {"recordings": str(call.recording_id)}
    check = (await clerk.post("/holds/check", data=given)).text
    assert "1 nagranie zostanie zabezpieczone" in check
    assert "hold:placed" not in await office.actions()
    batch = await placed(clerk, call)
    assert "Zabezpieczono 1 nagranie" in (await clerk.get(batch)).text
    assert "hold:placed" in await office.actions()
    page = (await clerk.get(f"/calls/{call.id}")).text
    assert "nie zostanie usunięte, choć" in page
    refused = await clerk.post("/holds", data=FULL | {"recordings": str(call.recording_id)})
    assert refused.status_code == 403


async def test_the_list_is_frozen_before_it_is_held(office: WebOffice) -> None:
    """R7.3h: what a search would find later is not held."""
    calls = [await office.call(seconds=1, caller_number="600123456") for _ in range(3)]
    clerk = await office.at_work(Role.REGISTRY_CLERK)
    led = await clerk.post("/search", data={"caller": "600123456"})
    search = led.headers["location"].rpartition("/")[2]
    listed = await clerk.post("/holds/list", data={"search": search})
    await office.call(seconds=1, caller_number="600123456")
    recordings = re.search(r'name="recordings" value="([^"]+)"', listed.text)
    assert recordings is not None
    assert set(recordings[1].split()) == {str(each.recording_id) for each in calls}
    led = await clerk.post("/holds", data=WHY | {"recordings": recordings[1]})
    assert "Zabezpieczono 3 nagrania" in (await clerk.get(led.headers["location"])).text


async def test_what_is_missing_is_said_and_nothing_is_held(office: WebOffice) -> None:
    call = await office.call(seconds=1)
    clerk = await office.at_work(Role.REGISTRY_CLERK)
    for path in ("/holds/check", "/holds"):
        page = await clerk.post(path, data={"recordings": str(call.recording_id), "days": "91"})
        assert page.status_code == 422
        for field in ("ground", "reference", "reason", "days"):
            assert f'<a href="#{field}">' in page.text
    none = await clerk.post("/holds/list", data={})
    assert "Wybierz co najmniej jedno nagranie" in none.text
    assert "hold:placed" not in await office.actions()


async def test_a_hold_is_reviewed_with_a_reason(office: WebOffice) -> None:
    """R7.3d: a provisional one becomes a real one."""
    call = await office.call(seconds=1)
    anna = await office.at_work(Role.ADMINISTRATOR)
    hold = await hold_of(anna, await placed(anna, call))
    assert "Tymczasowe, do potwierdzenia" in (await anna.get("/holds")).text
    missing = await anna.post(f"{hold}/review/check", data={"reason": "", "days": "120"})
    assert missing.status_code == 422
    assert "podaj własnymi słowami" in missing.text
    given = {"reason": "postępowanie trwa", "days": "30"}
    check = await anna.post(f"{hold}/review/check", data=given)
    assert "w ciągu 30 dni" in check.text
    led = await anna.post(f"{hold}/review", data=given)
    page = (await anna.get(led.headers["location"])).text
    assert "Zabezpieczenie pozostaje" in page
    assert "tymczasowe do" not in page
    await office.do("UPDATE hold SET review_by = now() - interval '1 day'")
    assert "po terminie" in (await anna.get("/holds")).text


async def test_lifting_takes_a_reason_and_a_second_person(office: WebOffice) -> None:
    """R7.3e."""
    call = await office.call(seconds=1)
    await office.person(Role.ADMINISTRATOR, login="anna")
    await office.person(Role.ADMINISTRATOR, login="beata")
    anna, beata = await office.sign_in("anna"), await office.sign_in("beata")
    hold = await hold_of(anna, await placed(anna, call, kind="full", days="60"))
    for name, said in (("reason", "umorzono"), ("reference", "1 Ds 5/2026")):
        missing = await anna.post(f"{hold}/lift/check", data={name: said})
        assert missing.status_code == 422
        assert f'name="{name}" type="text" value="{said}"' in missing.text, "nothing is lost"
    given = {"reason": "umorzono", "reference": "1 Ds 5/2026"}
    check = (await anna.post(f"{hold}/lift/check", data=given)).text
    assert "tego nie można cofnąć" in check
    led = await anna.post(f"{hold}/lift", data=given)
    page = (await anna.get(led.headers["location"])).text
    proposals = await office.services.keeping.approvals.waiting()
    path = f"/holds/proposals/{proposals[0].id}"
    assert path not in page, "whoever proposed is not offered to confirm"
    for act in ("check", "confirm"):
        own = await anna.post(f"{path}/{act}")
        assert own.status_code == 409
        assert "musi ją potwierdzić inna osoba" in own.text
    assert "Czeka na drugą osobę" in (await beata.get("/holds")).text
    asked = (await beata.post(f"{path}/check")).text
    assert "1 Ds 5/2026" in asked
    done = await beata.post(f"{path}/confirm")
    assert "Zabezpieczenie zniesiono" in (await beata.get(done.headers["location"])).text
    again = await beata.post(f"{path}/confirm")
    assert again.status_code == 409
    assert (await office.actions()).count("hold:lifted") == 1
    kept = (await anna.get(f"/calls/{call.id}")).text
    assert "Nagranie zostanie usunięte najpóźniej" in kept


async def test_a_proposal_is_refused_and_the_hold_stays(office: WebOffice) -> None:
    call = await office.call(seconds=1)
    await office.person(Role.ADMINISTRATOR, login="anna")
    await office.person(Role.ADMINISTRATOR, login="beata")
    anna, beata = await office.sign_in("anna"), await office.sign_in("beata")
    hold = await hold_of(anna, await placed(anna, call, kind="full", days="60"))
    await anna.post(f"{hold}/lift", data={"reason": "x", "reference": "y"})
    proposal = (await office.services.keeping.approvals.waiting())[0]
    led = await beata.post(f"/holds/proposals/{proposal.id}/refuse")
    assert "zabezpieczenie pozostaje" in (await beata.get(led.headers["location"])).text
    assert "hold:lifted" not in await office.actions()


async def test_an_act_of_weight_asks_for_a_fresh_proof_and_keeps_what_was_filled_in(
    office: WebOffice,
) -> None:
    call = await office.call(seconds=1)
    anna = await office.at_work(Role.ADMINISTRATOR)
    hold = await hold_of(anna, await placed(anna, call))
    await office.do("UPDATE session SET fresh_at = fresh_at - interval '11 minutes'")
    given = {"reason": "trwa: telefon 600 123 456", "days": "30"}
    asked = await anna.post(f"{hold}/review/check", data=given)
    assert asked.status_code == 403
    assert f'action="{hold}/review/check"' in asked.text
    for name, value in given.items():
        assert f'type="hidden" name="{name}" value="{value}"' in asked.text
    on = await anna.post(f"{hold}/review/check", data=given | {"proof-password": PASSWORD})
    assert on.status_code == 200, on.text
    assert given["reason"] in on.text


async def test_a_restricted_recording_is_heard_by_nobody(office: WebOffice) -> None:
    """R8.3b."""
    call = await office.call(seconds=1)
    clerk = await office.at_work(Role.REGISTRY_CLERK)
    await placed(clerk, call, ground="restriction")
    listener = await office.at_work(Role.LISTENER)
    refused = await listener.post(f"/calls/{call.id}/playbacks", data={"purpose": PURPOSE})
    assert refused.status_code == 409
    assert "ograniczone" in refused.text
    path = f"/api/v1/recordings/{call.recording_id}/playbacks"
    by_program = await listener.post(path, json={"purpose": PURPOSE})
    assert by_program.status_code == 409
