"""One call: what was decided and why, what was heard of it by whom, and what becomes of it."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.listening import BYTES_A_SECOND
from recorder.access.model import Ground, Permission, Target, View
from recorder.access.playback import Playback, seconds_of
from recorder.adapters.postgres.rows import CallDetails, PlayedRow, RecordingRow
from recorder.approvals.model import Action
from recorder.audit.event import AuditEvent
from recorder.commands.output import masked
from recorder.model import AnnouncementId
from recorder.web.api.routing import asker_of, services_of
from recorder.web.asker import Asker
from recorder.web.gate import AskAgain, needs
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.forms import fields_of
from recorder.web.pages.people import names_of
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.web.services import Services
from recorder.web.told import INCIDENTS
from recorder.web.words import (
    DETAILS,
    ENDINGS,
    FIGURES,
    FLAGS,
    GROUNDS,
    LAYERS,
    MOMENTS,
    OUTCOMES,
    PLAYED,
    REASONS,
    SPOKEN,
    quality_of,
)
from recorder.web.words import ROUTES as HOW_ERASED

SAY_WHY = later(
    "Purpose: choose one of § 3.1, or give the number of a request, for example W/31/2026."
)
DONE = {
    "ended": later("The listening is ended and noted."),
    "erased": later("The recording is erased for good; a tombstone is in its place."),
    "erasing": later("Erasing has begun and cannot be undone; the next run finishes it."),
    "erasure-proposed": later(
        "Erasing is proposed. Another person must confirm it within seven days."
    ),
    "erasure-refused": later("The proposal is refused; the recording stays."),
}
RATE = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the timeline."""

    at: datetime
    kind: str
    detail: str


@needs(Permission.CALL_LIST)
async def show(request: Request) -> Response:
    """Show one call."""
    services, asker = services_of(request), asker_of(request)
    call = await call_of(request)
    entry = AuditEvent(
        action="call:shown", at=asker.now, actor=asker.actor, subject=f"call:{call.id}"
    )
    await services.finder.note(entry)
    say = speaker(language_of(request.scope))
    return await page(request, call, done=say(DONE.get(request.query_params.get("done", ""), "")))


@needs(Permission.NUMBER_REVEAL)
async def reveal(request: Request) -> Response:
    """Show who called, whole, for a purpose or a request."""
    services, asker = services_of(request), asker_of(request)
    call = await call_of(request)
    ground = await ground_given(request)
    await require_for(Permission.NUMBER_REVEAL, request, call, ground=ground)
    entry = AuditEvent(
        action="number:revealed",
        at=asker.now,
        actor=asker.actor,
        subject=f"call:{call.id}",
        reason=ground.request or ground.purpose,
    )
    await services.finder.note(entry)
    return await page(request, call, whole=True)


@needs(Permission.ANNOUNCEMENT_READ)
async def announcement(request: Request) -> Response:
    """Play what callers hear of one version (R8.2d)."""
    services = services_of(request)
    samples = await services.announcement_samples(
        AnnouncementId(request.path_params["announcement_id"])
    )
    size = len(samples)
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16,
        b"data", size,
    )  # fmt: skip
    return Response(head + samples, media_type="audio/wav")


async def call_of(request: Request) -> CallDetails:
    """Return the call that an address names. Raises ``Problem``."""
    call_id: UUID = request.path_params["call_id"]
    call = await services_of(request).finder.call(call_id)
    if call is None:
        raise Problem(kind=Kind.NOT_FOUND)
    return call


async def ground_given(request: Request) -> Ground:
    """Return the purpose or the request's number of a form."""
    purpose, number = await fields_of(request, "purpose", "request")
    return Ground(purpose=purpose, request=number.strip())


async def require_for(
    permission: Permission, request: Request, call: CallDetails, *, ground: Ground
) -> Any:  # noqa: ANN401 - the decision
    """Return the decision about this call; without a purpose the page asks for it again."""
    asker = asker_of(request)
    target = Target(line=call.line, recording_id=call.recording_id)
    try:
        return await asker.require(permission, target=target, ground=ground)
    except Problem as problem:
        if problem.kind is not Kind.PURPOSE_NEEDED:
            raise
        say = speaker(language_of(request.scope))
        faults = {"purpose": say(SAY_WHY)}
        raise AskAgain(await page(request, call, faults=faults, ground=ground)) from None


async def page(
    request: Request,
    call: CallDetails,
    *,
    whole: bool = False,
    done: str = "",
    faults: dict[str, str] | None = None,
    ground: Ground | None = None,
) -> Response:
    """Draw the page of a call."""
    services, asker = services_of(request), asker_of(request)
    around = await services.desk.around([call.id])
    recording = around.recordings.get(call.id)
    tombstone = around.tombstones.get(call.id)
    recording_id = recording.id if recording else tombstone.recording_id if tombstone else None
    played = await services.finder.announcements_of(call.id)
    listened, all_of_them = await _listeners(recording_id, services, asker)
    texts = {each.id: each.text for each in (await services.announcements())[0]}
    flags = [text for name, text in FLAGS.items() if recording and _flag(recording, name)]
    return services.drawing.page(
        "call.html",
        request.scope,
        status=422 if faults else 200,
        call=call,
        caller=_shown(call.caller_number, whole=whole),
        caller_name=_shown(call.caller_name, whole=whole),
        whole=whole,
        recording=recording,
        tombstone=tombstone,
        outcome=OUTCOMES.get(call.outcome, call.outcome),
        reason=REASONS.get(call.reason, call.reason),
        scope_reason=REASONS.get(call.scope_reason, call.scope_reason),
        played=played,
        announcement_texts=texts,
        lines=timeline_of(call, played),
        quality=quality_of(dict(call.quality)),
        incidents=await services.finder.incidents_of(call.id),
        holds=await services.desk.holds_of(recording_id) if recording_id else (),
        listened=[
            (each, seconds_of(each.heard, bytes_a_second=BYTES_A_SECOND)) for each in listened
        ],
        all_listened=all_of_them,
        names=await names_of(services),
        flags=flags,
        may_listen=Permission.RECORDING_LISTEN in asker.able,
        may_reveal=Permission.NUMBER_REVEAL in asker.able and bool(call.caller_number),
        may_erase=Permission.RECORDING_ERASE in asker.able,
        erasure_waits=await _erasure_waits(recording, services),
        may_hold=Permission.HOLD_PLACE_PROVISIONAL in asker.able,
        purposes=services.purposes,
        ground=ground or Ground(),
        faults=faults or {},
        done=done,
        now=asker.now,
        words={
            "moments": MOMENTS, "played": PLAYED, "layers": LAYERS, "spoken": SPOKEN,
            "grounds": GROUNDS, "endings": ENDINGS, "routes": HOW_ERASED, "reasons": DETAILS,
            "figures": FIGURES, "incidents": INCIDENTS,
        },
    )  # fmt: skip


def timeline_of(call: CallDetails, played: Sequence[PlayedRow]) -> list[Line]:
    """Return what happened, in order, the announcements among it."""
    lines = [
        Line(
            at=datetime.fromisoformat(each["at"]),
            kind=each["kind"],
            detail=str(each.get("detail", "")),
        )
        for each in call.timeline
    ]
    lines += [
        Line(at=each.started_at, kind="announcement", detail=each.result)
        for each in played
        if each.started_at is not None
    ]
    return sorted(lines, key=lambda each: each.at)


async def _listeners(
    recording_id: UUID | None, services: Services, asker: Asker
) -> tuple[Sequence[Playback], bool]:
    """Return who listened, and whether these are all: a role may see its own alone."""
    if recording_id is None:
        return (), True
    decision = await asker.gate.decide(Permission.AUDIT_READ, asker.asking)
    if not decision.allowed:
        return (), False
    found = await services.desk.listeners(recording_id)
    if decision.view is View.FULL:
        return found, True
    return [each for each in found if each.account_id == asker.account.id], False


async def _erasure_waits(recording: RecordingRow | None, services: Services) -> bool:
    if recording is None:
        return False
    waiting = await services.keeping.approvals.waiting_for(Action.ERASE_BY_HAND, recording.id)
    return waiting is not None


def _shown(text: str | None, *, whole: bool) -> str | None:
    return text if whole or not text else masked(text)


def _flag(recording: Any, name: str) -> bool:  # noqa: ANN401 - a row
    return recording.damaged_at is not None if name == "damaged" else getattr(recording, name)


ROUTES: Routes = (
    ("GET", "/calls/{call_id:uuid}", show),
    ("POST", "/calls/{call_id:uuid}/number", reveal),
    ("GET", "/announcements/{announcement_id:uuid}/sound", announcement),
)
