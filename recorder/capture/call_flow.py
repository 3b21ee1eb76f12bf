"""One live call until it is decided: events in, commands out. No I/O, no clock.

::

    ARRIVING ─► ANSWERING ─► OFFERING ─► ANNOUNCING ─► CHOOSING ─► RELEASED
                             languages   first layer   3 s for a    the PBX has the
                                             ▲         key          caller again
                                             └── EXPLAINING ◄── key 3

Before each playing that a key asked for there is RETURNING: the caller is on the way through the
dialplan, which gives the time for it, and back.

Every way out ends in exactly one ``Release``, with a decision noted durably before it. After
that the call is only followed (:mod:`recorder.capture.following`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from recorder.capture import events as ev
from recorder.capture.journal import verdict
from recorder.capture.rules import decide_consent, judge_playback
from recorder.model import (
    Announcement,
    Decision,
    IncidentKind,
    KeyPress,
    Layer,
    Mode,
    PlaybackResult,
    Reason,
)

PLAYBACK_GRACE_S = 2.0
"""How much longer than its file an announcement may take before it counts as failed."""

WATCHDOG_MARGIN_S = 10.0
"""What the PBX waits beyond the longest thing that can happen next."""

RETURN_WITHIN_S = 2.0
"""A caller sent for more time is back within milliseconds, or has been taken away."""

MOST_KEYS_KEPT = 16
"""Keys kept as evidence; a flood of more changes nothing (B5)."""

MOST_REPLAYS = 6
"""Language changes and second layers per call; after that these keys are ignored."""


class Phase(StrEnum):
    """Where the call is."""

    ARRIVING = "arriving"
    ANSWERING = "answering"
    OFFERING = "offering"
    ANNOUNCING = "announcing"
    EXPLAINING = "explaining"
    RETURNING = "returning"
    CHOOSING = "choosing"
    RELEASED = "released"


LISTENING = frozenset(Phase) - {Phase.ARRIVING, Phase.ANSWERING, Phase.RELEASED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Playing:
    """What the caller is hearing now."""

    playback_id: str
    announcement: Announcement
    started_at: datetime | None = None
    started_mono: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """All that is remembered of one undecided call."""

    call_id: str
    terms: ev.Terms
    scope: Decision
    phase: Phase = Phase.ARRIVING
    language: str = ""
    playing: Playing | None = None
    after_return: tuple[Phase, Announcement] | None = None
    """What is played once the caller is back."""
    playbacks: int = 0
    replays: int = 0
    heard: bool = False
    """The first layer was heard to its end, in the language now chosen."""
    key: str | None = None
    """The last of 1 and 2."""
    keys: tuple[KeyPress, ...] = ()


Step: TypeAlias = tuple[Flow, tuple[ev.Command, ...]]


def advance(flow: Flow, event: ev.Event) -> Step:  # noqa: C901, PLR0912 - a table
    """Return the next state of the call and the commands that lead there.

    An event that makes no sense in the current phase changes nothing; it is not an error.
    """
    match flow.phase, event:
        case Phase.RELEASED, _:
            return flow, ()
        case Phase.ARRIVING, ev.CallerEntered():
            return _arrive(flow)
        case Phase.ANSWERING, ev.Answered():
            return _begin(replace(flow, language=flow.terms.language))
        case Phase.RETURNING, ev.CallerEntered():
            return _returned(flow)
        case Phase.RETURNING, ev.LeftApplication():
            return flow, ()
        case _, ev.PlaybackStarted():
            return _started(flow, event)
        case _, ev.PlaybackFinished():
            return _finished(flow, event)
        case phase, ev.KeyPressed() if phase in LISTENING:
            return _key(flow, event)
        case _, ev.TimerExpired():
            return _timer(flow, event)
        case _, ev.HangupRequested() | ev.CallEnded():
            return _release(flow, _no(Reason.CALLER_LEFT))
        # Out of the application without a hang-up and without our command: the watchdog of
        # the dialplan, or somebody at the PBX, has taken the caller away.
        case _, ev.LeftApplication():
            return _release(flow, _no(Reason.APP_UNRESPONSIVE))
        case _, ev.LinkRestored():
            return _release(flow, _no(Reason.LINK_LOST))
        case _, ev.CommandRefused(gone=True):
            return _release(flow, _no(Reason.CALLER_LEFT))
        case _, ev.CommandRefused():
            return _release(flow, _no(Reason.ANNOUNCEMENT_FAILED))
        case _:
            return flow, ()


def _no(reason: Reason) -> Decision:
    return Decision(record=False, reason=reason)


def _arrive(flow: Flow) -> Step:
    if not flow.scope.record:
        return replace(flow, phase=Phase.RELEASED), (
            ev.Release(reason=flow.scope.reason, recording_id=None),
        )
    if flow.terms.hindrance is not None:
        return _release(flow, _no(flow.terms.hindrance))
    if flow.terms.announcement(Layer.FIRST, flow.terms.language) is None:
        return _release(flow, _no(Reason.ANNOUNCEMENT_MISSING))
    return replace(flow, phase=Phase.ANSWERING), (ev.Answer(),)


def _begin(flow: Flow) -> Step:
    offer = flow.terms.announcement(Layer.LANGUAGES, flow.terms.language)
    if offer is not None:
        return _play(flow, Phase.OFFERING, offer)
    return _announce(flow)


def _announce(flow: Flow) -> Step:
    announcement = flow.terms.announcement(Layer.FIRST, flow.language)
    if announcement is None:
        return _release(flow, _no(Reason.ANNOUNCEMENT_MISSING))
    return _play(replace(flow, heard=False), Phase.ANNOUNCING, announcement)


def _play(flow: Flow, phase: Phase, announcement: Announcement) -> Step:
    # The dialplan's own watchdog covers the offer and the first announcement; whoever listens to
    # more of them by a key needs more time, and a frozen application must hold nobody for long.
    if not flow.replays:
        return _play_now(flow, phase, announcement)
    seconds = announcement.length_ms / 1000 + flow.terms.choice_wait_s + WATCHDOG_MARGIN_S
    return replace(flow, phase=Phase.RETURNING, after_return=(phase, announcement)), (
        ev.ExtendWatchdog(seconds=seconds),
        ev.StartTimer(timer=f"return-{flow.playbacks}", seconds=RETURN_WITHIN_S),
    )


def _returned(flow: Flow) -> Step:
    assert flow.after_return is not None  # noqa: S101 - set with the phase; this tells the reader
    back = replace(flow, after_return=None)
    # Said no on the way: there was nobody to take it back at that moment.
    if flow.key == "2" and flow.terms.mode is not Mode.NOTICE:
        return _release_as_decided(back)
    return _play_now(back, *flow.after_return)


def _play_now(flow: Flow, phase: Phase, announcement: Announcement) -> Step:
    number = flow.playbacks + 1
    playing = Playing(playback_id=f"{flow.call_id}-{number}", announcement=announcement)
    seconds = announcement.length_ms / 1000
    return replace(flow, phase=phase, playing=playing, playbacks=number), (
        ev.Note(
            kind="announcement:started",
            fields={
                "playback": number,
                "announcement_id": str(announcement.id),
                "layer": announcement.layer,
                "language": announcement.language,
                "sha256": announcement.sha256,
                "length_ms": announcement.length_ms,
            },
        ),
        ev.Play(playback_id=playing.playback_id, announcement=announcement),
        ev.StartTimer(timer=playing.playback_id, seconds=seconds + PLAYBACK_GRACE_S),
    )


def _started(flow: Flow, event: ev.PlaybackStarted) -> Step:
    playing = flow.playing
    if playing is None or playing.playback_id != event.playback_id or playing.started_at:
        return flow, ()
    return replace(flow, playing=replace(playing, started_at=event.at, started_mono=event.mono)), ()


def _finished(flow: Flow, event: ev.PlaybackFinished) -> Step:
    playing = flow.playing
    if playing is None or playing.playback_id != event.playback_id:
        return flow, ()
    result, note = _ended(flow, at=event.at, mono=event.mono, done=event.done, stopped=False)
    after = replace(flow, playing=None)
    match flow.phase:
        case Phase.OFFERING:
            # A failed offer of languages costs the offer, not the announcement.
            step = _announce(after)
        case Phase.ANNOUNCING if result is PlaybackResult.HEARD:
            step = _choose(replace(after, heard=True))
        case Phase.EXPLAINING:
            step = _choose(after) if flow.heard else _announce(after)
        case _:
            step = _release(after, _consent(after))
    return step[0], (note, *step[1])


def _ended(
    flow: Flow, *, at: datetime, mono: float, done: bool, stopped: bool
) -> tuple[PlaybackResult, ev.Note]:
    playing = flow.playing
    assert playing is not None  # noqa: S101 - every caller has checked; this tells the reader
    measured = witnessed = None
    if playing.started_at is not None and playing.started_mono is not None:
        measured = round((at - playing.started_at).total_seconds() * 1000)
        witnessed = round((mono - playing.started_mono) * 1000)
    result = judge_playback(
        done=done,
        stopped_by_us=stopped,
        length_ms=playing.announcement.length_ms,
        measured_ms=measured,
        witnessed_ms=witnessed,
    )
    return result, ev.Note(
        kind="announcement:finished",
        fields={
            "playback": flow.playbacks,
            "started_at": playing.started_at.isoformat() if playing.started_at else None,
            "finished_at": at.isoformat(),
            "measured_ms": measured,
            "result": result,
        },
    )


def _choose(flow: Flow) -> Step:
    # Whoever has already said yes need not wait for the time to say no.
    if flow.key == "1" or flow.terms.choice_wait_s == 0:
        return _release(flow, _consent(flow))
    return replace(flow, phase=Phase.CHOOSING), (
        ev.StartTimer(timer=f"choice-{flow.playbacks}", seconds=flow.terms.choice_wait_s),
    )


def _key(flow: Flow, event: ev.KeyPressed) -> Step:
    flooded = len(flow.keys) >= MOST_KEYS_KEPT
    if flooded:
        # A refusal counts however many keys came before it.
        flow = replace(flow, keys=flow.keys[: MOST_KEYS_KEPT - 1])
    flow = replace(flow, keys=(*flow.keys, KeyPress(key=event.key, at=event.at)))
    note = ev.Note(kind="key:pressed", fields={"key": event.key, "at": event.at.isoformat()})
    says_something = event.key in {"1", "2"} and event.key != flow.key
    state, commands = _choice(flow, event)
    return state, ((note, *commands) if says_something or not flooded else commands)


def _choice(flow: Flow, event: ev.KeyPressed) -> Step:
    terms, key = flow.terms, event.key
    if flow.phase is Phase.RETURNING:
        return (replace(flow, key=key) if key in {"1", "2"} else flow), ()
    if key == "2" and terms.mode is not Mode.NOTICE:
        return _interrupt(replace(flow, key="2"), event, _release_as_decided)
    if key == "1":
        chosen = replace(flow, key="1")
        if flow.phase is Phase.CHOOSING:
            return _release(chosen, _consent(chosen))
        # R8.2a: consent to what was not yet heard does not shorten the hearing.
        return chosen, ()
    if flow.replays >= MOST_REPLAYS:
        return flow, ()
    again = replace(flow, replays=flow.replays + 1)
    if key == "3" and flow.phase is not Phase.EXPLAINING:
        details = terms.announcement(Layer.SECOND, flow.language)
        if details is not None:
            return _interrupt(again, event, lambda now: _play(now, Phase.EXPLAINING, details))
    language = terms.language_keys.get(key)
    if language is not None and terms.announcement(Layer.FIRST, language) is not None:
        return _interrupt(replace(again, language=language), event, _announce)
    return flow, ()


def _release_as_decided(flow: Flow) -> Step:
    return _release(flow, _consent(flow))


def _interrupt(flow: Flow, event: ev.KeyPressed, onward: Callable[[Flow], Step]) -> Step:
    if flow.playing is None:
        return onward(flow)
    _, note = _ended(flow, at=event.at, mono=event.mono, done=False, stopped=True)
    stop = ev.StopPlaying(playback_id=flow.playing.playback_id)
    state, commands = onward(replace(flow, playing=None))
    return state, (note, stop, *commands)


def _timer(flow: Flow, event: ev.TimerExpired) -> Step:
    if flow.playing is not None and event.timer == flow.playing.playback_id:
        # The PBX never said how it ended; nothing may rest on it.
        note = ev.Note(
            kind="announcement:finished",
            fields={"playback": flow.playbacks, "result": PlaybackResult.NOT_REPORTED},
        )
        stop = ev.StopPlaying(playback_id=flow.playing.playback_id)
        after = replace(flow, playing=None)
        state, commands = _release(after, _consent(replace(after, heard=False)))
        return state, (note, stop, *commands)
    if flow.phase is Phase.RETURNING and event.timer == f"return-{flow.playbacks}":
        return _release(flow, _no(Reason.APP_UNRESPONSIVE))
    if flow.phase is Phase.CHOOSING and event.timer == f"choice-{flow.playbacks}":
        return _release(flow, _consent(flow))
    return flow, ()


def _consent(flow: Flow) -> Decision:
    return decide_consent(mode=flow.terms.mode, heard=flow.heard, key=flow.key)


def _release(flow: Flow, decision: Decision) -> Step:
    recording_id = flow.terms.recording_id if decision.record else None
    fields: Mapping[str, object] = {
        **verdict(decision),
        "mode": flow.terms.mode,
        "language": flow.language or flow.terms.language,
        "recording_id": str(recording_id) if recording_id else None,
    }
    incident = INCIDENTS.get(decision.reason)
    return replace(flow, phase=Phase.RELEASED, playing=None), (
        # On disk before the PBX may record: after a crash the journal, not memory, says so.
        ev.Note(kind="consent:decided", fields=fields, durable=decision.record),
        *((ev.Raise(kind=incident),) if incident else ()),
        ev.Release(reason=decision.reason, recording_id=recording_id),
    )


INCIDENTS: Mapping[Reason, IncidentKind] = {
    Reason.ANNOUNCEMENT_MISSING: IncidentKind.ANNOUNCEMENT_MISSING,
    Reason.ANNOUNCEMENT_FAILED: IncidentKind.ANNOUNCEMENT_FAILED,
    Reason.APP_UNRESPONSIVE: IncidentKind.APP_UNRESPONSIVE,
    Reason.LINK_LOST: IncidentKind.LINK_LOST,
    Reason.APP_ABSENT: IncidentKind.APP_ABSENT,
    Reason.APP_RESTARTED: IncidentKind.APP_RESTARTED,
    Reason.DISK_LOW: IncidentKind.DISK_LOW,
    Reason.SPOOL_UNAVAILABLE: IncidentKind.SPOOL_UNAVAILABLE,
}
"""Reasons not to record that a person must look at."""
