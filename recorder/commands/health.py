"""One part of the service, and how it is, as ``recorder status`` tells it."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a part is."""

    OK = "ok"
    ATTENTION = "attention"
    """It works; a person must look at it."""
    DOWN = "down"
    """It does not do its work now."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the service, and how it is."""

    name: str
    state: State
    says: str
