"""Wires what the pages of oversight read: deletion, completeness, incidents, the dashboard."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.disk_figures import free_bytes
from recorder.adapters.keeping import Keeping
from recorder.adapters.postgres.coming import PostgresComing
from recorder.adapters.postgres.completeness import PostgresComparisons
from recorder.adapters.postgres.incidents import PostgresIncidents
from recorder.adapters.postgres.jobs import PostgresReports
from recorder.adapters.postgres.overview import PostgresOverview
from recorder.incidents.service import IncidentDesk
from recorder.ports import Clock
from recorder.regulation import Regulation
from recorder.settings import Settings
from recorder.web.services import Oversight


def oversight_around(
    engine: AsyncEngine, settings: Settings, regulation: Regulation, kept: Keeping, clock: Clock
) -> Oversight:
    """Return the parts around an engine that is there."""
    return Oversight(
        erasing=PostgresComing(engine, office_zone=settings.office_zone),
        reports=PostgresReports(engine),
        purge_log=kept.purge_log,
        overview=PostgresOverview(engine),
        comparisons=PostgresComparisons(
            engine,
            actor=kept.process,
            trunks=[each.endpoint for each in regulation.scope.trunks],
        ),
        incidents=IncidentDesk(
            incidents=PostgresIncidents(engine), clock=clock, office_zone=settings.office_zone
        ),
        vault_free=lambda: asyncio.to_thread(_vault_free, settings),
    )


def _vault_free(settings: Settings) -> int | None:
    return free_bytes({"vault": settings.vault_dir}).get("vault")
