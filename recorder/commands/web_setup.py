"""Wires what the pages about the setting up read: regulation, announcements, backups."""

import asyncio
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.keeping import Keeping
from recorder.adapters.postgres.trail_reading import PostgresTrail, Wanted
from recorder.announcements.service import AnnouncementKeeper, Findings
from recorder.ports import Clock
from recorder.regulation import Regulation
from recorder.settings import Settings
from recorder.web.services import Setup


def setup_around(
    engine: AsyncEngine, settings: Settings, regulation: Regulation, kept: Keeping, clock: Clock
) -> Setup:
    """Return the parts around an engine that is there."""

    def findings() -> Findings:
        catalogue = AnnouncementCatalogue(settings.announcement_dir)
        keeper = AnnouncementKeeper(catalogue=catalogue, regulation=regulation, clock=clock)
        return keeper.check()

    async def erased_at_once(days: int) -> int:
        return sum([sum(each.erase for each in page) async for page in kept.eraser.plan(days)])

    async def last_backup() -> datetime | None:
        found = await PostgresTrail(engine).find(Wanted(action="backup:made", limit=1))
        return found[0].at if found else None

    return Setup(
        regulation=regulation,
        announcement_findings=lambda: asyncio.to_thread(findings),
        retention=kept.eraser.retention,
        erased_at_once=erased_at_once,
        last_backup=last_backup,
    )
