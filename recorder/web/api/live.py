"""Calls in progress, and orders about their recording (RG.12)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from recorder.access.model import Permission, Target
from recorder.audit.event import AuditEvent
from recorder.errors import NotFound
from recorder.live.model import Act, Answer, InProgress, OrderId, State
from recorder.live.rules import hindrance, owner_of
from recorder.web.api import routing
from recorder.web.api.routing import Body, Parts, Told, Who
from recorder.web.gate import needs
from recorder.web.problems import Kind, Problem

router = routing.router("live calls")
MOST = 1000
LONGEST_REASON = 1000


class LiveCall(Told):
    """One call that is being recorded. The caller's number has its middle hidden."""

    id: UUID
    node: str
    arrived_at: datetime
    caller_number: str
    line: str
    parties: list[str]
    """Extensions on the line, or who was last while nobody is."""
    connected: bool
    answered_at: datetime | None
    state: State
    since: datetime | None
    in_doubt: bool
    """The state was ordered, and Asterisk has not confirmed it."""
    hindrance: Answer | None
    """Why no order can reach it now; null = nothing is in the way."""


class LiveCalls(Told):
    """What is being recorded now, the oldest call first."""

    calls: list[LiveCall]
    more: int
    """So many more are not told."""


class NewOrder(Body):
    """What is ordered, and why; ending a recording takes a reason."""

    act: Act
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""


class OrderTold(Told):
    """An order and what became of it."""

    id: UUID
    call_id: UUID
    act: Act
    asked_at: datetime
    answer: Answer | None
    """null = no answer has come yet."""


@router.get("/live-calls")
@needs(Permission.CALL_LIST)
async def in_progress(asker: Who, parts: Parts) -> LiveCalls:
    """Tell what is being recorded now."""
    await parts.finder.note(AuditEvent(action="live:shown", at=asker.now, actor=asker.actor))
    board = await parts.live.board()
    calls = [_told(each, hindrance(board.node_of(each), asker.now)) for each in board.calls[:MOST]]
    return LiveCalls(calls=calls, more=max(0, len(board.calls) - MOST))


@router.post("/live-calls/{call_id}/orders")
@needs(Permission.CALL_CONTROL, a_minute=60)
async def order(
    call_id: UUID, wanted: NewOrder, asker: Who, parts: Parts, response: Response
) -> OrderTold:
    """Pause, resume, stop and keep, stop and discard; answered within four seconds."""
    board = await parts.live.board()
    call = board.call(call_id)
    if call is None:
        await asker.require(Permission.CALL_CONTROL)
        raise Problem(kind=Kind.NOT_FOUND)
    target = Target(line=call.line, owner=owner_of(call, asker.account))
    await asker.require(Permission.CALL_CONTROL, target=target)
    if wanted.act in {Act.STOP, Act.DISCARD} and not wanted.reason:
        raise Problem(kind=Kind.INVALID, detail="ending a recording takes a reason")
    order_id = await parts.live.order(
        call, wanted.act, node=board.node_of(call), by=asker.actor, reason=wanted.reason
    )
    _, answer = await parts.live.answer(order_id)
    if answer is None:
        response.status_code = 202
    return OrderTold(
        id=order_id, call_id=call_id, act=wanted.act, asked_at=asker.now, answer=answer
    )


@router.get("/live-calls/orders/{order_id}")
@needs(Permission.CALL_CONTROL)
async def answer_to(order_id: UUID, asker: Who, parts: Parts) -> OrderTold:
    """Tell what became of an order of one's own."""
    try:
        found, answer = await parts.live.answer(OrderId(order_id), within_s=0)
    except NotFound:
        raise Problem(kind=Kind.NOT_FOUND) from None
    if found.by != asker.actor:
        raise Problem(kind=Kind.NOT_FOUND)
    return OrderTold(
        id=order_id,
        call_id=found.call_id,
        act=found.act,
        asked_at=found.asked_at,
        answer=answer,
    )


def _told(call: InProgress, why_not: Answer | None) -> LiveCall:
    return LiveCall(
        id=call.call_id,
        node=call.node,
        arrived_at=call.arrived_at,
        caller_number=call.caller,
        line=call.line,
        parties=list(call.parties),
        connected=call.connected,
        answered_at=call.answered_at,
        state=call.state,
        since=call.since,
        in_doubt=call.in_doubt,
        hindrance=why_not,
    )
