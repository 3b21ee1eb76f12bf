"""Erasing what is due with every real adapter, as an act of ``tests/crashes.py``."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.erasures import PostgresErasures
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.adapters.shredder import DiskShredder
from recorder.erasure.service import Eraser
from tests.builders_keeping import PURGE
from tests.fakes import FakeClock
from tests.fakes_erasure import FakeWitness
from tests.keys import a_vault


async def erase_due(url: str, directory: str, now: str) -> None:
    """Erase what is due at ``now``, as the retention process does."""
    place, clock = Path(directory), FakeClock()
    clock.at = datetime.fromisoformat(now)
    async with connect(url) as engine:
        eraser = Eraser(
            erasures=PostgresErasures(engine, actor=PURGE),
            purge_log=PostgresPurgeLog(engine, actor=PURGE),
            vault=DiskShredder(place / "vault", a_vault(place)),
            clock=clock,
            witness=FakeWitness(),
            actor=PURGE,
            retention_days=30,
            office_zone=ZoneInfo("Europe/Warsaw"),
            lead=timedelta(hours=1),
            new_token=lambda: "token",
        )
        await eraser.run()
