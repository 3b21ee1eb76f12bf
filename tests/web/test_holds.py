"""Holds and erasing by hand through the API: one proposes, another confirms, holds win (§ 7)."""

import pytest

from recorder.accounts.model import Role
from tests.signed_in import PURPOSE
from tests.web.office import WebOffice

pytestmark = pytest.mark.postgres
WHY = {"ground": "request_of_authority", "reference": "RSD 12/2026", "reason": "threats"}


async def test_a_hold_is_placed_reviewed_and_lifted_by_two(office: WebOffice) -> None:
    """R7.3a, R7.3e."""
    call = await office.call(seconds=1)
    anna = await office.at_work(Role.ADMINISTRATOR)
    await office.person(Role.ADMINISTRATOR, login="barbara")
    barbara = await office.sign_in("barbara")
    new = {"recording_ids": [str(call.recording_id)], **WHY}
    placed = await anna.post("/api/v1/holds", json=new)
    assert placed.status_code == 201, placed.text
    assert placed.json()["held"] == [str(call.recording_id)]
    [hold] = (await anna.get("/api/v1/holds")).json()["holds"]
    assert (hold["ground"], hold["overdue"]) == ("request_of_authority", False)
    assert "threats" not in str(hold)
    reviewed = await anna.post(f"/api/v1/holds/{hold['id']}/review", json={"reason": "still"})
    assert reviewed.status_code == 200
    lifting = {"reason": "over", "reference": "RSD 12/2026"}
    proposed = await anna.post(f"/api/v1/holds/{hold['id']}/lift", json=lifting)
    assert proposed.json()["done"] is False
    path = f"/api/v1/holds/proposals/{proposed.json()['proposal']['id']}/confirm"
    alone = await anna.post(path)
    assert alone.status_code == 409
    assert (await barbara.post(path)).status_code == 204
    assert (await anna.get("/api/v1/holds")).json()["holds"] == []
    assert (await barbara.post(path)).status_code == 409


async def test_a_search_holds_what_it_finds_now(office: WebOffice) -> None:
    """R7.3h."""
    calls = [await office.call(seconds=1, caller_number="600123456") for _ in range(3)]
    await office.call(seconds=1, caller_number="600999999")
    anna = await office.at_work(Role.ADMINISTRATOR)
    day = calls[0].arrived_at.astimezone(office.settings.office_zone).date()
    wanted = {"ground": WHY["ground"], "reference": "RSD 1/2026", "because": "threats"}
    without_day = await anna.post("/api/v1/holds/by-search", json={"caller": "600123456", **wanted})
    assert without_day.status_code == 422
    search = {"caller": "600 123 456", "day": str(day), **wanted}
    placed = await anna.post("/api/v1/holds/by-search", json=search)
    same_day = [
        each
        for each in calls
        if each.arrived_at.astimezone(office.settings.office_zone).date() == day
    ]
    assert set(placed.json()["held"]) == {str(each.recording_id) for each in same_day}
    old = await anna.post("/api/v1/holds/by-search", json=search | {"day": "2020-01-01"})
    assert old.status_code == 409
    nothing = await anna.post("/api/v1/holds/by-search", json=search | {"caller": "600000000"})
    assert nothing.status_code == 409


async def test_a_held_recording_is_not_erased_by_hand_and_a_free_one_by_two(
    office: WebOffice,
) -> None:
    """R7.2f, R7.3b."""
    held, free = await office.call(seconds=1), await office.call(seconds=1)
    anna = await office.at_work(Role.ADMINISTRATOR)
    await office.person(Role.ADMINISTRATOR, login="barbara")
    barbara = await office.sign_in("barbara")
    await anna.post("/api/v1/holds", json={"recording_ids": [str(held.recording_id)], **WHY})
    why = {"reason": "withdrawn consent"}
    refused = await anna.post(f"/api/v1/recordings/{held.recording_id}/erasure", json=why)
    assert refused.status_code == 409
    proposed = await anna.post(f"/api/v1/recordings/{free.recording_id}/erasure", json=why)
    assert proposed.json()["done"] is False
    waiting = (await barbara.get("/api/v1/erasures/proposals")).json()["proposals"]
    assert [each["subject"] for each in waiting] == [str(free.recording_id)]
    path = f"/api/v1/erasures/proposals/{waiting[0]['id']}/confirm"
    assert (await anna.post(path)).status_code == 409
    assert (await barbara.post(path)).json() == {"done": True, "proposal": None}
    assert (await anna.get("/api/v1/erasures/proposals")).json()["proposals"] == []
    row = await office.services.finder.recording(free.recording_id)  # type: ignore[arg-type]
    assert row is None
    assert not list(office.settings.vault_dir.rglob(f"{free.recording_id}*"))


async def test_a_restricted_recording_is_not_played_nor_played_on(office: WebOffice) -> None:
    """R8.3b."""
    call = await office.call(seconds=1)
    listener = await office.at_work(Role.LISTENER)
    anna = await office.at_work(Role.ADMINISTRATOR)
    path = f"/api/v1/recordings/{call.recording_id}/playbacks"
    opened = (await listener.post(path, json={"purpose": PURPOSE})).json()
    assert (await listener.get(opened["audio"])).status_code == 200
    restriction = WHY | {"ground": "restriction", "recording_ids": [str(call.recording_id)]}
    assert (await anna.post("/api/v1/holds", json=restriction)).status_code == 201
    for path_of in (opened["audio"], opened["audio"].replace("/audio", "/lanes")):
        running = await listener.get(path_of)
        assert (running.status_code, running.json()["reason"]) == (409, "restricted")
    again = await listener.post(path, json={"purpose": PURPOSE})
    assert again.status_code == 409
    assert "§ 8.3" in again.json()["detail"]


async def test_a_clerk_holds_for_seven_days_and_no_longer(office: WebOffice) -> None:
    call = await office.call(seconds=1)
    clerk = await office.at_work(Role.REGISTRY_CLERK)
    new = {"recording_ids": [str(call.recording_id)], **WHY}
    assert (await clerk.post("/api/v1/holds", json=new)).status_code == 403
    assert (await clerk.post("/api/v1/holds/provisional", json=new)).status_code == 201
    [hold] = (await clerk.get("/api/v1/holds")).json()["holds"]
    assert hold["lapses_at"] is not None
