"""Playbacks: opened for a purpose, heard range by range, ended with how much was heard (R3.1a)."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from recorder.access.listening import BLOCKED
from recorder.access.model import Ground, Permission, Target
from recorder.access.playback import Over, Playback
from recorder.adapters.postgres.rows import RecordingRow
from recorder.errors import NotFound, RecordingDamaged
from recorder.model import RecordingId
from recorder.web.api import routing
from recorder.web.api.recordings import one
from recorder.web.api.routing import Parts, Told, Who, described
from recorder.web.api.search import Grounded
from recorder.web.asker import Asker
from recorder.web.gate import needs
from recorder.web.lanes import lanes_of
from recorder.web.problems import Kind, Problem
from recorder.web.rules import Span, one_range
from recorder.web.services import Services
from recorder.web.streaming import AudioStream, Outcome

router = routing.router("recordings")
OPENED_A_MINUTE = 30
RANGES_A_MINUTE = 600
LANES_A_MINUTE = 60
LANES_PIECE = 1 << 20
LISTEN = Permission.RECORDING_LISTEN
OVER = "this playback is over; open a new one"


class OpenedPlayback(Told):
    """Where the audio is heard, in this session alone."""

    id: UUID
    audio: str
    """Path; takes one range of bytes at a time."""
    seconds: float


@router.post("/recordings/{recording_id}/playbacks", status_code=201)
@needs(LISTEN, a_minute=OPENED_A_MINUTE)
async def open_playback(
    recording_id: UUID, why: Grounded, asker: Who, parts: Parts
) -> OpenedPlayback:
    """Open a playback for a purpose or a request; without one nothing is heard."""
    row = await one(recording_id, parts)
    decision = await asker.require(LISTEN, target=target_of(row), ground=why.ground)
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
    **described(Kind.GONE, Kind.RANGE),
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
    playback = await mine(recording_id, playback_id, asker, parts)
    row = await _goes_on(playback, asker, parts)
    try:
        return await _stream(playback, row, request, asker=asker, parts=parts)
    except NotFound:
        raise Problem(kind=Kind.GONE) from None
    except RecordingDamaged:
        raise Problem(kind=Kind.DAMAGED) from None


class DrawnLanes(Told):
    """How loud each side is along the recording, each bar 0 to 100; kept nowhere."""

    seconds: float
    caller: list[int]
    office: list[int]


@router.get("/recordings/{recording_id}/playbacks/{playback_id}/lanes")
@needs(LISTEN, a_minute=LANES_A_MINUTE)
async def lanes(recording_id: UUID, playback_id: UUID, asker: Who, parts: Parts) -> DrawnLanes:
    """Draw both sides of the recording; the audio is read for it, and nothing is kept."""
    playback = await mine(recording_id, playback_id, asker, parts)
    row = await _goes_on(playback, asker, parts)
    try:
        size = await parts.listening.size(playback, folder=row.stored_on)
        pieces = parts.listening.pieces(
            playback, folder=row.stored_on, start=0, end=size, piece=LANES_PIECE
        )
        caller, office = await lanes_of(pieces, frames=row.frames)
    except NotFound:
        raise Problem(kind=Kind.GONE) from None
    except RecordingDamaged:
        raise Problem(kind=Kind.DAMAGED) from None
    return DrawnLanes(seconds=row.seconds, caller=caller, office=office)


@router.post("/recordings/{recording_id}/playbacks/{playback_id}/end", status_code=204)
@needs(LISTEN)
async def end_playback(recording_id: UUID, playback_id: UUID, asker: Who, parts: Parts) -> None:
    """End a playback; how much was heard is written into the trail."""
    playback = await mine(recording_id, playback_id, asker, parts)
    row = await parts.finder.recording(recording_id)
    await asker.require(LISTEN, target=target_of(row), ground=ground_of(playback))
    await parts.listening.end(playback, Over.CLOSED, actor=asker.actor)


async def _goes_on(playback: Playback, asker: Asker, parts: Services) -> RecordingRow:
    """Return the recording of a playback that may go on now. Raises ``Problem``."""
    row = await parts.finder.recording(playback.recording_id)
    await asker.require(LISTEN, target=target_of(row), ground=ground_of(playback))
    if row is None:
        raise Problem(kind=Kind.GONE)
    if playback.is_over(asker.now):
        raise Problem(kind=Kind.CONFLICT, reason="playback_over", detail=OVER)
    if await parts.listening.is_restricted(playback):
        raise Problem(kind=Kind.CONFLICT, reason="restricted", detail=BLOCKED)
    return row


async def _stream(
    playback: Playback, row: RecordingRow, request: Request, *, asker: Asker, parts: Services
) -> AudioStream:
    size = await parts.listening.size(playback, folder=row.stored_on)
    etag = f'"{row.sha256[:32]}"'
    asked = request.headers.get("range")
    if request.headers.get("if-range", etag) != etag:
        asked = None
    span = one_range(asked, size)
    if span is None:
        raise Problem(kind=Kind.RANGE, headers={"Content-Range": f"bytes */{size}"})
    pieces = parts.listening.pieces(playback, folder=row.stored_on, start=span.start, end=span.end)
    first = await anext(pieces, b"")

    async def may_go_on() -> bool:
        now = await parts.gate.again(request)
        decision = await now.gate.decide(
            LISTEN, now.asking, target=target_of(row), ground=ground_of(playback)
        )
        return decision.allowed and not await parts.listening.is_restricted(playback)

    async def on_sent(sent: int) -> None:
        await parts.listening.note(playback, (span.start, span.start + sent))

    async def on_end(outcome: Outcome) -> None:
        parts.streams.end(asker.account.id)
        parts.measures.streams.dec()
        if outcome is Outcome.FORBIDDEN:
            await parts.listening.end(playback, Over.REFUSED, actor=asker.actor)

    if not parts.streams.begin(asker.account.id):
        raise Problem(kind=Kind.TOO_MANY, headers={"Retry-After": "5"})
    parts.measures.streams.inc()
    return AudioStream(
        first,
        pieces,
        status=200 if asked is None else 206,
        headers=_headers(span, size, etag=etag, asked=asked is not None),
        pace=parts.pace,
        may_go_on=may_go_on,
        on_sent=on_sent,
        on_end=on_end,
    )


def _headers(span: Span, size: int, *, etag: str, asked: bool) -> dict[str, str]:
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(span.end - span.start),
        "ETag": etag,
        "Content-Disposition": "inline",
    }
    if asked:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    return headers


def ground_of(playback: Playback) -> Ground:
    """Return why it was opened."""
    return Ground(purpose=playback.purpose, request=playback.request)


def target_of(row: RecordingRow | None) -> Target:
    """Return what the right to listen is asked about."""
    return Target(line=row.line, recording_id=row.id) if row else Target()


async def mine(recording_id: UUID, playback_id: UUID, asker: Asker, parts: Services) -> Playback:
    """Return a playback of this person in this session. Raises ``Problem``."""
    playback = await parts.listening.find(
        playback_id,
        recording_id=recording_id,
        account_id=asker.account.id,
        session_id=asker.session.id if asker.session else None,
    )
    if playback is None:
        raise Problem(kind=Kind.NOT_FOUND)
    return playback
