"""One decided call until it ends: what is noted of it, and what must be looked at. Pure.

The PBX records by itself; nothing here is needed for the audio to be whole. It is what makes
a file findable and provable: who answered, when they were connected, whether bytes arrived.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from recorder.capture import events as ev
from recorder.capture.rules import outside_parties
from recorder.live.model import Order, State
from recorder.model import RULE_VERSION, IncidentKind, RecordingId

STOP_AGAIN = "stop-again"
STOP_AGAIN_AFTER_S = 5.0
"""How long after a refused stop it is asked for again, with the line as it is then."""

PROOF_AFTER_S = 3.0
"""How long after the bridge the file must have bytes (RG.6). The PBX writes once a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What must be remembered of a released call to see what changes."""

    recording_id: RecordingId | None
    trunk_endpoints: frozenset[str]
    stop_outside: bool
    """R3.4h: stop recording when somebody from outside joins."""
    bridged: bool = False
    parties: tuple[str, ...] = ()
    channels: frozenset[str] = frozenset()
    """Channels on the line that are followed or have been."""
    held: bool = False
    transferred: ev.Transferred | None = None
    """The last news of a transfer: it is told by each channel in it."""
    checked: bool = False
    outside: bool = False
    """Somebody from outside has been on the line, so the recording has to stop."""
    stopped: bool = False
    """It was told to stop and has not refused."""
    refused: bool = False
    state: State = State.RECORDING
    """What was last ordered (:mod:`recorder.capture.ordering`)."""
    state_since: datetime | None = None
    """Since when it is so; None = nobody has been on the line."""
    unsure: bool = False
    """The PBX has yet to confirm the state."""
    doubt: Order | None = None
    """The order that waits for this."""
    answered_at: datetime | None = None
    last_parties: tuple[str, ...] = ()
    """Who is on the line, or was last while nobody is."""
    over: bool = False

    @property
    def recorded(self) -> State | None:
        """What becomes of the audio; None = there is none."""
        if self.recording_id is None:
            return None
        # Stopped because of somebody outside: nobody ordered it.
        return State.STOPPED if self.stopped and self.state is not State.DISCARDED else self.state


Step: TypeAlias = tuple[Following, tuple[ev.Command, ...]]


def follow(state: Following, event: ev.Event) -> Step:  # noqa: C901 - one case per event
    """Return what is known now, and what to note. Repeated news is no news."""
    if state.over:
        return state, ()
    at = event.at.isoformat()
    match event:
        case ev.LineChanged():
            return _line(state, event)
        case ev.HoldChanged(held=held) if held != state.held:
            note = ev.Note(kind="hold:changed", fields={"at": at, "held": held})
            return replace(state, held=held), (note,)
        case ev.Transferred(attended=attended, to=to) if not _told(state, event):
            fields = {"at": at, "attended": attended, "to": to}
            note = ev.Note(kind="call:transferred", fields=fields)
            return replace(state, transferred=event), (note,)
        case ev.QualityReported(figures=figures):
            return state, (ev.Note(kind="quality:reported", fields={"figures": dict(figures)}),)
        case ev.RecordingArmed():
            return state, (ev.Note(kind="recording:armed", fields={"at": at}),)
        case ev.AudioChecked(growing=growing):
            note = ev.Note(kind="audio:checked", fields={"at": at, "growing": growing})
            alarm = () if growing or state.stopped else (ev.Raise(kind=IncidentKind.AUDIO_GAP),)
            return state, (note, *alarm)
        case ev.CommandRefused(gone=False) if state.stopped:
            # Nothing else is commanded of a released call. Asked again until it is done.
            alarm = () if state.refused else (ev.Raise(kind=IncidentKind.STOP_REFUSED),)
            again = ev.StartTimer(timer=STOP_AGAIN, seconds=STOP_AGAIN_AFTER_S)
            return replace(state, stopped=False, refused=True), (*alarm, again)
        case ev.TimerExpired(timer=timer) if timer == STOP_AGAIN:
            return _stop(state, event)
        case ev.CallEnded(cause=cause, pbx_lost=lost):
            fields = {"at": at, "cause": cause, "pbx_lost": lost}
            alarm = (ev.Raise(kind=IncidentKind.PBX_LOST),) if lost else ()
            return replace(state, over=True, bridged=False), (
                *alarm,
                ev.Note(kind="call:ended", fields=fields, durable=True),
            )
        case _:
            return state, ()


def _line(state: Following, event: ev.LineChanged) -> Step:
    if (event.bridged, event.parties) == (state.bridged, state.parties):
        return state, ()
    commands: list[ev.Command] = [
        ev.Note(
            kind="line:changed",
            fields={
                "at": event.at.isoformat(),
                "bridged": event.bridged,
                "parties": list(event.parties),
            },
        )
    ]
    after = replace(
        state,
        bridged=event.bridged,
        parties=event.parties,
        last_parties=event.parties or state.last_parties,
    )
    if event.bridged and state.answered_at is None:
        since = state.state_since or event.at
        after = replace(after, answered_at=event.at, state_since=since)
    recording_id = state.recording_id
    if recording_id is None:
        return after, tuple(commands)
    if event.bridged and not state.checked:
        after = replace(after, checked=True)
        commands.append(ev.CheckAudio(recording_id=recording_id, seconds=PROOF_AFTER_S))
    if state.stop_outside and _outside(state, event.parties):
        after = replace(after, outside=True)
    after, stop = _stop(after, event)
    newcomers = sorted(event.channels - state.channels)
    after = replace(after, channels=state.channels | event.channels)
    commands += [*stop, *(ev.FollowParty(channel_id=each) for each in newcomers)]
    return after, tuple(commands)


def _told(state: Following, event: ev.Transferred) -> bool:
    known = state.transferred
    return known is not None and (known.at, known.to) == (event.at, event.to)


def _stop(state: Following, event: ev.Event) -> Step:
    if not state.outside or state.stopped or state.recording_id is None:
        return state, ()
    note = {
        "at": event.at.isoformat(),
        "why": "forwarded_outside",
        "rule_version": RULE_VERSION,
    }
    return replace(state, stopped=True), (
        # Noted only once it is done: a stop that is refused must not excuse a gap.
        ev.StopRecording(recording_id=state.recording_id),
        ev.Note(kind="recording:stopped", fields=note, durable=True),
    )


def _outside(state: Following, parties: Iterable[str]) -> bool:
    return bool(outside_parties(parties, trunk_endpoints=state.trunk_endpoints))
