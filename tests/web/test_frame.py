"""The frame of every page: areas, the regulation beside the acts, the foot, the patterns."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uuid_utils.compat as uuids

from recorder.access.matrix import mark_of
from recorder.access.model import Permission
from recorder.accounts.model import Account, AccountId, Role
from recorder.adapters.postgres.today import read_today
from recorder.authorisations.model import Authorisation, AuthorisationId
from recorder.errors import ConfigurationError, LedgerUnavailable
from recorder.live.model import Health, Node
from recorder.model import Decision, Reason
from recorder.regulation import parse_regulation
from recorder.web.drawing import FOLDER
from recorder.web.footing import KEPT_S, Footing, State, Today, lasts_until, state_of
from recorder.web.law import Paragraphs, number_of
from recorder.web.navigation import AREAS, groups, links
from tests.fakes import FakeClock
from tests.live_builders import a_node
from tests.web.office import ROOT, WebOffice
from tests.web.test_who_may_do_what import routes

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
CALLS = Today(calls=41, unexplained=0, faults=0, last=Reason.STAYED_ON_THE_LINE)


def a_paper(**known: object) -> Authorisation:
    account_id = AccountId(uuids.uuid7())
    return Authorisation(
        **{
            "id": AuthorisationId(uuids.uuid7()),
            "year": 2026,
            "number": 1,
            "account_id": account_id,
            "name": "Zenobia",
            "post": "inspektor",
            "roles": frozenset({Role.LISTENER}),
            "lines": None,
            "recording_id": None,
            "valid_from": NOW - timedelta(days=1),
            "valid_until": NOW + timedelta(days=1),
            "proposed_by": account_id,
            "proposed_at": NOW,
            "granted_at": NOW,
        }
        | known  # type: ignore[arg-type]
    )


async def test_every_area_is_a_route_with_the_permission_it_is_drawn_by(office: WebOffice) -> None:
    needed = {path: need for method, path, need in routes(office) if method == "GET"}
    for each in AREAS:
        if each.path != "/":
            assert needed[each.path] is each.permission, each


@pytest.mark.parametrize("role", list(Role))
async def test_a_person_sees_the_areas_of_their_roles_and_no_other(
    office: WebOffice, role: Role
) -> None:
    browser = await office.at_work(role)
    page = (await browser.get("/account")).text
    listed = re.search(r'<details class="width areas-menu">(.*?)</details>', page, re.DOTALL)
    shown = re.findall(r'href="([^"]+)"', listed[1]) if listed else []
    if role is Role.CONTRACTOR:
        assert shown == ["/maintenance"]
    for path in shown:
        assert (await browser.get(path)).status_code == 200, path
    for each in AREAS:
        if role is Role.CONTRACTOR and mark_of(each.permission, role) != "–":
            # Counts of nobody, which are among the alarms of the one page that is shown.
            continue
        if each.path not in shown and each.path != "/":
            assert (await browser.get(each.path)).status_code == 403, each


def test_the_area_of_a_page_is_marked_and_no_other() -> None:
    able = list(Permission)
    marked = {each.path: each.current for each in links(able, (), "/calls/x") if each.current}
    assert marked == {"/": "true"}
    assert [each.path for each in links(able, (), "/holds") if each.current == "page"] == ["/holds"]
    assert not [each for each in links(able, (), "/holdsalike") if each.current]


def test_a_group_leads_to_its_first_area_and_is_marked_with_any_of_them() -> None:
    groups_of = groups(list(Permission), [], "/audit/verification")
    named = {each.label: each for each in groups_of}
    assert named["Oversight"].path == "/dashboard"
    assert named["Oversight"].current == "true"
    assert [each.label for each in groups_of if each.current] == ["Oversight"]
    alone = groups([Permission.AUDIT_READ], [], "/audit")
    assert [(each.label, each.current) for each in alone] == [("Audit trail", "page")]


def test_every_paragraph_a_template_names_has_its_sentence() -> None:
    named = [
        each
        for file in FOLDER.glob("*.html")
        for each in re.findall(r'ui\.law\("([^"]+)"\)', file.read_text(encoding="utf-8"))
    ]
    assert named
    shipped = Paragraphs({})
    assert all(shipped.words(each) for each in named)
    assert "do 14 dni" in shipped.words("§ 7 ust. 4")
    with pytest.raises(KeyError):
        number_of("paragraph 7")
    with pytest.raises(KeyError):
        shipped.words("§ 9.1")


def test_an_office_may_have_words_of_its_own() -> None:
    text = (ROOT / "regulation.toml").read_text(encoding="utf-8")
    own = parse_regulation(f'{text}\n[paragraphs]\n"7.4" = "Siedem dni."\n', source="x").paragraphs
    assert Paragraphs(own).words("§ 7.4") == "Siedem dni."
    assert Paragraphs(own).words("§ 7.2") == Paragraphs({}).words("§ 7.2")
    with pytest.raises(ConfigurationError, match="paragraphs"):
        parse_regulation(f'{text}\n[paragraphs]\n"§ 7" = "x"\n', source="x")


@pytest.mark.parametrize(
    ("last", "recording", "state"),
    [
        (Reason.STAYED_ON_THE_LINE, True, State.WORKS),
        (Reason.DECLINED, True, State.WORKS),
        (Reason.DISK_LOW, True, State.FAILS),
        (None, True, State.QUIET),
        (Reason.STAYED_ON_THE_LINE, False, State.OFF),
    ],
)
def test_the_last_call_tells_how_recording_does(
    last: Reason | None, recording: bool, state: State
) -> None:
    today = Today(calls=1, unexplained=0, faults=0, last=last)
    assert state_of(today, [Health.WELL], recording=recording) is state


@pytest.mark.parametrize(
    ("captures", "state"),
    [
        ([Health.WELL], State.WORKS),
        ([Health.CONTROL_OFF], State.WORKS),
        ([Health.CONTROL_AWAY], State.WORKS),
        ([], State.AWAY),
        ([Health.AWAY], State.AWAY),
        ([Health.UNLINKED], State.AWAY),
        ([Health.WELL, Health.AWAY], State.IN_PART),
    ],
)
def test_a_recording_service_that_is_away_is_told_before_a_call_is_lost(
    captures: list[Health], state: State
) -> None:
    """RG.9: the last call went well, and the next one would not."""
    assert state_of(CALLS, captures, recording=True) is state
    assert state_of(CALLS, captures, recording=False) is State.OFF


def test_an_authorisation_lasts_until_the_last_of_those_in_force_ends() -> None:
    papers = [
        a_paper(),
        a_paper(valid_until=NOW + timedelta(days=2)),
        a_paper(valid_until=NOW + timedelta(days=3), revoked_at=NOW),
        a_paper(valid_until=NOW + timedelta(days=4), valid_from=NOW + timedelta(days=3)),
        a_paper(valid_until=NOW + timedelta(days=5), roles=frozenset({Role.DPO})),
    ]
    assert lasts_until(papers, {Role.LISTENER}, NOW) == NOW + timedelta(days=2)
    assert lasts_until(papers, {Role.COPY_MAKER}, NOW) is None


async def test_an_answer_is_kept_for_seconds_and_a_part_that_is_away_fails_no_page() -> None:
    clock, asked = FakeClock(), []
    clock.at = NOW

    async def today() -> Today:
        asked.append("today")
        if len(asked) > 3:
            raise LedgerUnavailable("away")
        return CALLS

    async def papers(account_id: AccountId) -> Sequence[Authorisation]:
        asked.append(str(account_id))
        return [a_paper()]

    async def captures() -> Sequence[Node]:
        return [a_node(seen_at=clock.now())]

    footing = Footing(recording=True, today=today, captures=captures, papers=papers, clock=clock)
    person = an_account(Role.LISTENER)
    first = await footing.of(person)
    assert (first.state, first.until) == (State.WORKS, NOW + timedelta(days=1))
    assert await footing.of(person) == first
    assert len(asked) == 2
    clock.pass_by(KEPT_S + 1)
    await footing.of(person)
    assert len(asked) == 4
    clock.pass_by(KEPT_S + 1)
    assert (await footing.of(person)).state is None


def an_account(*roles: Role) -> Account:
    return Account(
        id=AccountId(uuids.uuid7()),
        login="x",
        name="x",
        post="x",
        roles=frozenset(roles),
        created_at=NOW,
        password_set_at=NOW,
        must_change_password=False,
    )


async def test_the_foot_tells_of_recording_and_of_the_authorisation(office: WebOffice) -> None:
    """ux: trust is visible."""
    await office.call(seconds=1)
    await office.call(
        consent=Decision(record=False, reason=Reason.DISK_LOW),
        ended_at=office.parts.clock.now() - timedelta(hours=30),
    )
    browser = await office.at_work(Role.LISTENER)
    page = (await browser.get("/")).text
    assert "Nagrywanie jest wyłączone" in page
    assert "Upoważnienie obowiązuje do" in page
    assert "za 30 dni" in page
    without = await office.at_work(Role.COPY_MAKER, paper=False)
    assert "Brak obowiązującego upoważnienia" in (await without.get("/")).text
    clerk = await office.at_work(Role.REGISTRY_CLERK)
    assert "poważnieni" not in (await clerk.get("/")).text.split("<footer")[1]
    refused = await browser.get("/wzornik")
    assert refused.status_code == 403
    assert "Upoważnienie obowiązuje" not in refused.text


async def test_todays_calls_are_counted_and_yesterdays_are_not(office: WebOffice) -> None:
    now = office.parts.clock.now()
    assert (await read_today(office.engine, midnight=now - timedelta(hours=1))).last is None
    fault = Decision(record=False, reason=Reason.DISK_LOW)
    await office.call(consent=fault, ended_at=now - timedelta(minutes=1))
    await office.call(ended_at=now - timedelta(minutes=20))
    await office.call(ended_at=now - timedelta(hours=40))
    today = await read_today(office.engine, midnight=now - timedelta(hours=1))
    assert (today.calls, today.faults, today.last) == (2, 1, Reason.DISK_LOW)


async def test_the_patterns_show_every_component(office: WebOffice) -> None:
    components = (FOLDER / "components.html").read_text(encoding="utf-8")
    page = (FOLDER / "pattern.html").read_text(encoding="utf-8")
    inside = {"cell", "row_head", "table_behind", "text"}
    for name in set(re.findall(r"{% macro (\w+)\(", components)) - inside:
        assert f"ui.{name}(" in page, name
    browser = await office.at_work(Role.SYSADMIN)
    assert (await browser.get("/wzornik")).status_code == 200


def test_no_template_holds_a_style_or_a_script_of_its_own() -> None:
    for file in Path(FOLDER).glob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(
            r"""\sstyle=|<style|\son\w+=["']|<script(?! type="module" src)""", text
        ), file
