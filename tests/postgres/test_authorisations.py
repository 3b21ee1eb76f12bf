"""The register, the gate and the allow-list on a real PostgreSQL (§ 6, § 8.1)."""

import asyncio
import stat
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from recorder.access.model import Ground, Permission, Place, Target, Why
from recorder.access.service import AccessRefused, Asking
from recorder.accounts.model import Role
from recorder.accounts.tokens import actor_of
from recorder.adapters.postgres.papers import PostgresPapers
from recorder.authorisations.rules import LONGEST_SCAN_BYTES, REVIEW_EVERY
from recorder.errors import NotFound, RuleViolation
from tests.access_builders import LINE, PURPOSES
from tests.postgres.access_world import OPERATOR, World, open_world

pytestmark = pytest.mark.postgres
WHY = Ground(purpose=PURPOSES[0])
CALL = Target(line=LINE)


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, scans=tmp_path / "scans") as opened:
        await opened.person("anna", Role.ADMINISTRATOR)
        await opened.person("beata", Role.ADMINISTRATOR)
        yield opened


async def listens(world: World, asking: Asking) -> Why:
    decision = await world.gate.decide(Permission.RECORDING_LISTEN, asking, target=CALL, ground=WHY)
    return decision.reason


async def test_an_authorisation_opens_and_its_revocation_closes_at_once(world: World) -> None:
    """R8.1b: the same session, the next request."""
    holder = await world.person("zenobia", Role.LISTENER)
    asking = await world.asking(await world.sign_in("zenobia"))
    assert await listens(world, asking) is Why.NO_AUTHORISATION
    paper = await world.authorised(holder, Role.LISTENER)
    assert await listens(world, asking) is Why.ALLOWED
    (anna, *_) = await world.store.accounts()
    for reason in (" ", "x" * 501):
        with pytest.raises(RuleViolation):
            await world.registrar.revoke(paper.id, by=anna.id, reason=reason)
    assert await listens(world, asking) is Why.ALLOWED
    reasons = PostgresPapers(world.engine).reasons
    assert await reasons([paper.id]) == {}
    await world.registrar.revoke(paper.id, by=anna.id, reason=" koniec zatrudnienia\x00 ")
    assert await reasons([paper.id]) == {paper.id: "koniec zatrudnienia\ufffd"}
    assert await listens(world, asking) is Why.AUTHORISATION_REVOKED
    with pytest.raises(RuleViolation):
        await world.registrar.revoke(paper.id, by=anna.id, reason="drugi raz")
    actions = await world.actions()
    assert actions[-3:] == [
        "authorisation:proposed",
        "authorisation:granted",
        "authorisation:revoked",
    ]


async def test_an_authorisation_ends_by_itself(world: World) -> None:
    holder = await world.person("zenobia", Role.LISTENER)
    await world.authorised(holder, Role.LISTENER, days=1)
    world.clock.go(hours=24, seconds=-1)
    asking = await world.asking(await world.sign_in("zenobia"))
    assert await listens(world, asking) is Why.ALLOWED
    world.clock.go(seconds=1)
    assert await listens(world, asking) is Why.AUTHORISATION_ENDED


async def test_a_proposal_gives_nothing_until_another_administrator_confirms(world: World) -> None:
    holder = await world.person("zenobia", Role.LISTENER)
    anna, beata, *_ = await world.store.accounts()
    now = world.clock.now()
    period = {"valid_from": now, "valid_until": now + timedelta(days=1)}
    paper = await world.registrar.grant(
        holder, roles=frozenset({Role.LISTENER}), lines=None, recording_id=None, by=anna.id,
        **period,
    )  # fmt: skip
    asking = await world.asking(await world.sign_in("zenobia"))
    assert paper.number is None
    assert await listens(world, asking) is Why.NO_AUTHORISATION
    for wrong in (anna.id, holder.id):
        with pytest.raises(RuleViolation):
            await world.registrar.confirm(paper.id, by=wrong)
    granted = await world.registrar.confirm(paper.id, by=beata.id)
    assert (granted.number, granted.year) == (1, 2026)
    assert await listens(world, asking) is Why.ALLOWED
    with pytest.raises(RuleViolation, match="decided"):
        await world.registrar.confirm(paper.id, by=beata.id)


async def test_nobody_grants_to_himself_not_even_past_the_service(world: World) -> None:
    anna, *_ = await world.store.accounts()
    await world.keeper.set_roles(
        anna.id, frozenset({Role.ADMINISTRATOR, Role.LISTENER}), actor=OPERATOR
    )
    now = world.clock.now()
    anna = await world.keeper.by_login("anna")
    with pytest.raises(RuleViolation, match="himself"):
        await world.registrar.grant(
            anna, roles=frozenset({Role.LISTENER}), lines=None, recording_id=None,
            valid_from=now, valid_until=now + timedelta(days=1), by=anna.id,
        )  # fmt: skip
    paper = await world.authorised(await world.person("zenobia", Role.LISTENER), Role.LISTENER)
    with pytest.raises(IntegrityError, match="not_to_himself"):
        async with world.engine.begin() as connection:
            await connection.execute(
                text("UPDATE authorisation SET granted_by = account_id WHERE id = :id"),
                {"id": paper.id},
            )


async def test_numbers_have_no_gap_whatever_happens_at_once(world: World) -> None:
    """R8.1a: ten confirmed at once, every second of them by two persons."""
    holder = await world.person("zenobia", Role.LISTENER)
    await world.person("celina", Role.ADMINISTRATOR)
    anna, beata, celina, _ = await world.store.accounts()
    now = world.clock.now()
    papers = [
        await world.registrar.grant(
            holder, roles=frozenset({Role.LISTENER}), lines=(LINE,), recording_id=None,
            valid_from=now, valid_until=now + timedelta(days=1), by=anna.id,
        )
        for _ in range(10)
    ]  # fmt: skip
    outcomes = await asyncio.gather(
        *(
            world.registrar.confirm(paper.id, by=by.id)
            for at, paper in enumerate(papers)
            for by in (beata, celina)[: 1 + at % 2]
        ),
        return_exceptions=True,
    )
    numbers = sorted(each.number for each in outcomes if not isinstance(each, BaseException))  # type: ignore[type-var]
    assert numbers == list(range(1, 11))
    assert sum(isinstance(each, RuleViolation) for each in outcomes) == 5
    world.clock.go(days=60)
    next_year = await world.authorised(holder, Role.LISTENER)
    assert next_year.label == "1/2027"


async def test_a_signed_scan_is_kept_by_its_content(world: World, tmp_path: Path) -> None:
    paper = await world.authorised(await world.person("zenobia", Role.LISTENER), Role.LISTENER)
    anna, *_ = await world.store.accounts()
    scan = await world.registrar.attach(paper.id, b"%PDF-1.7 signed", by=anna.id)
    path = tmp_path / "scans" / str(scan.id)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"%PDF-1.7 signed"
    for content in (b"MZ", b"", b"%PDF-" + bytes(LONGEST_SCAN_BYTES)):
        with pytest.raises(RuleViolation):
            await world.registrar.attach(paper.id, content, by=anna.id)
    assert [each.name for each in (tmp_path / "scans").iterdir()] == [str(scan.id)]


async def test_a_quarter_later_it_is_on_the_list_for_review(world: World) -> None:
    holder = await world.person("zenobia", Role.LISTENER)
    paper = await world.authorised(holder, Role.LISTENER, days=365)
    anna, *_ = await world.store.accounts()
    assert list(await world.registrar.due()) == []
    world.clock.go(days=REVIEW_EVERY.days)
    assert [each.id for each in await world.registrar.due()] == [paper.id]
    await world.registrar.review(paper.id, by=anna.id)
    assert list(await world.registrar.due()) == []


async def test_a_contractor_is_in_while_the_fault_is_open_and_no_longer(world: World) -> None:
    """R6.3c."""
    firm = await world.person("firma", Role.CONTRACTOR)
    signed = await world.sign_in("firma")

    async def logs() -> Why:
        asking = await world.asking(signed)
        return (await world.gate.decide(Permission.LOG_READ, asking)).reason

    assert await logs() is Why.ACCESS_NOT_OPEN
    with pytest.raises(RuleViolation, match="8 hours"):
        await world.contractors.open(firm, contract="UM/1", reason="x", hours=8.1, by=OPERATOR)
    await world.contractors.open(firm, contract="UM/1", reason="disk", hours=0.2, by=OPERATOR)
    assert await logs() is Why.ALLOWED
    world.clock.go(minutes=12)
    assert await logs() is Why.ACCESS_NOT_OPEN, "it closes by itself"
    await world.contractors.open(firm, contract="UM/1", reason="disk", hours=8, by=OPERATOR)
    assert await logs() is Why.ALLOWED
    await world.contractors.close(firm, by=OPERATOR)
    assert await logs() is Why.NOT_SIGNED_IN, "its sessions ended"
    with pytest.raises(RuleViolation):
        await world.contractors.close(firm, by=OPERATOR)
    assert (await world.actions())[-1] == "contractor:closed"


async def test_the_database_itself_keeps_a_contractor_to_eight_hours(
    world: World, database_url: str
) -> None:
    firm = await world.person("firma", Role.CONTRACTOR)
    with (
        psycopg.connect(database_url.replace("+psycopg", "")) as connection,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        connection.execute(
            "INSERT INTO contractor_access VALUES (gen_random_uuid(), %s, '', '', now(), "
            "now() + interval '9 hours', '')",
            (firm.id,),
        )


async def test_only_listed_workstations_are_let_in_and_a_refusal_leaves_its_entry(
    world: World,
) -> None:
    """R6.2a."""
    address = ip_address("10.1.2.3")
    assert await world.gate.place(address) is Place.UNLISTED
    station = await world.stations.add("10.1.2.0/24", name="biuro", place="p. 12", by=OPERATOR)
    assert await world.gate.place(address) is Place.LISTED
    with pytest.raises(RuleViolation, match="on the list"):
        await world.stations.add("10.1.2.0/24", name="x", place="y", by=OPERATOR)
    await world.stations.remove(station.id, by=OPERATOR)
    assert await world.gate.place(address) is Place.UNLISTED
    with pytest.raises(NotFound):
        await world.stations.remove(station.id, by=OPERATOR)

    await world.person("zenobia", Role.LISTENER)
    asking = await world.asking(await world.sign_in("zenobia"), Place.UNLISTED)
    with pytest.raises(AccessRefused) as caught:
        await world.gate.require(Permission.CALL_LIST, asking, source="10.1.2.3")
    assert caught.value.reason is Why.ADDRESS_NOT_LISTED
    assert (await world.actions())[-1] == "access:refused"


async def test_a_question_for_a_purpose_is_no_refusal(world: World) -> None:
    holder = await world.person("zenobia", Role.LISTENER)
    await world.authorised(holder, Role.LISTENER)
    asking = await world.asking(await world.sign_in("zenobia"))
    before = len(await world.actions())
    with pytest.raises(AccessRefused) as caught:
        await world.gate.require(Permission.RECORDING_LISTEN, asking, target=CALL)
    assert caught.value.reason is Why.PURPOSE_MISSING
    assert len(await world.actions()) == before


async def test_roles_are_never_paired_wrongly_and_never_ones_own(world: World) -> None:
    """R6.3e."""
    dpo = await world.person("daria", Role.DPO)
    with pytest.raises(RuleViolation, match="no other role"):
        await world.keeper.set_roles(dpo.id, frozenset({Role.DPO, Role.LISTENER}), actor=OPERATOR)
    both = frozenset({Role.SYSADMIN, Role.COPY_MAKER})
    await world.person("jan", *both)
    assert list(await world.gate.findings()) == ["jan"]


async def test_the_dpo_takes_note_of_each_opening_once(world: World) -> None:
    dpo = await world.person("iod", Role.DPO)
    clerk = await world.person("zenobia", Role.LISTENER)
    firm = await world.person("firma", Role.CONTRACTOR)
    await world.contractors.open(firm, contract="UM/1", reason="disk", hours=1, by=OPERATOR)
    with pytest.raises(RuleViolation):
        await world.contractors.note(clerk, by=actor_of(clerk.id))
    assert await world.contractors.note(dpo, by=actor_of(dpo.id)) == 1
    assert await world.contractors.note(dpo, by=actor_of(dpo.id)) == 0
    await world.contractors.open(firm, contract="UM/1", reason="disk", hours=1, by=OPERATOR)
    assert await world.contractors.note(dpo, by=actor_of(dpo.id)) == 1
    assert (await world.actions()).count("contractor:noted") == 2
