"""What can happen to one live call: events in, commands out. Plain data, no behaviour.

``at`` is the PBX's time stamp, ``mono`` our own monotonic clock when the event was read.
An event may arrive twice, late, in the wrong order or never.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from recorder.live.model import Act, Order, Settled, State
from recorder.model import Announcement, IncidentKind, Layer, Mode, Reason, RecordingId


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a call."""

    at: datetime
    mono: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What the PBX says of a caller whom it hands over. Holds personal data."""

    channel_id: str
    at: datetime
    endpoint: str
    context: str
    line: str
    caller_number: str
    caller_name: str
    linked_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What lives on the PBX at one instant, asked for after every (re)connection."""

    at: datetime
    started_at: datetime | None
    """When the PBX itself started; None = it would not say."""
    channels: frozenset[str]
    """Ids of all living channels."""
    waiting: Mapping[str, Arrival]
    """Callers who stand in the application, by channel id."""
    lines: Mapping[str, tuple[str, ...]]
    """Channel id → endpoints of the others on its line, for channels in a bridge."""


class CallerEntered(Event):
    """The PBX handed the caller over to the application."""


class Answered(Event):
    """The PBX accepted to answer the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackStarted(Event):
    """The PBX began to play."""

    playback_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackFinished(Event):
    """The PBX stopped playing; ``done`` is its own word for success and proves nothing."""

    playback_id: str
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressed(Event):
    """The caller pressed a key."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerExpired(Event):
    """A timer that the flow asked for ran out."""

    timer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRefused(Event):
    """The PBX did not carry out a command; ``gone`` = the caller is no longer there."""

    gone: bool


class LeftApplication(Event):
    """The caller is out of the application, by our command, the watchdog or a hang-up."""


class LinkRestored(Event):
    """The link to the PBX was cut and is back: what happened meanwhile is not known."""


class HangupRequested(Event):
    """The caller or the PBX is hanging up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """The caller's channel is gone. ``pbx_lost``: concluded, because the PBX itself went away."""

    cause: int | None = None
    pbx_lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChanged(Event):
    """Who is connected with the caller has changed."""

    bridged: bool
    parties: tuple[str, ...] = ()
    """Endpoints of the others on the line, without the caller."""
    channels: frozenset[str] = frozenset()
    """Their channels; empty where they are not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldChanged(Event):
    """Somebody put the call on hold or took it back."""

    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred(Event):
    """The call was passed on, to an extension of the dialplan or to whom was asked before."""

    attended: bool
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReported(Event):
    """The PBX's RTP figures of the caller's leg, at its end."""

    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingArmed(Event):
    """The PBX entered its recording application. It proves nothing about the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioChecked(Event):
    """The spool was looked at 3 s after the bridge; ``growing`` is the proof (RG.6)."""

    growing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePressed(Event):
    """Somebody on the line pressed a code for the recording (RG.12)."""

    act: Act
    extension: str
    channel_id: str
    """Of their telephone, which waits for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered(Event):
    """A person gave an order about the recording."""

    order: Order


class WipeDue(Event):
    """Discarded audio is to be looked at: what nobody writes any more is destroyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answer the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """Play one announcement to the caller."""

    playback_id: str
    announcement: Announcement


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPlaying:
    """Stop what is playing."""

    playback_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTimer:
    """Send ``TimerExpired`` after ``seconds`` from now, unless cancelled by a newer one."""

    timer: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendWatchdog:
    """Let the PBX wait ``seconds`` from now before it takes the caller back by itself."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Give the caller back to the PBX, to be recorded or not."""

    reason: Reason
    recording_id: RecordingId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAudio:
    """Look after ``seconds`` whether the audio file grows, and send ``AudioChecked``."""

    recording_id: RecordingId
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowParty:
    """Hear of somebody who is on the line with the caller: who puts a call on hold says so."""

    channel_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRecording:
    """Make the PBX stop recording this call; what there is stays (R3.4h)."""

    recording_id: RecordingId


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOut:
    """Act on the recording as a person ordered, and settle the order by what the PBX says."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforce:
    """Ask the PBX again for the state that must hold."""

    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Tell whoever gave the order, and the audit trail, what became of it."""

    settled: Settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Wipe:
    """Destroy the discarded audio once the PBX writes it no more."""

    recording_id: RecordingId


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Add an entry to the call's journal. ``durable``: on disk before the next command."""

    kind: str
    fields: Mapping[str, object]
    durable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise:
    """Tell people of an incident."""

    kind: IncidentKind


Command: TypeAlias = (
    Answer
    | Play
    | StopPlaying
    | StartTimer
    | ExtendWatchdog
    | Release
    | CheckAudio
    | FollowParty
    | StopRecording
    | CarryOut
    | Enforce
    | Tell
    | Wipe
    | Note
    | Raise
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is fixed for one call when it arrives: the office's rules and its announcements."""

    mode: Mode
    choice_wait_s: float
    language: str
    language_keys: Mapping[str, str]
    announcements: Mapping[tuple[Layer, str], Announcement]
    """The versions in force at the call's arrival, by layer and language."""
    recording_id: RecordingId
    """What the recording will be called, should there be one."""
    hindrance: Reason | None = None
    """Why nothing can be recorded now, whatever the caller wants; None = nothing is in the way."""

    def announcement(self, layer: Layer, language: str) -> Announcement | None:
        """Return what is played for ``layer`` in ``language``, None if there is nothing."""
        return self.announcements.get((layer, language))
