"""Recordings: found by the four fields of § 7.5, shown, and heard for a purpose."""

from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.model import Ground, Permission, Target
from recorder.access.playback import Over, Playback
from recorder.adapters.postgres.rows import RecordingRow
from recorder.audit.event import AuditEvent
from recorder.commands.output import masked
from recorder.errors import NotFound, RecordingDamaged
from recorder.model import RecordingId
from recorder.web.api import routing
from recorder.web.api.routing import Parts, Told, Who
from recorder.web.api.search import Grounded, Search, next_of
from recorder.web.gate import Asker, needs
from recorder.web.problems import Kind, Problem
from recorder.web.rules import one_range
from recorder.web.services import Services
from recorder.web.streaming import AudioStream, Outcome

router = routing.router("recordings")
SEARCHES_A_MINUTE = 60
PLAYBACKS_A_MINUTE = 30
RANGES_A_MINUTE = 600
LISTEN = Permission.RECORDING_LISTEN


class Recording(Told):
    """One recording. The caller's number has its middle hidden."""

    id: UUID
    call_id: UUID
    arrived_at: datetime
    caller_number: str | None
    line: str
    answered_by: str
    seconds: float
    sha256: str
    size_bytes: int
    sample_rate: int
    caller_dbfs: float
    office_dbfs: float
    silent: bool
    one_sided: bool
    truncated: bool
    incomplete: bool
    first_sample_at: datetime
    ended_at: datetime
    sealed_at: datetime
    erase_by: datetime


class Recordings(Told):
    """One page, newest call first."""

    recordings: list[Recording]
    next: str | None
    """The cursor of the next page; null = this is the last."""


class OpenedPlayback(Told):
    """Where the audio is heard, in this session alone."""

    id: UUID
    audio: str
    """Path; takes one range of bytes at a time."""
    seconds: float


@router.post("/recordings/search")
@needs(Permission.CALL_LIST, a_minute=SEARCHES_A_MINUTE)
async def search(wanted: Search, asker: Who, parts: Parts) -> Recordings:
    """Find recordings by what is known of their calls."""
    found = list(
        await parts.finder.recordings(wanted.criteria(), wanted.entry("recording:searched", asker))
    )
    after = next_of([(each.arrived_at, each.call_id) for each in found], wanted.limit)
    return Recordings(recordings=[told(each) for each in found[: wanted.limit]], next=after)


@router.get("/recordings/{recording_id}")
@needs(Permission.CALL_LIST)
async def show(recording_id: UUID, asker: Who, parts: Parts) -> Recording:
    """Return one recording; its audio is another matter."""
    row = await _one(recording_id, parts)
    entry = AuditEvent(
        action="recording:shown",
        at=asker.now,
        actor=asker.actor,
        subject=f"recording:{recording_id}",
    )
    await parts.finder.note(entry)
    return told(row)


@router.post("/recordings/{recording_id}/playbacks", status_code=201)
@needs(LISTEN, a_minute=PLAYBACKS_A_MINUTE)
async def open_playback(
    recording_id: UUID, why: Grounded, asker: Who, parts: Parts
) -> OpenedPlayback:
    """Open a playback for a purpose or a request; without one nothing is heard (R3.1a)."""
    row = await _one(recording_id, parts)
    decision = await asker.require(LISTEN, target=_target(row), ground=why.ground)
    playback = await parts.listening.open(
        RecordingId(row.id),
        account_id=asker.account.id,
        session_id=asker.session.id if asker.session else None,
        ground=why.ground,
        decision=decision,
        actor=asker.actor,
    )
    path = f"/api/v1/recordings/{row.id}/playbacks/{playback.id}/audio"
    return OpenedPlayback(id=playback.id, audio=path, seconds=row.seconds)


AUDIO: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole recording", "content": {"audio/wav": {}}},
    206: {"description": "One range of it", "content": {"audio/wav": {}}},
    **{
        each.status: {
            "description": each.title,
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/ProblemDetails"}
                }
            },
        }
        for each in (Kind.GONE, Kind.RANGE)
    },
}


@router.get(
    "/recordings/{recording_id}/playbacks/{playback_id}/audio",
    responses=AUDIO,
    response_class=Response,
)
@needs(LISTEN, a_minute=RANGES_A_MINUTE)
async def audio(
    recording_id: UUID, playback_id: UUID, request: Request, asker: Who, parts: Parts
) -> Response:
    """Send the audio, or exactly one range of it, while the right to it lasts."""
    playback = await _playback(recording_id, playback_id, asker, parts)
    row = await parts.finder.recording(recording_id)
    ground = Ground(purpose=playback.purpose, request=playback.request)
    if row is None:
        await asker.require(LISTEN, ground=ground)
        raise Problem(kind=Kind.GONE)
    await asker.require(LISTEN, target=_target(row), ground=ground)
    if playback.is_over(asker.now):
        raise Problem(kind=Kind.CONFLICT, reason="playback_over", detail=OVER)
    try:
        size = await parts.listening.size(playback, folder=row.stored_on)
    except NotFound:
        raise Problem(kind=Kind.GONE) from None
    except RecordingDamaged:
        raise Problem(kind=Kind.DAMAGED) from None
    etag = f'"{row.sha256[:32]}"'
    wanted = request.headers.get("range")
    if request.headers.get("if-range", etag) != etag:
        wanted = None
    span = one_range(wanted, size)
    if span is None:
        raise Problem(kind=Kind.RANGE, headers={"Content-Range": f"bytes */{size}"})
    pieces = parts.listening.pieces(playback, folder=row.stored_on, start=span.start, end=span.end)
    try:
        first = await anext(pieces, b"")
    except RecordingDamaged:
        raise Problem(kind=Kind.DAMAGED) from None
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(span.end - span.start),
        "ETag": etag,
        "Content-Disposition": "inline",
    }
    if wanted is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"

    async def may_go_on() -> bool:
        now = await parts.gate.again(request)
        decision = await now.gate.decide(LISTEN, now.asking, target=_target(row), ground=ground)
        return decision.allowed

    async def on_sent(sent: int) -> None:
        await parts.listening.note(playback, (span.start, span.start + sent))

    async def on_end(outcome: Outcome) -> None:
        parts.measures.streams.dec()
        if outcome is Outcome.FORBIDDEN:
            await parts.listening.end(playback, Over.REFUSED, actor=asker.actor)

    parts.measures.streams.inc()
    return AudioStream(
        first,
        pieces,
        status=200 if wanted is None else 206,
        headers=headers,
        pace=parts.pace,
        may_go_on=may_go_on,
        on_sent=on_sent,
        on_end=on_end,
    )


@router.post("/recordings/{recording_id}/playbacks/{playback_id}/end", status_code=204)
@needs(LISTEN)
async def end_playback(recording_id: UUID, playback_id: UUID, asker: Who, parts: Parts) -> None:
    """End a playback; how much was heard is written into the trail."""
    playback = await _playback(recording_id, playback_id, asker, parts)
    ground = Ground(purpose=playback.purpose, request=playback.request)
    row = await parts.finder.recording(recording_id)
    await asker.require(LISTEN, target=_target(row) if row else Target(), ground=ground)
    await parts.listening.end(playback, Over.CLOSED, actor=asker.actor)


OVER = "this playback is over; open a new one"


def told(row: RecordingRow) -> Recording:
    """Return a recording as it is told."""
    values = {
        name: getattr(row, name) for name in Recording.model_fields if name != "caller_number"
    }
    number = masked(row.caller_number) if row.caller_number else row.caller_number
    return Recording(**values, caller_number=number)


def _target(row: RecordingRow) -> Target:
    return Target(line=row.line, recording_id=row.id)


async def _one(recording_id: UUID, parts: Services) -> RecordingRow:
    row = await parts.finder.recording(recording_id)
    if row is None:
        raise Problem(kind=Kind.NOT_FOUND)
    return row


async def _playback(
    recording_id: UUID, playback_id: UUID, asker: Asker, parts: Services
) -> Playback:
    playback = await parts.listening.find(
        playback_id,
        recording_id=recording_id,
        account_id=asker.account.id,
        session_id=asker.session.id if asker.session else None,
    )
    if playback is None:
        raise Problem(kind=Kind.NOT_FOUND)
    return playback
