"""What a diagnostic bundle is made of, asked part by part; for the prompt and for the web alike."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.asterisk_facts import AriAsker
from recorder.adapters.clock import SystemClock
from recorder.adapters.log_tails import LogTails
from recorder.adapters.machine_facts import figures, releases
from recorder.adapters.postgres import migrate
from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.jobs import PostgresJobs
from recorder.adapters.postgres.known_people import PostgresKnownPeople
from recorder.adapters.postgres.tables import IncidentTable
from recorder.adapters.regulation_file import load_regulation
from recorder.commands.config import without_secrets
from recorder.errors import ConfigurationError, Unavailable
from recorder.maintenance.lines import Wanted
from recorder.maintenance.ports import Source
from recorder.maintenance.rules import cut_down
from recorder.maintenance.service import Diagnostician, Note
from recorder.phone_numbers import normalise
from recorder.settings import PREFIX, Settings

DAYS_OF_INCIDENTS = timedelta(days=7)
MOST_INCIDENTS = 200
MOST_ERRORS = 500
MOST_LINES = 5000
MOST_BYTES = 64 << 20
"""Of each service: all that rotation keeps of it (`recorder.logs`)."""
TOKEN = re.compile(r"--confirm \S+")
OF_PERSONS = frozenset(
    f"{PREFIX}{name}" for name in ("LDAP_BIND_DN", "LDAP_BASE", "LDAP_FILTER", "OIDC_CLIENT_ID")
)
"""Settings in which an office may have written somebody's name."""
PARTS = (
    *(
        "versions",
        "settings_in_force",
        "health",
        "jobs",
        "incidents",
        "schema",
        "machine",
        "asterisk",
    ),
    *("errors", "logs"),
)

Health = Callable[[], Awaitable[list[dict[str, Any]]]]


def diagnostician(
    settings: Settings, engine: AsyncEngine, *, health: Health, note: Note, lines: int = MOST_LINES
) -> Diagnostician:
    """Return the maker of bundles for this installation."""
    return Diagnostician(
        sources=_Asked(
            settings=settings, engine=engine, told_health=health, newest=lines
        ).sources(),
        people=PostgresKnownPeople(engine),
        note=note,
        clock=SystemClock(),
        public=_public(settings),
    )


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """Each part of a bundle, by the name of its file."""

    settings: Settings
    engine: AsyncEngine
    told_health: Health
    newest: int

    def sources(self) -> Mapping[str, Source]:
        """Return how each is asked for."""
        return {name: getattr(self, name) for name in PARTS}

    async def versions(self) -> object:
        return releases()

    async def settings_in_force(self) -> object:
        shown = without_secrets(self.settings)
        return {
            name: "(set)" if name in OF_PERSONS and value else value
            for name, value in shown.items()
        }

    async def health(self) -> object:
        return [
            {name: TOKEN.sub("--confirm TOKEN", str(value)) for name, value in each.items()}
            for each in await self.told_health()
        ]

    async def jobs(self) -> object:
        return [_plain(asdict(each)) for each in await PostgresJobs(self.engine).states()]

    async def incidents(self) -> object:
        return await _incidents(self.engine, SystemClock().now() - DAYS_OF_INCIDENTS)

    async def schema(self) -> object:
        return await schema_of(self.engine)

    async def machine(self) -> object:
        return figures(volumes_of(self.settings))

    async def asterisk(self) -> object:
        async with AriAsker(self.settings) as ari:
            facts = await ari.facts()
        return {"version": facts.version, "modules": dict(sorted(facts.modules.items()))}

    async def errors(self) -> object:
        return _lines(self.settings, Wanted(level="error"), MOST_ERRORS)

    async def logs(self) -> object:
        return _lines(self.settings, Wanted(level="info"), self.newest)


def volumes_of(settings: Settings) -> dict[str, Path]:
    """Return the folders whose disks matter, by what is in them."""
    folders = {
        "spool": settings.spool_dir,
        "vault": settings.vault_dir,
        "keys": settings.key_dir,
        "announcements": settings.announcement_dir,
        "checkpoints": settings.audit_checkpoint_dir,
    }
    return folders | ({"logs": settings.log_file.parent} if settings.log_file else {})


def _lines(settings: Settings, wanted: Wanted, last: int) -> list[dict[str, Any]]:
    if settings.log_file is None:
        raise ConfigurationError("RECORDER_LOG_FILE is not set: the logs are not in files here")
    tails = LogTails(settings.log_file.parent, most_bytes=MOST_BYTES)
    if last == 0:
        return []
    # Not redacted: a number in a log is a defect, and is to block the bundle and be told.
    found = tails.newest(wanted, most=last, shown=cut_down)
    if found.unread:
        raise Unavailable(f"logs of {', '.join(found.unread)} cannot be read by this user")
    return [dict(each) for each in reversed(found.lines)]


async def schema_of(engine: AsyncEngine) -> dict[str, str | None]:
    """Return the revision of the database and the one that this release works with."""
    with translated():
        async with engine.connect() as connection:
            found = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    return {"database": found, "release": migrate.head()}


async def _incidents(engine: AsyncEngine, since: datetime) -> object:
    table = IncidentTable
    query = select(table.kind, table.at, table.call_id).where(table.at >= since)
    with translated():
        async with engine.connect() as connection:
            rows = (await connection.execute(query.order_by(table.at.desc()))).all()
    newest = rows[:MOST_INCIDENTS]
    return {
        "of_seven_days": dict(Counter(each.kind for each in rows)),
        "newest": [
            {"kind": each.kind, "at": each.at.isoformat(), "call_id": str(each.call_id or "")}
            for each in newest
        ],
    }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _public(settings: Settings) -> frozenset[str]:
    """Return the office's own numbers, as E.164: they stand on its door."""
    try:
        lines = load_regulation(settings.regulation_file).scope.lines
    except ConfigurationError:
        return frozenset()
    known = () if lines == "all" else lines
    return frozenset(number for each in known if (number := normalise(each)))
