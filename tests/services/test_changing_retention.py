"""R7.2c: one person proposes other days, another confirms; on fakes that keep the contract."""

from datetime import timedelta
from uuid import UUID

import pytest

from recorder.approvals.model import Approval
from recorder.approvals.rules import VALID_FOR
from recorder.erasure.changing import EffectGrew, RetentionDesk
from recorder.erasure.model import Applied
from recorder.errors import RuleViolation
from tests.builders import NOON
from tests.builders_keeping import KAMIL, OLGA
from tests.services.test_erasure import Office, office

__all__ = ("office",)
DAY = timedelta(days=1)
WHY = "order 12/2026"


def desk(office: Office, *, configured: int = 30, four_eyes: bool = True) -> RetentionDesk:
    return RetentionDesk(
        eraser=office.eraser(days=configured),
        purge_log=office.log,
        approvals=office.approvals,
        clock=office.clock,
        new_id=lambda: UUID(int=next(office.tokens)),
        four_eyes=four_eyes,
    )


async def propose(office: Office, days: int = 7, *, seen: int = 9) -> Approval:
    approval = await desk(office).ask(days, reason=WHY, seen=seen, actor=OLGA)
    assert approval is not None
    return approval


async def test_fewer_days_erase_once_two_persons_agreed(office: Office) -> None:
    old, young = office.add(1, ended_at=NOON - 10 * DAY), office.add(2, ended_at=NOON - DAY)
    held = office.add(3, ended_at=NOON - 10 * DAY)
    office.hold(held)
    approval = await propose(office, seen=1)
    assert dict(approval.wanted) == {"from_days": 30, "to_days": 7, "at_once": 1, "held": 1}
    assert (await office.eraser().run()).erased == 0
    effect = await desk(office).confirm(approval, seen=1, actor=KAMIL)
    assert (effect.at_once, effect.held) == (1, 1)
    assert (await office.eraser().run()).erased == 1
    assert office.there == {young, held}
    assert old in office.rows.tombstones
    assert office.rows.actions[:3] == [
        "approval:proposed",
        "approval:confirmed",
        "retention:changed",
    ]
    (change,) = await desk(office).changes()
    assert (change.from_days, change.to_days, change.at_once, change.held) == (30, 7, 1, 1)
    assert (change.proposed_by, change.decided_by, change.reason) == (
        "operator:olga",
        "operator:kamil",
        WHY,
    )
    assert WHY not in str([each.details for each in office.rows.trail])


async def test_whoever_proposed_does_not_confirm(office: Office) -> None:
    approval = await propose(office)
    with pytest.raises(RuleViolation, match="same_person"):
        await desk(office).confirm(approval, seen=0, actor=OLGA)
    assert office.log.days == 30


async def test_a_second_proposal_waits_for_the_first(office: Office) -> None:
    await propose(office)
    with pytest.raises(RuleViolation, match="proposed already"):
        await propose(office, 14)


async def test_a_proposal_that_nobody_answered_is_void_and_makes_room(office: Office) -> None:
    approval = await propose(office)
    office.pass_by(VALID_FOR)
    with pytest.raises(RuleViolation, match="too_old"):
        await desk(office).confirm(approval, seen=0, actor=KAMIL)
    assert (await propose(office, 14)).id != approval.id


async def test_more_than_was_shown_is_said_before_anything_is_done(office: Office) -> None:
    """The numbers of a proposal are frozen."""
    office.add(1, ended_at=NOON - 10 * DAY)
    approval = await propose(office, seen=1)
    office.add(2, ended_at=NOON - 10 * DAY)
    with pytest.raises(EffectGrew, match=r"1 recordings were shown .* 2 would go now") as told:
        await desk(office).confirm(approval, seen=None, actor=KAMIL)
    assert told.value.effect.at_once == 2
    assert (office.log.days, await office.approvals.waiting()) == (30, [approval])
    await desk(office).confirm(approval, seen=2, actor=KAMIL)
    assert office.log.days == 7


async def test_fewer_than_were_shown_need_no_new_word(office: Office) -> None:
    for number in range(2):
        office.add(number, ended_at=NOON - 10 * DAY)
    approval = await propose(office, seen=2)
    office.hold(next(iter(office.there)))
    effect = await desk(office).confirm(approval, seen=None, actor=KAMIL)
    assert (effect.at_once, effect.held) == (1, 1)


async def test_who_proposes_has_seen_it_too(office: Office) -> None:
    office.add(1, ended_at=NOON - 10 * DAY)
    with pytest.raises(EffectGrew):
        await propose(office, seen=0)
    assert office.rows.actions == []


async def test_other_days_meanwhile_make_a_proposal_void(office: Office) -> None:
    approval = await propose(office)
    office.rows.applied = Applied(20, 30)
    with pytest.raises(RuleViolation, match="30 days held when it was proposed, 20 hold now"):
        await desk(office).confirm(approval, seen=9, actor=KAMIL)


async def test_one_person_is_enough_where_the_office_says_so(office: Office) -> None:
    one = desk(office, four_eyes=False)
    assert await one.ask(7, reason=WHY, seen=0, actor=OLGA) is None
    assert office.log.days == 7
    (change,) = await one.changes()
    assert (change.proposed_by, change.decided_by) == ("", "operator:olga")


@pytest.mark.parametrize(
    ("days", "says"),
    [(0, "1 to 30"), (31, "1 to 30"), (30, "in force already"), (29, "more than regulation.toml")],
)
async def test_days_that_may_not_be_set_are_refused(office: Office, days: int, says: str) -> None:
    """§ 7.2."""
    with pytest.raises(RuleViolation, match=says):
        await desk(office, configured=28).ask(days, reason=WHY, seen=0, actor=OLGA)


@pytest.mark.parametrize("reason", ["", "  "])
async def test_a_change_needs_a_reason(office: Office, reason: str) -> None:
    with pytest.raises(RuleViolation, match="reason"):
        await desk(office, four_eyes=False).ask(7, reason=reason, seen=0, actor=OLGA)


async def test_what_persons_decided_stays_until_the_file_is_raised(office: Office) -> None:
    approval = await propose(office)
    await desk(office).confirm(approval, seen=0, actor=KAMIL)
    for configured, days in ((30, 7), (14, 7), (20, 20), (5, 20), (20, 20)):
        await office.eraser(days=configured).run()
        assert office.rows.applied == Applied(days, configured)
    last = office.rows.changes[-1]
    assert (last.from_days, last.to_days, last.decided_by) == (7, 20, "process:retention")


async def test_what_the_file_raised_a_moment_ago_is_where_a_change_begins(office: Office) -> None:
    """The purge has not looked yet."""
    office.log.days = 20
    await propose(office)
    assert [each.to_days for each in office.rows.changes] == [30]


async def test_more_days_are_set_back_on_the_same_path_and_keep_what_is_there(
    office: Office,
) -> None:
    office.log.days = 7
    office.rows.applied = Applied(7, 30)
    kept = office.add(1, ended_at=NOON - 6 * DAY)
    approval = await propose(office, 30, seen=0)
    effect = await desk(office).confirm(approval, seen=0, actor=KAMIL)
    assert (effect.at_once, effect.later) == (0, 1)
    office.pass_by(2 * DAY)
    await office.eraser().run()
    assert kept in office.there
