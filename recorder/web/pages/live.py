"""Calls in progress: what is being recorded now, without audio, and what may be ordered (RG.12)."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission, Target, View
from recorder.audit.event import AuditEvent
from recorder.errors import NotFound
from recorder.live.model import Act, Answer, InProgress, OrderId, State
from recorder.live.rules import acts_for, hindrance, is_own, owner_of
from recorder.live.service import OnTheBoard
from recorder.model import CallId
from recorder.web.api.routing import asker_of, services_of
from recorder.web.asker import Asker
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.forms import fields_of, see
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.web.words import ANSWERS, ORDERED, STATES_NOW

LIST, CONTROL = Permission.CALL_LIST, Permission.CALL_CONTROL
MOST_SHOWN = 200
NO_REASON = later("Reason: say in your own words why the recording ends.")
OVER = later("The call is over; nothing was done.")


@needs(LIST)
async def overview(request: Request) -> Response:
    """Show what is being recorded now, one's own calls first."""
    services, asker = services_of(request), asker_of(request)
    await asker.require(LIST)
    await services.finder.note(AuditEvent(action="live:shown", at=asker.now, actor=asker.actor))
    board = await services.live.board()
    decision = await asker.gate.decide(CONTROL, asker.asking)
    own_alone = decision.view is View.OWN
    extension = asker.account.extension
    calls = sorted(board.calls, key=lambda each: not is_own(each, extension))
    able = decision.allowed and CONTROL in asker.able
    reached = {each.call_id: hindrance(board.node_of(each), asker.now) for each in calls}
    return services.drawing.page(
        "live.html",
        request.scope,
        calls=calls[:MOST_SHOWN],
        more=max(0, len(calls) - MOST_SHOWN),
        acts={
            each.call_id: [act.value for act in acts_for(each.state)]
            if able and (not own_alone or is_own(each, extension))
            else []
            for each in calls
        },
        reached=reached,
        away=_away(board, calls, reached),
        nodes=board.nodes,
        no_extension=able and own_alone and not extension,
        own_alone=able and own_alone,
        able=able,
        told=await _told(request, board),
        states=STATES_NOW,
        answers=ANSWERS,
        now=asker.now,
    )


@needs(CONTROL, a_minute=60)
async def pause(request: Request) -> Response:
    """Record silence from now on."""
    return await _order(request, Act.PAUSE)


@needs(CONTROL, a_minute=60)
async def resume(request: Request) -> Response:
    """Record both sides again."""
    return await _order(request, Act.RESUME)


@needs(CONTROL)
async def check_stop(request: Request) -> Response:
    """Say what stopping will do, and ask why, before it is done."""
    call, _ = await _mine(request)
    return _confirm(request, call)


@needs(CONTROL, a_minute=60)
async def stop(request: Request) -> Response:
    """Record no further, and keep what there is or leave no byte of it."""
    call, _ = await _mine(request)
    act, reason = await fields_of(request, "act", "reason")
    if act not in {Act.STOP.value, Act.DISCARD.value}:
        raise Problem(kind=Kind.BAD_REQUEST)
    if not reason.strip():
        say = speaker(language_of(request.scope))
        raise AskAgain(_confirm(request, call, faults={"reason": say(NO_REASON)}))
    return await _order(request, Act(act), reason.strip())


def _confirm(
    request: Request, call: InProgress, *, faults: dict[str, str] | None = None
) -> Response:
    return services_of(request).drawing.page(
        "live_stop.html",
        request.scope,
        status=422 if faults else 200,
        call=call,
        keeps=call.state is not State.STOPPED,
        faults=faults or {},
    )


async def _order(request: Request, act: Act, reason: str = "") -> Response:
    services, asker = services_of(request), asker_of(request)
    call, board = await _mine(request)
    order_id = await services.live.order(
        call, act, node=board.node_of(call), by=asker.actor, reason=reason
    )
    await services.live.answer(order_id)
    return see(f"/live?order={order_id}")


async def _mine(request: Request) -> tuple[InProgress, OnTheBoard]:
    """Return the call that an address names, if this person may act on it. Raises ``Problem``."""
    asker = asker_of(request)
    board = await services_of(request).live.board()
    call = board.call(request.path_params["call_id"])
    if call is None:
        await asker.require(CONTROL)
        raise Problem(kind=Kind.CONFLICT, detail=OVER)
    target = Target(line=call.line, owner=owner_of(call, asker.account))
    await asker.require(CONTROL, target=target)
    return call, board


def _away(
    board: OnTheBoard, calls: Sequence[InProgress], reached: Mapping[CallId, Answer | None]
) -> list[str]:
    """Return why orders cannot be given, each reason once; that none are wanted is one too."""
    why = set()
    for each in calls:
        if (answer := reached[each.call_id]) is not None:
            node = board.node_of(each)
            off = node is not None and not node.control_set and answer is Answer.SWITCHBOARD_AWAY
            why.add("control_off" if off else answer.value)
    return sorted(why)


async def _told(request: Request, board: OnTheBoard) -> dict[str, object] | None:
    """Return what became of the order that was just given here, by this very person."""
    try:
        order_id = OrderId(UUID(request.query_params.get("order", "")))
        order, answer = await services_of(request).live.answer(order_id, within_s=0)
    except (ValueError, NotFound):
        return None
    asker: Asker = asker_of(request)
    if order.by != asker.actor:
        return None
    call = board.call(order.call_id)
    return {
        "act": ORDERED[order.act.value],
        "answer": ANSWERS[answer.value] if answer else "",
        "good": answer in {Answer.DONE, Answer.ALREADY},
        "call": call,
    }


ROUTES: Routes = (
    ("GET", "/live", overview),
    ("POST", "/live/{call_id:uuid}/pause", pause),
    ("POST", "/live/{call_id:uuid}/resume", resume),
    ("POST", "/live/{call_id:uuid}/stop/check", check_stop),
    ("POST", "/live/{call_id:uuid}/stop", stop),
)
