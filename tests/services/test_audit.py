"""The auditor on a trail that moves on while it is read."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from recorder.audit.event import Actor, ActorKind, AuditEvent
from recorder.audit.notes import Kind, SigningKey
from recorder.audit.ports import Start
from recorder.audit.rules import BEGINNING, Entry, Fault, Position, Why, chain
from recorder.audit.service import Auditor
from recorder.errors import RuleViolation
from tests.builders import NOON

KEY = SigningKey("office/audit", bytes(range(32)))
CAPTURE = Actor(kind=ActorKind.PROCESS, name="capture")


class FakeTrail:
    """A trail in memory, to which others append whenever its head is asked for."""

    def __init__(self, *, appended_meanwhile: int = 0) -> None:
        self.entries: list[Entry] = []
        self.begins = Start(position=BEGINNING, note="")
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
        raise NotImplementedError


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
