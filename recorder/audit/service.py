"""Verifying the trail, signing how it ends, and forgetting what is past its time (R8.1e, R8.1f)."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from recorder.audit.event import Actor, AuditEvent
from recorder.audit.notes import BadNote, Kind, Note, PublicKey, SigningKey
from recorder.audit.ports import Trail
from recorder.audit.rules import BEGINNING, Entry, Fault, Position, Verifier, Why
from recorder.errors import RuleViolation

PAGE = 5000
FORGET_AT_ONCE = 20_000
LOWEST = -(2**63)
"""Reading begins here: an entry with a number before the first would else hide from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What verifying found."""

    last: Position
    """Where the verified part ends."""
    fault: Fault | None
    """The first bad entry."""
    notes: Sequence[Note]
    """Checkpoints that were compared."""
    bad_notes: Mapping[str, str]
    """Checkpoints that say nothing, each with the reason."""

    @property
    def sound(self) -> bool:
        """Nothing is wrong."""
        return self.fault is None and not self.bad_notes


class Auditor:
    """Reads the trail whole, in pages."""

    def __init__(self, trail: Trail, *, public: PublicKey | None) -> None:
        """``public`` verifies checkpoints; None = there are none."""
        self._trail = trail
        self._public = public

    async def verify(
        self, checkpoints: Mapping[str, str], *, seen: Callable[[int], None] = lambda _: None
    ) -> Report:
        """Verify every entry and compare with every checkpoint; ``seen`` hears of the progress."""
        notes, bad = self._opened(checkpoints)
        signed = {each.position.seq: each.position.hash for each in notes}
        start = await self._start()
        if start is None:
            fault = Fault(seq=1, why=Why.MISSING)
            return Report(last=BEGINNING, fault=fault, notes=notes, bad_notes=bad)
        verifier = Verifier(
            start=start, signed={seq: each for seq, each in signed.items() if seq > start.seq}
        )
        found = await self._run(verifier, seen, since=LOWEST) or _contradiction(notes, start)
        return Report(last=verifier.last, fault=found, notes=notes, bad_notes=bad)

    async def checkpoint(
        self, key: SigningKey, checkpoints: Mapping[str, str], *, now: datetime
    ) -> tuple[Position, str] | None:
        """Return a new signed note about the trail's end; None = nothing was added since the last.

        Signs only what goes on from the last checkpoint: a rewritten trail gets no signature.
        Raises ``RuleViolation``.
        """
        notes, bad = self._opened(checkpoints)
        if bad:
            raise RuleViolation(f"not signed, checkpoint {min(bad)}: {bad[min(bad)]}")
        start = await self._start() or BEGINNING
        last = max([each.position for each in notes] + [start], key=lambda each: each.seq)
        verifier = Verifier(start=last)
        if fault := await self._run(verifier, lambda _: None, since=last.seq):
            raise RuleViolation(
                f"not signed, the trail is broken at {fault}; recorder audit verify"
            )
        if verifier.last == last:
            return None
        return verifier.last, key.sign(verifier.last, kind=Kind.CHECKPOINT, at=now)

    async def forget(
        self, key: SigningKey, *, before: datetime, actor: Actor, now: datetime
    ) -> int:
        """Drop the oldest part, all of it older than ``before``; return how many entries.

        Goes in steps: call it until it returns 0. What is dropped is verified first. Raises
        ``RuleViolation`` where it does not verify.
        """
        start = await self._start()
        if start is None:
            raise RuleViolation("nothing is forgotten, the trail's beginning is missing")
        # After a long pause there may be more than one statement has time for.
        through = min(await self._trail.last_before(before), start.seq + FORGET_AT_ONCE)
        if through <= start.seq:
            return 0
        verifier = Verifier(start=start)
        async for entry in self._entries(start.seq):
            if fault := verifier.check(entry):
                raise RuleViolation(f"nothing is forgotten, the trail is broken at {fault}")
            if entry.seq == through:
                break
        note = key.sign(verifier.last, kind=Kind.FORGOTTEN, at=now)
        event = AuditEvent(
            action="audit:forgotten", at=now, actor=actor, details={"through": through}
        )
        return await self._trail.forget(verifier.last, note=note, event=event)

    async def forget_personal(self, *, before: datetime, actor: Actor, now: datetime) -> int:
        """Drop the personal parts of entries older than ``before``; return how many."""
        event = AuditEvent(action="personal:forgotten", at=now, actor=actor)
        return await self._trail.forget_personal(before=before, event=event)

    async def _start(self) -> Position | None:
        """Return where the trail may begin; None = its beginning is gone without a signed note."""
        start = await self._trail.start()
        if start is None:
            return None
        if start.position == BEGINNING:
            return BEGINNING
        try:
            note = self._public.open(start.note) if self._public else None
        except BadNote:
            return None
        if note is None or note.kind is not Kind.FORGOTTEN or note.position != start.position:
            return None
        return start.position

    def _opened(self, checkpoints: Mapping[str, str]) -> tuple[list[Note], dict[str, str]]:
        notes, bad = [], {}
        for name, text in checkpoints.items():
            try:
                note = self._public.open(text) if self._public else None
            except BadNote as error:
                bad[name] = str(error)
                continue
            if note is None:
                bad[name] = "there is no key to verify it with"
            elif note.kind is not Kind.CHECKPOINT:
                bad[name] = "it is no checkpoint"
            else:
                notes.append(note)
        return notes, bad

    async def _run(
        self, verifier: Verifier, seen: Callable[[int], None], *, since: int
    ) -> Fault | None:
        """Feed the verifier to the trail's end, which may move on meanwhile."""
        known: Position | None = None
        while True:
            async for entry in self._entries(since):
                if fault := verifier.check(entry):
                    return fault
                if entry.seq % 100 == 0:
                    seen(entry.seq)
            # Entries read after a head must reach it; a head read after them may be ahead.
            if known is not None and known.seq > verifier.last.seq:
                return verifier.finish(head=known)
            known = await self._trail.head()
            if known is None:
                return Fault(seq=verifier.last.seq + 1, why=Why.CUT_OFF)
            if known.seq <= verifier.last.seq:
                return verifier.finish(head=known)
            since = verifier.last.seq

    async def _entries(self, seq: int) -> AsyncIterator[Entry]:
        while page := await self._trail.entries_after(seq, limit=PAGE):
            for entry in page:
                yield entry
            seq = page[-1].seq


def _contradiction(notes: Sequence[Note], start: Position) -> Fault | None:
    """Return the entry for which two signatures, or the beginning and one, name two hashes."""
    signed = {start.seq: start.hash}
    for position in (each.position for each in notes):
        if signed.setdefault(position.seq, position.hash) != position.hash:
            return Fault(seq=position.seq, why=Why.NOT_AS_SIGNED)
    return None
