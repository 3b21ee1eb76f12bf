"""The audit trail at pages: filters, verification, export, and everything for the authority."""

import io
import json
import re
import zipfile
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import httpx
import pytest

from recorder.access.playback import Over, Playback, PlaybackId
from recorder.accounts.model import Account, Role
from recorder.adapters.audit_files import create_key
from recorder.adapters.keeping import open_trail_keeper
from recorder.approvals.model import Action
from recorder.audit.event import Actor, ActorKind, AuditEvent
from recorder.erasure.brakes import Brake
from recorder.model import CallRecord, IncidentKind, RecordingId
from recorder.web.pages.trail import PAGE_ROWS, WHY
from tests.signed_in import PURPOSE
from tests.web.office import OPERATOR, WebOffice, open_office
from tests.web.test_who_may_do_what import NOBODY

pytestmark = pytest.mark.postgres
HOSTILE = '"><script>alert(1)</script>\u202e\x07'


async def found(browser: httpx.AsyncClient, **fields: str) -> str:
    """Send the filters as a browser does, and return the page they lead to."""
    led = await browser.post("/audit/search", data=fields)
    assert led.status_code == 303, led.text
    assert re.fullmatch(r"/audit/search/[0-9a-f-]{36}", led.headers["location"])
    return (await browser.get(led.headers["location"])).text


def acts(page: str) -> list[str]:
    return re.findall(r'data-label="Czynność">([^<]+)<', page)


async def test_the_dpo_sees_all_and_others_their_own(office: WebOffice) -> None:
    """R8.1e, the matrix's ○."""
    await office.person(Role.LISTENER, login="sluchacz")
    await office.do("UPDATE account SET name = 'Zofia Lis' WHERE login = 'sluchacz'")
    browser = await office.sign_in("sluchacz")
    dpo = await office.at_work(Role.DPO)
    own, all_of_them = (await browser.get("/audit")).text, (await dpo.get("/audit")).text
    assert "Widać tu tylko własne wpisy" in own
    assert set(re.findall(r'data-label="Kto">([^<]+)<', own)) == {"Zofia Lis"}
    assert "dodanie konta" not in acts(own)
    assert "dodanie konta" in acts(all_of_them)
    stolen = await found(browser, person=str((await office.person(Role.DPO, login="iod")).id))
    assert acts(stolen)
    assert set(re.findall(r'data-label="Kto">([^<]+)<', stolen)) == {"Zofia Lis"}
    assert (await (await office.at_work(Role.SYSADMIN)).get("/audit")).status_code == 403


async def test_entries_are_found_by_person_act_object_and_day(office: WebOffice) -> None:
    call, other = await office.call(seconds=1), await office.call(seconds=1)
    listener = await office.at_work(Role.LISTENER)
    await listener.get(f"/calls/{call.id}")
    await listener.get(f"/calls/{other.id}")
    visitor = await office.visitor(listener)
    dpo = await office.at_work(Role.DPO)
    person = str(visitor.account.id)
    assert acts(await found(dpo, person=person, act="call:shown")) == ["wgląd w połączenie"] * 2
    page = await found(dpo, about=str(call.id))
    assert acts(page) == ["wgląd w połączenie"]
    assert f'href="/calls/{call.id}"' in page
    assert acts(await found(dpo, person=person, act="call:shown", since="wczoraj", until="dziś"))
    assert "Żaden wpis nie pasuje" in await found(dpo, act="call:shown", until="wczoraj")
    assert "Żaden wpis nie pasuje" in await found(dpo, person="retention")


async def test_what_is_wrong_with_the_filters_is_said_and_nothing_lost(office: WebOffice) -> None:
    dpo = await office.at_work(Role.DPO)
    wrong = {"since": "31.02.2026", "about": HOSTILE, "act": "call:shown"}
    answer = await dpo.post("/audit/search", data=wrong)
    assert answer.status_code == 422
    assert "Dzień: podaj" in answer.text
    assert "Numer połączenia, nagrania lub zabezpieczenia" in answer.text
    assert 'value="31.02.2026"' in answer.text
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("day", ["1.1.0001", "0001-01-01", "31.12.9999", "9999-12-31"])
@pytest.mark.parametrize("field", ["since", "until"])
async def test_a_day_at_the_end_of_the_calendar_is_none(
    office: WebOffice, field: str, day: str
) -> None:
    dpo = await office.at_work(Role.DPO)
    refused = await dpo.post("/audit/search", data={field: day})
    assert (refused.status_code, day in refused.text) == (422, True)


@pytest.mark.parametrize(
    "edited",
    [
        "UPDATE audit_event SET details = 'nonsense' WHERE seq = 2",
        "UPDATE audit_event SET details = '[1]' WHERE seq = 2",
        "UPDATE audit_event SET at = 'infinity' WHERE seq = 2",
        "UPDATE audit_event SET actor_kind = 'ghost' WHERE seq = 2",
        """UPDATE audit_personal SET data = '{"a": 1}'""",
    ],
)
async def test_a_trail_that_was_made_unreadable_is_read_and_its_entry_named(
    office: WebOffice, edited: str
) -> None:
    """A13: what no program of ours would write hides neither itself nor the rest."""
    dpo = await office.at_work(Role.DPO)
    for each in ("event", "personal"):
        await office.do(f"ALTER TABLE audit_{each} DISABLE TRIGGER ALL")
    await office.do("ALTER TABLE audit_event DROP CONSTRAINT ck_audit_event_actor_kind_known")
    await office.do(edited)
    assert (await dpo.get("/audit")).status_code == 200
    told = await dpo.post("/api/v1/audit/entries/search", json={"reveal": True})
    assert told.status_code == 200, told.text
    found = (await dpo.post("/api/v1/audit/verifications")).json()
    assert found["sound"] is False
    assert "altered" in found["fault"]


async def test_pages_go_back_one_after_another_without_a_gap(office: WebOffice) -> None:
    now = office.parts.clock.now()
    for each in range(2 * PAGE_ROWS + 3):
        await office.services.trail.record(
            AuditEvent(action="purge:run", at=now, actor=OPERATOR, details={"number": each})
        )
    dpo = await office.at_work(Role.DPO)
    led = await dpo.post("/audit/search", data={"act": "purge:run"})
    path, seen = str(led.headers["location"]), []
    while path:
        page = (await dpo.get(path)).text
        seen += re.findall(r"number: (\d+)", page)
        older = re.search(r'href="([^"]+)" rel="next"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == [str(each) for each in reversed(range(2 * PAGE_ROWS + 3))]
    odd = str(led.headers["location"])
    for before in ("x", "-1", "9" * 30, "٣"):
        assert (await dpo.get(f"{odd}?before={before}")).status_code == 200


async def test_numbers_of_entries_are_seen_by_the_dpo_alone_and_that_is_noted(
    office: WebOffice,
) -> None:
    """RG.15."""
    listener = await office.at_work(Role.LISTENER)
    await listener.post("/search", data={"caller": "600123456"}, follow_redirects=True)
    dpo = await office.at_work(Role.DPO)
    led = await dpo.post("/audit/search", data={"act": "call:searched"})
    path = str(led.headers["location"])
    assert "600123456" not in (await dpo.get(path)).text
    assert "audit:revealed" not in await office.actions()
    shown = await dpo.post(f"{path}/revealed", data={"before": ""})
    assert "600123456" in shown.text
    assert (await office.actions())[-1] == "audit:revealed"
    own = await listener.post("/audit/search", data={"act": "call:searched"})
    refused = await listener.post(f"{own.headers['location']}/revealed", data={"before": ""})
    assert refused.status_code == 403
    assert "600123456" not in refused.text


async def test_a_search_of_the_trail_is_nobody_elses_and_no_search_of_calls(
    office: WebOffice,
) -> None:
    dpo, other = await office.at_work(Role.DPO), await office.at_work(Role.LISTENER)
    path = str((await dpo.post("/audit/search", data={})).headers["location"])
    assert (await other.get(path)).status_code == 404
    number = path.rsplit("/", 1)[1]
    assert (await dpo.get(f"/search/{number}")).status_code == 404
    assert (await dpo.get(f"/audit/number/{number}")).status_code == 404
    assert (await dpo.get(f"/audit/search/{NOBODY}")).status_code == 404


async def test_verifying_goes_on_by_itself_and_its_answer_stays(office: WebOffice) -> None:
    """R8.1f."""
    dpo = await office.at_work(Role.DPO)
    assert "jeszcze nie sprawdzono" in (await dpo.get("/audit/verification")).text
    led = await dpo.post("/audit/verification")
    assert led.headers["location"] == "/audit/verification"
    assert "Sprawdzanie trwa" in (await dpo.get("/audit/verification")).text
    await office.services.verifications.one()
    assert "Dziennik jest nienaruszony" in (await dpo.get("/audit/verification")).text
    assert "audit:verified" in await office.actions()
    assert "dziennik nienaruszony" in (await dpo.get("/audit")).text


async def test_a_trail_that_was_edited_is_told_with_its_first_bad_entry(office: WebOffice) -> None:
    dpo = await office.at_work(Role.DPO)
    await office.do("ALTER TABLE audit_event DISABLE TRIGGER ALL")
    await office.do("UPDATE audit_event SET reason = 'x' WHERE seq = 2")
    await dpo.post("/audit/verification")
    await office.services.verifications.one()
    page = (await dpo.get("/audit/verification")).text
    assert "Dziennik jest NARUSZONY" in page
    assert "Pierwszy wadliwy wpis to 2" in page


async def test_what_could_not_be_verified_is_said(office: WebOffice) -> None:
    dpo = await office.at_work(Role.DPO)
    await office.do("ALTER TABLE audit_event RENAME TO away")
    office.services.verifications.begin(OPERATOR)
    await office.services.verifications.one()
    await office.do("ALTER TABLE away RENAME TO audit_event")
    assert "Nie udało się dokończyć" in (await dpo.get("/audit/verification")).text


@pytest.mark.parametrize("kind", [Action, Brake, IncidentKind, Over])
def test_a_reason_that_an_entry_may_have_is_told_in_words(kind: type[StrEnum]) -> None:
    assert [each for each in kind if each not in WHY] == []


async def test_the_whole_trail_is_exported_as_the_command_exports_it(
    database_url: str, tmp_path: Path
) -> None:
    """R8.1f: with checkpoints and key, so that it verifies without this program."""
    key = tmp_path / "audit.key"
    public = create_key(key, name="office/audit")
    async with open_office(database_url, tmp_path, audit_key_file=key) as office:
        dpo = await office.at_work(Role.DPO)
        refused = await dpo.post("/audit/export")
        assert refused.status_code == 409
        assert "punktu kontrolnego" in refused.text
        assert "audit:exported" not in await office.actions()
        keeper = open_trail_keeper(office.settings, office.engine, actor=OPERATOR)
        signed = await keeper.checkpoint()
        assert signed is not None
        answer = await dpo.post("/audit/export")
        assert answer.headers["content-type"] == "application/zip"
        assert (await office.actions())[-1] == "audit:exported"
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        assert archive.testzip() is None
        assert archive.read("trail/public-key.txt").decode() == f"{public}\n"
        lines = archive.read("trail/entries.jsonl").decode().splitlines()
        assert [json.loads(each)["personal"] for each in lines] == [None] * len(lines)
        assert len(lines) == signed[0].seq
        assert [each for each in archive.namelist() if "checkpoints/" in each]


async def test_a_key_that_is_not_there_is_a_part_that_is_away_and_no_defect(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """B9: `recorder audit init-key` was forgotten; the log names the setting, the page does not."""
    async with open_office(database_url, tmp_path, audit_key_file=tmp_path / "none") as office:
        dpo = await office.at_work(Role.DPO)
        answers = [
            await dpo.post("/audit/export"),
            await dpo.post("/api/v1/audit/verifications"),
        ]
        assert [each.status_code for each in answers] == [503, 503]
        told = [each for each in caplog.messages if "part_unavailable" in each]
        assert len(told) == 2
        assert all("RECORDER_AUDIT_KEY_FILE" in each for each in told)
        assert "RECORDER_AUDIT_KEY_FILE" not in answers[0].text


async def test_who_sees_only_the_own_exports_the_own(office: WebOffice) -> None:
    listener = await office.at_work(Role.LISTENER)
    visitor = await office.visitor(listener)
    lines = (await listener.post("/audit/export")).text.splitlines()
    assert {json.loads(each)["actor"] for each in lines} == {str(visitor.account.id)}


async def listened(office: WebOffice, call: CallRecord, person: Account, **known: object) -> None:
    """Let a person have listened to a call's recording."""
    now = office.parts.clock.now()
    assert call.recording_id is not None
    playback = Playback(
        **{
            "id": PlaybackId(office.services.new_id()),
            "recording_id": RecordingId(call.recording_id),
            "account_id": person.id,
            "session_id": None,
            "purpose": PURPOSE,
            "request": "",
            "authorisation_id": None,
            "opened_at": now,
            "served_at": now,
        }
        | known  # type: ignore[arg-type]
    )
    entry = AuditEvent(
        action="playback:opened",
        at=playback.opened_at,
        actor=Actor(kind=ActorKind.ACCOUNT, name=str(person.id)),
        subject=f"recording:{call.recording_id}",
        reason=playback.purpose,
    )
    assert await office.services.listening._playbacks.open(playback, entry)


async def test_what_one_person_listened_to_and_why_is_on_one_page(office: WebOffice) -> None:
    call, other = await office.call(seconds=1), await office.call(seconds=1)
    person = await office.person(Role.LISTENER, login="zofia")
    now = office.parts.clock.now()
    await listened(office, call, person)
    await listened(office, other, person, request="W/31/2026", opened_at=now - timedelta(days=1))
    dpo = await office.at_work(Role.DPO)
    page = (await dpo.get(f"/audit/listening?person={person.id}")).text
    assert page.index(str(call.recording_id)) < page.index(str(other.recording_id))
    assert PURPOSE in page
    assert "W/31/2026" in page
    assert f"/audit/calls/{call.id}" in page
    mine = await office.sign_in("zofia")
    assert str(call.recording_id) in (await mine.get("/audit/listening")).text
    stranger = await office.at_work(Role.COPY_MAKER)
    stolen = (await stranger.get(f"/audit/listening?person={person.id}")).text
    assert str(call.recording_id) not in stolen
    for odd in ("x", "", "٣"):
        assert (await dpo.get(f"/audit/listening?person={odd}&before={odd}")).status_code == 200


async def test_everything_about_one_call_is_on_one_page_and_looking_is_noted(
    office: WebOffice,
) -> None:
    """§ 8.4."""
    call = await office.call(seconds=2, caller_number="600123456", caller_name=HOSTILE)
    listener = await office.at_work(Role.LISTENER)
    await listener.get(f"/calls/{call.id}")
    person = (await office.visitor(listener)).account
    await listened(office, call, person)
    dpo = await office.at_work(Role.DPO)
    page = (await dpo.get(f"/audit/calls/{call.id}")).text
    for expected in (
        str(call.id),
        str(call.recording_id),
        "wgląd w połączenie",
        "początek odsłuchu",
        PURPOSE,
        "600***456",
        "Dziennik kończył się na wpisie",
    ):
        assert expected in page, expected
    assert "600123456" not in page
    assert "<script>alert" not in page
    entry = (await office.trail())[-1]
    assert (entry.action, entry.subject) == ("call:gathered", f"call:{call.id}")
    other = await office.at_work(Role.COPY_MAKER)
    theirs = (await other.get(f"/audit/calls/{call.id}")).text
    assert "początek odsłuchu" not in theirs
    assert "Brak własnych odsłuchów" in theirs
    assert (await dpo.get(f"/audit/calls/{NOBODY}")).status_code == 404


async def test_everything_about_one_number_without_the_number_in_an_address(
    office: WebOffice,
) -> None:
    calls = [await office.call(seconds=1, caller_number="600123456") for _ in range(3)]
    other = await office.call(seconds=1, caller_number="600123457")
    dpo = await office.at_work(Role.DPO)
    wrong = await dpo.post("/audit/number", data={"number": HOSTILE})
    assert wrong.status_code == 422
    assert "<script>alert" not in wrong.text
    led = await dpo.post("/audit/number", data={"number": "+48 600 123 456"})
    assert re.fullmatch(r"/audit/number/[0-9a-f-]{36}", led.headers["location"])
    page = (await dpo.get(led.headers["location"])).text
    assert all(str(each.id) in page for each in calls)
    assert str(other.id) not in page
    assert "call:searched" in await office.actions()
    nobody = await dpo.post("/audit/number", data={"number": "500 500 500"})
    assert "Nie znaleziono" in (await dpo.get(nobody.headers["location"])).text
