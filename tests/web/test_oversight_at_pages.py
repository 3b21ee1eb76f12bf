"""Completeness, incidents and the dashboard at pages, each role as much as it may see (RG.13)."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from recorder.accounts.model import Role
from recorder.completeness.model import Comparison, PbxCall
from recorder.model import CallId, Decision, Reason
from tests.web.office import ROOT, WebOffice, open_office

pytestmark = pytest.mark.postgres
HOSTILE = "\u202e<script>alert(1)</script>\x07" + "x" * 900


async def compared(office: WebOffice, *channels: str, missing: tuple[CallId, ...] = ()) -> str:
    """Keep what a comparison of today found; return the day."""
    now = office.parts.clock.now()
    day = now.astimezone(office.settings.office_zone).date()
    calls = tuple(
        PbxCall(channel_id=each, endpoint="trunk", started_at=now, ended_at=now, answered=True)
        for each in channels
    )
    await office.services.oversight.comparisons.keep(
        Comparison(
            day=day,
            compared_at=now,
            settled_until=now,
            pbx_calls=3 + len(calls),
            explained=3,
            never_answered=0,
            in_hand=0,
            unexplained=calls,
            without_record=missing,
        )
    )
    return day.isoformat()


async def test_an_unexplained_call_is_first_and_gets_its_explanation(office: WebOffice) -> None:
    """RG.13."""
    call = await office.call(seconds=1)
    day = await compared(office, "1732.1", "1732.2", missing=(call.id,))
    anna = await office.at_work(Role.ADMINISTRATOR)
    page = (await anna.get("/completeness")).text
    assert "2 połączenia są niewyjaśnione" in page
    assert page.index("1732.1") < page.index("Każde połączenie tego dnia")
    assert f"/calls/{call.id}" in page
    incident = re.search(r'href="(/incidents/[0-9a-f-]{36})"', page)
    assert incident is not None
    page = (await anna.get(incident[1])).text
    assert "i tak samo 1" in page
    empty = await anna.post(f"{incident[1]}/explain", data={"explanation": "  "})
    assert empty.status_code == 422
    early = await anna.post(f"{incident[1]}/close")
    assert early.status_code == 409
    led = await anna.post(f"{incident[1]}/explain", data={"explanation": HOSTILE, "alike": "all"})
    assert led.status_code == 303, led.text
    page = (await anna.get(led.headers["location"])).text
    assert "&lt;script&gt;alert(1)" in page
    assert "\u202e" not in page
    assert (await anna.post(f"{incident[1]}/close")).status_code == 303
    assert "zamknięty" in (await anna.get(incident[1])).text
    again = await anna.post(f"{incident[1]}/explain", data={"explanation": "x"})
    assert again.status_code == 409
    page = (await anna.get("/incidents?state=explained")).text
    assert "1732." in page
    assert (await office.actions()).count("incident:explained") == 2
    assert "Każde połączenie" in (await anna.get(f"/completeness/{day}")).text


async def test_every_call_of_a_day_stands_with_its_reason_and_is_paged(office: WebOffice) -> None:
    declined = Decision(record=False, reason=Reason.DECLINED)
    for number in range(52):
        await office.call(
            caller_number="600123456",
            line="<i>746</i>" if number == 0 else "746640800",
            ended_at=office.parts.clock.now() - timedelta(seconds=number),
            arrived_at=office.parts.clock.now() - timedelta(seconds=number + 1),
            consent=declined,
        )
    anna = await office.at_work(Role.ADMINISTRATOR)
    page = (await anna.get("/completeness")).text
    assert "Tego dnia nie porównano" in page
    assert "<i>746</i>" not in page
    assert "600" not in re.sub(r"746.?640.?800", "", re.sub(r"<[^>]+>", "", page))
    rows = len(re.findall(r'href="/calls/', page))
    following = re.search(r'href="(/completeness/[^"]+after=[^"]+)"', page)
    assert following is not None
    rest = (await anna.get(following[1].replace("&amp;", "&"))).text
    assert rows + len(re.findall(r'href="/calls/', rest)) == 52
    narrowed = (await anna.get("/completeness?reason=declined")).text
    assert "klawisz 2" in narrowed
    assert "call:listed" in await office.actions()


async def test_counts_are_all_that_sysadmin_and_contractor_see_of_calls(office: WebOffice) -> None:
    call = await office.call(seconds=1, line="746640800")
    day = await compared(office, "1732.1", missing=(call.id,))
    for role in (Role.SYSADMIN, Role.CONTRACTOR):
        browser = await office.at_work(role)
        for path in ("/", "/dashboard", "/completeness", f"/completeness/{day}", "/incidents"):
            answer = await browser.get(path)
            assert answer.status_code == 200, (role, path, answer.text)
            for secret in (str(call.id), str(call.recording_id), "664"):
                assert secret not in answer.text, (role, path)
        assert ("1732.1" in (await browser.get("/incidents")).text) is (role is Role.SYSADMIN)


async def test_the_dashboard_tells_alarms_and_charts_with_tables_and_nobody(
    office: WebOffice,
) -> None:
    """R4.2a, R7.2i, RG.9."""
    await office.call(seconds=1, caller_number="600123456", answered_by="kowalska")
    await office.do("UPDATE recording SET damaged_at = now()")
    await compared(office, "1732.1")
    await office.do(
        "INSERT INTO job (name, worker, last_started, last_succeeded, last_error, progress, "
        "next_due) VALUES ('purge', 'x', now(), now() - interval '4 minutes', '', "
        "'5 erased, 0 finished, 0 held, 0 failed', now() + interval '5 minutes')"
    )
    await office.do(
        "INSERT INTO capture_node VALUES ('pbx1', now(), true, true, true), "
        "('pbx2', now() - interval '1 hour', true, true, true), "
        "('pbx3', now(), false, false, true), ('pbx4', now(), false, true, true)"
    )
    for role in (Role.ADMINISTRATOR, Role.DPO, Role.SYSADMIN):
        page = (await (await office.at_work(role)).get("/dashboard")).text
        assert "Połączenie, którego nic nie wyjaśnia" in page
        assert "Uszkodzone lub brakujące nagrania" in page
        assert "4 minuty temu" in page
        assert page.count("milczy") == page.count("brak łączności z centralą") == 1
        assert page.count("wydawanie poleceń teraz niemożliwe") == 1
        assert "Usługi nagrywania, które teraz nie nagrywają" in page
        assert page.count('<svg class="canvas"') == 2
        assert page.count('class="behind"') == 2
        assert "kowalska" not in page
        assert "600" not in re.sub(r"[^\d ]", "", re.sub(r"<[^>]+>", " ", page)).split()
    listener = await office.at_work(Role.LISTENER)
    page = (await listener.get("/dashboard")).text
    assert '<svg class="canvas"' not in page
    assert "Pulpit" in page


async def test_an_office_without_control_of_live_recordings_sees_no_alarm(
    office: WebOffice,
) -> None:
    """It has set no AMI, on purpose: nothing is wrong with that."""
    await office.do("INSERT INTO capture_node VALUES ('pbx1', now(), false, true, false)")
    browser = await office.at_work(Role.SYSADMIN)
    for path in ("/dashboard", "/maintenance"):
        page = (await browser.get(path)).text
        state = page[page.index("Nagrywanie przy pbx1") :]
        state = state[: state.index("</dl>")]
        assert "w porządku" in state
        assert "sterowanie trwającymi nagraniami jest wyłączone" in state
        for alarm in ("brak łączności", "milczy", "niemożliwe", "chip warning", "chip danger"):
            assert alarm not in state, (path, alarm)
        assert "Nic nie czeka na człowieka" in page


async def test_the_foot_of_a_page_says_when_recording_does_not_work(
    database_url: str, tmp_path: Path
) -> None:
    """The last call went well; the service that records was heard of an hour ago."""
    regulation = tmp_path / "regulation.toml"
    text = (ROOT / "regulation.toml").read_text("utf-8")
    regulation.write_text(text.replace("recording = false", "recording = true"), "utf-8")
    async with open_office(database_url, tmp_path, regulation_file=regulation) as office:
        await office.call(seconds=1)
        browser = await office.at_work(Role.DPO)
        away = "Nagrywanie teraz nie działa"
        assert away in (await browser.get("/audit")).text, "no service has ever reported"
        for values, told in (
            ("now(), true, true, true", "Nagrywanie działa"),
            ("now(), false, true, false", "Nagrywanie działa"),
            ("now(), false, false, true", away),
            ("now() - interval '1 hour', true, true, true", away),
        ):
            await office.do("DELETE FROM capture_node")
            await office.do(f"INSERT INTO capture_node VALUES ('pbx1', {values})")
            office.services.footing._calls = None
            assert told in (await browser.get("/audit")).text, values
        await office.do("INSERT INTO capture_node VALUES ('pbx2', now(), true, true, true)")
        office.services.footing._calls = None
        assert "Nagrywanie działa tylko częściowo" in (await browser.get("/audit")).text


async def test_the_dashboard_of_an_empty_office_says_what_is_missing(office: WebOffice) -> None:
    page = (await (await office.at_work(Role.SYSADMIN)).get("/dashboard")).text
    assert "proszę uruchomić proces retencji" in page
    assert "Nic nie czeka na człowieka" in page


async def test_programs_explain_and_close_incidents(office: WebOffice) -> None:
    await compared(office, "1732.1")
    anna = await office.at_work(Role.ADMINISTRATOR)
    answer = (await anna.get("/api/v1/incidents")).json()
    (incident,) = answer["incidents"]
    assert (incident["kind"], incident["state"]) == ("unexplained_call", "open")
    path = f"/api/v1/incidents/{incident['id']}"
    early = await anna.post(f"{path}/close")
    assert early.status_code == 409
    told = await anna.post(f"{path}/explain", json={"explanation": "próba"})
    assert told.json() == {"explained": 1}
    assert (await anna.post(f"{path}/close")).status_code == 204
    assert (await anna.get("/api/v1/incidents")).json()["counts"] == []
    days = (await anna.get("/api/v1/completeness")).json()["days"]
    assert [(each["pbx_calls"], each["unexplained"]) for each in days] == [(4, 1)]
