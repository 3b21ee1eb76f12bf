"""Holds on fakes: what an act needs, who may lift, and what ends by itself."""

from datetime import date, timedelta
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from recorder.approvals.model import Answer, Approval
from recorder.errors import NotFound, RuleViolation
from recorder.holds.model import Ending, Ground, Hold, HoldId
from recorder.holds.rules import Why
from recorder.holds.service import HoldKeeper
from recorder.model import RecordingId
from tests.builders import NOON
from tests.builders_keeping import KAMIL, OLGA, PURGE, a_candidate, numbered
from tests.fakes import FakeClock
from tests.fakes_erasure import FakeApprovals, FakeHolds, FakeRows

DAY = timedelta(days=1)


class Desk:
    """A keeper of holds over a few recordings."""

    def __init__(self, *, four_eyes: bool = True) -> None:
        self.rows, self.clock = FakeRows(), FakeClock()
        self.approvals = FakeApprovals(self.rows)
        numbers = count(1)
        self.keeper = HoldKeeper(
            holds=FakeHolds(self.rows),
            approvals=self.approvals,
            clock=self.clock,
            new_id=lambda: UUID(int=next(numbers)),
            four_eyes=four_eyes,
        )
        self.ids = [numbered(number)[0] for number in range(3)]
        for each in self.ids:
            self.rows.recordings[each] = a_candidate(id=each)

    async def place(self, *ids: RecordingId, **changes: object) -> list[Hold]:
        values: dict[str, object] = {
            "ground": Ground.OWN_INFORMATION,
            "reference": "RSD 12/2026",
            "reason": "a threat",
            "actor": OLGA,
            "review_days": 90,
            "provisional": False,
        }
        await self.keeper.place(ids, **(values | changes))  # type: ignore[arg-type]
        return list(self.rows.holds.values())


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_one_act_of_placing_is_a_frozen_list(desk: Desk) -> None:
    """R7.3a, R7.3h: ground, reference, author, date and reason; one batch; each recording once."""
    first, second, _ = desk.ids
    holds = await desk.place(first, second, first)
    assert [each.recording_id for each in holds] == [first, second]
    assert len({each.batch_id for each in holds}) == 1
    (hold, _) = holds
    assert (hold.ground, hold.reference, hold.reason) == (
        Ground.OWN_INFORMATION,
        "RSD 12/2026",
        "a threat",
    )
    assert (hold.placed_by, hold.placed_at) == ("operator:olga", NOON)
    assert hold.review_by == NOON + 90 * DAY
    (entry, _) = desk.rows.trail
    assert entry.personal == {"reason": "a threat", "reference": "RSD 12/2026"}
    assert "threat" not in str(entry.details)


@pytest.mark.parametrize(
    "missing",
    [{"reference": " "}, {"reason": ""}, {"review_days": 91}, {"review_days": 0}],
)
async def test_a_hold_without_one_of_its_parts_is_refused(
    desk: Desk, missing: dict[str, object]
) -> None:
    with pytest.raises(RuleViolation):
        await desk.place(desk.ids[0], **missing)
    assert not desk.rows.holds


async def test_each_recording_is_answered_for_itself(desk: Desk) -> None:
    gone = numbered(9)[0]
    desk.rows.tombstones[gone] = NOON
    _, answers = await desk.keeper.place(
        [desk.ids[0], gone],
        ground=Ground.REQUEST_OF_PERSON,
        reference="W/31/2026",
        reason="a claim",
        actor=OLGA,
        review_days=30,
        provisional=False,
    )
    assert [each.why for each in answers.values()] == [Why.PLACED, Why.ALREADY_ERASED]


async def test_lifting_takes_two_persons(desk: Desk) -> None:
    """R7.3e."""
    (hold,) = await desk.place(desk.ids[0])
    approval = await desk.keeper.lift(
        hold.id, reason="it has ended", reference="II K 1/27", actor=OLGA
    )
    assert isinstance(approval, Approval)
    assert desk.rows.holds[hold.id].ended_at is None
    with pytest.raises(RuleViolation, match="same_person"):
        await desk.keeper.confirm_lifting(approval, actor=OLGA)
    await desk.keeper.confirm_lifting(approval, actor=KAMIL)
    ended = desk.rows.holds[hold.id]
    assert (ended.ending, ended.ended_by, ended.end_reference) == (
        Ending.LIFTED,
        "operator:kamil",
        "II K 1/27",
    )
    with pytest.raises(RuleViolation):
        await desk.keeper.confirm_lifting(approval, actor=KAMIL)
    with pytest.raises(RuleViolation, match="ended"):
        await desk.keeper.lift(hold.id, reason="again", reference="x", actor=OLGA)


async def test_without_four_eyes_one_person_lifts_at_once() -> None:
    desk = Desk(four_eyes=False)
    (hold,) = await desk.place(desk.ids[0])
    assert await desk.keeper.lift(hold.id, reason="r", reference="x", actor=OLGA) is None
    assert desk.rows.holds[hold.id].ending is Ending.LIFTED


@pytest.mark.parametrize(("reason", "reference"), [("", "II K 1/27"), ("ended", "")])
async def test_lifting_needs_a_reason_and_what_closed_the_proceedings(
    desk: Desk, reason: str, reference: str
) -> None:
    (hold,) = await desk.place(desk.ids[0])
    with pytest.raises(RuleViolation):
        await desk.keeper.lift(hold.id, reason=reason, reference=reference, actor=OLGA)


async def test_a_proposal_nobody_answered_in_a_week_makes_room(desk: Desk) -> None:
    (hold,) = await desk.place(desk.ids[0])
    lifting = {"reason": "r", "reference": "x"}
    first = await desk.keeper.lift(hold.id, **lifting, actor=OLGA)
    with pytest.raises(RuleViolation, match="proposed already"):
        await desk.keeper.lift(hold.id, **lifting, actor=KAMIL)
    desk.clock.pass_by(7 * 86400)
    assert isinstance(first, Approval)
    with pytest.raises(RuleViolation, match="too_old"):
        await desk.keeper.confirm_lifting(first, actor=KAMIL)
    second = await desk.keeper.lift(hold.id, **lifting, actor=KAMIL)
    assert isinstance(second, Approval)
    assert desk.rows.approvals[first.id].answer is Answer.REFUSED


async def test_a_provisional_hold_lapses_by_itself_and_is_told(desk: Desk) -> None:
    real, provisional = desk.ids[:2]
    await desk.place(real)
    await desk.place(provisional, provisional=True)
    desk.clock.pass_by(7 * 86400 - 1)
    assert await desk.keeper.end_lapsed(actor=PURGE) == 0
    desk.clock.pass_by(1)
    assert await desk.keeper.end_lapsed(actor=PURGE) == 1
    ended = {each.recording_id: each.ending for each in desk.rows.holds.values()}
    assert ended == {real: None, provisional: Ending.LAPSED}
    assert desk.rows.actions[-1] == "hold:lapsed"


async def test_reviewed_a_provisional_hold_is_a_real_one(desk: Desk) -> None:
    (hold,) = await desk.place(desk.ids[0], provisional=True)
    kept = await desk.keeper.review(hold.id, reason="confirmed", actor=KAMIL, review_days=60)
    assert (kept.lapses_at, kept.review_by) == (None, NOON + 60 * DAY)
    desk.clock.pass_by(400 * 86400)
    assert await desk.keeper.end_lapsed(actor=PURGE) == 0


async def test_a_hold_that_does_not_exist_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await desk.keeper.review(HoldId(UUID(int=9)), reason="r", actor=OLGA, review_days=1)


def test_a_search_older_than_the_retention_is_refused(desk: Desk) -> None:
    """R7.3h."""
    zone = ZoneInfo("Europe/Warsaw")

    def ask(day: date) -> None:
        desk.keeper.require_within_retention(day, retention_days=30, office_zone=zone)

    ask(date(2026, 10, 14))
    with pytest.raises(RuleViolation, match="older than 30 days"):
        ask(date(2026, 9, 30))
