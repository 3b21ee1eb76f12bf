"""Hearing a recording at a page: the purpose before the first byte, then the player (R3.1a)."""

import asyncio
import json
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Permission
from recorder.access.playback import Over, Playback
from recorder.adapters.postgres.rows import CallDetails
from recorder.commands.output import masked
from recorder.errors import RuleViolation
from recorder.model import RecordingId
from recorder.web.api.playbacks import ground_of, mine, target_of
from recorder.web.api.routing import asker_of, services_of
from recorder.web.gate import needs
from recorder.web.lanes import held_regions, paused_regions
from recorder.web.languages import language_of, later, speaker
from recorder.web.pages.call import call_of, ground_given, require_for
from recorder.web.pages.forms import see
from recorder.web.problems import Kind, Problem
from recorder.web.routes import Routes
from recorder.web.words import FLAGS

ON_HOLD, PAUSED = later("on hold"), later("paused, nothing is recorded")
LISTEN = Permission.RECORDING_LISTEN
RESTRICTED = later("The recording is restricted: it is not heard while a right is weighed (§ 8.3).")


@needs(LISTEN, a_minute=30)
async def begin(request: Request) -> Response:
    """Open a playback for a purpose or a request, and lead to the player."""
    services, asker = services_of(request), asker_of(request)
    call = await call_of(request)
    if call.recording_id is None:
        raise Problem(kind=Kind.GONE)
    ground = await ground_given(request)
    decision = await require_for(LISTEN, request, call, ground=ground)
    try:
        playback = await services.listening.open(
            RecordingId(call.recording_id),
            account_id=asker.account.id,
            session_id=asker.visitor.session.id,
            ground=ground,
            decision=decision,
            actor=asker.actor,
        )
    except RuleViolation:
        raise Problem(kind=Kind.CONFLICT, reason="restricted", detail=RESTRICTED) from None
    return see(f"/calls/{call.id}/playbacks/{playback.id}")


@needs(LISTEN)
async def player(request: Request) -> Response:
    """Show the player of a playback that was opened in this session."""
    services = services_of(request)
    call, playback = await _opened(request)
    recording = await services.finder.recording(playback.recording_id)
    if recording is None:
        raise Problem(kind=Kind.GONE)
    say = speaker(language_of(request.scope))
    where: dict[str, Any] = {"bridged": call.bridged, "seconds": recording.seconds}
    regions = [*held_regions(call.timeline, **where), *paused_regions(call.timeline, **where)]
    words = {each: say(PAUSED if each.paused else ON_HOLD) for each in regions}
    return services.drawing.page(
        "player.html",
        request.scope,
        call=call,
        caller=masked(call.caller_number) if call.caller_number else call.caller_number,
        recording=recording,
        playback=playback,
        over=playback.is_over(asker_of(request).now),
        audio=f"/api/v1/recordings/{recording.id}/playbacks/{playback.id}/audio",
        regions=sorted(regions, key=lambda each: each.since),
        region_words=words,
        regions_json=json.dumps([[each.since, each.until, words[each]] for each in regions]),
        flags=[text for name, text in FLAGS.items() if getattr(recording, name, False)],
    )


@needs(LISTEN)
async def end(request: Request) -> Response:
    """End a playback; how much was heard is written into the trail."""
    call, playback = await _opened(request)
    await services_of(request).listening.end(playback, Over.CLOSED, actor=asker_of(request).actor)
    return see(f"/calls/{call.id}?done=ended")


async def _opened(request: Request) -> tuple[CallDetails, Playback]:
    services, asker = services_of(request), asker_of(request)
    call = await call_of(request)
    playback_id: UUID = request.path_params["playback_id"]
    if call.recording_id is None:
        raise Problem(kind=Kind.GONE)
    playback, row = await asyncio.gather(
        mine(call.recording_id, playback_id, asker, services),
        services.finder.recording(call.recording_id),
    )
    await asker.require(LISTEN, target=target_of(row), ground=ground_of(playback))
    return call, playback


ROUTES: Routes = (
    ("POST", "/calls/{call_id:uuid}/playbacks", begin),
    ("GET", "/calls/{call_id:uuid}/playbacks/{playback_id:uuid}", player),
    ("POST", "/calls/{call_id:uuid}/playbacks/{playback_id:uuid}/end", end),
)
