"""Carries confirmed changes of announcements out: the one place beside the prompt that writes.

It runs in the retention process, which nobody reaches over the network (ADR 0056).
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from recorder.accounts.model import Role
from recorder.accounts.ports import AccountStore
from recorder.announcements.ports import AnnouncementDesk, Order, Upload
from recorder.announcements.rules import Sound
from recorder.announcements.service import AnnouncementKeeper
from recorder.audit.event import Actor
from recorder.errors import AnnouncementRefused, NotFound, RuleViolation
from recorder.model import Announcement, AnnouncementId, Layer
from recorder.ports import Clock
from recorder.retention.model import Job, Tell

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=1)


class AnnouncementEffect:
    """Puts uploads into the catalogue and activates what two administrators agreed on."""

    def __init__(
        self,
        *,
        desk: AnnouncementDesk,
        keeper: AnnouncementKeeper,
        accounts: AccountStore,
        sound_of: Callable[[bytes], Sound],
        clock: Clock,
        actor: Actor,
    ) -> None:
        self._desk = desk
        self._keeper = keeper
        self._accounts = accounts
        self._sound_of = sound_of
        self._clock = clock
        self._actor = actor

    def jobs(self) -> tuple[Job, ...]:
        """Return what is done and how often."""
        return (Job(name="announcements", every=EVERY, work=self.work),)

    async def work(self, _: Tell) -> str:
        """Carry out what is ordered. Raises ``Unavailable``: then it is done at the next tick."""
        open_orders = [each for each in await self._desk.orders() if each.done_at is None]
        refused = 0
        for order in open_orders:
            try:
                announcement = await self._carry_out(order)
            except (RuleViolation, NotFound, AnnouncementRefused) as error:
                refused += 1
                log.warning("announcement_not_activated", order=str(order.id), why=str(error))
                await self._desk.failed(
                    order, problem=str(error), actor=self._actor, at=self._clock.now()
                )
            else:
                now = self._clock.now()
                await self._desk.carried_out(
                    order, announcement=announcement, actor=self._actor, at=now
                )
        return f"{len(open_orders) - refused} activated, {refused} refused"

    async def _carry_out(self, order: Order) -> Announcement:
        await self._require_two_administrators(order)
        upload = await self._desk.upload(order.announcement_id)
        return await asyncio.to_thread(self._write, order, upload)

    def _write(self, order: Order, upload: Upload | None) -> Announcement:
        announcement_id = order.announcement_id
        if upload is not None:
            announcement_id = self._added(upload)
        now = self._clock.now()
        # Who is late, or just in time, is heard from now on: a past moment would be no truth.
        wanted = order.active_from
        later = wanted if wanted is not None and wanted > now + EVERY else None
        return self._keeper.activate(
            announcement_id, later, by=order.decided_by, proposed_by=order.proposed_by
        )

    def _added(self, upload: Upload) -> AnnouncementId:
        # Judged here once more: what a page let through is not believed.
        given = upload.announcement
        sound = self._sound_of(upload.samples)
        if sound.sha256 != given.sha256:
            raise RuleViolation("its sound is not the one that was uploaded")
        return self._keeper.add(
            sound,
            layer=given.layer,
            language=given.language,
            text=given.text,
            allow_long=given.layer is Layer.SECOND,
            announcement_id=given.id,
        ).announcement.id

    async def _require_two_administrators(self, order: Order) -> None:
        able = {
            f"account:{each.id}"
            for each in await self._accounts.accounts()
            if each.disabled_at is None and Role.ADMINISTRATOR in each.roles
        }
        signed = {order.proposed_by, order.decided_by}
        if len(signed) != len(("proposes", "confirms")) or not signed <= able:
            raise RuleViolation("it does not bear the names of two administrators")
