"""The nouns of live control: calls in progress, orders about their recording, and the answers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from recorder.audit.event import Actor
from recorder.model import CallId

OrderId = NewType("OrderId", UUID)
"""UUIDv7 of one order; it is carried out once at most."""


class Act(StrEnum):
    """What may be ordered about the recording of a call that goes on (RG.12)."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    """Stop and keep: recorded no further, sealed as usual."""
    DISCARD = "discard"
    """Stop and discard: no byte of it stays."""


class State(StrEnum):
    """What becomes of the audio of a call that may be recorded."""

    RECORDING = "recording"
    PAUSED = "paused"
    STOPPED = "stopped"
    DISCARDED = "discarded"


class Answer(StrEnum):
    """What became of an order."""

    DONE = "done"
    ALREADY = "already"
    """It was so before; nothing was done."""
    DOUBTFUL = "doubtful"
    """The PBX did not say whether. The state with less audio holds, and is asked for until the
    PBX confirms it."""
    # Refused: nothing was done, and nothing will be.
    EXPIRED = "expired"
    NOT_RECORDING = "not_recording"
    OVER = "over"
    """The recording was stopped before: there is nothing to pause, to resume, to keep."""
    CALL_OVER = "call_over"
    SWITCHBOARD_AWAY = "switchboard_away"
    CAPTURE_AWAY = "capture_away"
    NOT_OF_THE_OFFICE = "not_of_the_office"
    """A code pressed by somebody who is not, or no more, an extension of the office on the line."""


CARRIED_OUT = frozenset({Answer.DONE, Answer.ALREADY})
"""It is now as it was ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One person's word about one recording."""

    id: OrderId
    call_id: CallId
    act: Act
    by: Actor
    asked_at: datetime
    asked_on: str = ""
    """Channel of the telephone that waits for the answer; empty = it was not asked there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An order and what became of it."""

    order: Order
    answer: Answer
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InProgress:
    """A call that is being recorded, or was until somebody stopped it. Never any audio."""

    call_id: CallId
    node: str
    arrived_at: datetime
    line: str
    caller: str
    """The number with its middle hidden; empty = withheld."""
    answered_at: datetime | None
    """When somebody of the office came on the line; None = nobody has."""
    parties: tuple[str, ...]
    """Extensions on the line, or who was last while nobody is."""
    connected: bool
    state: State
    since: datetime | None
    """Since when it is so; None = nobody has answered yet, so nothing is written."""
    in_doubt: bool
    """The state was ordered, and the PBX has not confirmed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What a capture process is connected with."""

    linked: bool
    """Calls reach it (ARI)."""
    control_set: bool
    """The office wants orders about live recordings (AMI); without, nothing is wrong."""
    switchboard: bool
    """Orders can be carried out: both connections stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One capture process, when it was heard of, and its links as it said them."""

    name: str
    seen_at: datetime
    switchboard: bool
    """See ``Links``."""
    linked: bool = True
    control_set: bool = True


class Health(StrEnum):
    """How a capture process does."""

    WELL = "well"
    CONTROL_OFF = "control_off"
    """It records; the office has set no control, so no order can be given."""
    CONTROL_AWAY = "control_away"
    """It records; orders cannot be carried out now."""
    UNLINKED = "unlinked"
    """No call reaches it: calls go on unrecorded."""
    AWAY = "away"
    """It was not heard of."""


RECORDS = frozenset({Health.WELL, Health.CONTROL_OFF, Health.CONTROL_AWAY})
"""Calls that come are recorded."""
