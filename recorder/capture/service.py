"""Takes calls from the PBX and follows them to their end; after a crash, goes on.

Each call has one task (:mod:`recorder.capture.live_call`); here they are started, found again
(:mod:`recorder.capture.recovery`) and handed on when they are over. No step touches a database.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import structlog

from recorder.audit.event import Actor, ActorKind
from recorder.capture import events as ev
from recorder.capture import recovery
from recorder.capture.bypassed import read_bypassed
from recorder.capture.call_flow import INCIDENTS, Phase
from recorder.capture.journal import JournalIncomplete, JournalTooNew, fold
from recorder.capture.live_call import LiveCall, Tools, decision_fields
from recorder.capture.taking import CallMaker
from recorder.errors import SpoolUnavailable
from recorder.live.model import Answer, InProgress, Order, OrderId, Settled
from recorder.model import CallId, CallRecord, Reason
from recorder.ports import Announcements, Clock, Journals, Spool, Switchboard
from recorder.regulation import AnnouncementTerms, Scope

log = structlog.get_logger(__name__)

PBX_SILENT_S = 45.0
"""A call is given up for lost when the PBX is away this long and its audio stands still."""

WATCH_EVERY_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A call that is over and waits to be sealed."""

    call_id: CallId
    record: CallRecord | None
    """The call itself when the spool could not hold its journal; None = read the journal."""


class Capture:
    """All calls in hand.

    ``arrive``, ``deliver`` and ``disconnected`` are called by the reader of events and never
    block. ``on_ended`` hears of every call that is over. ``new_id`` makes UUIDv7s.
    """

    def __init__(
        self,
        *,
        switchboard: Switchboard,
        journals: Journals,
        spool: Spool,
        announcements: Announcements,
        clock: Clock,
        scope: Scope,
        terms: AnnouncementTerms,
        node: str,
        floor_bytes: int,
        new_id: Callable[[], CallId],
        on_ended: Callable[[Ended], None],
        on_settled: Callable[[Settled], None],
    ) -> None:
        self._tools = Tools(
            switchboard=switchboard, journals=journals, spool=spool, clock=clock, tell=on_settled
        )
        self._maker = CallMaker(
            tools=self._tools,
            announcements=announcements,
            scope=scope,
            terms=terms,
            node=node,
            floor_bytes=floor_bytes,
            new_id=new_id,
        )
        self._scope = scope
        self._node = node
        self._new_id = new_id
        self._on_ended = on_ended
        self._calls: dict[str, LiveCall] = {}
        self._tasks = asyncio.TaskGroup()
        self._lost: tuple[datetime, float] | None = None

    @property
    def live_calls(self) -> int:
        """How many calls are in hand."""
        return len(self._calls)

    def in_hand(self) -> Collection[CallId]:
        """Return the calls in hand."""
        return {each.id for each in self._calls.values()}

    async def run(self) -> None:
        """Serve calls until cancelled. Must run before the first call arrives."""
        async with self._tasks:
            while True:
                await asyncio.sleep(WATCH_EVERY_S)
                self._give_up_lost_calls()

    def arrive(self, arrival: ev.Arrival, mono: float) -> None:
        """Take a caller whom the PBX hands over. The same channel twice is one call."""
        call = self._calls.get(arrival.channel_id)
        if call is None:
            try:
                call, _ = self._maker.take(arrival, Phase.ARRIVING)
            # A defect in the taking of one call must not keep its caller until the watchdog.
            except Exception:
                log.exception("call_failed")
                self._pass_on(arrival)
                return
            self._start(call)
        call.put(ev.CallerEntered(at=arrival.at, mono=mono))

    def deliver(self, channel_id: str, event: ev.Event) -> None:
        """Hand an event to its call; one for an unknown call is nobody's."""
        call = self._calls.get(channel_id)
        if call is None:
            return
        if isinstance(event, ev.CodePressed):
            # The caller has no say by codes: only who is on the line with them.
            if event.channel_id == channel_id:
                return
            event = self._ordered(call.id, event)
        call.put(event)

    def in_progress(self) -> Sequence[InProgress]:
        """Return the calls that are being recorded, or were until somebody stopped it."""
        return [shown for each in self._calls.values() if (shown := each.in_progress())]

    def order(self, order: Order) -> Settled | None:
        """Hand an order to its call; None = its answer follows by ``on_settled``."""
        now = self._tools.clock.now()
        for call in self._calls.values():
            if call.id == order.call_id and not call.is_over:
                call.put(ev.Ordered(order=order, at=now, mono=self._tools.clock.monotonic()))
                return None
        return Settled(order=order, answer=Answer.CALL_OVER, at=now)

    def _ordered(self, call_id: CallId, event: ev.CodePressed) -> ev.Ordered:
        order = Order(
            id=OrderId(self._new_id()),
            call_id=call_id,
            act=event.act,
            by=Actor(kind=ActorKind.EXTENSION, name=event.extension),
            asked_at=self._tools.clock.now(),
            asked_on=event.channel_id,
        )
        return ev.Ordered(order=order, at=event.at, mono=event.mono)

    def take_bypassed(self, line: str) -> CallId | None:
        """Give a call that went past us its record; one in hand has its own (R5.1b).

        Returns the id under which it was handed on, None if there was nothing to hand on.
        """
        record = read_bypassed(line, call_id=self._new_id(), node=self._node, scope=self._scope)
        if record is None or record.channel_id in self._calls:
            return None
        self._on_ended(Ended(call_id=record.id, record=record))
        return record.id

    def disconnected(self) -> None:
        """Note that the PBX cannot be heard from now on."""
        self._lost = self._lost or (self._tools.clock.now(), self._tools.clock.monotonic())

    async def reconcile(self, snapshot: ev.Snapshot) -> None:
        """Bring the calls in hand, the journals and the living channels together."""
        lost_at = self._lost[0] if self._lost else None
        self._lost = None
        journalled = list(self._read_journals())
        plan = recovery.plan_recovery(
            snapshot=snapshot,
            in_hand={each.channel_id: each.arrived_at for each in self._calls.values()},
            journalled=journalled,
            lost_at=lost_at,
            written_at=self._written_at(journalled),
        )
        for action in list(plan):
            try:
                await self._recover(action, snapshot.at)
            # One call that cannot be taken up again must not cost the others, nor its caller.
            except Exception:
                log.exception("call_failed")
                if isinstance(action, recovery.LetGo):
                    self._pass_on(action.arrival)

    async def _recover(self, action: recovery.Action, at: datetime) -> None:
        mono = self._tools.clock.monotonic()
        match action:
            case recovery.LetGo():
                self._let_go(action)
            case recovery.Interrupt(channel_id=channel_id):
                self.deliver(channel_id, ev.LinkRestored(at=at, mono=mono))
            case recovery.FollowAgain(channel_id=channel_id, record=record):
                if record is not None:
                    self._resume(record)
                line = ev.LineChanged(
                    at=at, mono=mono, bridged=action.bridged, parties=action.parties
                )
                self.deliver(channel_id, line)
                # Gone from hand if it ended while another call was asked for.
                if call := self._calls.get(channel_id):
                    await call.follow()
            case recovery.Conclude(channel_id=channel_id, record=record):
                if record is not None:
                    self._resume(record)
                ended = ev.CallEnded(at=action.at, mono=mono, pbx_lost=action.pbx_lost)
                self.deliver(channel_id, ended)
            case recovery.Seal(record=record):
                self._on_ended(Ended(call_id=record.id, record=None))
            case _:
                assert_never(action)

    def _let_go(self, action: recovery.LetGo) -> None:
        record, decision = action.record, action.decision
        if record is not None:
            recording_id = record.recording_id if decision.record else None
            self._resume(record, ev.Release(reason=decision.reason, recording_id=recording_id))
            return
        call, flow = self._maker.take(action.arrival, Phase.RELEASED)
        if not flow.scope.record:
            self._start(call, ev.Release(reason=flow.scope.reason, recording_id=None))
            return
        self._start(
            call,
            ev.Note(kind="consent:decided", fields=decision_fields(flow, decision)),
            ev.Raise(kind=INCIDENTS[Reason.APP_RESTARTED]),
            ev.Release(reason=decision.reason, recording_id=None),
        )

    def _read_journals(self) -> Iterable[CallRecord]:
        in_hand = self.in_hand()
        for call_id in self._tools.journals.all_calls():
            if call_id in in_hand:
                continue
            try:
                yield fold(self._tools.journals.read(call_id))
            # Sealing reports it as an incident; here the other calls must go on.
            except (JournalTooNew, JournalIncomplete, SpoolUnavailable) as error:
                log.warning("journal_unreadable", call_id=str(call_id), why=type(error).__name__)

    def _written_at(self, journalled: Iterable[CallRecord]) -> dict[str, datetime]:
        recordings = {call.channel_id: call.recording_id for call in self._calls.values()}
        recordings |= {record.channel_id: record.recording_id for record in journalled}
        found = {}
        for channel_id, recording_id in recordings.items():
            written = self._tools.spool.audio_written_at(recording_id) if recording_id else None
            if written is not None:
                found[channel_id] = written
        return found

    def _resume(self, record: CallRecord, *then: ev.Command) -> None:
        """Take up a call that another process left behind, and note that nobody watched it."""
        call, flow = self._maker.find_again(record)
        notes: list[ev.Command] = [ev.Note(kind="call:unwatched", fields={})]
        if record.consent is None and flow.scope.record:
            fields = decision_fields(flow, recovery.UNDECIDED)
            notes.append(ev.Note(kind="consent:decided", fields=fields))
            notes.append(ev.Raise(kind=INCIDENTS[Reason.APP_RESTARTED]))
        self._start(call, *notes, *then)

    def _pass_on(self, arrival: ev.Arrival) -> None:
        """Let a caller go whose call could not be taken: unrecorded, with a row all the same."""
        reason = Reason.APP_UNRESPONSIVE
        call = self._maker.refuse(arrival, reason)
        self._start(call, ev.Release(reason=reason, recording_id=None))

    def _give_up_lost_calls(self) -> None:
        if self._lost is None or self._tools.clock.monotonic() - self._lost[1] < PBX_SILENT_S:
            return
        for call in self._calls.values():
            recording_id = call.recording_id
            if recording_id is None:
                # Nothing tells whether it still lives; the next connection will.
                continue
            size = self._tools.spool.audio_size(recording_id)
            if size == call.last_size:
                call.put(ev.CallEnded(at=self._lost[0], mono=self._lost[1], pbx_lost=True))
            call.last_size = size

    def _start(self, call: LiveCall, *first: ev.Command) -> None:
        self._calls[call.channel_id] = call
        self._tasks.create_task(self._serve(call, first), name=f"call {call.id}")

    async def _serve(self, call: LiveCall, first: tuple[ev.Command, ...]) -> None:
        with structlog.contextvars.bound_contextvars(call_id=str(call.id)):
            await call.serve(first)
            log.info("call_over", dropped_events=call.dropped_events)
            self._calls.pop(call.channel_id, None)
            # A call whose task failed is not over: the next start finds it by its journal.
            if not call.is_over:
                return
            try:
                ended = Ended(call_id=call.id, record=call.unwritten_record())
            except (JournalIncomplete, JournalTooNew):
                log.exception("call_failed")
            else:
                self._on_ended(ended)
