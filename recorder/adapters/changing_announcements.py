"""Builds what changes announcements: the office at a page, and who carries it out."""

import uuid_utils.compat as uuids
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.clock import SystemClock
from recorder.adapters.postgres.accounts import PostgresAccounts
from recorder.adapters.postgres.announcements import PostgresAnnouncementDesk
from recorder.adapters.postgres.approvals import PostgresApprovals
from recorder.adapters.sounds import sound_of, wav_of
from recorder.announcements.changing import AnnouncementOffice
from recorder.announcements.effect import AnnouncementEffect
from recorder.announcements.service import AnnouncementKeeper
from recorder.audit.event import Actor
from recorder.regulation import Regulation
from recorder.settings import Settings


def open_announcement_office(
    settings: Settings, regulation: Regulation, engine: AsyncEngine
) -> AnnouncementOffice:
    """Return what takes uploads and proposals; it only reads the catalogue."""
    catalogue, clock = AnnouncementCatalogue(settings.announcement_dir), SystemClock()
    return AnnouncementOffice(
        keeper=AnnouncementKeeper(catalogue=catalogue, regulation=regulation, clock=clock),
        catalogue=catalogue,
        desk=PostgresAnnouncementDesk(engine),
        approvals=PostgresApprovals(engine),
        read=sound_of,
        clock=clock,
        new_id=uuids.uuid7,
    )


def open_announcement_effect(
    settings: Settings, regulation: Regulation, engine: AsyncEngine, actor: Actor
) -> AnnouncementEffect:
    """Return what writes the catalogue for them."""
    catalogue, clock = AnnouncementCatalogue(settings.announcement_dir), SystemClock()
    return AnnouncementEffect(
        desk=PostgresAnnouncementDesk(engine),
        keeper=AnnouncementKeeper(catalogue=catalogue, regulation=regulation, clock=clock),
        accounts=PostgresAccounts(engine),
        sound_of=lambda samples: sound_of(wav_of(samples)),
        clock=clock,
        actor=actor,
    )
