"""Sealing with every real adapter, as an act of ``tests/crashes.py``."""

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.clock import SystemClock
from recorder.adapters.journals import DiskJournals
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.spool import DiskSpool
from recorder.adapters.vault import DiskVault
from recorder.capture.journal import fold
from recorder.capture.ordering import orders_of
from recorder.custody import service
from recorder.custody.service import Custodian
from tests.keys import some_keys


async def seal_all(directory: str, database_url: str) -> None:
    """Seal whoever has a journal, as a start of capture does; retried until all are sealed."""
    service.FIRST_PAUSE_S = 0.01
    spool = Path(directory) / "spool"
    journals = DiskJournals(spool)
    async with connect(database_url) as engine:
        custodian = Custodian(
            journals=journals,
            spool=DiskSpool(spool),
            vault=DiskVault(Path(directory) / "vault", some_keys(Path(directory) / "keys")),
            ledger=PostgresLedger(engine),
            announcements=AnnouncementCatalogue(Path(directory) / "announcements"),
            clock=SystemClock(),
            configured_days=30,
            office_zone=ZoneInfo("Europe/Warsaw"),
            read_call=lambda call_id: fold(journals.read(call_id)),
            read_orders=lambda call: orders_of(call, journals.read(call.id)).settled,
        )
        for each in journals.all_calls():
            custodian.take(each, None)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(custodian.run())
            await custodian.all_sealed()
            running.cancel()
