"""One live call in hand: its events in order, its commands carried out, its journal kept."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

import structlog

from recorder.capture import events as ev
from recorder.capture.call_flow import INCIDENTS, Flow, Phase, advance
from recorder.capture.call_journal import CallJournal
from recorder.capture.following import Following, Step, follow
from recorder.capture.journal import entry, fold, verdict
from recorder.capture.ordering import Orders, ask_again, confirm, heed, recollect, settle
from recorder.capture.orders_in_hand import act_on, answer_at_telephone, enforce
from recorder.errors import CallGone, SpoolUnavailable, SwitchboardUnavailable
from recorder.live.model import InProgress, Settled
from recorder.model import CallId, CallRecord, Decision, Reason, RecordingId
from recorder.ports import Clock, Journals, Spool, Switchboard

log = structlog.get_logger(__name__)

RELEASE_RETRY_S = 0.5
"""Pause between attempts to give a caller back to a PBX that does not answer."""

RELEASE_ATTEMPTS = 60
"""After these the dialplan's own watchdog has long taken the caller back."""

NO_ORDERS = Orders()

STANDS_STILL_S = 1.2
"""A file that was not written for so long is closed: the PBX writes it every second."""

MOST_WAITING_EVENTS = 1000
"""Events waiting for one call; a flood beyond it is dropped and counted (B5)."""

NEVER_DROPPED = (
    *(ev.CallEnded, ev.Answered, ev.TimerExpired, ev.CommandRefused, ev.LinkRestored),
    *(ev.Ordered, ev.WipeDue),
)
"""Without these a call would stand still or never end; in a flood they displace the oldest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a call's task works with."""

    switchboard: Switchboard
    journals: Journals
    spool: Spool
    clock: Clock
    tell: Callable[[Settled], None]
    """Takes what became of an order; never blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is shown of a call while it goes on."""

    node: str
    line: str
    caller: str
    """The number with its middle hidden."""


class LiveCall:
    """One call, owned by its task alone.

    The order that survives a crash: note what was decided (on disk when it permits recording),
    then command the PBX, then note that it was done.
    """

    def __init__(
        self,
        *,
        call_id: CallId,
        channel_id: str,
        arrived_at: datetime,
        about: About,
        flow: Flow,
        following: Following,
        tools: Tools,
        orders: Orders = NO_ORDERS,
        journal: Iterable[Mapping[str, object]] | None = None,
    ) -> None:
        """``orders`` were given to an earlier process.

        ``journal`` keeps the call in memory from the start; None = in the spool.
        """
        self.id = call_id
        self.channel_id = channel_id
        self.arrived_at = arrived_at
        self.dropped_events = 0
        self.last_size: int | None = None
        """Size of the audio when the PBX was last missed; see ``Capture``."""
        self._about = about
        self._flow = flow
        self._following = following
        self._orders = orders
        self._tools = tools
        self._events: asyncio.Queue[ev.Event] = asyncio.Queue(MOST_WAITING_EVENTS)
        self._timer: asyncio.TimerHandle | None = None
        self._journal = CallJournal(call_id, tools.journals, kept=journal)

    @property
    def recording_id(self) -> RecordingId | None:
        """What is being recorded; None = nothing."""
        return self._following.recording_id

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more is to come; out of scope is over once it is released."""
        out_of_scope = not self._flow.scope.record and self._flow.phase is Phase.RELEASED
        return self._following.over or out_of_scope

    def in_progress(self) -> InProgress | None:
        """Return what there is to be seen of it, None while nothing may be recorded."""
        now, state = self._following, self._following.recorded
        if state is None or now.over:
            return None
        return InProgress(
            call_id=self.id,
            node=self._about.node,
            arrived_at=self.arrived_at,
            line=self._about.line,
            caller=self._about.caller,
            answered_at=now.answered_at,
            parties=now.last_parties,
            connected=now.bridged,
            state=state,
            since=now.state_since,
            in_doubt=now.unsure,
        )

    def put(self, event: ev.Event) -> None:
        """Queue an event; never blocks."""
        if self._events.full():
            self.dropped_events += 1
            if not isinstance(event, NEVER_DROPPED):
                return
            self._events.get_nowait()
        self._events.put_nowait(event)

    async def serve(self, first: tuple[ev.Command, ...]) -> None:
        """Carry out ``first``, then whatever the events ask for, until the call is over."""
        try:
            # Whoever had a caller that was found waiting may have died before it followed.
            found = any(isinstance(each, ev.Release) for each in first)
            if self._flow.scope.record and (self._flow.phase is Phase.ARRIVING or found):
                await self.follow()
            await self._execute(first, self._tools.clock.now())
            await self._take(recollect(self._following, self._orders, self._tools.clock.now()))
            while not self.is_over:
                await self._handle(await self._events.get())
        # One call that goes wrong must not take the others with it, nor keep its own caller.
        except Exception:
            log.exception("call_failed")
            await self._let_go()
        finally:
            self._cancel_timer()
            self._tools.journals.close(self.id)

    async def follow(self) -> None:
        """Ask the PBX to go on reporting this call."""
        await self._follow(self.channel_id)

    async def _follow(self, channel_id: str) -> None:
        try:
            await self._tools.switchboard.follow(channel_id)
        except (CallGone, SwitchboardUnavailable) as error:
            # Its end is then learnt at the next reconciliation; the call itself is not hurt.
            log.warning("not_followed", why=type(error).__name__)

    def unwritten_record(self) -> CallRecord | None:
        """Return the call when the spool could not hold its journal, None when it could."""
        kept = self._journal.in_memory
        return fold(kept) if kept is not None else None

    async def _handle(self, event: ev.Event) -> None:
        if isinstance(event, ev.Ordered):
            # It may have waited for the PBX to answer another.
            event = replace(event, at=self._tools.clock.now())
        # No await between reading a state and replacing it.
        self._flow, deciding = advance(self._flow, event)
        self._following, watching = follow(self._following, event)
        self._following, ordered = heed(self._following, event)
        await self._execute((*deciding, *watching, *ordered), event.at)

    async def _take(self, step: Step) -> None:
        self._following, commands = step
        await self._execute(commands, self._tools.clock.now())

    async def _execute(self, commands: tuple[ev.Command, ...], at: datetime) -> None:
        for command in commands:
            try:
                await self._carry_out(command, at)
            except SpoolUnavailable:
                # Only permission to record raises: it could not be put on disk.
                await self._withdraw(Reason.SPOOL_UNAVAILABLE, at)
                await self._release(ev.Release(reason=Reason.SPOOL_UNAVAILABLE, recording_id=None))
                return
            except (CallGone, SwitchboardUnavailable) as error:
                log.info("command_refused", command=type(command).__name__)
                gone = isinstance(error, CallGone)
                self.put(ev.CommandRefused(at=at, mono=self._tools.clock.monotonic(), gone=gone))
                return

    async def _carry_out(  # noqa: C901, PLR0912 - one case per command
        self, command: ev.Command, at: datetime
    ) -> None:
        switchboard, channel_id = self._tools.switchboard, self.channel_id
        match command:
            case ev.Note(kind=kind, fields=fields, durable=durable):
                await self._note(entry(kind, at, fields), durable=durable)
            case ev.Raise(kind=kind):
                log.warning("incident", incident=kind)
                await self._note(entry("incident:raised", at, {"incident": kind}))
            case ev.Answer():
                await switchboard.answer(channel_id)
                self.put(ev.Answered(at=at, mono=self._tools.clock.monotonic()))
            case ev.Play(playback_id=playback_id, announcement=announcement):
                await switchboard.play(channel_id, playback_id, announcement)
            case ev.StopPlaying(playback_id=playback_id):
                await switchboard.stop_playing(playback_id)
            case ev.ExtendWatchdog(seconds=seconds):
                await switchboard.extend_watchdog(channel_id, seconds)
            case ev.StartTimer(timer=timer, seconds=seconds):
                self._set_timer(timer, seconds)
            case ev.CheckAudio(recording_id=recording_id, seconds=seconds):
                _call_later(seconds, lambda: self._check_audio(recording_id))
            case ev.FollowParty(channel_id=party):
                await self._follow(party)
            case ev.StopRecording(recording_id=recording_id):
                await switchboard.stop_recording(channel_id, recording_id)
            case ev.CarryOut(order=order):
                answer = await act_on(switchboard, channel_id, self.recording_id, order.act)
                await self._take(settle(self._following, order, answer, self._tools.clock.now()))
            case ev.Enforce(state=state):
                held = await enforce(switchboard, channel_id, self.recording_id, state)
                now = self._tools.clock.now()
                await self._take(
                    confirm(self._following, now) if held else ask_again(self._following)
                )
            case ev.Tell(settled=settled):
                self._tools.tell(settled)
                await answer_at_telephone(switchboard, settled)
            case ev.Wipe(recording_id=recording_id):
                await self._wipe(recording_id)
            case ev.Release():
                await self._release(command)
            case _:
                assert_never(command)

    async def _wipe(self, recording_id: RecordingId) -> None:
        """Destroy discarded audio once nobody writes it; what remains, sealing destroys."""
        clock, spool = self._tools.clock, self._tools.spool
        written = spool.audio_written_at(recording_id)
        if written is not None and (clock.now() - written).total_seconds() < STANDS_STILL_S:
            _call_later(
                STANDS_STILL_S,
                lambda: self.put(ev.WipeDue(at=clock.now(), mono=clock.monotonic())),
            )
            return
        try:
            # Overwriting waits for the disk; the other calls must not.
            await asyncio.to_thread(spool.wipe_audio, recording_id)
        except SpoolUnavailable:
            log.warning("discarded_audio_stays")
            return
        await self._note(entry("recording:wiped", clock.now(), {}), durable=True)

    async def _release(self, command: ev.Release) -> None:
        self._cancel_timer()
        clock = self._tools.clock
        for attempt in range(RELEASE_ATTEMPTS):
            try:
                await self._tools.switchboard.release(
                    self.channel_id, outcome=command.reason, recording_id=command.recording_id
                )
            except CallGone:
                # At the first attempt it is certain that nothing was started; after one that
                # got no answer it is not, and then the file itself tells at sealing.
                if command.recording_id is not None and attempt == 0:
                    await self._withdraw(Reason.APP_UNRESPONSIVE, clock.now())
                return
            except SwitchboardUnavailable:
                await asyncio.sleep(RELEASE_RETRY_S)
                continue
            if command.recording_id is not None:
                self._following = replace(self._following, recording_id=command.recording_id)
            await self._note(entry("call:released", clock.now(), {}))
            return
        log.error("release_failed")

    async def _let_go(self) -> None:
        try:
            await self._release(ev.Release(reason=Reason.LINK_LOST, recording_id=None))
        # The last boundary of one call; the dialplan's watchdog takes this caller back.
        except Exception:
            log.exception("release_failed")

    async def _withdraw(self, reason: Reason, at: datetime) -> None:
        """Take back a permission to record that was not acted upon."""
        log.warning("incident", incident=INCIDENTS[reason])
        refusal = decision_fields(self._flow, Decision(record=False, reason=reason))
        await self._note(entry("consent:decided", at, refusal))
        await self._note(entry("incident:raised", at, {"incident": INCIDENTS[reason]}))

    def _set_timer(self, timer: str, seconds: float) -> None:
        self._cancel_timer()
        clock = self._tools.clock
        self._timer = _call_later(
            seconds,
            lambda: self.put(ev.TimerExpired(at=clock.now(), mono=clock.monotonic(), timer=timer)),
        )

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _check_audio(self, recording_id: RecordingId) -> None:
        clock = self._tools.clock
        growing = bool(self._tools.spool.audio_size(recording_id))
        self.put(ev.AudioChecked(at=clock.now(), mono=clock.monotonic(), growing=growing))

    async def _note(self, line: Mapping[str, object], *, durable: bool = False) -> None:
        await self._journal.note(line, durable=durable)

    def append(self, line: Mapping[str, object]) -> None:
        """Add to the journal, which goes on in memory once the spool refuses it."""
        self._journal.append(line)


def decision_fields(flow: Flow, decision: Decision) -> dict[str, object]:
    """Return the journal's fields for a decision that names no recording."""
    return {
        **verdict(decision),
        "mode": flow.terms.mode,
        "recording_id": None,
    }


def _call_later(seconds: float, act: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, act)
