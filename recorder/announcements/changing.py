"""Changes what callers hear: one administrator uploads and proposes, another confirms.

What is confirmed here is an order. Another process carries it out (``effect``): whoever serves
pages cannot write where the sounds lie that callers hear (ADR 0056).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recorder.announcements.ports import AnnouncementDesk, Catalogue
from recorder.announcements.rules import Finding, Sound, SoundFigures, refusals
from recorder.announcements.service import AnnouncementKeeper, check_language, clean
from recorder.announcements.wording import Advice
from recorder.approvals.model import Action, Approval, ApprovalId, signature
from recorder.approvals.ports import Approvals
from recorder.approvals.proposing import propose, require_second_person
from recorder.audit.event import Actor
from recorder.errors import AnnouncementRefused, NotFound, RuleViolation
from recorder.model import Announcement, AnnouncementId, Layer
from recorder.ports import Clock

MOST_UPLOADS = 20
"""So many wait at once: nobody fills the database by uploading."""


class SoundRefused(AnnouncementRefused):
    """A sound that can be read and is not good enough, with everything found about it."""

    def __init__(self, findings: tuple[Finding, ...], figures: SoundFigures) -> None:
        super().__init__("\n".join(str(each) for each in refusals(findings)))
        self.findings, self.figures = findings, figures


class OtherText(RuleViolation):
    """The same sound is there with another text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """A version that was uploaded, or was there already."""

    announcement: Announcement
    new: bool
    findings: tuple[Finding, ...]
    advice: tuple[Advice, ...]


class AnnouncementOffice:
    """Takes versions in and their activation through two persons. Raises ``LedgerUnavailable``."""

    def __init__(
        self,
        *,
        keeper: AnnouncementKeeper,
        catalogue: Catalogue,
        desk: AnnouncementDesk,
        approvals: Approvals,
        read: Callable[[bytes], Sound],
        clock: Clock,
        new_id: Callable[[], UUID],
    ) -> None:
        self._keeper = keeper
        self._catalogue = catalogue
        self._desk = desk
        self._approvals = approvals
        self._read = read
        self._clock = clock
        self._new_id = new_id

    async def upload(
        self, content: bytes, *, layer: Layer, language: str, text: str, actor: Actor
    ) -> Uploaded:
        """Keep a sound file as a version that nobody hears yet; judged first (R8.2e).

        Raises ``SoundRefused`` or ``AnnouncementRefused`` for the sound, ``OtherText``,
        ``RuleViolation`` when too many wait.
        """
        check_language(language)
        spoken = clean(text)
        sound = await asyncio.to_thread(self._read, content)
        findings = self._keeper.judge(sound, layer=layer, allow_long=layer is Layer.SECOND)
        if refusals(findings):
            raise SoundRefused(findings, sound.figures)
        waiting = await self._desk.uploads()
        announcement = Announcement(
            id=AnnouncementId(self._new_id()),
            layer=layer,
            language=language,
            text=spoken,
            sha256=sound.sha256,
            length_ms=sound.length_ms,
            level_dbfs=round(sound.figures.level_dbfs, 1),
            added_at=self._clock.now(),
        )
        versions = await asyncio.to_thread(self._catalogue.versions)
        same = [each for each in (*versions, *waiting) if _is_same(each, announcement)]
        if same and same[0].text != spoken:
            raise OtherText("this sound is there already, with another text")
        if not same:
            if len(waiting) >= MOST_UPLOADS:
                raise RuleViolation("too many wait; discard what is not needed")
            await self._desk.keep(announcement, samples=sound.samples, actor=actor)
        kept = same[0] if same else announcement
        advice = self._keeper.advise(kept)
        return Uploaded(announcement=kept, new=not same, findings=findings, advice=advice)

    async def discard(self, announcement_id: AnnouncementId, *, actor: Actor) -> None:
        """Drop an upload that nobody proposed. Raises ``RuleViolation``."""
        if await self._approvals.waiting_for(Action.ACTIVATE_ANNOUNCEMENT, announcement_id):
            raise RuleViolation("its activation is proposed; refuse that first")
        dropped = await self._desk.discard(announcement_id, actor=actor, at=self._clock.now())
        if not dropped:
            raise RuleViolation("it is not waiting any more")

    async def find(self, announcement_id: AnnouncementId) -> Announcement:
        """Return a version, of the catalogue or uploaded. Raises ``NotFound``."""
        versions = await asyncio.to_thread(self._catalogue.versions)
        for each in (*versions, *await self._desk.uploads()):
            if each.id == announcement_id:
                return each
        raise NotFound("no announcement has this id")

    async def propose(
        self,
        announcement_id: AnnouncementId,
        *,
        active_from: datetime | None,
        reason: str,
        actor: Actor,
    ) -> Approval:
        """Propose that callers hear a version, from an instant or from the confirmation on.

        Raises ``NotFound``, ``RuleViolation``.
        """
        now = self._clock.now()
        await self.find(announcement_id)
        if not reason.strip():
            raise RuleViolation("say why")
        if active_from is not None and active_from < now:
            raise RuleViolation("the date is in the past, and callers heard something else then")
        approval = Approval(
            id=ApprovalId(self._new_id()),
            action=Action.ACTIVATE_ANNOUNCEMENT,
            subject=announcement_id,
            proposed_by=signature(actor),
            proposed_at=now,
            reason=reason.strip(),
            reference="" if active_from is None else active_from.isoformat(),
        )
        return await propose(self._approvals, approval, actor=actor, now=now)

    async def confirm(self, approval: Approval, *, actor: Actor) -> None:
        """Order what another person proposed. Raises ``NotFound``, ``RuleViolation``."""
        now = self._clock.now()
        require_second_person(approval, actor=actor, now=now)
        await self.find(AnnouncementId(approval.subject))
        ordered = await self._desk.order(
            approval, active_from=planned(approval), actor=actor, at=now
        )
        if not ordered:
            raise RuleViolation("it is answered already")


def planned(approval: Approval) -> datetime | None:
    """Return from when callers are to hear it; None = as soon as it is confirmed."""
    return datetime.fromisoformat(approval.reference) if approval.reference else None


def _is_same(one: Announcement, other: Announcement) -> bool:
    return (one.sha256, one.layer, one.language) == (other.sha256, other.layer, other.language)
