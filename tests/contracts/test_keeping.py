"""What the rows of keeping and erasing promise, the fakes and PostgreSQL alike."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import tables_audit, tables_keeping
from recorder.adapters.postgres.approvals import PostgresApprovals
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.holds import PostgresHolds
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.approvals.model import THE_OFFICE, Action, Answer, Approval, ApprovalId
from recorder.approvals.ports import Approvals
from recorder.custody.rules import describe
from recorder.erasure.brakes import Brake, Instant
from recorder.erasure.model import Applied, Claim, Route, Stage
from recorder.erasure.ports import Erasures, PurgeLog
from recorder.holds.model import Ending, HoldId
from recorder.holds.ports import Holds
from recorder.holds.rules import Why
from recorder.model import RecordingId
from tests.builders import IN_SCOPE, NOON, a_call
from tests.builders_keeping import (
    KAMIL,
    OLGA,
    PURGE,
    a_candidate,
    a_change,
    a_hold,
    an_approval,
    numbered,
)
from tests.core.test_custody_rules import some_audio
from tests.fakes_erasure import FakeApprovals, FakeErasures, FakeHolds, FakePurgeLog, FakeRows
from tests.postgres.conftest import database_url, postgres  # noqa: F401 - fixtures

pytestmark = pytest.mark.postgres
WARSAW = ZoneInfo("Europe/Warsaw")
DAY = timedelta(days=1)
CLAIM = Claim(
    route=Route.AUTOMATIC,
    why="expired",
    actor=PURGE,
    at=NOON,
    rule_version="2026-11",
    retention_days=30,
)


@dataclass(frozen=True)
class World:
    """The ports, and a look past them."""

    erasures: Erasures
    holds: Holds
    approvals: Approvals
    log: PurgeLog
    add: Callable[..., Awaitable[RecordingId]]
    lose_holds: Callable[[], Awaitable[None]]
    actions: Callable[[], Awaitable[Sequence[str]]]


async def seal(engine: AsyncEngine, number: int, ended_at: datetime = NOON) -> RecordingId:
    recording_id, call_id = numbered(number)
    call = a_call(
        id=call_id,
        channel_id=str(number),
        caller_name="Jan Nowak",
        scope=IN_SCOPE,
        consent=IN_SCOPE,
        recording_id=recording_id,
        answered_by="PJSIP/desk",
        parties=("PJSIP/desk",),
        linked_id=str(number),
        arrived_at=ended_at,
        ended_at=ended_at,
    )
    recording = describe(call, some_audio(3), retention_days=30, office_zone=WARSAW, now=ended_at)
    assert await PostgresLedger(engine).record_call(
        call, recording=recording, incidents=[], at=ended_at
    )
    return recording_id


@pytest.fixture(params=["fake", "postgres"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "fake":
        yield _fake_world()
        return
    async with connect(request.getfixturevalue("database_url")) as engine:
        yield _real_world(engine)


def _fake_world() -> World:
    rows = FakeRows()

    async def add(number: int, ended_at: datetime = NOON) -> RecordingId:
        recording_id, call_id = numbered(number)
        rows.recordings[recording_id] = a_candidate(
            id=recording_id, call_id=call_id, ended_at=ended_at, sealed_at=ended_at
        )
        return recording_id

    async def lose_holds() -> None:
        rows.holds.clear()

    async def actions() -> Sequence[str]:
        return rows.actions

    return World(
        erasures=FakeErasures(rows, actor=PURGE),
        holds=FakeHolds(rows),
        approvals=FakeApprovals(rows),
        log=FakePurgeLog(rows, actor=PURGE),
        add=add,
        lose_holds=lose_holds,
        actions=actions,
    )


def _real_world(engine: AsyncEngine) -> World:
    async def lose_holds() -> None:
        async with engine.begin() as connection:
            await connection.execute(delete(tables_keeping.HoldTable))

    async def actions() -> Sequence[str]:
        event = tables_audit.AuditEventTable
        async with engine.connect() as connection:
            return list(await connection.scalars(select(event.action).order_by(event.seq)))

    return World(
        erasures=PostgresErasures(engine, actor=PURGE),
        holds=PostgresHolds(engine),
        approvals=PostgresApprovals(engine),
        log=PostgresPurgeLog(engine, actor=PURGE),
        add=lambda number, ended_at=NOON: seal(engine, number, ended_at),
        lose_holds=lose_holds,
        actions=actions,
    )


async def test_candidates_come_oldest_first_page_by_page_and_none_twice(world: World) -> None:
    ids = [await world.add(number, NOON - number * DAY) for number in range(5)]
    seen: list[RecordingId] = []
    after = None
    while page := await world.erasures.candidates(ended_before=NOON, after=after, limit=2):
        assert len(page) <= 2
        seen += [each.id for each in page]
        after = page[-1]
    assert seen == ids[:0:-1], "what ended at the cut-off itself is left out"


async def test_a_claim_takes_what_is_kept_and_free_and_says_which(world: World) -> None:
    free, held = await world.add(1), await world.add(2)
    nowhere = numbered(3)[0]
    await world.holds.place([a_hold(held)], actor=OLGA)
    assert [each.recording_id for each in await world.erasures.holds_on([free, held])] == [held]
    mine = await world.erasures.claim([free, held, nowhere], CLAIM, approval=None)
    assert mine == {free}
    assert await world.erasures.claim([free], CLAIM, approval=None) == frozenset()
    assert await world.actions() == ["hold:placed", "recording:claimed"]
    (half,) = await world.erasures.half_erased(after=None, limit=10)
    assert (half.id, half.stage) == (free, Stage.ERASING)
    assert await world.erasures.half_erased(after=half.id, limit=10) == []
    assert await world.erasures.candidates(ended_before=NOON + DAY, after=half, limit=9) == [
        await world.erasures.get(held)
    ]


async def test_closing_buries_what_was_claimed_once_and_nothing_else(world: World) -> None:
    claimed, kept = await world.add(1), await world.add(2)
    await world.erasures.claim([claimed], CLAIM, approval=None)
    assert await world.erasures.close([claimed, kept], at=NOON) == 1
    assert await world.erasures.close([claimed, kept], at=NOON) == 0
    assert await world.erasures.get(claimed) is None
    assert await world.erasures.get(kept) is not None
    assert await world.actions() == ["recording:claimed", "recording:erased"]


async def test_a_hold_is_refused_with_the_reason_why(world: World) -> None:
    """R7.3b: no hold on what is being erased; "already erased" when there is a tombstone."""
    kept, erasing, erased = [await world.add(number) for number in range(3)]
    await world.erasures.claim([erasing, erased], CLAIM, approval=None)
    await world.erasures.close([erased], at=NOON)
    nowhere = numbered(9)[0]
    wanted = [kept, erasing, erased, nowhere]
    holds = [a_hold(each, id=HoldId(UUID(int=n))) for n, each in enumerate(wanted, start=1)]
    answers = await world.holds.place(holds, actor=OLGA)
    assert {each: answers[each].why for each in wanted} == {
        kept: Why.PLACED,
        erasing: Why.BEING_ERASED,
        erased: Why.ALREADY_ERASED,
        nowhere: Why.NO_SUCH_RECORDING,
    }
    assert list(await world.holds.standing()) == [holds[0]]


async def test_several_holds_stand_until_the_last_is_ended(world: World) -> None:
    """R7.3c."""
    recording = await world.add(1)
    one, other = a_hold(recording), a_hold(recording, id=HoldId(UUID(int=5)))
    await world.holds.place([one, other], actor=OLGA)
    for hold, claimed in ((one, frozenset()), (other, frozenset({recording}))):
        ended = {"ending": Ending.LIFTED, "reason": "r", "reference": "II K 1/27"}
        assert await world.holds.end(hold.id, **ended, actor=KAMIL, at=NOON, approval=None)  # type: ignore[arg-type]
        assert not await world.holds.end(hold.id, **ended, actor=KAMIL, at=NOON, approval=None)  # type: ignore[arg-type]
        assert await world.erasures.claim([recording], CLAIM, approval=None) == claimed
    found = await world.holds.get(one.id)
    assert found is not None
    assert (found.ended_by, found.ending, found.end_reference) == (
        "operator:kamil",
        Ending.LIFTED,
        "II K 1/27",
    )


async def test_a_confirmed_hold_is_provisional_no_more(world: World) -> None:
    recording = await world.add(1)
    hold = a_hold(recording, lapses_at=NOON + 7 * DAY)
    await world.holds.place([hold], actor=OLGA)
    later = NOON + 30 * DAY
    kept = {"review_by": later, "reason": "still needed", "actor": KAMIL, "at": NOON}
    assert await world.holds.confirm(hold.id, **kept)  # type: ignore[arg-type]
    found = await world.holds.get(hold.id)
    assert found == replace(hold, review_by=later, reviewed_at=NOON, lapses_at=None)
    assert not await world.holds.confirm(HoldId(UUID(int=404)), **kept)  # type: ignore[arg-type]


async def test_a_hold_reviewed_as_it_lapses_does_not_lapse(world: World) -> None:
    """R7.3d: whoever was told that it stands is not contradicted by a run that looked before."""
    at = NOON + 7 * DAY
    hold = a_hold(await world.add(1), lapses_at=at)
    await world.holds.place([hold], actor=OLGA)
    lapse = {
        "ending": Ending.LAPSED,
        "reason": "",
        "reference": "",
        "actor": PURGE,
        "approval": None,
    }
    assert not await world.holds.end(hold.id, **lapse, at=at - DAY)  # type: ignore[arg-type]
    assert await world.holds.confirm(
        hold.id, review_by=at + DAY, reason="still needed", actor=KAMIL, at=at
    )
    assert not await world.holds.end(hold.id, **lapse, at=at)  # type: ignore[arg-type]
    assert [each.id for each in await world.holds.standing()] == [hold.id]


async def test_of_two_proposals_for_one_thing_the_second_is_refused(world: World) -> None:
    first = an_approval()
    assert await world.approvals.propose(first, actor=OLGA)
    again = replace(first, id=ApprovalId(UUID(int=91)), proposed_by="operator:kamil")
    assert not await world.approvals.propose(again, actor=KAMIL)
    assert await world.approvals.waiting() == [first]
    assert await world.approvals.waiting_for(Action.LIFT_HOLD, first.subject) == first
    assert await world.approvals.waiting_for(Action.ERASE_BY_HAND, first.subject) is None
    assert await world.approvals.refuse(first.id, actor=KAMIL, at=NOON)
    assert not await world.approvals.refuse(first.id, actor=KAMIL, at=NOON)
    assert await world.approvals.waiting() == []
    assert await world.approvals.propose(again, actor=KAMIL)
    found = await world.approvals.get(first.id)
    assert found == replace(
        first, answer=Answer.REFUSED, decided_by="operator:kamil", decided_at=NOON
    )


async def test_an_act_and_its_second_signature_are_one(world: World) -> None:
    """An answer given already undoes the act that came with it."""
    recording = await world.add(1)
    hold = a_hold(recording)
    await world.holds.place([hold], actor=OLGA)
    lifting: Approval = an_approval(subject=hold.id)
    erasing = an_approval(
        id=ApprovalId(UUID(int=92)), action=Action.ERASE_BY_HAND, subject=recording
    )
    for each in (lifting, erasing):
        await world.approvals.propose(each, actor=OLGA)
    ended = {"ending": Ending.LIFTED, "reason": "r", "reference": "x", "actor": KAMIL, "at": NOON}
    by_hand = replace(CLAIM, route=Route.BY_HAND, actor=KAMIL)
    assert await world.erasures.claim([recording], by_hand, approval=erasing) == frozenset()
    assert await world.approvals.waiting() == [lifting, erasing], "held: nothing is answered"
    assert await world.holds.end(hold.id, **ended, approval=lifting)  # type: ignore[arg-type]
    await world.approvals.refuse(erasing.id, actor=KAMIL, at=NOON)
    assert await world.erasures.claim([recording], by_hand, approval=erasing) == frozenset()
    found = await world.erasures.get(recording)
    assert found is not None
    assert found.stage is Stage.KEPT


async def test_holds_that_vanish_without_a_word_are_told(world: World) -> None:
    """P5: ended in the trail is no loss, gone from the table is."""
    holds = [
        a_hold(await world.add(number), id=HoldId(UUID(int=number + 50)), lapses_at=NOON)
        for number in range(3)
    ]
    await world.holds.place(holds, actor=OLGA)
    assert not await world.log.vanished_holds()
    await world.log.passed(Instant(at=NOON, boot_id="b", boot_s=1.0))
    ended = {"ending": Ending.LAPSED, "reason": "", "reference": "", "actor": PURGE, "at": NOON}
    await world.holds.end(holds[0].id, **ended, approval=None)  # type: ignore[arg-type]
    assert not await world.log.vanished_holds()
    await world.lose_holds()
    assert set(await world.log.vanished_holds()) == {str(each.id) for each in holds[1:]}
    await world.log.passed(Instant(at=NOON, boot_id="b", boot_s=2.0))
    assert not await world.log.vanished_holds()


async def test_a_brake_is_put_on_once_released_once_and_used_up_by_a_run(world: World) -> None:
    brake = Brake.FILE_YOUNGER
    on = await world.log.put_on(brake, detail="2 files", at=NOON, token="one")
    assert await world.log.put_on(brake, detail="3 files", at=NOON, token="two") == on
    assert await world.log.brakes() == [on]
    assert await world.log.release("two", actor=OLGA, at=NOON) is None
    released = replace(on, released=True)
    assert await world.log.release("one", actor=OLGA, at=NOON) == released
    assert await world.log.release("one", actor=OLGA, at=NOON) is None
    assert await world.log.brakes() == [released]
    instant = Instant(at=NOON, boot_id="boot", boot_s=12.5)
    await world.log.passed(instant)
    assert await world.log.brakes() == []
    assert await world.log.last_instant() == instant
    assert await world.actions() == ["purge:braked", "purge:released"]
    assert (await world.log.put_on(brake, detail="again", at=NOON, token="three")).token == "three"


async def test_a_brake_released_for_less_is_put_on_anew(world: World) -> None:
    """P5."""
    brake = Brake.HOLDS_VANISHED
    await world.log.put_on(brake, detail="1 holds", at=NOON, token="one")
    released = await world.log.release("one", actor=OLGA, at=NOON)
    assert await world.log.put_on(brake, detail="1 holds", at=NOON, token="two") == released
    again = await world.log.put_on(brake, detail="2 holds", at=NOON, token="three")
    assert (again.token, again.released) == ("three", False)
    assert await world.log.brakes() == [again]


async def test_a_purge_does_not_use_up_what_was_released_for_reconciliation(world: World) -> None:
    brake = Brake.MANY_ORPHANS
    on = await world.log.put_on(brake, detail="30 files", at=NOON, token="one")
    await world.log.use_up(brake, at=NOON)
    assert await world.log.brakes() == [on]
    released = await world.log.release("one", actor=OLGA, at=NOON)
    await world.log.passed(Instant(at=NOON, boot_id="b", boot_s=1.0))
    assert await world.log.brakes() == [released]
    await world.log.use_up(Brake.FILE_YOUNGER, at=NOON)
    assert await world.log.brakes() == [released]
    await world.log.use_up(brake, at=NOON)
    assert await world.log.brakes() == []


async def test_the_days_in_force_are_remembered(world: World) -> None:
    assert await world.log.applied() is None
    first = a_change()
    shorter = a_change(at=NOON + DAY, from_days=30, to_days=7, reason="order 12/2026", at_once=3)
    for change in (first, shorter):
        assert await world.log.apply(change, written=30, actor=KAMIL, approval=None)
        assert await world.log.applied() == Applied(change.to_days, 30)
    await world.log.note_written(14)
    assert await world.log.applied() == Applied(7, 14)
    assert await world.log.changes(limit=5) == [shorter, first]
    assert await world.log.changes(limit=1) == [shorter]
    assert await world.actions() == ["retention:changed"] * 2


async def test_a_change_that_begins_from_other_days_than_hold_does_nothing(world: World) -> None:
    """Two persons decided on what they saw; it is not so any more."""
    assert await world.log.apply(a_change(), written=30, actor=KAMIL, approval=None)
    approval = await _proposal_of_a_change(world)
    stale = a_change(from_days=14, to_days=7)
    assert not await world.log.apply(stale, written=30, actor=KAMIL, approval=approval)
    assert not await world.log.apply(a_change(), written=30, actor=KAMIL, approval=None)
    assert await world.approvals.waiting() == [approval]
    assert await world.log.applied() == Applied(30, 30)


async def test_a_change_answers_its_proposal_and_is_made_once(world: World) -> None:
    """R7.2c: days, answer, entry and list in one transaction."""
    assert await world.log.apply(a_change(), written=30, actor=KAMIL, approval=None)
    approval = await _proposal_of_a_change(world)
    change = a_change(from_days=30, to_days=7, proposed_by=approval.proposed_by)
    assert await world.log.apply(change, written=30, actor=KAMIL, approval=approval)
    assert not await world.log.apply(
        replace(change, from_days=7, to_days=3), written=30, actor=KAMIL, approval=approval
    )
    assert await world.log.applied() == Applied(7, 30)
    answered = await world.approvals.get(approval.id)
    assert answered is not None
    assert (answered.answer, answered.wanted) == (Answer.CONFIRMED, approval.wanted)
    assert await world.actions() == [
        "retention:changed",
        "approval:proposed",
        "approval:confirmed",
        "retention:changed",
    ]


async def test_a_run_claims_nothing_under_days_that_hold_no_more(world: World) -> None:
    """A longer period never erases earlier, whatever was under way when it came."""
    recordings = [await world.add(number) for number in range(2)]
    assert await world.log.apply(a_change(), written=30, actor=KAMIL, approval=None)
    late = replace(CLAIM, retention_days=7)
    assert await world.erasures.claim(recordings, late, approval=None) == frozenset()
    assert await world.erasures.claim(recordings, CLAIM, approval=None) == set(recordings)


async def _proposal_of_a_change(world: World) -> Approval:
    approval = an_approval(
        action=Action.CHANGE_RETENTION,
        subject=THE_OFFICE,
        reference="",
        wanted={"from_days": 30, "to_days": 7, "at_once": 3, "held": 1},
    )
    assert await world.approvals.propose(approval, actor=OLGA)
    return approval


async def test_a_failure_is_counted(world: World) -> None:
    recording = await world.add(1)
    await world.erasures.note_failures({recording: "immutable"}, at=NOON)
    assert await world.erasures.get(recording) is not None
