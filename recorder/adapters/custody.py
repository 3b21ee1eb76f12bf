"""The parts of custody, wired for the process that seals."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.clock import SystemClock
from recorder.adapters.journals import DiskJournals
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.spool import DiskSpool
from recorder.adapters.vault import open_vault
from recorder.capture.journal import fold
from recorder.capture.ordering import orders_of
from recorder.custody.service import Custodian
from recorder.regulation import Regulation
from recorder.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """What seals, and what it works with."""

    journals: DiskJournals
    spool: DiskSpool
    announcements: AnnouncementCatalogue
    ledger: PostgresLedger
    custodian: Custodian


def open_custody(
    settings: Settings, regulation: Regulation, engine: AsyncEngine, clock: SystemClock
) -> Custody:
    """Wire custody around an engine. Raises ``ConfigurationError``."""
    journals, spool = DiskJournals(settings.spool_dir), DiskSpool(settings.spool_dir)
    announcements = AnnouncementCatalogue(settings.announcement_dir)
    ledger = PostgresLedger(engine)
    custodian = Custodian(
        journals=journals,
        spool=spool,
        vault=open_vault(settings),
        ledger=ledger,
        announcements=announcements,
        clock=clock,
        configured_days=regulation.retention.days,
        office_zone=settings.office_zone,
        read_call=lambda call_id: fold(journals.read(call_id)),
        read_orders=lambda call: orders_of(call, journals.read(call.id)).settled,
    )
    return Custody(
        journals=journals,
        spool=spool,
        announcements=announcements,
        ledger=ledger,
        custodian=custodian,
    )
