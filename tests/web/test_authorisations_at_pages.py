"""The register of authorisations at pages: granted by two, printed, signed, revoked (§ 8.1)."""

import hashlib
import json
import re
from datetime import timedelta

import httpx
import pytest

from recorder.accounts.model import Account, Role
from tests.web.office import WebOffice

pytestmark = pytest.mark.postgres
HOSTILE = "\u202e<script>alert(1)</script>\x07"
PDF = b"%PDF-1.7 podpisane"


def asked(holder: Account, **changed: str) -> dict[str, str]:
    return {
        "account": str(holder.id),
        "roles": "listener",
        "lines": "746640800\r\n746640801",
        "recording": "",
        "since": "",
        "until": "31.12.2099",
    } | changed


async def proposed(browser: httpx.AsyncClient, holder: Account, **changed: str) -> str:
    """Go through check and act; return the address of the proposal."""
    checked = await browser.post("/authorisations/check", data=asked(holder, **changed))
    assert "Co się stanie" in checked.text, checked.text
    led = await browser.post("/authorisations", data=asked(holder, **changed))
    assert led.status_code == 303, led.text
    return str(led.headers["location"]).partition("?")[0]


async def second(office: WebOffice) -> httpx.AsyncClient:
    account = await office.person(Role.ADMINISTRATOR, login="zofia")
    return await office.sign_in(account.login)


async def test_two_administrators_grant_and_the_paper_is_numbered(office: WebOffice) -> None:
    """R8.1a."""
    holder = await office.person(Role.LISTENER)
    anna = await office.at_work(Role.ADMINISTRATOR)
    paper = await proposed(anna, holder)
    page = (await anna.get(paper)).text
    assert "musi ją potwierdzić inna osoba" in page
    assert "czwartek, 31 grudnia 2099, włącznie z tym dniem" in page
    assert f'action="{paper}/confirm/check"' not in page
    assert (await anna.post(f"{paper}/confirm")).status_code == 409
    other = await second(office)
    assert paper in (await other.get("/authorisations")).text
    checked = await other.post(f"{paper}/confirm/check")
    assert "otrzyma kolejny numer" in checked.text
    led = await other.post(f"{paper}/confirm")
    assert led.status_code == 303, led.text
    page = (await other.get(led.headers["location"])).text
    assert re.search(r"Upoważnienie nr 1/20\d\d", page)
    assert (await other.post(f"{paper}/confirm")).status_code == 409
    actions = await office.actions()
    assert {"authorisation:proposed", "authorisation:granted"} <= set(actions)


async def test_the_pages_ask_whether_the_account_is_the_persons_own(office: WebOffice) -> None:
    """R6.3e: whoever set password and second factor hears under the paper."""
    holder = await office.person(Role.LISTENER)
    anna = await office.at_work(Role.ADMINISTRATOR)
    first = "UPDATE account SET must_change_password = :it WHERE login = 'listener'"
    await office.do(first, it=True)
    for path in ("/authorisations/check", "/authorisations"):
        refused = await anna.post(path, data=asked(holder))
        assert refused.status_code == 422, path
        assert 'href="#account"' in refused.text
        assert "musi się najpierw zalogować i ustawić własne hasło" in refused.text
    await office.do(first, it=False)
    checked = await anna.post("/authorisations/check", data=asked(holder))
    assert "Upewnij się, że hasło i drugi składnik ustawiła ta osoba" in checked.text
    assert "nie ustawiony" in checked.text
    paper = await proposed(anna, holder)
    other = await second(office)
    await office.do(first, it=True)
    page = (await other.get(paper)).text
    assert "musi się najpierw zalogować i ustawić własne hasło" in page
    assert f'action="{paper}/confirm/check"' not in page
    for path in (f"{paper}/confirm/check", f"{paper}/confirm"):
        refused = await other.post(path)
        assert refused.status_code == 409
        assert "ustawić własne hasło" in refused.text
    await office.do(first, it=False)
    assert "Upewnij się" in (await other.post(f"{paper}/confirm/check")).text
    assert (await other.post(f"{paper}/confirm")).status_code == 303


async def test_a_refused_proposal_gives_nothing_and_is_no_more_decided(office: WebOffice) -> None:
    holder = await office.person(Role.LISTENER)
    anna = await office.at_work(Role.ADMINISTRATOR)
    paper = await proposed(anna, holder)
    led = await anna.post(f"{paper}/refuse")
    assert "Propozycję odrzucono" in (await anna.get(led.headers["location"])).text
    assert (await anna.post(f"{paper}/refuse")).status_code == 409
    assert (await (await second(office)).post(f"{paper}/confirm")).status_code == 409


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("account", "", "wybierz z listy"),
        ("account", HOSTILE, "wybierz z listy"),
        ("roles", "", "wybierz co najmniej jedną"),
        ("roles", "sysadmin", "wybierz co najmniej jedną"),
        ("roles", "copy_maker", "nie ma takiej roli"),
        ("lines", "1" * 33, "każdy do 32 znaków"),
        ("recording", HOSTILE, "podaj jego numer"),
        ("since", HOSTILE, "podaj dzień"),
        ("since", "1.1.2100", "zanim się zacznie"),
        ("until", "", "podaj dzień"),
        ("until", "1.1.2020", "już minął"),
        ("until", "9999-12-31", "podaj dzień"),
    ],
)
async def test_a_slip_is_named_at_its_field_and_nothing_is_lost(
    office: WebOffice, field: str, value: str, said: str
) -> None:
    holder = await office.person(Role.LISTENER)
    anna = await office.at_work(Role.ADMINISTRATOR)
    for path in ("/authorisations/check", "/authorisations"):
        page = await anna.post(path, data=asked(holder, **{field: value}))
        assert page.status_code == 422, page.text
        assert said in page.text
        assert "<script>alert" not in page.text
        assert "\u202e" not in page.text
        if field != "lines":
            assert "746640800\n746640801" in page.text
        if field != "until":
            assert 'value="31.12.2099"' in page.text
        if field != "account":
            assert f'value="{holder.id}" selected' in page.text
    assert "authorisation:proposed" not in await office.actions()


async def test_nobody_is_offered_an_authorisation_of_his_own(office: WebOffice) -> None:
    """R8.1a."""
    await office.person(Role.LISTENER, login="inny")
    anna = await office.person(Role.ADMINISTRATOR, Role.LISTENER, login="sama")
    browser = await office.sign_in(anna.login)
    assert str(anna.id) not in (await browser.get("/authorisations/new")).text
    assert (await browser.post("/authorisations", data=asked(anna))).status_code == 422


async def test_revoking_takes_a_reason_that_is_kept_in_the_trail(office: WebOffice) -> None:
    holder = await office.person(Role.LISTENER)
    paper = f"/authorisations/{(await office.authorise(holder, [Role.LISTENER])).id}"
    anna = await office.at_work(Role.ADMINISTRATOR)
    for path in ("revoke/check", "revoke"):
        for reason in ("  ", "x" * 501):
            assert (await anna.post(f"{paper}/{path}", data={"reason": reason})).status_code == 422
    checked = await anna.post(f"{paper}/revoke/check", data={"reason": HOSTILE})
    assert "nie daje już dostępu" in checked.text
    assert "<script>alert" not in checked.text
    led = await anna.post(f"{paper}/revoke", data={"reason": "koniec zatrudnienia"})
    page = (await anna.get(led.headers["location"])).text
    assert "odwołane" in page
    assert "<dt>Powód odwołania</dt><dd>koniec zatrudnienia</dd>" in page
    listener = await office.sign_in(holder.login)
    assert "koniec zatrudnienia" in (await listener.get(paper)).text
    (entry,) = [each for each in await office.trail() if each.action == "authorisation:revoked"]
    assert json.loads(entry.data) == {"reason": "koniec zatrudnienia"}
    await office.do("DELETE FROM audit_personal")
    assert "Powód nie jest już przechowywany" in (await anna.get(paper)).text
    again = await anna.post(f"{paper}/revoke", data={"reason": "jeszcze raz"})
    assert again.status_code == 409
    assert paper in (await anna.get("/authorisations?state=ended")).text
    assert paper not in (await anna.get("/authorisations?state=in-force")).text


async def test_annex_1_and_the_statement_are_printed_from_the_register(office: WebOffice) -> None:
    """R8.1c."""
    holder = await office.person(Role.LISTENER)
    paper = await office.authorise(holder, [Role.LISTENER], lines=("746640800",))
    await office.do("UPDATE authorisation SET name = :name", name=HOSTILE[:-1])
    anna = await office.at_work(Role.ADMINISTRATOR)
    page = (await anna.get(f"/authorisations/{paper.id}/form")).text
    for said in ("UPOWAŻNIENIE", "OŚWIADCZENIE O ZACHOWANIU POUFNOŚCI", f"nr {paper.label}"):
        assert said in page
    assert "746640800" in page
    assert "\\u202e&lt;script&gt;" in page
    assert "<script>alert" not in page


async def test_a_signed_scan_is_kept_by_its_hash_and_handed_out_as_a_file(
    office: WebOffice,
) -> None:
    holder = await office.person(Role.LISTENER)
    paper = f"/authorisations/{(await office.authorise(holder, [Role.LISTENER])).id}"
    anna = await office.at_work(Role.ADMINISTRATOR)
    led = await anna.post(f"{paper}/scans", files={"scan": (HOSTILE, PDF, "text/html")})
    assert led.status_code == 303, led.text
    page = (await anna.get(led.headers["location"])).text
    assert hashlib.sha256(PDF).hexdigest() in page
    assert "<script>alert" not in page
    found = re.search(rf'href="({paper}/scans/[0-9a-f-]{{36}})"', page)
    assert found is not None
    file = await anna.get(found[1])
    assert file.content == PDF
    assert file.headers["content-type"] == "application/pdf"
    assert file.headers["content-disposition"].startswith("attachment;")
    assert file.headers["x-content-type-options"] == "nosniff"
    assert file.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in file.headers["content-security-policy"]
    shown = [each for each in await office.trail() if each.action == "authorisation:scan_shown"]
    assert [json.loads(each.details)["sha256"] for each in shown] == [
        hashlib.sha256(PDF).hexdigest()
    ]
    assert 'data-label="Podpisany skan">tak' in (await anna.get("/authorisations")).text
    (kept,) = office.settings.scan_dir.iterdir()
    kept.write_bytes(PDF + b"?")
    assert (await anna.get(found[1])).status_code == 409
    kept.unlink()
    assert (await anna.get(found[1])).status_code == 404
    assert (await office.actions()).count("authorisation:scan_shown") == 1


async def test_without_an_entry_in_the_trail_no_scan_is_handed_out(office: WebOffice) -> None:
    """RG.15."""
    holder = await office.person(Role.LISTENER)
    paper = await office.authorise(holder, [Role.LISTENER])
    anna = await office.sign_in("anna")
    await anna.post(f"/authorisations/{paper.id}/scans", files={"scan": ("a.pdf", PDF)})
    (kept,) = await office.parts.papers.scans(paper.id)
    await office.do("ALTER TABLE audit_event RENAME TO away")
    for path in ("", "/api/v1"):
        answer = await anna.get(f"{path}/authorisations/{paper.id}/scans/{kept.id}")
        assert answer.status_code == 503
        assert PDF not in answer.content
    await office.do("ALTER TABLE away RENAME TO audit_event")


async def test_a_program_reads_one_authorisation_with_its_form_and_scans(
    office: WebOffice,
) -> None:
    """R8.1a, R8.1c."""
    holder = await office.person(Role.LISTENER)
    paper = await office.authorise(holder, [Role.LISTENER], lines=("746640800",))
    other = await office.authorise(await office.person(Role.COPY_MAKER), [Role.COPY_MAKER])
    anna = await office.sign_in("anna")
    path = f"/api/v1/authorisations/{paper.id}"
    kept = (await anna.post(f"{path}/scans", files={"scan": ("a.pdf", PDF)})).json()
    told = (await anna.get(path)).json()
    assert told["scans"] == [kept]
    assert kept["sha256"] == hashlib.sha256(PDF).hexdigest()
    for said in ("Załącznik nr 1", f"nr {paper.label}", "746640800", "Zenobia Kwiatkowska"):
        assert said in told["form"]
    assert "POUFNOŚCI" in told["statement"]
    file = await anna.get(f"{path}/scans/{kept['id']}")
    assert (file.content, file.headers["content-type"]) == (PDF, "application/pdf")
    assert file.headers["content-disposition"].startswith("attachment;")
    for reason in ({}, {"reason": " "}, {"reason": "x" * 501}):
        assert (await anna.post(f"{path}/revoke", json=reason)).status_code == 422
    assert (await anna.post(f"{path}/revoke", json={"reason": "inna praca"})).status_code == 204
    told = (await anna.get(path)).json()["authorisation"]
    assert (told["standing"], told["revoked_for"]) == ("revoked", "inna praca")
    (row,) = [
        each
        for each in (await anna.get("/api/v1/authorisations")).json()["authorisations"]
        if each["id"] == str(paper.id)
    ]
    assert row == told
    listener = await office.sign_in(holder.login)
    assert (await listener.get(path)).status_code == 200
    for rest in ("", f"/scans/{kept['id']}"):
        answer = await listener.get(f"/api/v1/authorisations/{other.id}{rest}")
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "wybierz plik"),
        (b"MZ program", "nie jest plik PDF"),
        (b"%PDF-" + bytes(20 << 20), "najwyżej 20 MB"),
    ],
)
async def test_what_is_no_scan_is_not_kept(office: WebOffice, content: bytes, said: str) -> None:
    holder = await office.person(Role.LISTENER)
    paper = f"/authorisations/{(await office.authorise(holder, [Role.LISTENER])).id}"
    anna = await office.at_work(Role.ADMINISTRATOR)
    page = await anna.post(f"{paper}/scans", files={"scan": ("skan.pdf", content)})
    assert page.status_code == 422
    assert said in page.text
    plain = await anna.post(f"{paper}/scans", data={"scan": "x"})
    assert plain.status_code == 415
    assert "authorisation:scan_attached" not in await office.actions()


async def test_what_stands_for_a_quarter_is_reviewed_one_by_one(office: WebOffice) -> None:
    holder = await office.person(Role.LISTENER)
    paper = await office.authorise(holder, [Role.LISTENER])
    anna = await office.at_work(Role.ADMINISTRATOR)
    assert "Nie ma nic do przeglądu" in (await anna.get("/authorisations/review")).text
    await office.do(
        "UPDATE authorisation SET granted_at = :at", at=paper.valid_from - timedelta(days=93)
    )
    assert f"/authorisations/{paper.id}/review" in (await anna.get("/authorisations/review")).text
    led = await anna.post(f"/authorisations/{paper.id}/review")
    page = (await anna.get(led.headers["location"])).text
    assert "nadal potrzebne" in page
    assert "Nie ma nic do przeglądu" in page
    assert "authorisation:reviewed" in await office.actions()


async def test_the_register_goes_on_by_pages(office: WebOffice) -> None:
    holder = await office.person(Role.LISTENER)
    for _ in range(51):
        await office.authorise(holder, [Role.LISTENER])
    anna = await office.at_work(Role.ADMINISTRATOR)
    page = (await anna.get("/authorisations")).text
    older = re.search(r'href="(/authorisations\?state=&amp;after=[0-9a-f-]{36})"', page)
    assert older is not None
    last = (await anna.get(older[1].replace("&amp;", "&"))).text
    assert ">1/20" in last
    assert ">2/20" not in last
    for wrong in ("?state=x", f"?after={holder.id}", "?after=x"):
        assert (await anna.get(f"/authorisations{wrong}")).status_code == 404


async def test_listeners_see_their_own_and_change_nothing(office: WebOffice) -> None:
    other = await office.authorise(await office.person(Role.COPY_MAKER), [Role.COPY_MAKER])
    listener = await office.at_work(Role.LISTENER)
    page = (await listener.get("/authorisations")).text
    assert str(other.id) not in page
    (own,) = set(re.findall(r'href="(/authorisations/[0-9a-f-]{36})"', page))
    assert (await listener.get(f"{own}/form")).status_code == 200
    for path in ("", "/form"):
        assert (await listener.get(f"/authorisations/{other.id}{path}")).status_code == 404
    for path in ("revoke", "review", "confirm", "refuse"):
        assert (await listener.post(f"{own}/{path}")).status_code == 403
    assert (await listener.get("/authorisations/new")).status_code == 403
    clerk = await office.at_work(Role.REGISTRY_CLERK)
    assert (await clerk.get("/authorisations")).status_code == 403
