"""``recorder status``: the service part by part, each asked on its own."""

import asyncio
import os
import shutil
from dataclasses import asdict
from datetime import UTC, datetime, time
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import aiohttp
import typer
from alembic.runtime.migration import MigrationContext

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.clock import SystemClock
from recorder.adapters.journals import DiskJournals
from recorder.adapters.postgres import queries
from recorder.adapters.postgres.connect import connect, translated
from recorder.adapters.postgres.rights import owns_the_tables
from recorder.adapters.postgres.rows import OutcomeCount
from recorder.adapters.regulation_file import load_regulation
from recorder.adapters.spool import DiskSpool
from recorder.commands.ami_health import ami_part
from recorder.commands.db import address_of, schema_problem, url_of
from recorder.commands.health import Part, State
from recorder.commands.key_findings import key_problem
from recorder.commands.output import print_json, print_table
from recorder.commands.retention_parts import retention_parts
from recorder.errors import ConfigurationError, RecorderError, SpoolUnavailable, Unavailable
from recorder.model import Layer
from recorder.settings import Settings, load_settings

ANSWER_WITHIN_S = 3.0
OWNER = (
    "this login owns the tables and could edit the audit trail: RECORDER_DATABASE_URL must be "
    "another's for every process (OPERATIONS.md, Install, 2)"
)


def status(
    *, as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False
) -> None:
    """Say part by part whether the service works; exit 3 when a part is down.

    Examples: `recorder status` · `recorder status --json`
    """
    settings = load_settings()
    now = SystemClock().now()
    parts, calls = asyncio.run(ask_all(settings, now))
    down = [each.name for each in parts if each.state is State.DOWN]
    if as_json:
        print_json(
            {
                "parts": [asdict(each) for each in parts],
                "calls_today": None if calls is None else [asdict(each) for each in calls],
            }
        )
    else:
        shown = [*parts, _today(calls)] if calls is not None else parts
        columns = {"name": "part", "state": "state", "says": ""}
        print_table(shown, columns, settings.office_zone, reveal=False, empty="")
    if down:
        typer.echo(f"Down: {', '.join(down)}.", err=True)
        raise typer.Exit(Unavailable.exit_code)


async def ask_all(
    settings: Settings, now: datetime
) -> tuple[list[Part], list[OutcomeCount] | None]:
    """Return how each part is, and today's calls by outcome; None when PostgreSQL is away."""
    # At once: two parts that are away cost the wait for one.
    async with asyncio.TaskGroup() as tasks:
        capture = tasks.create_task(_capture(settings))
        database = tasks.create_task(_database(settings, now))
        ami = tasks.create_task(ami_part(settings))
    parts, calls = database.result()
    here = (_spool(settings), _vault(settings), _keys(settings), _regulation(settings))
    return [
        *capture.result(),
        ami.result(),
        *parts,
        *here,
        _announcements(settings, now),
    ], calls


async def _capture(settings: Settings) -> list[Part]:
    host = f"[{settings.probe_host}]" if ":" in settings.probe_host else settings.probe_host
    base = f"http://{host}:{settings.probe_port}"
    limit = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
    try:
        async with aiohttp.ClientSession(timeout=limit) as session:
            async with session.get(f"{base}/healthz") as answer:
                if await answer.text() != "ok":
                    says = f"another program answers at {base}"
                    return [Part("capture", State.DOWN, says)]
            async with session.get(f"{base}/probe") as answer:
                linked = answer.status == HTTPStatus.OK
    except (aiohttp.ClientError, TimeoutError, OSError, UnicodeDecodeError) as error:
        says = f"does not answer at {base} ({type(error).__name__}): calls go on unrecorded"
        return [Part("capture", State.DOWN, says)]
    alive = Part("capture", State.OK, f"answers at {base}")
    if linked:
        return [alive, Part("asterisk", State.OK, "connected to capture")]
    says = "not connected to capture: calls go on unrecorded"
    return [alive, Part("asterisk", State.DOWN, says)]


async def _database(
    settings: Settings, now: datetime
) -> tuple[list[Part], list[OutcomeCount] | None]:
    name = "postgresql"
    zone = settings.office_zone
    today = datetime.combine(now.astimezone(zone).date(), time(), zone).astimezone(UTC)
    try:
        url = url_of(settings)
        async with connect(url, application="cli", answer_within_s=ANSWER_WITHIN_S) as engine:
            with translated():
                async with engine.connect() as connection:
                    revision = await connection.run_sync(
                        lambda sync: MigrationContext.configure(sync).get_current_revision()
                    )
                    owns = await owns_the_tables(connection)
            if problem := schema_problem(revision):
                return [Part(name, State.DOWN, problem)], None
            calls = list(await queries.count_outcomes(engine, since=today))
            kept = await retention_parts(engine, now, configured=_days_configured(settings))
    except RecorderError as error:
        return [Part(name, State.DOWN, str(error))], None
    says = f"revision {revision} at {address_of(settings)}"
    here = Part(name, State.OK, says)
    if owns:
        here = Part(name, State.ATTENTION, f"{says}; {OWNER}")
    return [here, *kept], calls


def _days_configured(settings: Settings) -> int | None:
    try:
        return load_regulation(settings.regulation_file).retention.days
    except ConfigurationError:
        return None


def _spool(settings: Settings) -> Part:
    name = "spool"
    try:
        free = DiskSpool(settings.spool_dir).free_bytes() >> 20
    except SpoolUnavailable as error:
        return Part(name, State.DOWN, f"{error}: calls go on unrecorded")
    journals = len(DiskJournals(settings.spool_dir).all_calls())
    says = f"{free} MiB free, {journals} calls live or not sealed yet"
    if free < settings.spool_floor_mib:
        low = f"below the floor of {settings.spool_floor_mib} MiB: calls go on unrecorded"
        return Part(name, State.DOWN, f"{says}; {low}")
    return Part(name, State.OK, says)


def vault_problem(directory: Path) -> str:
    """Return why nothing can be stored under ``directory``, asked without writing; else empty."""
    try:
        if os.statvfs(directory).f_flag & os.ST_RDONLY:
            return "the vault is mounted read-only"
    except OSError as error:
        return f"the vault is missing ({error.strerror})"
    if not directory.is_dir():
        return "the vault is no directory"
    if not os.access(directory, os.W_OK | os.X_OK):
        return "the vault may not be written by this user"
    return ""


def _vault(settings: Settings) -> Part:
    if problem := vault_problem(settings.vault_dir):
        return Part("vault", State.DOWN, f"{problem}: recordings wait in the spool")
    free = shutil.disk_usage(settings.vault_dir).free >> 20
    return Part("vault", State.OK, f"writable, {free} MiB free")


def _keys(settings: Settings) -> Part:
    if problem := key_problem(settings):
        return Part("keys", State.DOWN, f"{problem}: recordings wait in the spool")
    return Part("keys", State.OK, "the master key is the right one")


def _regulation(settings: Settings) -> Part:
    try:
        regulation = load_regulation(settings.regulation_file)
    except ConfigurationError as error:
        return Part("regulation", State.DOWN, str(error))
    if not regulation.scope.recording:
        return Part("regulation", State.ATTENTION, "scope.recording is false: nothing is recorded")
    trunks = len(regulation.scope.trunks)
    says = f"recording on, {trunks} trunks, mode {regulation.announcement.mode}"
    return Part("regulation", State.OK if trunks else State.ATTENTION, says)


def _announcements(settings: Settings, now: datetime) -> Part:
    name = "announcements"
    try:
        terms = load_regulation(settings.regulation_file).announcement
    except ConfigurationError:
        return Part(name, State.ATTENTION, "which languages are needed is not known")
    catalogue = AnnouncementCatalogue(settings.announcement_dir)
    wanted = list(dict.fromkeys([terms.language, *sorted(terms.language_keys.values())]))
    heard = {each: _in_force(catalogue, each, now) for each in wanted}
    says = ", ".join(f"{language}: {what}" for language, what in heard.items())
    whole = catalogue.active(Layer.FIRST, terms.language, now) is not None
    if not whole:
        says += "; `recorder config check` tells what to do, until then no call is recorded"
    return Part(name, State.OK if whole else State.ATTENTION, says)


def _in_force(catalogue: AnnouncementCatalogue, language: str, now: datetime) -> str:
    layers = [each for each in Layer if catalogue.active(each, language, now) is not None]
    return " + ".join(layers) or "none"


def _today(calls: list[OutcomeCount]) -> Part:
    by_outcome: dict[str, list[str]] = {}
    for each in calls:
        by_outcome.setdefault(each.outcome, []).append(f"{each.reason} {each.calls}")
    says = "; ".join(f"{outcome}: {', '.join(each)}" for outcome, each in by_outcome.items())
    return Part("calls today", State.OK, says or "none")
