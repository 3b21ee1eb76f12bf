"""Deletion at pages: what is due, each day's report, by hand with a second person (§ 7.2)."""

import re
from datetime import timedelta

import httpx
import pytest

from recorder.accounts.model import Role
from recorder.erasure.brakes import Brake
from recorder.model import CallRecord
from tests.web.office import WebOffice

pytestmark = pytest.mark.postgres
WHY = "nagrano rozmowę prywatną <b>w sieni</b>"


async def proposed(browser: httpx.AsyncClient, call: CallRecord) -> str:
    """Go through form, check and act; return the page of the erasing after it."""
    form = await browser.get(f"/calls/{call.id}/erasure")
    assert form.status_code == 200, form.text
    checked = await browser.post(f"/calls/{call.id}/erasure/check", data={"reason": WHY})
    assert "Co się stanie" in checked.text, checked.text
    assert "<b>w sieni</b>" not in checked.text
    led = await browser.post(f"/calls/{call.id}/erasure", data={"reason": WHY})
    assert led.status_code == 303, led.text
    return (await browser.get(f"/calls/{call.id}/erasure")).text


def proposal_in(page: str) -> str:
    found = re.search(r"/deletions/proposals/([0-9a-f-]{36})/", page)
    assert found is not None, page
    return found[1]


async def test_two_persons_erase_by_hand_and_a_tombstone_stays(office: WebOffice) -> None:
    """R7.2f, R7.2g."""
    call = await office.call(seconds=1, caller_number="600123456")
    anna = await office.at_work(Role.ADMINISTRATOR)
    page = await proposed(anna, call)
    proposal = proposal_in(page)
    assert "musi ją potwierdzić inna osoba" in page
    assert "Usunięcie zaproponowano" in (await anna.get(f"/calls/{call.id}")).text
    own = await anna.post(f"/deletions/proposals/{proposal}/confirm")
    assert own.status_code == 409
    other = await office.sign_in((await office.person(Role.ADMINISTRATOR, login="zofia")).login)
    assert "Usunięcie nagrania ręcznie" in (await other.get("/deletions")).text
    checked = await other.post(f"/deletions/proposals/{proposal}/check")
    assert "Jedno nagranie zostanie teraz trwale usunięte" in checked.text
    led = await other.post(f"/deletions/proposals/{proposal}/confirm")
    assert led.status_code == 303, led.text
    page = (await other.get(led.headers["location"])).text
    assert "Nagranie usunięto" in page
    assert "600 123 456" not in page
    gone = await other.get(f"/calls/{call.id}/erasure")
    assert gone.status_code == 410
    actions = await office.actions()
    assert {"approval:proposed", "approval:confirmed", "recording:erased"} <= set(actions)


async def test_a_hold_wins_and_says_so(office: WebOffice) -> None:
    call = await office.call(seconds=1)
    clerk = await office.at_work(Role.REGISTRY_CLERK)
    given = {
        "ground": "request_of_authority",
        "reference": "RSD 12/2026",
        "reason": "groźby",
        "kind": "provisional",
        "days": "7",
        "recordings": str(call.recording_id),
    }
    assert (await clerk.post("/holds", data=given)).status_code == 303
    anna = await office.at_work(Role.ADMINISTRATOR)
    page = (await anna.get(f"/calls/{call.id}/erasure")).text
    assert "zabezpieczone" in page
    assert 'name="reason"' not in page
    refused = await anna.post(f"/calls/{call.id}/erasure", data={"reason": WHY})
    assert refused.status_code == 409


async def test_without_a_reason_nothing_is_proposed(office: WebOffice) -> None:
    call = await office.call(seconds=1)
    anna = await office.at_work(Role.ADMINISTRATOR)
    for path in ("", "/check"):
        page = await anna.post(f"/calls/{call.id}/erasure{path}", data={"reason": "  "})
        assert page.status_code == 422
        assert '<a href="#reason">' in page.text
    assert "approval:proposed" not in await office.actions()


async def test_whoever_proposed_takes_it_back_and_another_refuses(office: WebOffice) -> None:
    call = await office.call(seconds=1)
    anna = await office.at_work(Role.ADMINISTRATOR)
    proposal = proposal_in(await proposed(anna, call))
    led = await anna.post(f"/deletions/proposals/{proposal}/refuse")
    assert "Nagranie pozostaje" in (await anna.get(led.headers["location"])).text
    again = await anna.post(f"/deletions/proposals/{proposal}/refuse")
    assert again.status_code == 409


async def test_one_is_led_from_a_number_to_erasing(office: WebOffice) -> None:
    call = await office.call(seconds=1)
    anna = await office.at_work(Role.ADMINISTRATOR)
    for number in (call.id, call.recording_id):
        led = await anna.post("/deletions/find", data={"number": f" {number} "})
        assert led.headers["location"] == f"/calls/{call.id}/erasure"
    for wrong in ("600123456", "<script>", str(call.id)[:-1] + "0", "\u202e" + "x" * 900):
        page = await anna.post("/deletions/find", data={"number": wrong})
        assert page.status_code == 422
        assert "<script>" not in page.text
        assert "\u202e" not in page.text


async def test_the_days_to_come_are_counted_and_held_ones_stand_apart(office: WebOffice) -> None:
    """§ 7.2, § 7.3."""
    calls = [await office.call(seconds=1) for _ in range(3)]
    await office.do(
        "INSERT INTO hold (id, recording_id, batch_id, ground, reference, reason, placed_by, "
        "placed_at, review_by, ended_by, end_reference) VALUES (gen_random_uuid(), :id, "
        "gen_random_uuid(), 'own_information', 'x', 'x', 'x', now(), now(), '', '')",
        id=calls[0].recording_id,
    )
    anna = await office.at_work(Role.ADMINISTRATOR)
    page = (await anna.get("/deletions")).text
    assert re.search(r'<td class="heat-4"><time datetime="[-0-9]{10}">[^<]*</time> <b>2</b>', page)
    assert re.search(r'data-label="Zabezpieczone">1<', page)
    answer = (await anna.get("/api/v1/deletions/coming")).json()
    assert sum(each["due"] for each in answer["days"]) == 2
    assert sum(each["held"] for each in answer["days"]) == 1
    await office.do("UPDATE recording SET erase_by = now() - interval '1 hour'")
    page = (await anna.get("/deletions")).text
    assert "2 nagrania są po terminie" in page
    assert "1 zabezpieczone nagranie jest po terminie" in page


async def test_the_report_of_a_day_lists_what_was_erased_for_who_may_know(
    office: WebOffice,
) -> None:
    call = await office.call(seconds=1)
    anna = await office.at_work(Role.ADMINISTRATOR)
    proposal = proposal_in(await proposed(anna, call))
    other = await office.sign_in((await office.person(Role.ADMINISTRATOR, login="zofia")).login)
    await other.post(f"/deletions/proposals/{proposal}/confirm")
    day = office.parts.clock.now().astimezone(office.settings.office_zone).date()
    await office.do(
        "INSERT INTO deletion_report VALUES (:day, 7, 5, 1, 1, 1, now())",
        day=day - timedelta(days=1),
    )
    page = (await anna.get(f"/deletions/days/{day}")).text
    assert str(call.recording_id) in page
    assert "na polecenie" in page, page[page.index(str(call.recording_id)) :][:600]
    assert "wymaga uwagi" in (await anna.get(f"/deletions/days/{day - timedelta(days=1)}")).text
    sysadmin = await office.at_work(Role.SYSADMIN)
    page = (await sysadmin.get(f"/deletions/days/{day}")).text
    assert str(call.recording_id) not in page
    assert "daje wgląd w liczby" in page
    for wrong in ("2026-13-01", "9999-12-31", "x", "../x"):
        assert (await anna.get(f"/deletions/days/{wrong}")).status_code == 404
    assert "erasures:listed" in await office.actions()


async def test_many_erasures_of_a_day_are_paged(office: WebOffice) -> None:
    await office.do(
        "INSERT INTO tombstone SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), "
        "at, at, at, at, at, 'automatic', 'expired', 'process:retention', '1', 30, '' "
        "FROM generate_series(now(), now() + interval '1 s', interval '10 ms') at"
    )
    anna = await office.at_work(Role.ADMINISTRATOR)
    day = office.parts.clock.now().astimezone(office.settings.office_zone).date()
    seen, path = set(), f"/deletions/days/{day}"
    for _ in range(3):
        page = (await anna.get(path)).text
        seen |= set(re.findall(r"<code>([0-9a-f-]{36})</code>", page))
        found = re.search(r'href="(/deletions/days/[^"]+after=[^"]+)"', page)
        if found is None:
            break
        path = found[1]
    assert len(seen) == 101


async def test_a_brake_is_shown_and_released_by_who_may(office: WebOffice) -> None:
    """P5."""
    log = office.services.oversight.purge_log
    await log.put_on(
        Brake.HOLDS_VANISHED,
        detail="2 holds, <i>x</i> among them",
        at=office.parts.clock.now(),
        token="9f3ac1d2",
    )
    dpo = await office.at_work(Role.DPO)
    page = (await dpo.get("/deletions")).text
    assert "9f3ac1d2" not in page
    assert 'action="/deletions/brakes/check"' not in page
    assert (
        await dpo.post("/deletions/brakes/release", data={"token": "9f3ac1d2"})
    ).status_code == 403
    sysadmin = await office.at_work(Role.SYSADMIN)
    page = (await sysadmin.get("/deletions")).text
    assert "recorder purge --confirm 9f3ac1d2" in page
    assert "<i>x</i>" not in page
    wrong = await sysadmin.post("/deletions/brakes/release", data={"token": "00000000"})
    assert wrong.status_code == 409
    checked = await sysadmin.post("/deletions/brakes/check", data={"token": "9f3ac1d2"})
    assert "Co się stanie" in checked.text
    led = await sysadmin.post("/deletions/brakes/release", data={"token": "9f3ac1d2"})
    assert led.status_code == 303
    assert [each.released for each in await log.brakes()] == [True]
    assert "purge:released" in await office.actions()
