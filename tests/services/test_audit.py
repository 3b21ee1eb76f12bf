"""The auditor on a trail that moves on while it is read."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog

from recorder.adapters.audit_files import CheckpointFolder
from recorder.audit import service
from recorder.audit.event import Actor, ActorKind, AuditEvent
from recorder.audit.keeping import TrailKeeper
from recorder.audit.notes import Kind, SigningKey
from recorder.audit.ports import Start
from recorder.audit.rules import BEGINNING, Entry, Fault, Position, Why, chain
from recorder.audit.service import Auditor
from recorder.errors import MailUnavailable, RuleViolation
from tests.builders import NOON
from tests.fakes import FakeClock

KEY = SigningKey("office/audit", bytes(range(32)))
CAPTURE = Actor(kind=ActorKind.PROCESS, name="capture")


class FakeTrail:
    """A trail in memory, to which others append whenever its head is asked for."""

    def __init__(self, *, appended_meanwhile: int = 0) -> None:
        self.entries: list[Entry] = []
        self.begins = Start(position=BEGINNING, note="")
        self.personal_forgotten_before: datetime | None = None
        self._meanwhile = appended_meanwhile

    def append(self, count: int, *, at: datetime = NOON) -> None:
        event = AuditEvent(action="recording:played", at=at, actor=CAPTURE)
        for _ in range(count):
            after = self.entries[-1].position if self.entries else self.begins.position
            self.entries.append(chain(event, after=after, salt=bytes(32)))

    async def head(self) -> Position | None:
        if self._meanwhile:
            self._meanwhile -= 1
            self.append(1)
        return self.entries[-1].position if self.entries else self.begins.position

    async def start(self) -> Start | None:
        return self.begins

    async def entries_after(self, seq: int, *, limit: int) -> Sequence[Entry]:
        return [each for each in self.entries if each.seq > seq][:limit]

    async def last_before(self, at: datetime) -> int:
        return max((each.seq for each in self.entries[:-1] if each.at < at), default=0)

    async def forget(self, through: Position, *, note: str, event: AuditEvent) -> int:
        kept = [each for each in self.entries if each.seq > through.seq]
        dropped = len(self.entries) - len(kept)
        self.entries = [*kept, chain(event, after=kept[-1].position, salt=bytes(32))]
        self.begins = Start(position=through, note=note)
        return dropped

    async def forget_personal(self, *, before: datetime, event: AuditEvent) -> int:
        self.personal_forgotten_before = before
        return 0


@pytest.mark.parametrize("there", [0, 2])
async def test_what_is_appended_while_it_is_read_is_no_fault(there: int) -> None:
    trail = FakeTrail(appended_meanwhile=3)
    trail.append(there)
    report = await Auditor(trail, public=None).verify({})
    assert (report.sound, report.last.seq) == (True, there + 3)


async def test_a_tail_that_does_not_come_is_a_fault_though_others_append() -> None:
    trail = FakeTrail()
    trail.append(5)
    head = trail.entries[-1].position
    del trail.entries[3:]

    async def still_known() -> Position | None:
        return head

    trail.head = still_known  # type: ignore[method-assign]
    report = await Auditor(trail, public=None).verify({})
    assert report.fault == Fault(seq=4, why=Why.CUT_OFF)


async def test_nothing_is_signed_twice_and_nothing_of_an_empty_trail() -> None:
    trail = FakeTrail()
    auditor = Auditor(trail, public=KEY.public)
    assert await auditor.checkpoint(KEY, {}, now=NOON) is None
    trail.append(2)
    signed = await auditor.checkpoint(KEY, {}, now=NOON)
    assert signed is not None
    assert await auditor.checkpoint(KEY, {"2": signed[1]}, now=NOON) is None


async def test_two_checkpoints_of_one_entry_that_differ_are_a_fault() -> None:
    """One of them was signed over a forged trail."""
    trail = FakeTrail()
    trail.append(3)
    true = KEY.sign(trail.entries[1].position, kind=Kind.CHECKPOINT, at=NOON)
    false = KEY.sign(Position(seq=2, hash=bytes(32)), kind=Kind.CHECKPOINT, at=NOON)
    for notes in ({"a": true, "b": false}, {"a": false, "b": true}):
        report = await Auditor(trail, public=KEY.public).verify(notes)
        assert report.fault == Fault(seq=2, why=Why.NOT_AS_SIGNED)


async def test_what_does_not_verify_is_not_forgotten() -> None:
    """R8.1f: forgetting is no way to lose evidence of a tampering."""
    trail = FakeTrail()
    trail.append(3, at=NOON - timedelta(days=800))
    trail.append(2)
    auditor = Auditor(trail, public=KEY.public)
    before = NOON - timedelta(days=731)
    whole = list(trail.entries)
    del trail.entries[1]
    with pytest.raises(RuleViolation, match="entry 2: missing"):
        await auditor.forget(KEY, before=before, actor=CAPTURE, now=NOON)
    trail.entries = whole
    assert await auditor.forget(KEY, before=before, actor=CAPTURE, now=NOON) == 3
    assert (await auditor.verify({})).sound
    assert await auditor.forget(KEY, before=before, actor=CAPTURE, now=NOON) == 0


async def test_a_forgotten_beginning_needs_the_key_that_signed_it() -> None:
    trail = FakeTrail()
    trail.append(3, at=NOON - timedelta(days=800))
    trail.append(2)
    before = NOON - timedelta(days=731)
    auditor = Auditor(trail, public=KEY.public)
    await auditor.forget(KEY, before=before, actor=CAPTURE, now=NOON)
    for public in (None, SigningKey("office/audit", bytes(32)).public):
        report = await Auditor(trail, public=public).verify({})
        assert report.fault == Fault(seq=1, why=Why.MISSING)


class Mailbox:
    """Takes notes, or is away."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.is_away = False

    def post(self, notes: Mapping[str, str]) -> str:
        if self.is_away:
            raise MailUnavailable("the mail server is away")
        newest = max(notes, default="")
        self.taken += [newest] if newest not in self.taken else []
        return newest


def a_keeper(trail: FakeTrail, folder: Path, *, post: Mailbox | None = None) -> TrailKeeper:
    return TrailKeeper(
        trail,
        CheckpointFolder(folder),
        FakeClock(),
        key=KEY,
        actor=CAPTURE,
        keep_days=731,
        keep_personal_days=30,
        post=post,
    )


async def test_a_long_backlog_goes_in_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "FORGET_AT_ONCE", 4)
    trail = FakeTrail()
    trail.append(10, at=NOON - timedelta(days=732))
    trail.append(1)
    assert (await a_keeper(trail, tmp_path).forget()).entries == 10
    told = [each.details for each in trail.entries if each.action == "audit:forgotten"]
    assert told == ['{"through":4}', '{"through":8}', '{"through":10}']
    assert (await Auditor(trail, public=KEY.public).verify({})).sound


async def test_every_day_what_is_past_its_time_goes_and_the_rest_is_signed(tmp_path: Path) -> None:
    """R8.1e, R8.1f."""
    trail = FakeTrail()
    trail.append(3, at=NOON - timedelta(days=732))
    trail.append(2)
    await a_keeper(trail, tmp_path).daily()
    assert [each.action for each in trail.entries][2:] == ["audit:forgotten"]
    assert trail.personal_forgotten_before == NOON - timedelta(days=30)
    assert [path.name for path in tmp_path.iterdir()] == ["000000000006.note"]
    await a_keeper(trail, tmp_path).daily()
    assert len(list(tmp_path.iterdir())) == 1
    notes = CheckpointFolder(tmp_path).notes()
    assert (await Auditor(trail, public=KEY.public).verify(notes)).sound


async def test_what_was_signed_while_mail_was_away_is_posted_the_next_time(tmp_path: Path) -> None:
    trail, mailbox = FakeTrail(), Mailbox()
    trail.append(2)
    mailbox.is_away = True
    with structlog.testing.capture_logs() as logged, pytest.raises(MailUnavailable):
        await a_keeper(trail, tmp_path, post=mailbox).daily()
    assert [each["event"] for each in logged] == ["audit_trail_not_kept"]
    assert [path.name for path in tmp_path.iterdir()] == ["000000000002.note"]
    mailbox.is_away = False
    done = await a_keeper(trail, tmp_path, post=mailbox).daily()
    assert "nothing new to sign, posted" in done
    assert mailbox.taken == ["000000000002.note"]


async def test_a_broken_trail_is_neither_signed_nor_cut(
    tmp_path: Path,
) -> None:
    trail = FakeTrail()
    trail.append(3)
    await a_keeper(trail, tmp_path).daily()
    trail.append(3)
    del trail.entries[4]
    keeper = a_keeper(trail, tmp_path)
    with structlog.testing.capture_logs() as logged, pytest.raises(RuleViolation):
        await keeper.daily()
    assert [each["event"] for each in logged] == ["audit_trail_not_kept"]
    assert "entry 5: missing" in logged[0]["why"]
    assert len(list(tmp_path.iterdir())) == 1
