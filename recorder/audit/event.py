"""What the audit trail is told: one act, by whom, on what, and why (R8.1e)."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Scalar = str | int | float | bool | None

ACTION = re.compile(r"[a-z][a-z_]*:[a-z][a-z_]*")
"""``noun:past-participle``, as in ``recording:erased`` or ``hold:placed``."""
KEY = re.compile(r"[a-z][a-z0-9_]*")
LARGEST_INTEGER = 2**53 - 1
"""Beyond it a reader whose numbers are doubles sees another value (RFC 8785)."""


class ActorKind(StrEnum):
    """What kind of someone acts."""

    ACCOUNT = "account"
    """A person who signed in; the name is the account's."""
    OPERATOR = "operator"
    """A person at the machine's prompt; the name is the machine's user."""
    PROCESS = "process"
    """A process of this service by itself: ``retention``, ``capture``."""
    MACHINE = "machine"
    """A program with a token of its own."""
    EXTENSION = "extension"
    """Whoever is at this telephone of the office; the name is the extension (RG.12)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts. The name tells the reader of the trail which person, as long as it is kept."""

    kind: ActorKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One act. What may have to be forgotten before the entry is goes into ``personal``.

    Callers' numbers, names and free texts that people write belong there and nowhere else:
    everything outside ``personal`` stays for the trail's whole retention. Raises ``ValueError``
    for what the trail cannot hold, which is a defect of the caller.
    """

    action: str
    """``noun:past-participle``."""
    at: datetime
    actor: Actor
    subject: str = ""
    """``recording:<uuid>``, ``hold:<uuid>`` ...; empty = no single thing."""
    reason: str = ""
    """The rule's reason, a purpose of § 3.1 or a request's number; no free text."""
    details: Mapping[str, Scalar] = field(default_factory=dict)
    personal: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not ACTION.fullmatch(self.action):
            raise ValueError("an action is noun:past-participle, as in recording:erased")
        if self.at.utcoffset() is None:
            raise ValueError("an instant of the trail is aware")
        for name in (*self.details, *self.personal):
            if not KEY.fullmatch(name):
                raise ValueError("names in an entry are lower-case words")
        for value in self.details.values():
            if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
                raise ValueError("an integer of the trail has at most 53 bits")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError("a number of the trail is finite")


def kept_object(text: str) -> dict[str, Any]:
    """Return an object of the trail as it is kept; one that was made unreadable is told whole.

    >>> kept_object('{"from":0}'), kept_object("nonsense")
    ({'from': 0}, {'unreadable': 'nonsense'})
    """
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"unreadable": text}
