"""Erasing on fakes: order, crash points, brakes, and what keeps a run from erasing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import structlog

from recorder.approvals.model import Approval
from recorder.erasure.brakes import LARGE, Brake, Instant
from recorder.erasure.by_hand import ErasureByHand
from recorder.erasure.model import Route, Stage
from recorder.erasure.service import Eraser
from recorder.errors import LedgerUnavailable, RuleViolation
from recorder.holds.model import Ending, Hold, HoldId
from recorder.model import RecordingId
from tests.builders import NOON
from tests.builders_keeping import KAMIL, OLGA, PURGE, a_candidate, a_hold, numbered
from tests.fakes import FakeClock
from tests.fakes_erasure import (
    FakeApprovals,
    FakeErasures,
    FakeHolds,
    FakePurgeLog,
    FakeRows,
    FakeShredder,
    FakeWitness,
)

WARSAW = ZoneInfo("Europe/Warsaw")
MONTH = timedelta(days=30)
OLD = NOON - timedelta(days=31)


class Office:
    """An office whose recordings ended 31 days ago, ready for a purge."""

    def __init__(self) -> None:
        self.rows, self.vault = FakeRows(), FakeShredder()
        self.clock, self.witness = FakeClock(), FakeWitness()
        self.log = FakePurgeLog(self.rows, actor=PURGE)
        self.holds = FakeHolds(self.rows)
        self.approvals = FakeApprovals(self.rows)
        self.log.instant = self.witness.read()
        self.log.days = 30
        self.tokens = count(1)

    def eraser(self, *, days: int = 30) -> Eraser:
        return Eraser(
            erasures=FakeErasures(self.rows, actor=PURGE),
            purge_log=self.log,
            vault=self.vault,
            clock=self.clock,
            witness=self.witness,
            actor=PURGE,
            retention_days=days,
            office_zone=WARSAW,
            lead=timedelta(hours=1),
            new_token=lambda: f"token{next(self.tokens)}",
        )

    def by_hand(self, *, four_eyes: bool = True) -> ErasureByHand:
        return ErasureByHand(
            eraser=self.eraser(),
            approvals=self.approvals,
            clock=self.clock,
            new_id=lambda: UUID(int=next(self.tokens)),
            four_eyes=four_eyes,
        )

    def add(self, number: int, **changes: object) -> RecordingId:
        recording_id, call_id = numbered(number)
        values: dict[str, object] = {"ended_at": OLD, "sealed_at": OLD}
        row = a_candidate(id=recording_id, call_id=call_id, **(values | changes))
        self.rows.recordings[recording_id] = row
        self.vault.put(recording_id, row.sealed_at)
        return recording_id

    def hold(self, recording_id: RecordingId, **changes: object) -> Hold:
        hold = a_hold(recording_id, id=HoldId(UUID(int=next(self.tokens))), **changes)
        self.rows.holds[hold.id] = hold
        return hold

    def pass_by(self, time: timedelta) -> None:
        self.clock.pass_by(time.total_seconds())
        self.witness.pass_by(time)

    @property
    def there(self) -> set[RecordingId]:
        return set(self.rows.recordings)

    def is_whole(self, recording_id: RecordingId) -> bool:
        return recording_id in self.vault.keys and recording_id in self.vault.files


@pytest.fixture
def office() -> Office:
    return Office()


async def test_what_is_due_goes_and_the_rest_stays_whole(office: Office) -> None:
    due = office.add(1)
    young = office.add(2, ended_at=NOON - MONTH + timedelta(hours=2))
    held = office.add(3)
    office.hold(held)
    report = await office.eraser().run()
    assert (report.erased, report.held, report.failed) == (1, 1, 0)
    assert office.there == {young, held}
    assert set(office.rows.tombstones) == {due}
    assert office.is_whole(young)
    assert office.is_whole(held)
    assert not office.vault.keys & {due}
    assert due not in office.vault.files


async def test_the_intent_stands_in_the_trail_before_anything_is_destroyed(office: Office) -> None:
    office.add(1)
    office.vault.dies_at = 1
    with pytest.raises(ExceptionGroup):
        await office.eraser().run()
    assert office.rows.actions == ["recording:claimed"]
    (claim,) = office.rows.claims.values()
    assert (claim.route, claim.why, claim.retention_days) == (Route.AUTOMATIC, "expired", 30)


@pytest.mark.parametrize("step", range(1, 10))
async def test_a_crash_at_any_step_ends_in_the_same_state_after_the_next_run(
    office: Office, step: int
) -> None:
    """R7.2e: three recordings, three steps each."""
    ids = {office.add(number) for number in range(3)}
    office.vault.dies_at = step
    with pytest.raises(ExceptionGroup):
        await office.eraser().run()
    # Nothing says erased while a key or a file is there.
    assert not set(office.rows.tombstones) & (office.vault.keys | set(office.vault.files))
    office.vault.dies_at = None
    report = await office.eraser().run()
    assert report.finished + report.erased == 3
    assert set(office.rows.tombstones) == ids
    assert (office.there, office.vault.keys, office.vault.files) == (set(), set(), {})
    assert (await office.eraser().run()).erased == 0
    assert sorted(office.rows.actions).count("recording:erased") == 3


async def test_one_file_that_will_not_go_does_not_keep_the_others(office: Office) -> None:
    """P8, R7.2h."""
    ids = [office.add(number) for number in range(5)]
    office.vault.stuck = {ids[2]}
    report = await office.eraser().run()
    assert (report.erased, report.failed) == (4, 1)
    assert set(office.rows.failures) == {ids[2]}
    assert office.rows.recordings[ids[2]].stage is Stage.ERASING
    assert ids[2] not in office.vault.keys, "its audio can be read no more all the same"
    office.vault.stuck = set()
    assert (await office.eraser().run()).finished == 1
    assert set(office.rows.tombstones) == set(ids)


async def test_a_file_that_is_gone_already_is_closed(office: Office) -> None:
    due = office.add(1)
    del office.vault.files[due]
    assert (await office.eraser().run()).erased == 1


@pytest.mark.parametrize("stage", Stage)
async def test_nothing_is_called_gone_in_a_vault_that_is_not_mounted(
    office: Office, stage: Stage
) -> None:
    due = office.add(1, stage=stage)
    office.vault.mounted = False
    report = await office.eraser().run()
    assert (report.erased, report.finished, report.failed) == (0, 0, 1)
    assert office.rows.recordings[due].stage is stage
    assert office.is_whole(due)
    office.vault.mounted = True
    report = await office.eraser().run()
    assert report.erased + report.finished == 1


async def test_a_question_for_holds_that_fails_erases_nothing(office: Office) -> None:
    """P3: "no holds" never comes from an error."""
    due = office.add(1)
    office.rows.holds_fail = True
    with pytest.raises(LedgerUnavailable):
        await office.eraser().run()
    assert office.is_whole(due)
    assert office.rows.recordings[due].stage is Stage.KEPT


async def test_a_hold_placed_between_verdict_and_claim_wins(office: Office) -> None:
    due = office.add(1)
    asked = office.vault.written_at

    async def hold_meanwhile(files: object) -> object:
        if not office.rows.holds:
            office.hold(due)
        return await asked(files)  # type: ignore[arg-type]

    office.vault.written_at = hold_meanwhile  # type: ignore[method-assign, assignment]
    assert (await office.eraser().run()).erased == 0
    assert office.is_whole(due)


async def test_after_an_outage_of_45_days_one_run_makes_up_for_all(office: Office) -> None:
    """P6: everything due goes, what is on hold stays, an immutable file is told."""
    ids = [
        office.add(number, ended_at=NOON - timedelta(hours=number), sealed_at=NOON)
        for number in range(1200)
    ]
    for held in ids[:3]:
        office.hold(held)
    office.vault.stuck = {ids[700]}
    office.pass_by(timedelta(days=45))
    report = await office.eraser().run()
    assert (report.erased, report.held, report.failed) == (1196, 3, 1)
    assert office.there == {*ids[:3], ids[700]}
    assert all(office.is_whole(each) for each in ids[:3])


async def test_lifted_past_its_day_it_goes_at_the_next_run(office: Office) -> None:
    """R7.3f."""
    due = office.add(1)
    hold = office.hold(due)
    await office.eraser().run()
    await office.holds.end(
        hold.id,
        ending=Ending.LIFTED,
        reason="ended",
        reference="II K 1/27",
        actor=KAMIL,
        at=NOON,
        approval=None,
    )
    assert (await office.eraser().run()).erased == 1
    assert office.there == set()
    assert due in office.rows.tombstones


def jump(office: Office) -> None:
    office.clock.at += timedelta(days=40)
    office.witness.instant = replace(office.witness.instant, at=office.clock.at)


def lose_a_hold(office: Office) -> None:
    lost = office.hold(office.add(50))
    office.log.stood = {str(lost.id)}
    office.rows.holds.clear()


def renew_a_file(office: Office) -> None:
    office.vault.files[office.add(51)] = NOON


def restart_unsynchronised(office: Office) -> None:
    office.witness.instant = Instant(at=NOON, boot_id="another", boot_s=3.0)
    office.witness.kept = False


@pytest.mark.parametrize(
    ("anomaly", "brake"),
    [
        (jump, Brake.CLOCK_JUMP),
        (restart_unsynchronised, Brake.CLOCK_JUMP),
        (lose_a_hold, Brake.HOLDS_VANISHED),
        (renew_a_file, Brake.FILE_YOUNGER),
    ],
)
async def test_an_anomaly_stops_the_purge_until_a_person_releases_it(
    office: Office, anomaly: Callable[[Office], None], brake: Brake
) -> None:
    """P5, F12."""
    due = office.add(1)
    anomaly(office)
    for _ in range(2):
        report = await office.eraser().run()
        assert [each.brake for each in report.braked_by] == [brake]
        assert report.erased == 0
    assert office.is_whole(due)
    assert office.rows.actions == ["purge:braked"]
    (token,) = [each.token for each in report.braked_by]
    assert await office.log.release("another", actor=OLGA, at=NOON) is None
    assert await office.log.release(token, actor=OLGA, at=NOON)
    assert (await office.eraser().run()).erased >= 1
    assert due in office.rows.tombstones
    office.pass_by(timedelta(minutes=5))
    assert not (await office.eraser().run()).braked_by


async def test_a_release_covers_only_the_holds_that_a_person_was_shown(office: Office) -> None:
    """P3, P5: told of one hold that is gone, nobody has said yes to an empty table."""
    first, second = (office.hold(office.add(number)) for number in (50, 51))
    office.log.stood = {str(first.id), str(second.id)}
    del office.rows.holds[first.id]
    (shown,) = (await office.eraser().run()).braked_by
    await office.log.release(shown.token, actor=OLGA, at=NOON)
    office.rows.holds.clear()
    report = await office.eraser().run()
    assert (report.erased, len(office.there)) == (0, 2)
    (again,) = report.braked_by
    assert again.detail.startswith("2 holds")
    assert again.token != shown.token
    await office.log.release(again.token, actor=OLGA, at=NOON)
    assert (await office.eraser().run()).erased == 2


async def test_a_release_covers_only_the_younger_files_that_a_person_was_shown(
    office: Office,
) -> None:
    """P5: what came due since is asked about by the next run, what was shown goes."""
    later = office.add(52, ended_at=NOON - MONTH + timedelta(hours=2))
    office.vault.files[later] = NOON
    renew_a_file(office)
    (shown,) = (await office.eraser().run()).braked_by
    office.pass_by(timedelta(hours=2))
    await office.log.release(shown.token, actor=OLGA, at=NOON)
    assert (await office.eraser().run()).erased == 1
    assert office.is_whole(later)
    (again,) = (await office.eraser().run()).braked_by
    assert again.detail.startswith("1 files")
    # Another file was renewed after a person had looked.
    office.vault.files[office.add(53)] = NOON
    await office.log.release(again.token, actor=OLGA, at=NOON)
    report = await office.eraser().run()
    assert [each.detail[:7] for each in report.braked_by] == ["2 files"]
    assert office.is_whole(later)


async def test_much_to_erase_alone_stops_nothing(office: Office) -> None:
    """P5: it is told."""
    for number in range(LARGE + 1):
        office.add(number)
    with structlog.testing.capture_logs() as logged:
        assert (await office.eraser().run()).erased == LARGE + 1
    told = [each for each in logged if each["event"] == "purge_is_large"]
    assert [(each["log_level"], each["due"]) for each in told] == [("warning", LARGE + 1)]
    for number in range(LARGE):
        office.add(number + 2 * LARGE)
    with structlog.testing.capture_logs() as logged:
        assert (await office.eraser().run()).erased == LARGE
    assert logged == []


async def test_a_clock_nobody_vouches_for_is_not_trusted_later_either(office: Office) -> None:
    """Nothing is due now; the doubt must not be forgotten by the time something is."""
    restart_unsynchronised(office)
    office.add(1, ended_at=NOON)
    assert not (await office.eraser().run()).braked_by
    office.pass_by(MONTH)
    (on,) = (await office.eraser().run()).braked_by
    assert on.brake is Brake.CLOCK_JUMP


async def test_what_was_claimed_is_finished_even_with_a_brake_on(office: Office) -> None:
    half = office.add(1, stage=Stage.ERASING)
    jump(office)
    report = await office.eraser().run()
    assert (report.finished, bool(report.braked_by)) == (1, True)
    assert half in office.rows.tombstones


async def test_a_shorter_retention_erases_nothing_before_a_person_applied_it(
    office: Office,
) -> None:
    """R7.2c."""
    recording = office.add(1, ended_at=NOON - timedelta(days=10))
    assert (await office.eraser(days=7).run()).erased == 0
    office.log.days = 7
    assert (await office.eraser(days=7).run()).erased == 1
    assert recording in office.rows.tombstones


async def test_a_longer_retention_holds_at_once_and_is_written_down(office: Office) -> None:
    office.log.days = 7
    office.add(1, ended_at=NOON - timedelta(days=10))
    assert (await office.eraser(days=30).run()).erased == 0
    assert office.log.days == 30
    assert office.rows.actions == ["retention:changed"]


async def test_by_hand_takes_two_persons(office: Office) -> None:
    """R7.2f."""
    young = office.add(1, ended_at=NOON)
    approval = await office.by_hand().ask(young, reason="recorded by mistake", actor=OLGA)
    assert isinstance(approval, Approval)
    assert office.is_whole(young)
    with pytest.raises(RuleViolation, match="same_person"):
        await office.by_hand().confirm(approval, actor=OLGA)
    with pytest.raises(RuleViolation, match="proposed already"):
        await office.by_hand().ask(young, reason="again", actor=KAMIL)
    assert await office.by_hand().confirm(approval, actor=KAMIL)
    assert office.rows.claims[young].route is Route.BY_HAND
    assert office.rows.actions == [
        "approval:proposed",
        "approval:confirmed",
        "recording:claimed",
        "recording:erased",
    ]
    assert "by mistake" not in str([each.details for each in office.rows.trail])


async def test_a_hold_wins_over_a_hand_even_after_the_proposal(office: Office) -> None:
    """R7.2f, R7.3b."""
    young = office.add(1, ended_at=NOON)
    approval = await office.by_hand().ask(young, reason="recorded by mistake", actor=OLGA)
    assert isinstance(approval, Approval)
    office.hold(young)
    for refused in (
        office.by_hand().confirm(approval, actor=KAMIL),
        office.by_hand(four_eyes=False).ask(young, reason="a second try", actor=KAMIL),
    ):
        with pytest.raises(RuleViolation, match="held"):
            await refused
    assert office.is_whole(young)
    assert (await office.approvals.waiting()) == [approval]


@pytest.mark.parametrize("reason", ["", "  "])
async def test_by_hand_needs_a_reason(office: Office, reason: str) -> None:
    young = office.add(1, ended_at=NOON)
    with pytest.raises(RuleViolation, match="reason"):
        await office.by_hand(four_eyes=False).ask(young, reason=reason, actor=OLGA)
    assert await office.by_hand(four_eyes=False).ask(young, reason="by mistake", actor=OLGA) is True
