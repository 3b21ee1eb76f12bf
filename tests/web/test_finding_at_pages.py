"""Finding a call at a page: four fields first, no number in an address, an answer that explains."""

import re
from datetime import timedelta

import httpx
import pytest

from recorder.accounts.model import Role
from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.postgres.desk import KEPT_FOR, PostgresSearches
from recorder.model import AnnouncementPlayed, Decision, Layer, PlaybackResult, Reason
from tests.contracts.test_announcement_catalogue import a_sound
from tests.signed_in import PURPOSE
from tests.web.office import WebOffice

pytestmark = pytest.mark.postgres
HOSTILE = '"><script>alert(1)</script>\u202e\x07'


async def found(browser: httpx.AsyncClient, **fields: str) -> httpx.Response:
    """Send the form as a browser does, and follow to the answer."""
    led = await browser.post("/search", data=fields)
    assert led.status_code == 303, led.text
    assert re.fullmatch(r"/search/[0-9a-f-]{36}", led.headers["location"])
    return await browser.get(led.headers["location"])


async def test_a_listener_lands_on_the_four_fields(office: WebOffice) -> None:
    """R7.5a."""
    browser = await office.at_work(Role.LISTENER)
    page = (await browser.get("/")).text
    places = [page.index(f'name="{name}"') for name in ("caller", "called", "day", "hour")]
    assert places == sorted(places)
    assert all(place < page.index("Więcej warunków") for place in places)
    sysadmin = await office.at_work(Role.SYSADMIN)
    assert 'action="/search"' not in (await sysadmin.get("/")).text


async def test_a_call_is_found_by_the_four_fields_and_numbers_are_masked(office: WebOffice) -> None:
    """R7.5a, R7.5c."""
    call = await office.call(seconds=5, caller_number="600123456", line="746640800")
    other = await office.call(seconds=1, caller_number="600123457", line="746640800")
    browser = await office.at_work(Role.LISTENER)
    local = call.arrived_at.astimezone(office.services.zone)
    page = await found(
        browser,
        caller="+48 600-123-456",
        called="0048 74 664 08 00",
        day=f"{local:%d.%m.%Y}",
        hour=f"{local:%H:%M}",
    )
    assert str(call.id) in page.text
    assert str(other.id) not in page.text
    assert "600***456" in page.text
    assert "600123456" not in re.sub(r'name="caller"[^>]*|<strong>.*?</strong>', "", page.text)
    assert re.search(r'data-label="Usunięcie">za 30 dni', page.text)


async def test_a_search_can_be_read_again_in_its_session_and_nowhere_else(
    office: WebOffice,
) -> None:
    await office.call(caller_number="600123456")
    browser = await office.at_work(Role.LISTENER)
    page = await found(browser, caller="600123456")
    again = await browser.get(page.url.path)
    assert again.status_code == 200
    elsewhere = await office.at_work(Role.COPY_MAKER)
    refused = await elsewhere.get(page.url.path)
    assert refused.status_code == 404
    assert "nie jest już przechowywane" in refused.text
    searches = PostgresSearches(office.engine)
    await searches.forget(office.parts.clock.now())
    assert (await browser.get(page.url.path)).status_code == 200
    await searches.forget(office.parts.clock.now() + KEPT_FOR + timedelta(seconds=1))
    assert (await browser.get(page.url.path)).status_code == 404


async def test_a_search_goes_with_its_session(office: WebOffice) -> None:
    browser = await office.at_work(Role.LISTENER)
    await found(browser, caller="600123456")
    await browser.post("/sign-out")
    await PostgresSearches(office.engine).forget(office.parts.clock.now())
    async with office.engine.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT count(*) FROM search")
        assert rows.scalar() == 0


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({}, "caller", "Podaj co najmniej jedną informację"),
        ({"day": "31.02.2026"}, "day", "podaj w postaci 12.11.2026"),
        ({"day": "dziś", "hour": "25"}, "hour", "podaj w postaci 14:30"),
        ({"hour": "10:00"}, "day", "do godziny trzeba podać dzień"),
        ({"begins": "6"}, "begins", "co najmniej trzy"),
        ({"ends": "456"}, "ends", "co najmniej cztery"),
        ({"caller": "1" * 65}, "caller", "najwyżej 64"),
        ({"employee": "101"}, "purpose", "wymaga celu"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    office: WebOffice, fields: dict[str, str], field: str, said: str
) -> None:
    browser = await office.at_work(Role.LISTENER)
    page = await browser.post("/search", data={"called": ""} | fields)
    assert page.status_code == 422
    assert f'<a href="#{field}">' in page.text
    assert said in page.text
    assert f'id="{field}-wrong"' in page.text
    assert all(f'value="{value}"' in page.text for value in fields.values())


@pytest.mark.parametrize("field", ["outcome", "reason", "window", "caller", "called", "withheld"])
@pytest.mark.parametrize("value", ["\x00", "a\x00b", "\ufffe", "no such thing", "1.1.0001"])
async def test_what_no_form_of_ours_sends_is_answered_with_a_page(
    office: WebOffice, field: str, value: str
) -> None:
    """B7: neither NUL nor a choice that is none brings a page down."""
    browser = await office.at_work(Role.LISTENER)
    led = await browser.post("/search", data={"day": "12.11.2026", field: value})
    assert led.status_code == 303, led.text
    assert (await browser.get(led.headers["location"])).status_code == 200


async def test_an_empty_answer_says_why_nothing_may_be_there(office: WebOffice) -> None:
    browser = await office.at_work(Role.LISTENER)
    old = (await found(browser, caller="600123456", day="1.1.2020", hour="10")).text
    assert "środa, 1 stycznia 2020" in old
    assert "usunięto najpóźniej: piątek, 31 stycznia 2020" in old
    assert "zwiększ liczbę minut" in old
    assert "według dnia, godziny i numeru urzędu" in old
    later = (await found(browser, day="1.1.2099")).text
    assert "jeszcze nie nadszedł" in later
    assert "usunięto najpóźniej" not in later


async def test_a_call_that_was_not_recorded_is_listed_with_its_reason(office: WebOffice) -> None:
    """R3.4f."""
    no = Decision(record=False, reason=Reason.DECLINED)
    await office.call(caller_number="", consent=no)
    browser = await office.at_work(Role.REGISTRY_CLERK)
    page = (await found(browser, withheld="1")).text
    assert "Dzwoniący wybrał rozmowę bez nagrywania (klawisz 2)." in page
    assert "zastrzeżony" in page


async def test_a_search_by_employee_takes_a_purpose_and_is_marked(office: WebOffice) -> None:
    """R4.2b."""
    await office.call(answered_by="desk-7", parties=("desk-7",))
    browser = await office.at_work(Role.LISTENER)
    page = await found(browser, employee="desk-7", purpose=PURPOSE)
    assert "desk-7" in page.text
    entry = next(each for each in await office.trail() if "by_employee" in each.details)
    assert entry.reason == PURPOSE
    clerk = await office.at_work(Role.REGISTRY_CLERK)
    refused = await clerk.post("/search", data={"employee": "desk-7", "purpose": PURPOSE})
    assert refused.status_code == 403
    assert "employee" not in (await clerk.get("/")).text


async def test_results_come_in_pages_and_none_is_missed(office: WebOffice) -> None:
    calls = [await office.call(caller_number="600123456") for _ in range(27)]
    browser = await office.at_work(Role.LISTENER)
    page = await found(browser, caller="600123456")
    seen = set(re.findall(r'href="/calls/([0-9a-f-]{36})"', page.text))
    following = re.search(r'href="(/search/[^"]+\?after=[^"]+)"', page.text)
    assert following is not None
    assert "600" not in following[1].partition("?")[2].replace("=", "") or len(following[1]) > 60
    rest = await browser.get(following[1].replace("&amp;", "&"))
    seen |= set(re.findall(r'href="/calls/([0-9a-f-]{36})"', rest.text))
    assert seen == {str(each.id) for each in calls}
    assert "To wszystkie." in rest.text


async def test_hostile_data_is_text_in_results_and_at_the_call(office: WebOffice) -> None:
    """B3."""
    call = await office.call(
        caller_number=HOSTILE, caller_name=HOSTILE, answered_by=HOSTILE, endpoint=HOSTILE
    )
    browser = await office.at_work(Role.LISTENER)
    pages = [await found(browser, caller=HOSTILE), await browser.get(f"/calls/{call.id}")]
    pages.append(await browser.post("/search", data={"caller": HOSTILE, "day": HOSTILE}))
    for page in pages:
        assert "<script>alert" not in page.text
        assert "\u202e" not in page.text
        assert "\x07" not in page.text
    assert "&lt;script&gt;" in pages[1].text


async def test_a_number_is_shown_whole_for_a_purpose_and_noted(office: WebOffice) -> None:
    call = await office.call(seconds=1, caller_number="600123456")
    browser = await office.at_work(Role.LISTENER)
    path = f"/calls/{call.id}/number"
    asked = await browser.post(path, data={})
    assert asked.status_code == 422
    assert "wybierz jeden z § 3 ust. 1" in asked.text
    shown = await browser.post(path, data={"purpose": PURPOSE})
    assert "<b>600</b><b>123</b><b>456</b>" in shown.text
    assert "number:revealed" in await office.actions()


async def test_an_erased_call_shows_its_tombstone_and_offers_nothing(office: WebOffice) -> None:
    call = await office.call(seconds=1)
    await office.do(
        "INSERT INTO tombstone SELECT :id, id, call_id, first_sample_at, ended_at, erase_by, now(),"
        " now(), 'automatic', 'due', 'process:retention', '2026-11', 30, sha256 FROM recording",
        id=call.recording_id,
    )
    await office.do("DELETE FROM recording")
    browser = await office.at_work(Role.LISTENER)
    page = (await browser.get(f"/calls/{call.id}")).text
    assert "Nagranie usunięto" in page
    assert "upłynął okres przechowywania (§ 7 ust. 2)" in page
    assert "/playbacks" not in page
    assert "/holds/list" not in page
    gone = await browser.post(f"/calls/{call.id}/playbacks", data={"purpose": PURPOSE})
    assert gone.status_code == 410
    assert "Nagranie zostało usunięte" in gone.text


async def test_who_listened_is_shown_by_right(office: WebOffice) -> None:
    call = await office.call(seconds=1)
    listener = await office.at_work(Role.LISTENER)
    led = await listener.post(f"/calls/{call.id}/playbacks", data={"purpose": PURPOSE})
    assert led.status_code == 303
    other = await office.at_work(Role.COPY_MAKER)
    dpo = await office.at_work(Role.DPO)
    for browser, seen in ((listener, True), (other, False), (dpo, True)):
        page = (await browser.get(f"/calls/{call.id}")).text
        heard = page.partition("Kto odsłuchał")[2]
        assert (PURPOSE in heard) is seen


async def test_what_the_caller_heard_is_read_and_played_at_the_call(office: WebOffice) -> None:
    """R8.2c, R8.2d."""
    sound = a_sound()
    version = AnnouncementCatalogue(office.settings.announcement_dir).add(
        sound, layer=Layer.FIRST, language="pl", text="Nagrywamy.", at=office.parts.clock.now()
    )
    played = AnnouncementPlayed(
        announcement_id=version.id,
        layer=Layer.FIRST,
        language="pl",
        sha256=version.sha256,
        length_ms=version.length_ms,
        result=PlaybackResult.HEARD,
    )
    call = await office.call(announcements=(played,))
    browser = await office.at_work(Role.LISTENER)
    page = (await browser.get(f"/calls/{call.id}")).text
    assert "Nagrywamy." in page
    assert version.sha256 in page
    assert "odtworzono do końca" in page
    answer = await browser.get(f"/announcements/{version.id}/sound")
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.content[44:] == sound.samples
    assert (await browser.get(f"/announcements/{call.id}/sound")).status_code == 404
