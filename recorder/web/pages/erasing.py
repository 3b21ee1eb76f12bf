"""Erasing by hand: a reason, what exactly will happen, and a second person (R7.2f)."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission, Target
from recorder.adapters.postgres.rows import CallDetails, RecordingRow
from recorder.approvals.model import Action, Approval, ApprovalId, signature
from recorder.approvals.rules import Why, judge_confirming
from recorder.erasure.model import Stage
from recorder.errors import RuleViolation
from recorder.holds.rules import is_open
from recorder.model import RecordingId
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.call import call_of
from recorder.web.pages.forms import fields_of, see
from recorder.web.pages.holding import NO_REASON, SECOND
from recorder.web.pages.people import names_of
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.web.words import GROUNDS

ERASE = Permission.RECORDING_ERASE
HELD = later("It is not erased: a hold protects it, or it has been decided on meanwhile.")


@needs(ERASE)
async def form(request: Request) -> Response:
    """Ask why, and show what waits for a second person."""
    call, recording = await _recording(request)
    return await _page(request, call, recording)


@needs(ERASE)
async def check(request: Request) -> Response:
    """Say what erasing will do, before it is proposed."""
    call, recording = await _recording(request)
    reason = await _reason(request, call, recording)
    return await _confirm(request, call, recording, reason=reason, approval=None)


@needs(ERASE)
async def erase(request: Request) -> Response:
    """Propose to erase; where the office wants no second person, erase."""
    services, asker = services_of(request), asker_of(request)
    call, recording = await _recording(request)
    reason = await _reason(request, call, recording)
    try:
        answer = await services.keeping.by_hand.ask(
            RecordingId(recording.id), reason=reason, actor=asker.actor
        )
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=HELD) from None
    if isinstance(answer, Approval):
        return see(f"/calls/{call.id}?done=erasure-proposed")
    return see(f"/calls/{call.id}?done={'erased' if answer else 'erasing'}")


@needs(ERASE)
async def check_confirm(request: Request) -> Response:
    """Show a second person what they are to confirm."""
    approval, call, recording = await _proposal(request)
    return await _confirm(request, call, recording, reason=approval.reason, approval=approval)


@needs(ERASE)
async def confirm(request: Request) -> Response:
    """Erase what another person proposed to erase."""
    services, asker = services_of(request), asker_of(request)
    approval, call, _ = await _proposal(request)
    try:
        done = await services.keeping.by_hand.confirm(approval, actor=asker.actor)
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, detail=HELD) from None
    return see(f"/calls/{call.id}?done={'erased' if done else 'erasing'}")


@needs(ERASE)
async def refuse(request: Request) -> Response:
    """Answer no to a proposal, one's own included; the recording stays."""
    services, asker = services_of(request), asker_of(request)
    approval = await _approval(request)
    call_id = await services.desk.call_of(approval.subject)
    call = await services.finder.call(call_id) if call_id else None
    await asker.require(ERASE, target=Target(line=call.line if call else None))
    if not await services.keeping.approvals.refuse(approval.id, actor=asker.actor, at=asker.now):
        raise Problem(kind=Kind.CONFLICT, detail=SECOND[Why.ALREADY_DECIDED])
    return see(f"/calls/{call_id}?done=erasure-refused" if call_id else "/deletions?done=refused")


async def _recording(request: Request) -> tuple[CallDetails, RecordingRow]:
    """Return the call and its recording, if this person may erase it. Raises ``Problem``."""
    services, asker = services_of(request), asker_of(request)
    call = await call_of(request)
    target = Target(line=call.line, recording_id=call.recording_id)
    await asker.require(ERASE, target=target)
    recording = (await services.desk.around([call.id])).recordings.get(call.id)
    if recording is None or recording.stage != Stage.KEPT.value:
        raise Problem(kind=Kind.GONE)
    return call, recording


async def _approval(request: Request) -> Approval:
    approval_id: UUID = request.path_params["approval_id"]
    approval = await services_of(request).keeping.approvals.get(ApprovalId(approval_id))
    if approval is None or approval.action is not Action.ERASE_BY_HAND:
        raise Problem(kind=Kind.NOT_FOUND)
    return approval


async def _proposal(request: Request) -> tuple[Approval, CallDetails, RecordingRow]:
    services, asker = services_of(request), asker_of(request)
    approval = await _approval(request)
    recording = await services.finder.recording(approval.subject)
    call = await services.finder.call(recording.call_id) if recording else None
    if recording is None or call is None:
        raise Problem(kind=Kind.GONE)
    await asker.require(ERASE, target=Target(line=call.line, recording_id=recording.id))
    why = judge_confirming(approval, person=signature(asker.actor), now=asker.now)
    if why is not Why.SECOND_PERSON:
        raise Problem(kind=Kind.CONFLICT, reason=why.value, detail=SECOND[why])
    return approval, call, recording


async def _reason(request: Request, call: CallDetails, recording: RecordingRow) -> str:
    (reason,) = await fields_of(request, "reason")
    if not reason.strip():
        faults = {"reason": NO_REASON}
        raise AskAgain(await _page(request, call, recording, faults=faults))
    return reason.strip()


async def _page(
    request: Request,
    call: CallDetails,
    recording: RecordingRow,
    *,
    faults: dict[str, str] | None = None,
) -> Response:
    services, asker = services_of(request), asker_of(request)
    say = speaker(language_of(request.scope))
    waiting = await services.keeping.approvals.waiting_for(Action.ERASE_BY_HAND, recording.id)
    return services.drawing.page(
        "erasing.html",
        request.scope,
        status=422 if faults else 200,
        call=call,
        recording=recording,
        holds=[each for each in await services.desk.holds_of(recording.id) if is_open(each)],
        grounds=GROUNDS,
        waiting=waiting,
        my_own=waiting is not None and waiting.proposed_by == signature(asker.actor),
        names=await names_of(services),
        faults={name: say(text) for name, text in (faults or {}).items()},
        now=asker.now,
    )


async def _confirm(
    request: Request,
    call: CallDetails,
    recording: RecordingRow,
    *,
    reason: str,
    approval: Approval | None,
) -> Response:
    services = services_of(request)
    return services.drawing.page(
        "erasing_confirm.html",
        request.scope,
        call=call,
        recording=recording,
        reason=reason,
        approval=approval,
        names=await names_of(services),
        four_eyes=services.keeping.by_hand.four_eyes,
        now=asker_of(request).now,
    )


ROUTES: Routes = (
    ("GET", "/calls/{call_id:uuid}/erasure", form),
    ("POST", "/calls/{call_id:uuid}/erasure/check", check),
    ("POST", "/calls/{call_id:uuid}/erasure", erase),
    ("POST", "/deletions/proposals/{approval_id:uuid}/check", check_confirm),
    ("POST", "/deletions/proposals/{approval_id:uuid}/confirm", confirm),
    ("POST", "/deletions/proposals/{approval_id:uuid}/refuse", refuse),
)
