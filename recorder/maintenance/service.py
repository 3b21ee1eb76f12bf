"""Makes the diagnostic bundle: asks every part, looks for persons in it, and only then gives it."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from recorder.audit.event import Actor, AuditEvent
from recorder.errors import RecorderError, RuleViolation
from recorder.maintenance.model import Bundle, Hit, Part
from recorder.maintenance.ports import KnownPeople, Source
from recorder.maintenance.rules import (
    digits_in,
    hits_in,
    numbers_in,
    said_in,
    texts_of,
    vocabulary,
    words_to_look_for,
)
from recorder.ports import Clock

MOST_TOLD = 20
Told = Callable[[str], None]
"""Hears what is being asked."""
Note = Callable[[Sequence[AuditEvent]], Awaitable[None]]
"""Writes entries of the audit trail. Raises ``LedgerUnavailable``."""


class BundleBlocked(RuleViolation):
    """A bundle seems to hold somebody's number or name; ``hits`` say where, never what."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        told = "; ".join(f"{each.file}, {each.place}: {each.kind}" for each in hits[:MOST_TOLD])
        more = f"; and {len(hits) - MOST_TOLD} more" if len(hits) > MOST_TOLD else ""
        super().__init__(f"not written, for it seems to hold somebody's data: {told}{more}")
        self.hits = hits


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostician:
    """Collects, scans, leaves the entry, gives: in that order."""

    sources: Mapping[str, Source]
    """Name of the file → how it is asked for."""
    people: KnownPeople
    note: Note
    clock: Clock
    public: frozenset[str]
    """The office's own numbers: nobody's secret."""

    async def make(
        self, *, actor: Actor, leave_out: Collection[str] = (), told: Told = lambda _: None
    ) -> Bundle:
        """Return a bundle in which nobody was found.

        Raises ``BundleBlocked`` and ``LedgerUnavailable``: what cannot be compared with the
        ledger, or leave its entry, is not given (RG.15).
        """
        bundle = await self.collect(leave_out=leave_out, told=told)
        told("looking for numbers and names")
        hits = await self.scan(bundle)
        action = "diagnosis:blocked" if hits else "diagnosis:made"
        details = {"parts": len(bundle.parts), "hits": len(hits)}
        await self.note(
            [AuditEvent(action=action, at=self.clock.now(), actor=actor, details=details)]
        )
        if hits:
            raise BundleBlocked(hits)
        return bundle

    async def make_uncompared(
        self, *, leave_out: Collection[str] = (), told: Told = lambda _: None
    ) -> Bundle:
        """Return a bundle in which no telephone number was found, without asking the ledger.

        For the machine's administrator while PostgreSQL is away. Raises ``BundleBlocked``.
        """
        bundle = await self.collect(leave_out=leave_out, told=told)
        hits = list(hits_in(bundle, callers=frozenset(), names=(), public=self.public))
        if hits:
            raise BundleBlocked(hits)
        return bundle

    async def collect(self, *, leave_out: Collection[str], told: Told) -> Bundle:
        """Ask each part; what cannot be asked is missing, with its reason."""
        parts, missing = [], {}
        for name, source in self.sources.items():
            if name in leave_out:
                missing[name] = "left out by whoever made this"
                continue
            told(name)
            try:
                content = await source()
            except RecorderError as error:
                missing[name] = str(error)
            else:
                # A line for each of a list, as the logs themselves are.
                kind = "jsonl" if isinstance(content, list) else "json"
                parts.append(Part(file=f"{name}.{kind}", content=content))
        if missing:
            # A part like the others, so that it is looked through like them.
            parts.append(Part(file="missing.json", content=missing))
        return Bundle(parts=tuple(parts), missing=missing)

    async def scan(self, bundle: Bundle) -> Sequence[Hit]:
        """Return each place that seems to be somebody's. Raises ``LedgerUnavailable``."""
        texts = [text for part in bundle.parts for _, text in texts_of(part.content)]
        numbers = {each for text in texts for each in (*numbers_in(text), *digits_in(text))}
        callers = await self.people.callers_among(numbers) if numbers else frozenset()
        said, known = said_in(bundle), vocabulary(bundle)
        names: set[str] = set()
        async for name in self.people.names():
            names.update(words_to_look_for(name, said=said, known=known))
        return list(hits_in(bundle, callers=callers, names=names, public=self.public))
