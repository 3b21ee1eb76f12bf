"""Wires what the pages about announcements read and do."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.changing_announcements import open_announcement_office
from recorder.adapters.clock import SystemClock
from recorder.adapters.postgres.announcements import PostgresAnnouncementDesk
from recorder.announcements.periods import Signed
from recorder.announcements.service import AnnouncementKeeper
from recorder.errors import NotFound
from recorder.model import Announcement, AnnouncementId
from recorder.regulation import Regulation
from recorder.settings import Settings
from recorder.web.services import Announcing


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What callers hear, and what is to be heard."""

    versions: Callable[[], Awaitable[tuple[Sequence[Announcement], Sequence[Announcement]]]]
    samples: Callable[[AnnouncementId], Awaitable[bytes]]
    announcing: Announcing


def announcing_around(engine: AsyncEngine, settings: Settings, regulation: Regulation) -> Heard:
    """Return the parts around an engine that is there."""
    desk = PostgresAnnouncementDesk(engine)

    def catalogue() -> AnnouncementCatalogue:
        return AnnouncementCatalogue(settings.announcement_dir)

    def versions() -> tuple[Sequence[Announcement], Sequence[Announcement]]:
        found = catalogue()
        return found.versions(), found.activations()

    def signed() -> Mapping[tuple[AnnouncementId, datetime], Signed]:
        return catalogue().signed()

    def from_catalogue(announcement_id: AnnouncementId) -> bytes | None:
        found = catalogue()
        if announcement_id not in {each.id for each in found.versions()}:
            return None
        return found.samples(announcement_id)

    async def samples(announcement_id: AnnouncementId) -> bytes:
        kept = await asyncio.to_thread(from_catalogue, announcement_id)
        if kept is not None:
            return kept
        upload = await desk.upload(announcement_id)
        if upload is None:
            raise NotFound("no announcement has this id")
        return upload.samples

    keeper = AnnouncementKeeper(catalogue=catalogue(), regulation=regulation, clock=SystemClock())
    return Heard(
        versions=lambda: asyncio.to_thread(versions),
        samples=samples,
        announcing=Announcing(
            office=open_announcement_office(settings, regulation, engine),
            desk=desk,
            signed=lambda: asyncio.to_thread(signed),
            advise=keeper.advise,
        ),
    )
