"""Maintenance: all about the machine, nothing of anybody, for the contractor of § 6.3 (R6.3b)."""

import io
import json
import re
import tarfile
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from recorder.accounts.model import Role
from recorder.commands.diagnosis import PARTS
from recorder.commands.web_maintenance import BundleMaker
from recorder.errors import LedgerUnavailable
from recorder.web.bundling import KEPT_FOR, Bundles
from recorder.web.pages.service_logs import PAGE_LINES
from tests.web.office import WebOffice, open_office
from tests.web.test_who_may_do_what import NOBODY

pytestmark = pytest.mark.postgres
NUMBER, NAME, CLERK = "600987654", "Canary Kanarkowska", "kanar-desk"
CANARIES = (NUMBER, "600 987 654", "987654", "987 654", *NAME.lower().split(), CLERK)
HOSTILE = "<script>alert(1)</script>\u202e"


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> Any:
    """An office whose services wrote logs."""
    (tmp_path / "logs").mkdir()
    log_file = tmp_path / "logs" / "web.log"
    async with open_office(database_url, tmp_path, log_file=log_file) as opened:
        yield opened


def wrote(office: WebOffice, service: str, *lines: dict[str, Any]) -> None:
    """Let a service have written these lines, the last one just now."""
    assert office.settings.log_file is not None
    now, known = office.parts.clock.now(), {"level": "info", "logger": "recorder.capture.service"}
    with (office.settings.log_file.parent / f"{service}.log").open("a", encoding="utf-8") as file:
        for number, each in enumerate(lines):
            at = now - timedelta(seconds=len(lines) - number)
            file.write(json.dumps(known | {"timestamp": at.isoformat()} | each) + "\n")


async def searched(browser: httpx.AsyncClient, **wanted: str) -> str:
    answer = await browser.post("/maintenance/logs/search", data=wanted)
    assert answer.status_code == 303, answer.text
    return unescape((await browser.get(answer.headers["location"])).text)


async def bundled(office: WebOffice, browser: httpx.AsyncClient, **form: str) -> str:
    """Have a bundle made; return the page that tells of it."""
    answer = await browser.post("/maintenance/bundle", data=form)
    assert answer.status_code == 303, answer.text
    await office.services.maintenance.bundles.one()
    return unescape((await browser.get(answer.headers["location"])).text)


def files_of(content: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        opened = {each.name: tar.extractfile(each) for each in tar.getmembers()}
        return {Path(name).name: file.read().decode() for name, file in opened.items() if file}


async def test_the_first_page_of_a_contractor_tells_how_the_machine_is(office: WebOffice) -> None:
    await office.do(
        "INSERT INTO job (name, worker, last_started, last_succeeded, last_error, progress, "
        "next_due) VALUES ('purge', 'x', now(), now() - interval '4 minutes', '', '', "
        "now() + interval '6 minutes'), ('scrub', 'x', now() - interval '9 hours', NULL, "
        "'VaultUnavailable', '', now() - interval '8 hours')"
    )
    await office.do(
        "INSERT INTO incident (id, kind, at, detail) VALUES "
        "(gen_random_uuid(), 'link_lost', now(), '')"
    )
    contractor = await office.at_work(Role.CONTRACTOR)
    page = unescape((await contractor.get("/")).text)
    assert (await contractor.get("/maintenance")).status_code == 200
    for told in ("4 minuty temu", "za 6 minut", "teraz", "Utracono łączność z centralą"):
        assert told in page, told
    areas = re.search(r'<div class="areas-row">(.*?)</div>', page, re.DOTALL)
    assert areas is not None
    assert re.findall(r'href="([^"]+)"', areas[1]) == ["/maintenance"]
    assert not re.findall(r'href="(/(?:deletions|incidents|completeness|dashboard)[^"]*)"', page)
    head = (await office.services.maintenance.versions()).schema
    assert head is not None
    assert head in page
    for name in ("Nagrania", "Logi techniczne", "SQLAlchemy"):
        assert name in page
    sysadmin = await office.at_work(Role.SYSADMIN)
    assert 'href="/incidents?state=open&kind=link_lost"' in unescape(
        (await sysadmin.get("/maintenance")).text
    )


async def test_a_disk_that_is_nearly_full_is_told_and_one_not_seen_is_said_to_be(
    office: WebOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.maintenance.rules.LEAST_FREE_PERCENT", 101)
    contractor = await office.at_work(Role.CONTRACTOR)
    page = (await contractor.get("/maintenance")).text
    assert "mało miejsca" in page
    assert "niewidoczny z tego miejsca" in page, "there is no spool here"


async def test_lines_are_found_by_level_service_call_time_and_text(office: WebOffice) -> None:
    """RG.16."""
    wrote(
        office,
        "capture",
        {"event": "call_over", "call_id": str(NOBODY), "calls": 3},
        {"event": "sealing_waits", "level": "warning", "why": "the vault is away"},
        {"event": "debugged", "level": "debug"},
    )
    wrote(office, "retention", {"event": "job_failed", "level": "error", "job": "scrub"})
    contractor = await office.at_work(Role.CONTRACTOR)
    page = unescape((await contractor.get("/maintenance/logs")).text)
    for event in ("call_over", "sealing_waits", "job_failed", str(NOBODY)):
        assert event in page
    assert "debugged" not in page
    assert page.index("sealing_waits") < page.index("call_over"), "the newest first"
    for wanted, found in (
        ({"level": "debug"}, {"call_over", "sealing_waits", "debugged", "job_failed"}),
        ({"level": "error"}, {"job_failed"}),
        ({"component": "Retention"}, {"job_failed"}),
        ({"call": str(NOBODY).upper()}, {"call_over"}),
        ({"text": "VAULT is"}, {"sealing_waits"}),
        ({"text": "nothing like it"}, set()),
        ({"until": "1.1.2020"}, set()),
        ({"since": "wczoraj", "level": "warning"}, {"sealing_waits", "job_failed"}),
    ):
        page = await searched(contractor, **wanted)
        shown = set(re.findall(r"<code>(call_over|sealing_waits|debugged|job_failed)</code>", page))
        assert shown == found, wanted
        for value in wanted.values():
            assert value in page, "what was asked for is still in the form"
    assert "Żaden wiersz nie pasuje" in await searched(contractor, text="nothing like it")


async def test_what_a_form_asks_wrongly_is_told_beside_it_and_kept(office: WebOffice) -> None:
    contractor = await office.at_work(Role.CONTRACTOR)
    answer = await contractor.post(
        "/maintenance/logs/search",
        data={"since": "kiedyś", "call": HOSTILE, "component": "x" * 201, "text": "sealing"},
    )
    assert answer.status_code == 422
    for told in ("Czas: proszę wpisać", "Numer połączenia: taki", "Najwyżej 200 znaków"):
        assert answer.text.count(told) == 2, "in the summary and beside the field"
    assert 'value="kiedyś"' in answer.text
    assert 'value="sealing"' in answer.text
    assert "<script>alert" not in answer.text
    for path in ("?before=x", "?before=2026-11-25T10:00:00.000000Z&skip=x", f"/search/{NOBODY}"):
        assert (await contractor.get(f"/maintenance/logs{path}")).status_code == 404, path


async def test_every_line_is_met_once_going_back_page_by_page(office: WebOffice) -> None:
    many = [{"event": f"e{number}"} for number in range(2 * PAGE_LINES + 7)]
    wrote(office, "capture", *many)
    at = office.parts.clock.now().isoformat()
    wrote(office, "web", *[{"event": f"w{number}", "timestamp": at} for number in range(120)])
    contractor = await office.at_work(Role.CONTRACTOR)
    seen, path = [], "/maintenance/logs"
    while path:
        page = (await contractor.get(path)).text
        seen += re.findall(r"<code>([ew]\d+)</code>", page)
        older = re.search(r'href="(/maintenance/logs\?before=[^"]+)" rel="next"', page)
        path = unescape(older[1]) if older else ""
    assert len(seen) == len(set(seen))
    assert set(seen) == {each["event"] for each in many} | {f"w{n}" for n in range(120)}


async def test_no_number_and_no_name_of_a_log_is_on_a_page_for_anybody(office: WebOffice) -> None:
    """R6.3b, RG.16: what no line may hold is taken out, and not found by asking for it."""
    wrote(
        office,
        "capture",
        {"event": "one", "why": f"row of {NUMBER} is locked", "who": NAME},
        {"event": "two", "number": 600987654, "answered_by": CLERK},
        {"event": "three", "why": "call 600 987 654", "parties": [CLERK, NAME]},
        {"event": "four", "hostile": HOSTILE, "why": HOSTILE},
    )
    for role in (Role.CONTRACTOR, Role.SYSADMIN, Role.DPO):
        browser = await office.at_work(role)
        pages = [unescape((await browser.get("/maintenance/logs")).text)]
        assert pages[0].count("(removed)") >= 6
        for canary in (NUMBER, NAME, CLERK, "600987"):
            page = await searched(browser, text=canary)
            assert "Żaden wiersz nie pasuje" in page, canary
        for each in pages:
            assert not [canary for canary in CANARIES if canary in each.lower()]
            assert "<script>alert(1)</script>" not in (await browser.get("/maintenance/logs")).text


async def test_without_a_folder_of_logs_the_page_says_where_they_are(
    database_url: str, tmp_path: Path
) -> None:
    async with open_office(database_url, tmp_path) as office:
        contractor = await office.at_work(Role.CONTRACTOR)
        answer = await contractor.get("/maintenance/logs")
        assert answer.status_code == 200
        assert "journalctl -u rejestrator-capture" in answer.text


async def test_a_bundle_is_made_beside_the_pages_and_taken_by_its_maker(office: WebOffice) -> None:
    """R6.3b, I8: the canaries are in the ledger, and none is in the file."""
    await office.call(caller_number=NUMBER, caller_name=NAME, answered_by=CLERK, seconds=1)
    wrote(office, "capture", {"event": "call_over"}, {"event": "call_failed", "level": "error"})
    contractor = await office.at_work(Role.CONTRACTOR)
    begun = await contractor.post("/maintenance/bundle")
    assert begun.headers["location"] == "/maintenance/bundle"
    waiting = (await contractor.get("/maintenance/bundle")).text
    assert "Pakiet jest tworzony" in waiting
    assert f'max="{len(PARTS) + 1}"' in waiting
    early = await contractor.post("/maintenance/bundle/file")
    assert early.status_code == 409
    await contractor.post("/maintenance/bundle")
    await office.services.maintenance.bundles.one()
    ready = (await contractor.get("/maintenance/bundle")).text
    assert "Pakiet jest gotowy" in ready
    taken = await contractor.post("/maintenance/bundle/file")
    assert taken.status_code == 200
    assert taken.headers["content-type"] == "application/gzip"
    assert taken.headers["cache-control"] == "no-store"
    found = files_of(taken.content)
    assert {Path(name).stem for name in found} == set(PARTS) - {"asterisk"} | {"README", "missing"}
    assert {each["name"] for each in map(json.loads, found["health.jsonl"].splitlines())} >= {
        "database",
        "vault",
        "keys",
    }
    assert len(found["logs.jsonl"].splitlines()) == 2
    whole = "".join(found.values()).lower()
    assert not [each for each in (*CANARIES, "kwiatkowska") if each in whole]
    acts = [each for each in await office.actions() if each.startswith("diagnosis:")]
    assert acts == ["diagnosis:made", "diagnosis:taken"]
    sysadmin = await office.at_work(Role.SYSADMIN)
    assert "Pakiet jest gotowy" not in (await sysadmin.get("/maintenance/bundle")).text
    assert (await sysadmin.post("/maintenance/bundle/file")).status_code == 409


@pytest.mark.parametrize("planted", [NUMBER, "+48 600-987-654", "501 234 567", NAME])
async def test_a_bundle_in_which_somebody_is_found_is_given_to_nobody(
    office: WebOffice, planted: str
) -> None:
    await office.call(caller_number=NUMBER, caller_name=NAME, seconds=1)
    wrote(office, "capture", {"event": "sealing_waits", "why": f"row of {planted} is locked"})
    contractor = await office.at_work(Role.CONTRACTOR)
    page = await bundled(office, contractor)
    assert "Pakiet nie zostanie wydany" in page
    assert "<code>logs.jsonl</code>" in page
    assert "<code>why</code>" in page
    assert planted.lower() not in page.lower()
    assert not [canary for canary in CANARIES if canary in page.lower()]
    assert (await contractor.post("/maintenance/bundle/file")).status_code == 409
    without = re.search(r'name="leave_out" value="([^"]+)"', page)
    assert without is not None
    assert without[1] == "logs"
    page = await bundled(office, contractor, leave_out=without[1])
    assert "Pakiet jest gotowy" in page
    taken = await contractor.post("/maintenance/bundle/file")
    assert "logs.jsonl" not in files_of(taken.content)
    assert planted.lower() not in "".join(files_of(taken.content).values()).lower()
    acts = [each for each in await office.actions() if each.startswith("diagnosis:")]
    assert acts == ["diagnosis:blocked", "diagnosis:made", "diagnosis:taken"]


async def test_a_bundle_that_cannot_be_compared_with_the_ledger_is_not_given(
    office: WebOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RG.15."""

    async def away(*_: object) -> None:
        raise LedgerUnavailable("away")

    contractor = await office.at_work(Role.CONTRACTOR)
    with monkeypatch.context() as patched:
        patched.setattr(BundleMaker, "_make", away)
        page = await bundled(office, contractor)
    assert "Pakietu nie udało się utworzyć" in page
    assert (await contractor.post("/maintenance/bundle/file")).status_code == 409
    bad = await contractor.post("/maintenance/bundle", data={"leave_out": "../etc"})
    assert bad.status_code == 400


async def test_a_bundle_waits_a_quarter_of_an_hour_and_no_longer(
    office: WebOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    contractor = await office.at_work(Role.CONTRACTOR)
    assert "Pakiet jest gotowy" in await bundled(office, contractor)
    bundles: Bundles = office.services.maintenance.bundles
    later = office.parts.clock.now() + KEPT_FOR + timedelta(seconds=1)
    monkeypatch.setattr(bundles._clock, "now", lambda: later)
    assert bundles.of((await office.visitor(contractor)).account.id) is None


async def test_once_access_is_over_the_next_act_is_refused_with_a_sentence(
    office: WebOffice,
) -> None:
    """R6.3c."""
    contractor = await office.at_work(Role.CONTRACTOR)
    assert "Pakiet jest gotowy" in await bundled(office, contractor)
    await office.do("UPDATE contractor_access SET closed_at = now()")
    for method, path in (
        ("GET", "/maintenance"),
        ("GET", "/maintenance/logs"),
        ("POST", "/maintenance/logs/search"),
        ("GET", "/maintenance/bundle"),
        ("POST", "/maintenance/bundle"),
        ("POST", "/maintenance/bundle/file"),
    ):
        answer = await contractor.request(method, path)
        assert answer.status_code == 403, path
        assert "access_not_open" in answer.text, path
    assert "diagnosis:taken" not in await office.actions()


@pytest.mark.parametrize("role", [Role.REGISTRY_CLERK, Role.LISTENER, Role.ADMINISTRATOR])
async def test_who_keeps_no_machine_has_no_maintenance(office: WebOffice, role: Role) -> None:
    browser = await office.at_work(role)
    assert 'href="/maintenance"' not in (await browser.get("/account")).text
    for path in ("/maintenance", "/maintenance/logs", "/maintenance/bundle"):
        assert (await browser.get(path)).status_code == 403, path
