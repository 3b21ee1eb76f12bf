"""After every (re)connection: what becomes of each call, given what lives on the PBX? Pure.

Three accounts are compared: the calls in hand, the journals of calls that another process
had in hand, and the PBX's own list. The PBX is right about what lives, the journal about what
was decided; whatever was not decided goes on unrecorded.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from recorder.capture.events import Arrival, Snapshot
from recorder.model import CallRecord, Decision, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class LetGo:
    """A caller stands in the application and nobody serves them: they go on now."""

    arrival: Arrival
    record: CallRecord | None
    """What the journal knows; None = the call was never noted."""
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupt:
    """A call in hand stands in the application, and events of it were missed."""

    channel_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowAgain:
    """The call lives on in the PBX's routing and is to be followed to its end."""

    channel_id: str
    record: CallRecord | None
    """The journal's call, None when the call is in hand."""
    bridged: bool
    parties: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclude:
    """The call ended unheard."""

    channel_id: str
    record: CallRecord | None
    """The journal's call, None when the call is in hand."""
    at: datetime
    """The best known end: when the PBX was lost, else the last sample written, else now."""
    pbx_lost: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The call was over before; only its sealing is left."""

    record: CallRecord


Action: TypeAlias = LetGo | Interrupt | FollowAgain | Conclude | Seal

UNDECIDED = Decision(record=False, reason=Reason.APP_RESTARTED)


def plan_recovery(
    *,
    snapshot: Snapshot,
    in_hand: Mapping[str, datetime],
    journalled: Iterable[CallRecord],
    lost_at: datetime | None,
    written_at: Mapping[str, datetime],
) -> Iterator[Action]:
    """Yield what to do, callers who wait first.

    ``in_hand`` maps the channel of each call in hand to its arrival, ``written_at`` a channel to
    the last moment at which its audio grew, ``lost_at`` says since when the PBX was not heard.
    """
    journal = {record.channel_id: record for record in journalled}
    for channel_id, arrival in snapshot.waiting.items():
        if channel_id in in_hand:
            yield Interrupt(channel_id=channel_id)
        else:
            record = journal.pop(channel_id, None)
            yield LetGo(arrival=arrival, record=record, decision=_decided(record))
    known: dict[str, tuple[datetime, CallRecord | None]] = {
        each: (record.arrived_at, record) for each, record in journal.items()
    }
    # What is in hand comes first: an older journal of the same channel is its repetition.
    known |= {channel_id: (arrived_at, None) for channel_id, arrived_at in in_hand.items()}
    for channel_id, (arrived_at, record) in known.items():
        if channel_id in snapshot.waiting:
            continue
        if record is not None and is_over(record):
            yield Seal(record=record)
        elif channel_id in snapshot.channels:
            yield FollowAgain(
                channel_id=channel_id,
                record=record,
                bridged=channel_id in snapshot.lines,
                parties=snapshot.lines.get(channel_id, ()),
            )
        else:
            # A PBX that started after the call arrived cannot have ended it properly.
            pbx_lost = snapshot.started_at is not None and snapshot.started_at > arrived_at
            at = (lost_at if pbx_lost else None) or written_at.get(channel_id) or lost_at
            yield Conclude(
                channel_id=channel_id, record=record, at=at or snapshot.at, pbx_lost=pbx_lost
            )


def is_over(record: CallRecord) -> bool:
    """Tell whether nothing more is to be learnt of this call: it may be sealed.

    A call out of scope is over for us once it is released; nobody follows it (R3.4b).
    """
    return record.ended_at is not None or (record.scope is not None and not record.scope.record)


def _decided(record: CallRecord | None) -> Decision:
    if record is None:
        return UNDECIDED
    if record.scope is not None and not record.scope.record:
        return record.scope
    return record.consent or UNDECIDED
