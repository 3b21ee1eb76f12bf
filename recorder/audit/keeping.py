"""What is done for the audit trail every day: forget what is past its time, sign what is there."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from recorder.audit.event import Actor
from recorder.audit.notes import SigningKey
from recorder.audit.ports import Checkpoints, Post, Trail
from recorder.audit.rules import Position
from recorder.audit.service import Auditor
from recorder.errors import RecorderError
from recorder.ports import Clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How much went."""

    personal: int
    """Entries that lost their personal part."""
    entries: int


class TrailKeeper:
    """Keeps the trail as long as it must be kept, and signs it. Needs retention's login."""

    def __init__(
        self,
        trail: Trail,
        checkpoints: Checkpoints,
        clock: Clock,
        *,
        key: SigningKey,
        actor: Actor,
        keep_days: int,
        keep_personal_days: int,
        post: Post | None = None,
    ) -> None:
        self._trail = trail
        self._checkpoints = checkpoints
        self._clock = clock
        self._key = key
        self._post = post
        self._actor = actor
        self._keep = timedelta(days=keep_days)
        self._keep_personal = timedelta(days=keep_personal_days)
        self._auditor = Auditor(trail, public=key.public)

    async def daily(self) -> str:
        """Forget, sign, post; return what was done. What keeps from it is logged and raised."""
        try:
            forgotten = await self.forget()
            signed = await self.checkpoint()
            posted = await self.post()
        except RecorderError as error:
            log.error("audit_trail_not_kept", why=str(error))  # noqa: TRY400 - the reason is told
            raise
        end = f"signed up to {signed[0].seq}" if signed else "nothing new to sign"
        end += ", posted" if posted else ""
        return f"{forgotten.personal} personal parts and {forgotten.entries} entries gone, {end}"

    async def post(self) -> str:
        """Send the newest checkpoint away, where the office wants it; return its name.

        Raises ``MailUnavailable``: it is tried again the next time, whatever was signed then.
        """
        if self._post is None:
            return ""
        notes = await asyncio.to_thread(self._checkpoints.notes)
        return await asyncio.to_thread(self._post.post, notes)

    async def checkpoint(self) -> tuple[Position, Path] | None:
        """Sign the trail's end and keep the note; None = nothing was added since the last.

        Raises ``RuleViolation`` where the trail does not go on from the last checkpoint.
        """
        notes = await asyncio.to_thread(self._checkpoints.notes)
        signed = await self._auditor.checkpoint(self._key, notes, now=self._clock.now())
        if signed is None:
            return None
        position, note = signed
        return position, await asyncio.to_thread(self._checkpoints.keep, position.seq, note)

    async def forget(self) -> Forgotten:
        """Drop what is past its time. Raises ``RuleViolation`` where that does not verify."""
        now = self._clock.now()
        personal = await self._auditor.forget_personal(
            before=now - self._keep_personal, actor=self._actor, now=now
        )
        entries = 0
        while gone := await self._auditor.forget(
            self._key, before=now - self._keep, actor=self._actor, now=now
        ):
            entries += gone
        return Forgotten(personal=personal, entries=entries)
