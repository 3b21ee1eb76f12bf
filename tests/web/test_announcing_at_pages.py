"""Announcements at pages: upload, hear, check, two administrators, history (§ 8.2, R8.2d)."""

import json
import math
import re
import struct
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from recorder.accounts.model import Role
from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.changing_announcements import open_announcement_effect
from recorder.adapters.keeping import PROCESS
from recorder.adapters.regulation_file import load_regulation
from recorder.adapters.sounds import wav_of
from recorder.announcements.effect import AnnouncementEffect
from recorder.errors import Unavailable
from recorder.model import Layer
from tests.contracts.test_announcement_catalogue import a_sound
from tests.web.office import WebOffice

pytestmark = pytest.mark.postgres
TEXT = "Miejski Ośrodek Pomocy Społecznej. Nagrywamy rozmowy najwyżej na 30 dni."
HOSTILE = "Nagrywamy <script>alert(1)</script>\u202e."
OPEN = "WHERE done_at IS NULL"
WHY = "treść zatwierdził IOD <b>20.11.2026</b>"


def tone(seconds: float = 2.0, *, amplitude: int = 6000, rate: int = 8000, hz: int = 440) -> bytes:
    """Return a WAV file."""
    frames = [
        round(amplitude * math.sin(2 * math.pi * hz * each / rate))
        for each in range(int(seconds * rate))
    ]
    data = struct.pack(f"<{len(frames)}h", *frames)
    size = len(data)
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16,
        b"data", size,
    )  # fmt: skip
    return head + data


def effect_of(office: WebOffice) -> AnnouncementEffect:
    """Return the job of the retention process, which alone writes the catalogue."""
    return open_announcement_effect(
        office.settings,
        load_regulation(office.settings.regulation_file),
        office.engine,
        PROCESS,
    )


async def tell(_: str) -> None:
    pass


async def sent(browser: httpx.AsyncClient, content: bytes, **given: str) -> httpx.Response:
    form = {"layer": "first", "language": "pl", "text": TEXT} | given
    return await browser.post(
        "/announcements/new", data=form, files={"sound": ("../../x.wav", content)}
    )


async def uploaded(browser: httpx.AsyncClient, content: bytes = b"", **given: str) -> str:
    """Upload; return the address of the version."""
    led = await sent(browser, content or tone(), **given)
    assert led.status_code == 303, led.text
    return str(led.headers["location"].partition("?")[0])


async def second_administrator(office: WebOffice) -> httpx.AsyncClient:
    await office.person(Role.ADMINISTRATOR, login="zofia")
    return await office.sign_in("zofia")


async def proposed(browser: httpx.AsyncClient, version: str, day: str = "") -> str:
    """Propose its activation; return the address of the proposal."""
    given = {"reason": WHY, "day": day}
    checked = await browser.post(f"{version}/activation/check", data=given)
    assert "Co się stanie" in checked.text, checked.text
    assert "<b>20.11" not in checked.text
    led = await browser.post(f"{version}/activation", data=given)
    assert led.status_code == 303, led.text
    page = (await browser.get(version)).text
    found = re.search(r"/announcements/proposals/[0-9a-f-]{36}", page)
    assert found is not None, page
    return found[0]


async def test_from_the_upload_to_what_callers_hear(office: WebOffice) -> None:
    """R8.2d: words beside the sound, two administrators, who and from when."""
    catalogue = AnnouncementCatalogue(office.settings.announcement_dir)
    anna = await office.at_work(Role.ADMINISTRATOR)
    version = await uploaded(anna)
    page = (await anna.get(f"{version}?done=uploaded")).text
    assert TEXT in page
    assert "Nikt go jeszcze nie słyszał" in page
    sound = (await anna.get(f"{version}/sound")).content
    assert sound[:4] == b"RIFF"
    assert len(sound) > 2 * 8000 * 2
    assert catalogue.versions() == ()

    proposal = await proposed(anna, version)
    own = await anna.post(f"{proposal}/confirm")
    assert own.status_code == 409
    other = await second_administrator(office)
    assert "czeka na drugą osobę" in (await other.get("/announcements")).text
    checked = (await other.post(f"{proposal}/check")).text
    assert "W ciągu minuty każdy dzwoniący" in checked
    led = await other.post(f"{proposal}/confirm")
    assert led.status_code == 303, led.text
    assert "Potwierdzono" in (await other.get(led.headers["location"])).text
    assert catalogue.activations() == (), "the pages write nothing where the sounds lie"

    assert await effect_of(office).work(tell) == "1 activated, 0 refused"
    now = office.parts.clock.now()
    active = catalogue.active(Layer.FIRST, "pl", now)
    assert active is not None
    assert version == f"/announcements/{active.id}"
    assert active.text == TEXT
    assert wav_of(catalogue.samples(active.id)) == sound, "what was heard at the page is heard"
    page = (await other.get(version)).text
    assert "obowiązuje od" in page
    assert page.count("Zenobia Kwiatkowska") >= 2
    assert "Przesłane, jeszcze" not in (await other.get("/announcements")).text
    (signed,) = catalogue.signed().values()
    assert signed.proposed_by != signed.activated_by
    entries = [each for each in await office.trail() if each.action.startswith("announcement:")]
    assert [each.action for each in entries] == ["announcement:uploaded", "announcement:activated"]
    assert json.loads(entries[1].details)["proposed_by"] == signed.proposed_by
    assert await effect_of(office).work(tell) == "0 activated, 0 refused"


async def test_a_day_to_come_is_kept_and_a_past_one_is_a_slip(office: WebOffice) -> None:
    anna = await office.at_work(Role.ADMINISTRATOR)
    version = await uploaded(anna)
    for wrong in ("1.11.2020", "wczoraj", "kiedyś", "31.2.2027", "<script>"):
        page = await anna.post(f"{version}/activation/check", data={"reason": WHY, "day": wrong})
        assert page.status_code == 422
        assert 'href="#day"' in page.text
        assert "IOD" in page.text
        assert "<script>" not in page.text
    day = (office.parts.clock.now() + timedelta(days=9)).astimezone(office.settings.office_zone)
    proposal = await proposed(anna, version, f"{day:%d.%m.%Y}")
    other = await second_administrator(office)
    assert (await other.post(f"{proposal}/confirm")).status_code == 303
    await effect_of(office).work(tell)
    (activated,) = AnnouncementCatalogue(office.settings.announcement_dir).activations()
    assert activated.active_from is not None
    local = activated.active_from.astimezone(office.settings.office_zone)
    assert (local.date(), local.hour, local.minute) == (day.date(), 0, 0)
    assert (
        AnnouncementCatalogue(office.settings.announcement_dir).active(
            Layer.FIRST, "pl", office.parts.clock.now()
        )
        is None
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<html>404</html>", "nie jest plik WAV ani FLAC"),
        (b"", "wybierz plik"),
        (b"RIFF\xff\xff\xff\xffWAVE" + b"\x00" * 400, "nie jest plik WAV ani FLAC"),
        (b"OggS" + b"\x00" * 400, "nie jest plik WAV ani FLAC"),
        (b"ID3\x04" + b"\x00" * 400, "nie jest plik WAV ani FLAC"),
        (tone()[:-9000], "urywa się"),
        (tone(amplitude=20), "w telefonie nie byłoby"),
        (tone(amplitude=200), "za ciche"),
        (tone(seconds=21), "dłuższe, niż wolno"),
        (tone(rate=4000), "mniej niż 8000"),
        (tone(amplitude=32767, hz=4)[:44] + b"\xff\x7f" * 16000, "przesterowane"),
    ],
)
async def test_a_sound_that_is_no_announcement_is_refused_and_says_why(
    office: WebOffice, content: bytes, says: str
) -> None:
    """B8: what was written stays in the form; nothing is kept."""
    anna = await office.at_work(Role.ADMINISTRATOR)
    page = await sent(anna, content, text=HOSTILE)
    assert page.status_code == 422
    assert says in page.text
    assert "&lt;script&gt;" in page.text
    assert "<script>alert" not in page.text
    assert "announcement:uploaded" not in await office.actions()


async def test_what_is_too_large_is_not_read(office: WebOffice) -> None:
    anna = await office.at_work(Role.ADMINISTRATOR)
    answer = await sent(anna, tone() + b"\x00" * (21 << 20))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "given", [{"layer": "fourth"}, {"language": "de"}, {"language": "../"}, {"text": " \u00ad "}]
)
async def test_each_field_is_checked(office: WebOffice, given: dict[str, str]) -> None:
    anna = await office.at_work(Role.ADMINISTRATOR)
    page = await sent(anna, tone(), **given)
    assert page.status_code == 422
    assert f'href="#{next(iter(given))}"' in page.text


async def test_the_same_sound_twice_is_one_and_with_other_words_a_slip(office: WebOffice) -> None:
    anna = await office.at_work(Role.ADMINISTRATOR)
    assert await uploaded(anna) == await uploaded(anna)
    page = await sent(anna, tone(), text="Inne słowa.")
    assert page.status_code == 422
    assert 'href="#text"' in page.text


async def test_an_upload_is_discarded_unless_it_is_proposed(office: WebOffice) -> None:
    anna = await office.at_work(Role.ADMINISTRATOR)
    version = await uploaded(anna)
    proposal = await proposed(anna, version)
    assert (await anna.post(f"{version}/discard")).status_code == 409
    led = await anna.post(f"{proposal}/refuse")
    assert "Propozycję odrzucono" in (await anna.get(led.headers["location"])).text
    assert (await anna.post(f"{proposal}/refuse")).status_code == 409
    assert (await anna.post(f"{version}/discard")).status_code == 303
    assert (await anna.get(version)).status_code == 404
    assert "announcement:discarded" in await office.actions()


async def test_uploads_do_not_fill_the_database(office: WebOffice) -> None:
    anna = await office.at_work(Role.ADMINISTRATOR)
    version = await uploaded(anna)
    await office.do(
        "INSERT INTO announcement_upload SELECT gen_random_uuid(), layer, language, text, "
        "sha256 || n, length_ms, level_dbfs, added_at, added_by, samples "
        "FROM announcement_upload, generate_series(1, 19) n"
    )
    page = await sent(anna, tone(hz=550))
    assert page.status_code == 422
    assert "dwadzieścia" in page.text
    assert await uploaded(anna) == version


async def test_who_broke_into_the_pages_still_needs_two_administrators(office: WebOffice) -> None:
    """ADR 0056: an order is judged again by the process that alone may write the sounds."""
    anna = await office.at_work(Role.ADMINISTRATOR)
    other = await second_administrator(office)
    listener = await office.person(Role.LISTENER, login="jan")
    catalogue = AnnouncementCatalogue(office.settings.announcement_dir)
    forged = {
        "UPDATE announcement_order SET decided_by = :by WHERE done_at IS NULL": {
            "by": f"account:{listener.id}"
        },
        "UPDATE announcement_order SET proposed_by = 'operator:root' WHERE done_at IS NULL": {},
        "UPDATE account SET disabled_at = now() WHERE login = 'zofia'": {},
    }
    for number, (statement, values) in enumerate(forged.items()):
        version = await uploaded(anna, tone(hz=400 + number))
        proposal = await proposed(anna, version)
        assert (await other.post(f"{proposal}/confirm")).status_code == 303
        await office.do(statement, **values)
        assert await effect_of(office).work(tell) == "0 activated, 1 refused"
        assert catalogue.activations() == ()
        assert "Nie udało się wprowadzić" in (await anna.get(version)).text
    assert (await office.actions()).count("announcement:not_activated") == len(forged)


async def test_a_sound_exchanged_on_the_way_is_not_put_before_callers(office: WebOffice) -> None:
    """ADR 0056."""
    anna = await office.at_work(Role.ADMINISTRATOR)
    proposal = await proposed(anna, await uploaded(anna))
    other = await second_administrator(office)
    assert (await other.post(f"{proposal}/confirm")).status_code == 303
    await office.do("UPDATE announcement_upload SET samples = :bad", bad=tone(hz=900)[44:])
    assert await effect_of(office).work(tell) == "0 activated, 1 refused"
    assert AnnouncementCatalogue(office.settings.announcement_dir).versions() == ()


async def test_an_earlier_version_comes_back_by_two_persons(office: WebOffice) -> None:
    """R8.2d: both of its periods stay."""
    catalogue = AnnouncementCatalogue(office.settings.announcement_dir)
    now = office.parts.clock.now()
    old = catalogue.add(a_sound(), layer=Layer.FIRST, language="pl", text="Stary.", at=now)
    catalogue.activate(old.id, active_from=now - timedelta(days=3), at=now, by="operator:root")
    anna, other = await office.at_work(Role.ADMINISTRATOR), await second_administrator(office)
    for version in (await uploaded(anna), f"/announcements/{old.id}"):
        proposal = await proposed(anna, version)
        checked = (await other.post(f"{proposal}/check")).text
        assert "zostaje w systemie" in checked
        assert (await other.post(f"{proposal}/confirm")).status_code == 303
        assert await effect_of(office).work(tell) == "1 activated, 0 refused"
    page = (await anna.get(f"/announcements/{old.id}")).text
    heard = page[page.index("heard-title") :]
    assert heard.count('role="rowheader"') == 2
    assert "operator:root" in heard


async def test_others_read_and_change_nothing(office: WebOffice) -> None:
    anna = await office.at_work(Role.ADMINISTRATOR)
    version = await uploaded(anna)
    dpo = await office.at_work(Role.DPO)
    page = (await dpo.get(version)).text
    assert TEXT in page
    assert "<form" not in page[page.index("<main") : page.index("</main>")]
    assert (await sent(dpo, tone())).status_code == 403
    assert (await dpo.get("/announcements/new")).status_code == 403
    for act in ("activation/check", "activation", "discard"):
        answer = await dpo.post(f"{version}/{act}", data={"reason": WHY})
        assert answer.status_code == 403
    contractor = await office.at_work(Role.CONTRACTOR)
    assert (await contractor.get(version)).status_code == 403


async def test_an_outage_leaves_the_order_for_the_next_tick(
    office: WebOffice, tmp_path: Path
) -> None:
    anna, other = await office.at_work(Role.ADMINISTRATOR), await second_administrator(office)
    proposal = await proposed(anna, await uploaded(anna))
    assert (await other.post(f"{proposal}/confirm")).status_code == 303
    folder = office.settings.announcement_dir
    folder.write_text("in the way")
    with pytest.raises(Unavailable):
        await effect_of(office).work(tell)
    folder.unlink()
    assert await effect_of(office).work(tell) == "1 activated, 0 refused"
    (card,) = (folder / "activations").iterdir()
    assert json.loads(card.read_text())["activated_by"].startswith("account:")
    async with office.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM announcement_upload")) == 0
