"""Opens a recording to a listener, sends it part by part, and notes what was heard (R8.1e)."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from recorder.access.model import AccessDecision, Ground
from recorder.access.playback import (
    OVER_AFTER,
    Over,
    Part,
    Playback,
    PlaybackId,
    seconds_of,
    with_part,
)
from recorder.accounts.model import AccountId, SessionId
from recorder.audit.event import Actor, ActorKind, AuditEvent
from recorder.errors import RuleViolation
from recorder.model import RecordingId
from recorder.ports import Clock

log = structlog.get_logger(__name__)

PIECE = 64 << 10
"""Bytes read at once: of each stream no more than two are in memory."""
BYTES_A_SECOND = 32_000
"""8 kHz, 16 bit, two sides."""
BLOCKED = "this recording is restricted: it is not played while a right is weighed (§ 8.3)"


class Audio(Protocol):
    """The part of the vault that listening needs.

    Raises ``VaultUnavailable``, ``RecordingDamaged`` and ``NotFound``; gives nothing out then.
    """

    async def read(
        self, recording_id: RecordingId, *, folder: str, start: int, length: int
    ) -> bytes:
        """Return a range of the WAV, cut at its end."""

    async def size(self, recording_id: RecordingId, *, folder: str) -> int:
        """Return the bytes of the WAV."""


class Playbacks(Protocol):
    """The rows about playbacks. Raises ``LedgerUnavailable`` and ``TrailUnavailable``."""

    async def open(self, playback: Playback, entry: AuditEvent) -> bool:
        """Keep a playback with its entry; False when the recording may not be heard at all."""

    async def restricted(self, recording_id: RecordingId) -> bool:
        """Tell whether a recording may not be heard while a right is weighed (R8.3b)."""

    async def require_trail(self) -> None:
        """Raise ``TrailUnavailable`` where what is heard could not be noted (RG.15)."""

    async def get(self, playback_id: PlaybackId) -> Playback | None:
        """Return one, None if there is none."""

    async def heard(
        self, playback_id: PlaybackId, add: Callable[[Sequence[Part]], Sequence[Part]], at: datetime
    ) -> None:
        """Change what was heard of one, under its lock."""

    async def end(
        self, playback_id: PlaybackId, *, at: datetime, entry: Callable[[Playback], AuditEvent]
    ) -> bool:
        """End one with its entry; False if it has ended."""

    async def idle_since(self, before: datetime) -> Sequence[Playback]:
        """Return those not ended of which nothing was sent since."""

    async def of_recording(self, recording_id: RecordingId) -> Sequence[Playback]:
        """Return who listened to a recording, newest first."""


class Listening:
    """Playbacks: opened for a ground, sent while the right lasts, noted once when they are over."""

    def __init__(
        self, *, playbacks: Playbacks, audio: Audio, clock: Clock, new_id: Callable[[], UUID]
    ) -> None:
        self._playbacks, self._audio, self._clock = playbacks, audio, clock
        self._new_id = new_id

    async def open(
        self,
        recording_id: RecordingId,
        *,
        account_id: AccountId,
        session_id: SessionId | None,
        ground: Ground,
        decision: AccessDecision,
        actor: Actor,
    ) -> Playback:
        """Open a playback; its entry is written before the first byte is sent (RG.15).

        Raises ``RuleViolation`` when the recording is restricted (R8.3b).
        """
        now = self._clock.now()
        playback = Playback(
            id=PlaybackId(self._new_id()),
            recording_id=recording_id,
            account_id=account_id,
            session_id=session_id,
            purpose="" if ground.request else ground.purpose,
            request=ground.request,
            authorisation_id=decision.authorisation_id,
            opened_at=now,
            served_at=now,
        )
        entry = AuditEvent(
            action="playback:opened",
            at=now,
            actor=actor,
            subject=f"recording:{recording_id}",
            reason=ground.request or ground.purpose,
            details={
                "playback": str(playback.id),
                "authorisation": str(decision.authorisation_id or ""),
            },
        )
        if not await self._playbacks.open(playback, entry):
            raise RuleViolation(BLOCKED)
        return playback

    async def is_restricted(self, playback: Playback) -> bool:
        """Tell whether the recording has been restricted meanwhile (R8.3b).

        Raises ``TrailUnavailable`` where its end could not be noted: then nothing of it is sent,
        though its beginning is noted (RG.15).
        """
        await self._playbacks.require_trail()
        return await self._playbacks.restricted(playback.recording_id)

    async def find(
        self,
        playback_id: UUID,
        *,
        recording_id: UUID,
        account_id: AccountId,
        session_id: SessionId | None,
    ) -> Playback | None:
        """Return a playback of this person in this session, None if it is anybody else's."""
        found = await self._playbacks.get(PlaybackId(playback_id))
        if found is None or found.recording_id != recording_id:
            return None
        mine = found.account_id == account_id and found.session_id == session_id
        return found if mine else None

    async def size(self, playback: Playback, *, folder: str) -> int:
        """Return the bytes of the whole."""
        return await self._audio.size(playback.recording_id, folder=folder)

    async def pieces(
        self, playback: Playback, *, folder: str, start: int, end: int, piece: int = PIECE
    ) -> AsyncIterator[bytes]:
        """Yield the bytes from ``start`` to ``end``, decrypted as they are asked for."""
        while start < end:
            # Pieces lie where the vault's chunks do, so that none is decrypted twice.
            length = min(end - start, piece - start % piece)
            read = await self._audio.read(
                playback.recording_id, folder=folder, start=start, length=length
            )
            if not read:
                return
            yield read
            start += len(read)

    async def note(self, playback: Playback, part: Part) -> None:
        """Note what was sent; sent twice is heard once."""
        await self._playbacks.heard(
            playback.id, lambda heard: with_part(heard, part), self._clock.now()
        )

    async def end(self, playback: Playback, why: Over, *, actor: Actor) -> None:
        """End a playback and write how much was heard. Ending what has ended is a success."""
        now = self._clock.now()

        def entry(ended: Playback) -> AuditEvent:
            return AuditEvent(
                action="playback:ended",
                at=now,
                actor=actor,
                subject=f"recording:{ended.recording_id}",
                reason=why.value,
                details={
                    "playback": str(ended.id),
                    "seconds": round(seconds_of(ended.heard, bytes_a_second=BYTES_A_SECOND), 1),
                },
            )

        await self._playbacks.end(playback.id, at=now, entry=entry)

    async def end_idle(self) -> int:
        """End what nobody listens to any more, whoever left it; return how many."""
        idle = await self._playbacks.idle_since(self._clock.now() - OVER_AFTER)
        for each in idle:
            # In the name of whoever listened: the entry is about them.
            kind = ActorKind.ACCOUNT if each.session_id else ActorKind.MACHINE
            await self.end(each, Over.IDLE, actor=Actor(kind=kind, name=str(each.account_id)))
        return len(idle)
