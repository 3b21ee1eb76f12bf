"""First steps, settings and announcements at pages: what is shown is looked up, never ticked."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from recorder.accounts.model import Role
from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.postgres.trail_reading import PostgresTrail
from recorder.adapters.regulation_file import load_regulation
from recorder.audit.event import AuditEvent
from recorder.model import Announcement, Decision, Layer, Reason
from recorder.regulation import effective_values
from recorder.web.pages.settings import LABELS
from tests.browser.desk import told_of
from tests.contracts.test_announcement_catalogue import a_sound
from tests.web.office import OPERATOR, ROOT, WebOffice

pytestmark = pytest.mark.postgres
HOSTILE = "Nagrywamy \u202e<script>alert(1)</script>."
STEP = re.compile(r'<li[^>]*><strong>([^<]+)</strong> <span class="chip (\w+)"')
ALL = {
    "Pierwsze konto",
    "Własny drugi składnik logowania",
    "Urząd i nagrywane numery",
    "Stanowisko w wykazie",
    "Komunikat obowiązuje",
    "Drugi administrator",
    "Ważne upoważnienie do odsłuchu",
    "Kopia zapasowa, którą można odczytać",
    "Próbne połączenie dzisiaj",
}


def an_announcement(office: WebOffice, words: str = "Nagrywamy.") -> Announcement:
    return AnnouncementCatalogue(office.settings.announcement_dir).add(
        a_sound(), layer=Layer.FIRST, language="pl", text=words, at=office.parts.clock.now()
    )


def activate(office: WebOffice, version: Announcement) -> None:
    now = office.parts.clock.now()
    catalogue = AnnouncementCatalogue(office.settings.announcement_dir)
    catalogue.activate(version.id, active_from=now, at=now)


async def steps(office: WebOffice, browser: object) -> set[str]:
    """Return the steps that are done."""
    page = (await browser.get("/first-steps")).text  # type: ignore[attr-defined]
    found = dict(STEP.findall(page))
    assert set(found) == ALL
    return {title for title, kind in found.items() if kind == "good"}


async def test_each_first_step_is_found_done_by_looking(office: WebOffice) -> None:
    account = await office.person(Role.ADMINISTRATOR, login="wanda")
    browser = await office.sign_in("wanda")
    assert await steps(office, browser) == {"Pierwsze konto", "Stanowisko w wykazie"}
    assert "9 kroków" not in (await browser.get("/dashboard")).text
    assert "7 kroków jest jeszcze do wykonania" in (await browser.get("/dashboard")).text

    await office.do("UPDATE account SET totp_since = now() WHERE id = :id", id=account.id)
    activate(office, an_announcement(office))
    await office.at_work(Role.LISTENER)
    done = await steps(office, browser)
    assert ALL - done == {
        "Urząd i nagrywane numery",
        "Kopia zapasowa, którą można odczytać",
        "Próbne połączenie dzisiaj",
    }


async def test_a_test_call_is_done_once_its_recording_can_be_listened_to(
    office: WebOffice,
) -> None:
    browser = await office.at_work(Role.ADMINISTRATOR)
    page = (await browser.get("/first-steps")).text
    assert "Nagrywanie jest wyłączone" in page
    now = office.parts.clock.now()
    call = await office.call(seconds=1, arrived_at=now, ended_at=now)
    assert "Próbne połączenie dzisiaj" in await steps(office, browser)
    page = (await browser.get("/first-steps")).text
    assert f'href="/calls/{call.id}"' in page
    sysadmin = await office.at_work(Role.SYSADMIN)
    assert f"/calls/{call.id}" not in (await sysadmin.get("/first-steps")).text

    await office.do("UPDATE recording SET damaged_at = now()")
    assert "Próbne połączenie dzisiaj" not in await steps(office, browser)
    assert "jest uszkodzone" in (await browser.get("/first-steps")).text


async def test_a_call_that_was_not_recorded_says_how_far_it_came(office: WebOffice) -> None:
    browser = await office.at_work(Role.ADMINISTRATOR)
    now = office.parts.clock.now()
    await office.call(
        arrived_at=now - timedelta(minutes=1),
        ended_at=now,
        consent=Decision(record=False, reason=Reason.DECLINED),
        announcements=told_of(now, 5)["announcements"],
    )
    page = (await browser.get("/first-steps")).text
    step = page[page.index("Próbne połączenie dzisiaj") :]
    assert re.findall(r"<li>([^<]+) <span class=\"chip (\w+)", step) == [
        ("Połączenie dotarło.", "good"),
        ("Komunikatu wysłuchano do końca.", "good"),
        ("Rozmowę nagrano.", "neutral"),
        ("Nagranie można odsłuchać.", "neutral"),
    ]
    assert "żadnego nie nagrano" in step


async def test_a_backup_counts_while_its_keys_live(office: WebOffice) -> None:
    browser = await office.at_work(Role.ADMINISTRATOR)
    assert "Kopie zapasowe są niedozwolone" in (await browser.get("/first-steps")).text
    backups = office.services.setup.regulation.backups
    object.__setattr__(backups, "key_days", 7)
    assert "recorder backup" in (await browser.get("/first-steps")).text
    trail, now = PostgresTrail(office.engine), office.parts.clock.now()
    for ago, lives in ((8, False), (1, True)):
        made = now - timedelta(days=ago)
        await trail.record(AuditEvent(action="backup:made", at=made, actor=OPERATOR))
        assert ("Kopia zapasowa, którą można odczytać" in await steps(office, browser)) is lives


async def test_a_withdrawn_account_and_an_ended_paper_undo_their_steps(office: WebOffice) -> None:
    await office.at_work(Role.LISTENER)
    browser = await office.sign_in("anna")
    two = {"Drugi administrator", "Ważne upoważnienie do odsłuchu"}
    assert two <= await steps(office, browser)
    await office.do("UPDATE account SET disabled_at = now() WHERE login IN ('beata', 'listener')")
    assert not two & await steps(office, browser)


async def test_every_value_of_the_regulation_stands_beside_its_paragraph(office: WebOffice) -> None:
    """R1.1a, R1.1b."""
    browser = await office.at_work(Role.DPO)
    page = (await browser.get("/settings")).text
    values = list(effective_values(load_regulation(ROOT / "regulation.toml")))
    assert {name for name, _, _ in values} <= set(LABELS)
    for name, _, _ in values:
        assert f'<code class="quiet">{name}</code>' in page
    assert page.count("§ 7 ust. 9") == 1
    assert "załącznik 2" in page
    assert "annex" not in page
    assert "iod@mops.walbrzych.pl" in page
    for secret in (
        office.settings.master_key.get_secret_value(),
        str(office.settings.database_url),
    ):
        assert secret not in page


async def test_a_shorter_retention_is_counted_and_not_done(office: WebOffice) -> None:
    browser = await office.at_work(Role.ADMINISTRATOR)
    now = office.parts.clock.now()
    for days in (1, 10, 20):
        await office.call(seconds=1, ended_at=now - timedelta(days=days))
    page = (await browser.get("/settings?days=7")).text
    assert "usunęłoby 2 nagrania" in page
    assert 'href="/settings/retention"' in page
    async with office.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM recording")) == 3


@pytest.mark.parametrize("given", ["0", "31", "-1", "siedem", "²", "7.5", "<script>", "\x07"])
async def test_a_slip_in_the_days_is_named_and_kept(office: WebOffice, given: str) -> None:
    browser = await office.at_work(Role.ADMINISTRATOR)
    answer = await browser.get("/settings", params={"days": given})
    assert answer.status_code == 422
    assert "podaj liczbę całkowitą od 1 do 30" in answer.text
    kept = {"<script>": "&lt;script&gt;", "\x07": "\\u0007"}.get(given, given)
    assert f'value="{kept}"' in answer.text
    assert "<script>" not in answer.text
    assert 'href="#days"' in answer.text


async def test_announcements_are_read_heard_and_dated(office: WebOffice) -> None:
    """R8.2d."""
    browser = await office.at_work(Role.ADMINISTRATOR)
    assert "Nie ma jeszcze komunikatu" in (await browser.get("/announcements")).text
    version = an_announcement(office, HOSTILE)
    page = (await browser.get("/announcements")).text
    assert "nie wprowadzony do użytku" in page
    assert f'href="/announcements/{version.id}"' in page
    assert "żadna rozmowa nie jest nagrywana" in page
    activate(office, version)
    page = (await browser.get("/announcements")).text
    assert "obowiązuje od" in page
    assert "żadna rozmowa nie jest nagrywana" not in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert version.sha256 in page
    assert f'src="/announcements/{version.id}/sound"' in page


async def test_a_changed_sound_is_said_at_the_page(office: WebOffice) -> None:
    """R8.2e."""
    version = an_announcement(office)
    browser = await office.at_work(Role.LISTENER)
    page = (await browser.get("/announcements")).text
    assert "nie jest tym, który zatwierdzono" not in page
    assert "recorder announcement" not in page
    folder = office.settings.announcement_dir / str(version.id)
    for each in folder.iterdir():
        if each.suffix != ".json":
            each.write_bytes(each.read_bytes()[:-2] + b"\x01\x02")
    assert "nie jest tym, który zatwierdzono" in (await browser.get("/announcements")).text


async def test_roles_see_of_the_setting_up_what_is_theirs(office: WebOffice) -> None:
    listener = await office.at_work(Role.LISTENER)
    assert (await listener.get("/announcements")).status_code == 200
    assert (await listener.get("/settings")).status_code == 403
    assert (await listener.get("/first-steps")).status_code == 403
    assert "/first-steps" not in (await listener.get("/dashboard")).text
    contractor = await office.at_work(Role.CONTRACTOR)
    assert (await contractor.get("/announcements")).status_code == 403
