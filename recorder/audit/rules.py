"""Is this trail what was written, and if not, which entry is the first that is not?

Every entry holds the hash of the one before it. The format, byte by byte: docs/audit-trail.md.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from recorder.audit.event import Actor, AuditEvent, Scalar

VERSION = 1
"""Of the format. It is part of what is hashed."""
PLAIN_DIGITS = 21
"""Numbers of more digits, or so small that six zeros follow the point, have an exponent."""
SMALLEST_PLAIN = -6


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in the trail: behind the entry ``seq``, whose hash is ``hash``."""

    seq: int
    hash: bytes


BEGINNING = Position(seq=0, hash=bytes(32))
"""Before the first entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """The part of an entry that can be forgotten, and the salt that hides it in its commitment."""

    salt: bytes
    data: str
    """Canonical JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as it is kept."""

    seq: int
    at: datetime
    actor: Actor
    action: str
    subject: str
    reason: str
    details: str
    """Canonical JSON."""
    commitment: bytes | None
    """To the personal part; None = there never was one."""
    previous: bytes
    """Hash of the entry before."""
    hash: bytes
    personal: Personal | None = field(default=None, repr=False)
    """None = there never was one, or it is forgotten."""

    @property
    def position(self) -> Position:
        """The place behind this entry."""
        return Position(seq=self.seq, hash=self.hash)


class Why(StrEnum):
    """What is wrong with the first bad entry."""

    ALTERED = "altered"
    """It is not what its own hash says."""
    REPLACED = "replaced"
    """It is whole by itself, but the next entry was chained to another one."""
    MISSING = "missing"
    """The numbers go on without it."""
    OUT_OF_ORDER = "out_of_order"
    """A number that has been there, or one from before."""
    PERSONAL_ALTERED = "personal_altered"
    """Its personal part is not the one it was committed to."""
    NOT_AS_SIGNED = "not_as_signed"
    """A checkpoint signed another hash for it."""
    CUT_OFF = "cut_off"
    """The trail ends before it, but its head or a checkpoint knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first bad entry, and why."""

    seq: int
    why: Why

    def __str__(self) -> str:
        return f"entry {self.seq}: {self.why.value.replace('_', ' ')}"


def canonical(values: Mapping[str, Scalar]) -> str:
    r"""Return JSON with one spelling only: RFC 8785, for a flat object.

    Names sorted, no white space, strings escaped no more than JSON demands, numbers as
    ECMAScript prints them: 1 and 1.0 are one number.

    >>> canonical({"b": 1.0, "a": "zażółć\n", "c": None, "d": 1e-7, "e": True})
    '{"a":"zażółć\\n","b":1,"c":null,"d":1e-7,"e":true}'
    """
    return "{" + ",".join(f"{_text(k)}:{_scalar(v)}" for k, v in sorted(values.items())) + "}"


def chain(event: AuditEvent, *, after: Position, salt: bytes) -> Entry:
    """Return the entry that an event becomes behind ``after``.

    ``salt`` is 32 random bytes of its own for each entry: without it a forgotten number could
    be found again by trying all numbers.
    """
    details = canonical(event.details)
    personal = Personal(salt=salt, data=canonical(event.personal)) if event.personal else None
    draft = Entry(
        seq=after.seq + 1,
        at=event.at.astimezone(UTC),
        actor=event.actor,
        action=event.action,
        subject=event.subject,
        reason=event.reason,
        details=details,
        commitment=commitment_of(personal) if personal else None,
        previous=after.hash,
        hash=b"",
        personal=personal,
    )
    return Entry(
        **{name: getattr(draft, name) for name in Entry.__slots__ if name != "hash"},
        hash=hash_of(draft),
    )


def chain_all(
    events: Iterable[AuditEvent], *, after: Position, salts: Iterable[bytes]
) -> list[Entry]:
    """Return the entries that events become, in their order."""
    entries = []
    for event, salt in zip(events, salts, strict=False):
        entries.append(chain(event, after=after, salt=salt))
        after = entries[-1].position
    return entries


def commitment_of(personal: Personal) -> bytes:
    """Return what an entry keeps of its personal part for good."""
    return hashlib.sha256(personal.salt + personal.data.encode()).digest()


def hash_of(entry: Entry) -> bytes:
    """Return the hash that an entry of this content has."""
    return hashlib.sha256(body_of(entry).encode()).digest()


def body_of(entry: Entry) -> str:
    """Return what is hashed: canonical JSON of everything but the personal part and the hash."""
    actor = entry.actor
    commitment = "null" if entry.commitment is None else f'"{entry.commitment.hex()}"'
    # Names are in order. The details are spliced in as they are kept: not even their spelling
    # can be changed unseen.
    return (
        f'{{"action":{_text(entry.action)},"actor_kind":"{actor.kind.value}",'
        f'"actor_name":{_text(actor.name)},"at":"{instant(entry.at)}",'
        f'"details":{entry.details},"personal":{commitment},"previous":"{entry.previous.hex()}",'
        f'"reason":{_text(entry.reason)},"seq":{entry.seq},"subject":{_text(entry.subject)},'
        f'"version":{VERSION}}}'
    )


def instant(at: datetime) -> str:
    """Return an instant as the trail writes it: UTC, to the microsecond.

    >>> instant(datetime(2026, 11, 25, tzinfo=UTC))
    '2026-11-25T00:00:00.000000Z'
    """
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


class Verifier:
    """Reads a trail entry by entry and remembers the first that is bad."""

    def __init__(self, *, start: Position = BEGINNING, signed: Mapping[int, bytes] = {}) -> None:
        """``signed`` are hashes that checkpoints vouch for, by the entry's number."""
        self._signed = signed
        self._start = start
        self._last = start
        self._previous: Entry | None = None

    @property
    def last(self) -> Position:
        """Where the verified part ends."""
        return self._last

    def check(self, entry: Entry) -> Fault | None:
        """Judge the next entry; after a fault there is nothing more to learn."""
        fault = self._judge(entry)
        self._last = entry.position
        return fault

    def _judge(self, entry: Entry) -> Fault | None:
        expected = self._last.seq + 1
        if entry.seq > expected:
            return Fault(seq=expected, why=Why.MISSING)
        if entry.seq < expected:
            return Fault(seq=entry.seq, why=Why.OUT_OF_ORDER)
        if entry.hash != hash_of(entry):
            return Fault(seq=entry.seq, why=Why.ALTERED)
        if entry.previous != self._last.hash:
            # Whole by itself, and chained to something else: what stands before it is not what
            # stood there. Before the first entry stands nothing that could be replaced.
            first = self._last == self._start
            why = Why.ALTERED if first else Why.REPLACED
            return Fault(seq=entry.seq if first else self._last.seq, why=why)
        if entry.personal is not None and entry.commitment != commitment_of(entry.personal):
            return Fault(seq=entry.seq, why=Why.PERSONAL_ALTERED)
        if self._signed.get(entry.seq, entry.hash) != entry.hash:
            return Fault(seq=entry.seq, why=Why.NOT_AS_SIGNED)
        return None

    def finish(self, *, head: Position | None) -> Fault | None:
        """Judge the end: nothing that the head or a checkpoint knows may be missing.

        ``head`` None = unknown, as in an export.
        """
        known = max([*self._signed, head.seq if head else 0])
        if known > self._last.seq:
            return Fault(seq=self._last.seq + 1, why=Why.CUT_OFF)
        if head is not None and head != self._last:
            return Fault(seq=self._last.seq, why=Why.REPLACED)
        return None


def verify(
    entries: Iterable[Entry],
    *,
    start: Position = BEGINNING,
    head: Position | None = None,
    signed: Mapping[int, bytes] = {},
) -> Fault | None:
    """Return the first bad entry of a whole trail, None if there is none."""
    verifier = Verifier(start=start, signed=signed)
    for entry in entries:
        if fault := verifier.check(entry):
            return fault
    return verifier.finish(head=head)


def _scalar(value: Scalar) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value) if isinstance(value, str) else _number(value)


def _text(value: str) -> str:
    # Python escapes exactly what RFC 8785 does: control characters, quote and backslash.
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """Return a number as ECMAScript's ``Number::toString`` does.

    >>> [_number(each) for each in (-0.0, 1e20, 1e21, 1.5e-7, 0.000001, -12.25)]
    ['0', '100000000000000000000', '1e+21', '1.5e-7', '0.000001', '-12.25']
    """
    if value == 0 or isinstance(value, int):
        return str(int(value))
    # repr() finds the shortest digits that give the number back; so does ECMAScript.
    negative, kept, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - a finite number has one
    digits = "".join(map(str, kept))
    point = len(digits) + exponent
    if len(digits) <= point <= PLAIN_DIGITS:
        shown = digits + "0" * (point - len(digits))
    elif 0 < point <= PLAIN_DIGITS:
        shown = f"{digits[:point]}.{digits[point:]}"
    elif SMALLEST_PLAIN < point <= 0:
        shown = f"0.{'0' * -point}{digits}"
    else:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        shown = f"{digits[0]}{tail}e{point - 1:+d}"
    return f"-{shown}" if negative else shown
