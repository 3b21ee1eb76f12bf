"""How long recordings are kept, at pages and by the API: two persons, and what they see (R7.2c)."""

import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from recorder.accounts.model import Role
from recorder.web.services import Services
from tests.web.office import WebOffice, open_office

pytestmark = pytest.mark.postgres
HERE = "/settings/retention"
ROOT = Path(__file__).parents[2]
WHY = "zarządzenie 12/2026 <b>dyrektora</b>"


async def administrators(office: WebOffice) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    anna = await office.at_work(Role.ADMINISTRATOR)
    zofia = await office.sign_in((await office.person(Role.ADMINISTRATOR, login="zofia")).login)
    return anna, zofia


async def aged(office: WebOffice, *days: int) -> None:
    now = office.parts.clock.now()
    for each in days:
        await office.call(seconds=1, ended_at=now - timedelta(days=each))


def seen_in(page: str) -> str:
    found = re.search(r'name="seen" value="(\d+)"', page)
    assert found is not None, page
    return found[1]


async def proposed(browser: httpx.AsyncClient, days: int = 7) -> str:
    """Go through form, check and act; return the proposal's id."""
    given = {"days": str(days), "reason": WHY}
    checked = await browser.post(f"{HERE}/check", data=given)
    assert checked.status_code == 200, checked.text
    assert "<b>dyrektora</b>" not in checked.text
    led = await browser.post(HERE, data=given | {"seen": seen_in(checked.text)})
    assert led.status_code == 303, led.text
    page = (await browser.get(led.headers["location"])).text
    assert "Zmianę zaproponowano" in page
    found = re.search(r"/settings/retention/proposals/([0-9a-f-]{36})/", page)
    assert found is not None, page
    return found[1]


async def in_force(services: Services) -> int:
    return (await services.keeping.retention.in_force()).days


async def test_two_persons_shorten_after_both_saw_what_goes(office: WebOffice) -> None:
    """R7.2c."""
    await aged(office, 1, 10, 10, 20)
    held = await office.call(seconds=1, ended_at=office.parts.clock.now() - timedelta(days=12))
    await office.do(
        "INSERT INTO hold (id, recording_id, batch_id, ground, reference, reason, placed_by, "
        "placed_at, review_by, ended_by, end_reference) VALUES (gen_random_uuid(), :id, "
        "gen_random_uuid(), 'own_information', 'x', 'x', 'x', now(), now(), '', '')",
        id=held.recording_id,
    )
    anna, zofia = await administrators(office)
    page = (await anna.get(HERE)).text
    assert "Nic jeszcze nie zmieniono" in page
    checked = await anna.post(f"{HERE}/check", data={"days": "7", "reason": WHY})
    assert "3 nagrania znikną przy najbliższym przebiegu" in checked.text
    assert "1 nagranie też by zniknęło" in checked.text
    assert "1 kolejne nagranie zniknie wcześniej" in checked.text
    day = (office.parts.clock.now() - timedelta(days=10)).astimezone(office.services.zone).date()
    assert checked.text.count('data-label="Nagrania">2<') == 1
    assert day.isoformat() in checked.text or str(day.day) in checked.text
    proposal = await proposed(anna)
    own = await anna.get(HERE)
    assert "musi ją potwierdzić inna osoba" in own.text
    assert f"proposals/{proposal}/check" not in own.text
    for path in ("check", "confirm"):
        refused = await anna.post(f"{HERE}/proposals/{proposal}/{path}", data={"seen": "9"})
        assert refused.status_code == 409
    assert await in_force(office.services) == 30
    shown = (await zofia.post(f"{HERE}/proposals/{proposal}/check")).text
    assert "zarządzenie 12/2026" in shown
    led = await zofia.post(f"{HERE}/proposals/{proposal}/confirm", data={"seen": seen_in(shown)})
    assert led.status_code == 303, led.text
    page = (await zofia.get(led.headers["location"])).text
    assert await in_force(office.services) == 7
    assert "7 dni" in page
    assert re.search(r'data-label="Usunięto od razu">3<', page)
    assert "<b>dyrektora</b>" not in page
    actions = await office.actions()
    assert actions.index("approval:proposed") < actions.index("approval:confirmed")
    assert actions[actions.index("approval:confirmed") + 1] == "retention:changed"
    again = await zofia.post(f"{HERE}/proposals/{proposal}/confirm", data={"seen": "3"})
    assert again.status_code == 409


async def test_more_than_was_shown_is_shown_before_anything_is_done(office: WebOffice) -> None:
    """The numbers are those that a person saw."""
    await aged(office, 10)
    anna, zofia = await administrators(office)
    checked = (await anna.post(f"{HERE}/check", data={"days": "7", "reason": WHY})).text
    await aged(office, 10)
    given = {"days": "7", "reason": WHY, "seen": seen_in(checked)}
    grew = await anna.post(HERE, data=given)
    assert grew.status_code == 409
    assert "Pokazano, że od razu zniknie 1; teraz jest to 2" in grew.text
    proposal = await proposed(anna)
    await aged(office, 10)
    shown = (await zofia.post(f"{HERE}/proposals/{proposal}/check")).text
    assert "Od złożenia propozycji liczby się zmieniły" in shown
    await aged(office, 10)
    path = f"{HERE}/proposals/{proposal}/confirm"
    grew = await zofia.post(path, data={"seen": seen_in(shown)})
    assert (grew.status_code, seen_in(grew.text)) == (409, "4")
    assert await in_force(office.services) == 30
    assert (await zofia.post(path, data={"seen": "4"})).status_code == 303


@pytest.mark.parametrize(
    ("days", "says"),
    [
        ("0", "od 1 do 30"),
        ("31", "od 1 do 30"),
        ("-7", "od 1 do 30"),
        ("siedem", "od 1 do 30"),
        ("²", "od 1 do 30"),
        ("", "od 1 do 30"),
        ("30", "już obowiązuje"),
    ],
)
async def test_days_that_may_not_be_set_are_named_and_kept(
    office: WebOffice, days: str, says: str
) -> None:
    """§ 7.2."""
    anna = await office.at_work(Role.ADMINISTRATOR)
    for path in (HERE, f"{HERE}/check"):
        page = await anna.post(path, data={"days": days, "reason": WHY, "seen": "0"})
        assert page.status_code == 422
        assert says in page.text
        assert '<a href="#days">' in page.text
        assert "zarządzenie 12/2026" in page.text
    page = await anna.post(f"{HERE}/check", data={"days": "7", "reason": "  "})
    assert '<a href="#reason">' in page.text
    page = await anna.post(f"{HERE}/check", data={"days": "7", "reason": "x" * 501})
    assert page.status_code == 422
    assert "approval:proposed" not in await office.actions()


async def test_others_see_it_and_change_nothing(office: WebOffice) -> None:
    anna, _ = await administrators(office)
    proposal = await proposed(anna)
    for role in (Role.DPO, Role.SYSADMIN):
        browser = await office.at_work(role)
        page = (await browser.get(HERE)).text
        assert "Zmianę zaproponowano" in page
        assert "/proposals/" not in page
        for path in ("/check", "", f"/proposals/{proposal}/check"):
            assert (await browser.post(f"{HERE}{path}", data={})).status_code == 403
        for act in ("confirm", "refuse"):
            path = f"/api/v1/retention/proposals/{proposal}/{act}"
            assert (await browser.post(path, json={"seen": 9})).status_code == 403
    listener = await office.at_work(Role.LISTENER)
    assert (await listener.get(HERE)).status_code == 403
    assert await in_force(office.services) == 30


async def test_a_proposal_is_taken_back_or_refused_and_the_days_stay(office: WebOffice) -> None:
    anna, zofia = await administrators(office)
    for browser in (anna, zofia):
        proposal = await proposed(anna)
        led = await browser.post(f"{HERE}/proposals/{proposal}/refuse")
        assert "dni pozostają" in (await browser.get(led.headers["location"])).text
        again = await browser.post(f"{HERE}/proposals/{proposal}/refuse")
        assert again.status_code == 409
    assert await in_force(office.services) == 30


async def test_a_second_proposal_waits_and_an_old_one_says_that_it_is_void(
    office: WebOffice,
) -> None:
    anna, zofia = await administrators(office)
    proposal = await proposed(anna)
    given = {"days": "14", "reason": WHY, "seen": "0"}
    assert (await zofia.post(HERE, data=given)).status_code == 409
    await office.do("UPDATE approval SET proposed_at = now() - interval '8 days'")
    page = (await zofia.get(HERE)).text
    assert "jest nieważna" in page
    assert f"proposals/{proposal}/check" not in page
    assert (await zofia.post(HERE, data=given)).status_code == 303


async def test_what_the_file_wants_is_shown_beside_what_holds(office: WebOffice) -> None:
    """Fewer days in the file wait; fewer by a decision are said."""
    await office.do(
        "INSERT INTO applied_setting VALUES ('retention_days', 7, now(), 'person:x', 30)"
    )
    anna = await office.at_work(Role.ADMINISTRATOR)
    page = (await anna.get(HERE)).text
    assert "mniej dni, niż mówi plik regulation.toml" in page
    page = (await anna.get("/settings")).text
    assert HERE in page


async def test_fewer_days_in_the_file_wait_and_are_offered(
    database_url: str, tmp_path: Path
) -> None:
    words = (ROOT / "regulation.toml").read_text(encoding="utf-8")
    file = tmp_path / "regulation.toml"
    file.write_text(words.replace("days = 30", "days = 7"), encoding="utf-8")
    async with open_office(database_url, tmp_path, regulation_file=file) as office:
        await office.do(
            "INSERT INTO applied_setting VALUES ('retention_days', 30, now(), 'person:x', 30)"
        )
        anna = await office.at_work(Role.ADMINISTRATOR)
        for path in (HERE, "/settings"):
            page = (await anna.get(path)).text
            assert "Krótszy okres czeka" in page
            assert "30 dni" in page
        assert 'value="7"' in (await anna.get(HERE)).text
        assert "do 30 dni" in (await anna.get("/deletions")).text
        ended = office.parts.clock.now() - timedelta(days=20)
        call = await office.call(seconds=1, ended_at=ended, caller_number="600123456")
        day = ended.astimezone(office.services.zone).date().isoformat()
        held = {
            "day": day,
            "caller": "600123456",
            "ground": "request_of_authority",
            "reference": "RSD 12/2026",
            "because": "groźby",
        }
        answer = await anna.post("/api/v1/holds/by-search", json=held)
        assert answer.status_code == 201, answer.text
        assert answer.json()["held"] == [str(call.recording_id)]


async def test_two_persons_change_it_by_the_api(office: WebOffice) -> None:
    await aged(office, 10)
    anna, zofia = await administrators(office)
    told = (await anna.get("/api/v1/retention")).json()
    assert (told["in_force"], told["regulation_toml"], told["proposal"]) == (30, 30, None)
    effect = (await anna.post("/api/v1/retention/effect", json={"days": 7})).json()
    assert (effect["at_once"], len(effect["days"]), len(effect["calls_on"])) == (1, 31, 1)
    for wrong in (0, 31):
        answer = await anna.post("/api/v1/retention/effect", json={"days": wrong})
        assert answer.status_code == 422
    new = {"days": 7, "reason": "zarządzenie", "seen": 0}
    assert (await anna.post("/api/v1/retention/proposals", json=new)).status_code == 409
    answer = await anna.post("/api/v1/retention/proposals", json=new | {"seen": 1})
    assert answer.status_code == 201, answer.text
    proposal = answer.json()["proposal"]
    assert (proposal["to_days"], proposal["at_once"]) == (7, 1)
    path = f"/api/v1/retention/proposals/{proposal['id']}/confirm"
    assert (await anna.post(path, json={"seen": 1})).status_code == 409
    assert (await zofia.post(path, json={"seen": 0})).status_code == 409
    answer = await zofia.post(path, json={"seen": 1})
    assert (answer.status_code, answer.json()["at_once"]) == (200, 1)
    told = (await zofia.get("/api/v1/retention")).json()
    assert told["in_force"] == 7
    assert [(each["from_days"], each["to_days"]) for each in told["changes"]] == [
        (30, 7),
        (None, 30),
    ]
    async with office.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM retention_change")) == 2
