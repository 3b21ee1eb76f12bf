"""Calls and recordings through the API: found, shown, and nothing more than may be (A2, A10)."""

import json
from datetime import timedelta

import pytest

from recorder.accounts.model import Role
from tests.signed_in import PURPOSE
from tests.web.office import WebOffice

pytestmark = pytest.mark.postgres
NOBODY = "01a20c69-337a-75a6-9b83-bf45ec100461"


async def test_the_four_fields_find_the_recording_in_every_spelling(office: WebOffice) -> None:
    """R7.5a, R7.5c."""
    call = await office.call(seconds=2, caller_number="600123456", line="746640800")
    await office.call(seconds=2, caller_number="600999888", line="746640801")
    browser = await office.at_work(Role.LISTENER)
    local = call.arrived_at.astimezone(office.settings.office_zone)
    when = {"day": f"{local:%Y-%m-%d}", "hour": f"{local:%H:%M}", "window_minutes": 5}
    for caller in ("600123456", "+48 600 123 456", "0048600123456", "600-123-456"):
        wanted = {"caller": caller, "called": "74 664 08 00", **when}
        answer = await browser.post("/api/v1/recordings/search", json=wanted)
        assert answer.status_code == 200, answer.text
        found = answer.json()["recordings"]
        assert [each["id"] for each in found] == [str(call.recording_id)]
        assert found[0]["caller_number"] == "600***456"
    for digits in (
        {"caller_begins": "60012"},
        {"caller_ends": "3456"},
        {"caller_begins": "+48 6001"},
    ):
        found = (await browser.post("/api/v1/calls/search", json=digits)).json()["calls"]
        assert [each["id"] for each in found] == [str(call.id)], digits
    entry = (await office.trail())[-1]
    assert (entry.action, json.loads(entry.details)) == (
        "call:searched",
        {"by": "caller_begins", "found": 1},
    )
    assert json.loads(entry.data) == {"caller_begins": "+48 6001"}


async def test_a_withheld_number_is_found_by_line_and_time(office: WebOffice) -> None:
    call = await office.call(seconds=1, caller_number="anonymous")
    await office.call(seconds=1, caller_number="600123456")
    browser = await office.at_work(Role.LISTENER)
    wanted = {"caller": "withheld", "called": "746640800"}
    found = (await browser.post("/api/v1/recordings/search", json=wanted)).json()["recordings"]
    assert [each["id"] for each in found] == [str(call.recording_id)]


async def test_pages_go_on_by_a_cursor_that_says_nothing(office: WebOffice) -> None:
    calls = [await office.call() for _ in range(5)]
    browser = await office.at_work(Role.REGISTRY_CLERK)
    seen, cursor = [], None
    for size in (2, 2, 1):
        wanted = {"limit": 2, "cursor": cursor}
        page = (await browser.post("/api/v1/calls/search", json=wanted)).json()
        assert len(page["calls"]) == size
        seen += [each["id"] for each in page["calls"]]
        cursor = page["next"]
    assert cursor is None
    newest_first = sorted(calls, key=lambda each: each.arrived_at, reverse=True)
    assert seen == [str(each.id) for each in newest_first]
    for bad in ("x", "AAAA", "%00", "/" * 32, "é"):
        answer = await browser.post("/api/v1/calls/search", json={"cursor": bad})
        assert answer.status_code == 422, bad


@pytest.mark.parametrize(
    "wanted",
    [
        {"caller": "%"},
        {"caller": "_" * 64},
        {"caller": "' OR 1=1 --"},
        {"caller": "\u0000\U0001f600"},
        {"caller_begins": "000000"},
        {"day": "0001-01-01", "hour": "00:00", "window_minutes": 1440},
        {"day": "9999-12-31", "hour": "23:59", "window_minutes": 1440},
        {"day": "2026-10-25", "hour": "02:30"},
        {"outcome": "recorded", "reason": "declined"},
    ],
)
async def test_a_strange_search_finds_nothing(office: WebOffice, wanted: dict[str, object]) -> None:
    """B10."""
    await office.call(caller_number="600123456")
    browser = await office.at_work(Role.LISTENER)
    answer = await browser.post("/api/v1/calls/search", json=wanted)
    assert answer.status_code == 200, answer.text
    assert answer.json()["calls"] == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"caller": "1" * 65},
        {"caller": ""},
        {"caller": ["600"]},
        {"caller_begins": "12"},
        {"caller_begins": "%%%%"},
        {"hour": "10:00"},
        {"day": "2026-02-30"},
        {"window_minutes": -1},
        {"limit": 0},
        {"limit": 10_000},
        {"order_by": "caller_number; DROP TABLE call"},
        {"outcome": "anything"},
        [],
        None,
    ],
)
async def test_a_search_that_is_none_names_its_field_and_repeats_nothing(
    office: WebOffice, wanted: object
) -> None:
    """B10."""
    browser = await office.at_work(Role.LISTENER)
    answer = await browser.post("/api/v1/calls/search", json=wanted)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "urn:rejestrator:problem:invalid"
    assert problem["errors"]
    assert "DROP" not in answer.text
    assert "%%%%" not in answer.text


async def test_a_number_is_revealed_for_a_purpose_and_noted(office: WebOffice) -> None:
    call = await office.call(caller_number="600123456", caller_name="Zenobia <b>Kwiat</b>")
    browser = await office.at_work(Role.LISTENER)
    shown = (await browser.get(f"/api/v1/calls/{call.id}")).json()
    assert shown["caller_number"] == "600***456"
    assert "kwiat" not in json.dumps(shown).lower()
    path = f"/api/v1/calls/{call.id}/reveal"
    for why in ({}, {"purpose": "ciekawość"}, {"request": "31"}):
        answer = await browser.post(path, json=why)
        assert (answer.status_code, answer.json()["type"]) == (
            422,
            "urn:rejestrator:problem:purpose-needed",
        )
    for why in ({"purpose": PURPOSE}, {"request": "W/31/2026"}):
        answer = await browser.post(path, json=why)
        assert answer.json()["caller_number"] == "600123456"
    assert [each.reason for each in await office.trail()][-2:] == [PURPOSE, "W/31/2026"]


async def test_a_search_by_employee_takes_a_purpose_and_is_marked(office: WebOffice) -> None:
    """R4.2b."""
    call = await office.call(answered_by="desk-7")
    await office.call(answered_by="desk-8")
    browser = await office.at_work(Role.LISTENER)
    path = "/api/v1/calls/search-by-employee"
    refused = await browser.post(path, json={"employee": "desk-7"})
    assert refused.json()["reason"] == "purpose_missing"
    answer = await browser.post(path, json={"employee": "desk-7", "purpose": PURPOSE})
    assert [each["id"] for each in answer.json()["calls"]] == [str(call.id)]
    entry = (await office.trail())[-1]
    assert json.loads(entry.details)["marks"] == "by_employee"
    assert entry.reason == PURPOSE


async def test_what_is_not_yours_and_what_is_not_there_are_answered_alike(
    office: WebOffice,
) -> None:
    """A2."""
    call = await office.call(seconds=1, line="746640899")
    browser = await office.at_work(Role.LISTENER, lines=("746640800",))
    for path, body in (
        ("/api/v1/calls/{}/reveal", {"purpose": PURPOSE}),
        ("/api/v1/recordings/{}/playbacks", {"purpose": PURPOSE}),
    ):
        own = call.id if "calls" in path else call.recording_id
        theirs = await browser.post(path.format(own), json=body)
        absent = await browser.post(path.format(NOBODY), json=body)
        assert theirs.status_code == absent.status_code == 404
        assert theirs.json() == absent.json()
    assert [each.reason for each in await office.trail() if each.action == "access:refused"] == [
        "not_yours",
        "not_yours",
    ]


async def test_the_erased_is_gone_from_every_answer(office: WebOffice) -> None:
    call = await office.call(seconds=1)
    browser = await office.at_work(Role.LISTENER)
    assert (await browser.get(f"/api/v1/recordings/{call.recording_id}")).status_code == 200
    await office.do("DELETE FROM recording")
    assert (await browser.get(f"/api/v1/recordings/{call.recording_id}")).status_code == 404
    found = await browser.post("/api/v1/recordings/search", json={})
    assert found.json() == {"recordings": [], "next": None}
    assert timedelta(0) < call.ended_at - call.arrived_at  # type: ignore[operator]
