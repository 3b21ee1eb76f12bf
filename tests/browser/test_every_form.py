"""Every form of the product sent with JavaScript off, and each does what it is for.

The forms are the POST routes of the route table: one that nobody sends here fails the last test.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Browser, Locator, Page, Response

from recorder.accounts.model import Role
from recorder.adapters.audit_files import create_key
from recorder.adapters.keeping import open_trail_keeper
from recorder.embedded.postgres import EmbeddedPostgres
from tests.browser.conftest import a_desk
from tests.browser.desk import OfficeDesk
from tests.browser.every_page import PARAMETER
from tests.browser.seeded import PLAIN, Seeded, seed
from tests.signed_in import PURPOSE
from tests.web.office import OPERATOR, PASSWORD
from tests.web.test_announcing_at_pages import TEXT, tone
from tests.web.test_live_at_pages import capturing, put_up, two_calls
from tests.web.test_who_may_do_what import routes

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.asyncio(loop_scope="session"),
]
ELSEWHERE = {"/sign-in/oidc/code": "a provider leads here: tests/web/test_provider.py"}
"""Forms that are not sent here, and why."""
REASON = "zgoda Administratora z 20.11.2026"


@dataclass
class Clerk:
    """Somebody who fills in forms, in a browser without scripts."""

    desk: OfficeDesk
    page: Page
    sent: set[str]

    async def opens(self, path: str) -> None:
        answer = await self.page.goto(path)
        assert answer is not None
        assert answer.ok, (path, answer.status)

    async def sends(self, route: str, press: str = "", /, **fields: str | Path) -> Response:
        """Fill in the form of the open page that goes to this route; what it does has to succeed.

        ``press`` = the value of the button, where there is more than one.
        """
        form, button = await self._form(route, press)
        for name, value in fields.items():
            await _fill(form, name, value)
        async with self.page.expect_response(
            lambda each: each.request.method == "POST"
        ) as answering:
            await button.click()
        answer = await answering.value
        assert answer.status in {200, 303}, (route, answer.status, await _wrong(self.page))
        await self.page.wait_for_load_state("load")
        self.sent.add(route)
        return answer

    async def takes(self, route: str) -> None:
        """Send a form that gives a file."""
        _, button = await self._form(route)
        async with self.page.expect_download() as begun:
            await button.click()
        assert (await (await begun.value).path()).stat().st_size > 0
        self.sent.add(route)

    async def _form(self, route: str, press: str = "") -> tuple[Locator, Locator]:
        """Return the form of this route and its button, which may name an address of its own."""
        # Of the acts on an account the roles have a route of their own.
        wanted = re.compile(PARAMETER.sub(r"(?!roles\\b)[0-9a-z-]+", route))
        here = []
        for form in await self.page.locator("form").all():
            action = await form.get_attribute("action") or ""
            for button in await form.locator("button").all():
                here.append(await button.get_attribute("formaction") or action)
                value = await button.get_attribute("value") or ""
                if wanted.fullmatch(here[-1]) and press in {"", value}:
                    return form, button
        raise AssertionError(f"no form for {route} at {self.page.url}, only {here}")


async def _fill(form: Locator, name: str, value: str | Path) -> None:
    field = form.locator(f"[name='{name}']:not([type=hidden])")
    kind = await field.first.get_attribute("type")
    if isinstance(value, Path):
        await field.set_input_files(value)
    elif kind in {"radio", "checkbox"}:
        one = form.locator(f"[name='{name}'][value='{value}']") if value else field
        await one.first.check()
    elif await form.locator(f"select[name='{name}']").count():
        await field.select_option(value)
    else:
        await field.fill(value)


async def _wrong(page: Page) -> str:
    """Return what the page says is wrong."""
    return " ".join(await page.locator("[role=alert], main h1").all_inner_texts())


@pytest.mark.timeout(400)  # under a minute on a quiet machine
async def test_every_form_does_what_it_is_for_without_a_script(
    postgres: EmbeddedPostgres, browser: Browser, tmp_path: Path
) -> None:
    key = tmp_path / "audit.key"
    create_key(key, name="office/audit")
    async with a_desk(postgres, browser, tmp_path, "forms", audit_key_file=key) as desk:
        sent: set[str] = set()
        await _first_account(desk, sent)
        seeded = await seed(desk, PLAIN)
        trail = open_trail_keeper(desk.office.settings, desk.office.engine, actor=OPERATOR)
        assert await trail.checkpoint() is not None
        one, two = [await _clerk(seeded, sent, Role.ADMINISTRATOR, each) for each in ("", "beata")]
        listener = await _clerk(seeded, sent, Role.LISTENER)
        keeper = await _clerk(seeded, sent, Role.SYSADMIN)
        await _finds_hears_and_holds(listener, seeded)
        await _orders_about_a_call(listener)
        await _lifts_holds(one, two, seeded)
        await _erases(one, two, seeded)
        await _explains(one, seeded)
        await _authorises(one, two, seeded, tmp_path)
        await _announces(one, two, tmp_path)
        await _changes_the_retention(one, two)
        await _keeps_accounts(keeper)
        await _keeps_workstations(keeper)
        await _reads_the_trail(await _clerk(seeded, sent, Role.DPO))
        await _maintains(await _clerk(seeded, sent, Role.CONTRACTOR))
        await _lets_a_contractor_in(one, await _clerk(seeded, sent, Role.DPO), seeded)
        await _keeps_the_own_account(listener, seeded)
    forms = {
        path
        for method, path, _ in routes(desk.office)
        if method == "POST" and not path.startswith("/api/")
    }
    assert sent | set(ELSEWHERE) == forms


async def _clerk(seeded: Seeded, sent: set[str], role: Role, login: str = "") -> Clerk:
    """Return somebody who signed in at the page."""
    page, _ = await seeded.desk.sit_down(scripts=False)
    clerk = Clerk(seeded.desk, page, sent)
    await clerk.opens("/sign-in")
    login = login or seeded.people[role].login
    await clerk.sends("/sign-in", login=login, password=PASSWORD)
    return clerk


async def _first_account(desk: OfficeDesk, sent: set[str]) -> None:
    page, _ = await desk.sit_down(scripts=False)
    clerk = Clerk(desk, page, sent)
    token = await desk.office.parts.keeper.first_token(OPERATOR)
    await clerk.opens("/first-run")
    await clerk.sends("/first-run", token=token, name="Wanda Lis", login="wanda", password=PASSWORD)


async def _finds_hears_and_holds(clerk: Clerk, seeded: Seeded) -> None:
    call = f"/calls/{seeded.heard.id}"
    await clerk.opens("/")
    await clerk.sends("/search", called=seeded.words.line)
    await clerk.sends("/holds/list", recording=str(seeded.calls[1].recording_id))
    await clerk.sends("/holds/check", ground="", reference="W/31/2026", reason=REASON)
    await clerk.sends("/holds")
    await clerk.opens(call)
    await clerk.sends("/calls/{call_id:uuid}/number", purpose=PURPOSE)
    await clerk.opens(call)
    await clerk.sends("/calls/{call_id:uuid}/playbacks", purpose=PURPOSE)
    await clerk.sends("/calls/{call_id:uuid}/playbacks/{playback_id:uuid}/end")
    await clerk.sends("/language", "en")
    await clerk.sends("/language", "pl")


async def _orders_about_a_call(clerk: Clerk) -> None:
    office = clerk.desk.office
    await office.do("UPDATE account SET extension = '101' WHERE login = 'the-listener'")
    mine, others = two_calls(office)
    board = await put_up(office, mine, others)
    async with capturing(office, board, mine):
        await clerk.opens("/live")
        await clerk.sends("/live/{call_id:uuid}/pause")
        await clerk.sends("/live/{call_id:uuid}/resume")
        await clerk.sends("/live/{call_id:uuid}/stop/check")
        await clerk.sends("/live/{call_id:uuid}/stop", "stop", reason=REASON)


async def _lifts_holds(one: Clerk, two: Clerk, seeded: Seeded) -> None:
    await one.opens(f"/calls/{seeded.calls[1].id}")
    await one.sends("/holds/list")
    await one.sends(
        "/holds/check", ground="", kind="full", reference="RSD 7/2026", reason=REASON, days="30"
    )
    await one.sends("/holds")
    holds = await seeded.desk.office.services.keeping.hold_rows.standing()
    path = next(f"/holds/{each.id}" for each in holds if each.reference == "RSD 7/2026")
    await one.opens(path)
    await one.sends("/holds/{hold_id:uuid}/review/check", reason=REASON, days="60")
    await one.sends("/holds/{hold_id:uuid}/review")
    for last in (
        ["/holds/proposals/{approval_id:uuid}/refuse"],
        [
            "/holds/proposals/{approval_id:uuid}/check",
            "/holds/proposals/{approval_id:uuid}/confirm",
        ],
    ):
        await one.opens(path)
        await one.sends("/holds/{hold_id:uuid}/lift/check", reason=REASON, reference="RSD 8/2026")
        await one.sends("/holds/{hold_id:uuid}/lift")
        await two.opens(path)
        for each in last:
            await two.sends(each)


async def _erases(one: Clerk, two: Clerk, seeded: Seeded) -> None:
    await one.opens("/deletions")
    await one.sends("/deletions/brakes/check")
    await one.sends("/deletions/brakes/release")
    await one.opens("/deletions")
    await one.sends("/deletions/find", number=str(seeded.heard.id))
    path = f"/calls/{seeded.heard.id}/erasure"
    await two.opens(path)
    await two.sends("/deletions/proposals/{approval_id:uuid}/refuse")
    await one.opens(path)
    await one.sends("/calls/{call_id:uuid}/erasure/check", reason=REASON)
    await one.sends("/calls/{call_id:uuid}/erasure")
    await two.opens(path)
    await two.sends("/deletions/proposals/{approval_id:uuid}/check")
    await two.sends("/deletions/proposals/{approval_id:uuid}/confirm")


async def _explains(clerk: Clerk, seeded: Seeded) -> None:
    await clerk.opens(f"/incidents/{seeded.incidents[2]}")
    await clerk.sends("/incidents/{incident_id:uuid}/explain", explanation="przerwa w zasilaniu")
    await clerk.sends("/incidents/{incident_id:uuid}/close")


async def _authorises(one: Clerk, two: Clerk, seeded: Seeded, directory: Path) -> None:
    office, papers = one.desk.office, []
    for _ in range(2):
        await one.opens("/authorisations/new")
        await one.sends(
            "/authorisations/check",
            account=str(seeded.people[Role.LISTENER].id),
            roles="listener",
            until="31.12.2099",
        )
        await one.sends("/authorisations")
        papers.append(one.page.url.partition("?")[0])
    await two.opens(papers[0])
    await two.sends("/authorisations/{authorisation_id:uuid}/refuse")
    await two.opens(papers[1])
    await two.sends("/authorisations/{authorisation_id:uuid}/confirm/check")
    await two.sends("/authorisations/{authorisation_id:uuid}/confirm")
    scan = directory / "podpis.pdf"
    scan.write_bytes(b"%PDF-1.7\n")
    await two.sends("/authorisations/{authorisation_id:uuid}/scans", scan=scan)
    await office.do("UPDATE authorisation SET granted_at = granted_at - interval '100 days'")
    await one.opens("/authorisations/review")
    await one.sends("/authorisations/{authorisation_id:uuid}/review")
    await one.opens(papers[1])
    await one.sends("/authorisations/{authorisation_id:uuid}/revoke/check", reason=REASON)
    await one.sends("/authorisations/{authorisation_id:uuid}/revoke")


async def _announces(one: Clerk, two: Clerk, directory: Path) -> None:
    sound = directory / "komunikat.wav"
    sound.write_bytes(tone())
    await one.opens("/announcements/new")
    await one.sends("/announcements/new", layer="first", language="pl", text=TEXT, sound=sound)
    path = one.page.url.partition("?")[0]
    for last in (["refuse"], ["check", "confirm"]):
        await one.opens(path)
        await one.sends("/announcements/{announcement_id:uuid}/activation/check", reason=REASON)
        await one.sends("/announcements/{announcement_id:uuid}/activation")
        await two.opens(path)
        for each in last:
            await two.sends(f"/announcements/proposals/{{approval_id:uuid}}/{each}")
    sound.write_bytes(tone(3.0))
    await one.opens("/announcements/new")
    await one.sends("/announcements/new", layer="first", language="pl", text=TEXT, sound=sound)
    await one.sends("/announcements/{announcement_id:uuid}/discard")


async def _changes_the_retention(one: Clerk, two: Clerk) -> None:
    here = "/settings/retention"
    for days, last in (("25", ["refuse"]), ("26", ["check", "confirm"])):
        await one.opens(here)
        await one.sends(f"{here}/check", days=days, reason=REASON)
        await one.sends(here)
        await two.opens(here)
        for each in last:
            await two.sends(f"{here}/proposals/{{approval_id:uuid}}/{each}")


async def _keeps_accounts(clerk: Clerk) -> None:
    await clerk.opens("/accounts")
    await clerk.sends(
        "/accounts", login="ola.nowa", name="Ola Nowa", post="referent", roles="listener"
    )
    new = await clerk.desk.office.parts.store.by_login("ola.nowa")
    assert new is not None
    await clerk.opens(f"/accounts/{new[0].id}")
    await clerk.sends("/accounts/{account_id:uuid}/roles/check", roles="registry_clerk")
    await clerk.sends("/accounts/{account_id:uuid}/roles")
    await clerk.opens(f"/accounts/{new[0].id}")
    await clerk.sends("/accounts/{account_id:uuid}/{act:str}/check")
    await clerk.sends("/accounts/{account_id:uuid}/{act:str}")


async def _keeps_workstations(clerk: Clerk) -> None:
    await clerk.opens("/workstations")
    await clerk.sends("/workstations/check", network="10.0.0.0/28", name="kancelaria")
    await clerk.sends("/workstations")
    # The first of the list is the new one: the list is by its networks.
    await clerk.opens("/workstations")
    await clerk.sends("/workstations/{workstation_id:uuid}/remove/check")
    await clerk.sends("/workstations/{workstation_id:uuid}/remove")


async def _reads_the_trail(clerk: Clerk) -> None:
    await clerk.opens("/audit")
    await clerk.sends("/audit/search", act="session:opened")
    await clerk.sends("/audit/search/{search_id:uuid}/revealed")
    await clerk.opens("/audit/number")
    await clerk.sends("/audit/number", number="600 123 456")
    await clerk.opens("/audit/verification")
    await clerk.sends("/audit/verification")
    await clerk.opens("/audit")
    await clerk.takes("/audit/export")


async def _maintains(clerk: Clerk) -> None:
    await clerk.opens("/maintenance/logs")
    await clerk.sends("/maintenance/logs/search", component="capture")
    await clerk.opens("/maintenance/bundle")
    await clerk.sends("/maintenance/bundle")
    again = clerk.page.get_by_role("link", name="Odśwież")
    for _ in range(60):
        if not await again.count():
            break
        await again.click()
    await clerk.takes("/maintenance/bundle/file")


async def _lets_a_contractor_in(one: Clerk, dpo: Clerk, seeded: Seeded) -> None:
    await one.opens("/contractor")
    await one.sends("/contractor/{account_id:uuid}/close/check")
    await one.sends("/contractor/{account_id:uuid}/close")
    await one.opens("/contractor")
    await one.sends(
        "/contractor/check",
        account=str(seeded.people[Role.CONTRACTOR].id),
        contract="UM/12/2026",
        reason="nie działa wydruk",
        hours="1",
    )
    await one.sends("/contractor")
    await dpo.opens("/contractor")
    await dpo.sends("/contractor/note")


async def _keeps_the_own_account(clerk: Clerk, seeded: Seeded) -> None:
    # A second desk of the same person, for the first to end.
    await _clerk(seeded, clerk.sent, Role.LISTENER)
    await clerk.opens("/account")
    await clerk.sends("/account/prove", password=PASSWORD)
    await clerk.sends("/account/sessions/{session_id:uuid}/end")
    await clerk.sends("/account/second-factor")
    secret = await clerk.page.locator("code.select").inner_text()
    code = pyotp.TOTP(secret.replace(" ", "")).now()
    await clerk.sends("/account/second-factor/confirm", code=code)
    await clerk.opens("/account")
    await clerk.sends("/account/password", current=PASSWORD, password="cztery niezwiązane słowa")
    await clerk.sends("/sign-out")
