"""Orders about the recording of a live call: what they do, what is noted, what in doubt. Pure.

The order that survives a crash: note what was ordered (on disk), ask the PBX, note what became
of it (on disk). Where the PBX does not say, the state with less audio holds and is asked for
until it is confirmed; so does a capture that finds a call again (:func:`recollect`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from recorder.audit.event import Actor, ActorKind
from recorder.capture import events as ev
from recorder.capture.following import STOP_AGAIN, STOP_AGAIN_AFTER_S, Following, Step
from recorder.live.model import Act, Answer, Order, OrderId, Settled, State
from recorder.live.rules import AFTER, judge, state_in_doubt
from recorder.model import CallId, CallRecord

TAKEN, SETTLED, WIPED = "order:taken", "order:settled", "recording:wiped"


def heed(state: Following, event: ev.Event) -> Step:
    """Return what an order, or the time to ask again, leads to."""
    if state.over:
        return state, ()
    match event:
        case ev.Ordered(order=order):
            return _ordered(state, order, event.at)
        case ev.TimerExpired(timer=timer) if timer == STOP_AGAIN and state.unsure:
            return state, (ev.Enforce(state=state.state),)
        case ev.WipeDue() if state.recording_id is not None:
            return state, (ev.Wipe(recording_id=state.recording_id),)
        case _:
            return state, ()


def _ordered(state: Following, order: Order, now: datetime) -> Step:
    by_telephone = order.by.kind is ActorKind.EXTENSION
    if by_telephone and (order.by.name not in state.parties or _is_outside(state, order.by.name)):
        return settle(state, order, Answer.NOT_OF_THE_OFFICE, now)
    refused = judge(
        order.act,
        state=state.recorded,
        in_doubt=state.unsure,
        asked_at=order.asked_at,
        now=now,
    )
    if refused is not None:
        return settle(state, order, refused, now)
    return state, (
        # On disk before the PBX hears of it: a crash in between is a doubt, not a silence.
        ev.Note(kind=TAKEN, fields=_fields(order), durable=True),
        ev.CarryOut(order=order),
    )


def _is_outside(state: Following, extension: str) -> bool:
    return extension in state.trunk_endpoints


def settle(state: Following, order: Order, answer: Answer, at: datetime) -> Step:
    """Return what is so once the PBX has answered, or has not."""
    settled = Settled(order=order, answer=answer, at=at)
    fields = {**_fields(order), "answer": answer, "at": at.isoformat()}
    told: tuple[ev.Command, ...] = (
        ev.Note(kind=SETTLED, fields=fields, durable=True),
        ev.Tell(settled=settled),
    )
    match answer:
        case Answer.DONE:
            return _done(_in_state(state, AFTER[order.act], at), order, told)
        case Answer.DOUBTFUL:
            holds = _in_state(state, state_in_doubt(order.act), at)
            again = ev.StartTimer(timer=STOP_AGAIN, seconds=STOP_AGAIN_AFTER_S)
            return replace(holds, unsure=True, doubt=order), (*told, again)
        case _:
            return state, told


def confirm(state: Following, at: datetime) -> Step:
    """Return what is so once the PBX has confirmed the state that must hold."""
    order, sure = state.doubt, replace(state, unsure=False, doubt=None)
    if order is None:
        wipe = state.recording_id if state.state is State.DISCARDED else None
        return sure, ((ev.Wipe(recording_id=wipe),) if wipe is not None else ())
    # To resume was not confirmed, so it stays paused: that was not done.
    done = AFTER[order.act] is state.state
    return settle(sure, order, Answer.DONE if done else Answer.SWITCHBOARD_AWAY, at)


def ask_again(state: Following) -> Step:
    """Return when the PBX is asked next, after it did not confirm what must hold."""
    if not state.unsure:
        return state, ()
    return state, (ev.StartTimer(timer=STOP_AGAIN, seconds=STOP_AGAIN_AFTER_S),)


def _in_state(state: Following, wanted: State, at: datetime) -> Following:
    since = state.state_since if state.state is wanted else at
    return replace(state, state=wanted, state_since=since)


def _done(state: Following, order: Order, told: tuple[ev.Command, ...]) -> Step:
    sure = replace(state, unsure=False, doubt=None)
    if order.act in {Act.STOP, Act.DISCARD}:
        sure = replace(sure, stopped=True)
    if order.act is Act.DISCARD and sure.recording_id is not None:
        return sure, (*told, ev.Wipe(recording_id=sure.recording_id))
    return sure, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a journal tells of the orders of its call."""

    settled: tuple[Settled, ...] = ()
    """The last word on each, in order."""
    open: Order | None = None
    """Taken, and nothing more is known: whoever had the call in hand died."""
    state: State = State.RECORDING
    since: datetime | None = None
    wiped: bool = False

    @property
    def doubt(self) -> Order | None:
        """The order whose state the PBX has not confirmed."""
        last = self.settled[-1] if self.settled else None
        return last.order if last is not None and last.answer is Answer.DOUBTFUL else None


def orders_of(record: CallRecord, entries: Iterable[Mapping[str, Any]]) -> Orders:
    """Return the orders that a journal tells of; what is damaged in it is no order."""
    found = Orders()
    for line in entries:
        if line.get("kind") == WIPED:
            found = replace(found, wiped=True)
        if line.get("kind") not in {TAKEN, SETTLED}:
            continue
        order = _order(record.id, line)
        if line["kind"] == TAKEN:
            found = replace(found, open=order)
            continue
        settled = Settled(
            order=order,
            answer=Answer(line["answer"]),
            at=datetime.fromisoformat(line["at"]),
        )
        others = tuple(each for each in found.settled if each.order.id != order.id)
        found = replace(found, settled=(*others, settled), open=None)
        if settled.answer in {Answer.DONE, Answer.DOUBTFUL}:
            certain = settled.answer is Answer.DONE
            state = AFTER[order.act] if certain else state_in_doubt(order.act)
            found = replace(found, state=state, since=settled.at)
    return found


def remembering(state: Following, orders: Orders) -> Following:
    """Return a found call's state with what was ordered of it before."""
    half_done = orders.open
    touched = orders.state is not State.RECORDING or (orders.doubt or half_done) is not None
    return replace(
        state,
        state=state_in_doubt(half_done.act) if half_done else orders.state,
        state_since=orders.since or state.state_since,
        stopped=state.stopped or orders.state in {State.STOPPED, State.DISCARDED},
        # Told again whatever it was: what was paused stays so, and somebody has seen to it.
        unsure=touched,
        doubt=orders.doubt,
    )


def recollect(state: Following, orders: Orders, at: datetime) -> Step:
    """Return what a found call needs first: its half-done order, and its state confirmed."""
    if orders.open is not None:
        state, told = settle(state, orders.open, Answer.DOUBTFUL, at)
        return state, (*told, ev.Enforce(state=state.state))
    return state, ((ev.Enforce(state=state.state),) if state.unsure else ())


def _fields(order: Order) -> dict[str, object]:
    return {
        "order_id": str(order.id),
        "act": order.act,
        "by_kind": order.by.kind,
        "by": order.by.name,
        "asked_at": order.asked_at.isoformat(),
    }


def _order(call_id: CallId, line: Mapping[str, Any]) -> Order:
    return Order(
        id=OrderId(UUID(line["order_id"])),
        call_id=call_id,
        act=Act(line["act"]),
        by=Actor(kind=ActorKind(line["by_kind"]), name=line["by"]),
        asked_at=datetime.fromisoformat(line["asked_at"]),
    )
