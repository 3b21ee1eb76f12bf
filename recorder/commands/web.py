"""``recorder web``: the pages and the JSON API. Wiring only; no decisions here."""

import asyncio
import os
from datetime import datetime

import structlog
import uuid_utils.compat as uuids
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder import logs
from recorder.access.listening import Listening
from recorder.accounts.programs import TokenDesk
from recorder.accounts.provider import ProviderDoor
from recorder.adapters.disk_figures import free_bytes, unsealed
from recorder.adapters.keeping import open_keeping
from recorder.adapters.postgres.begun import PostgresBegunSignIns
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.desk import PostgresDesk, PostgresSearches
from recorder.adapters.postgres.figures import read_figures
from recorder.adapters.postgres.finding import PostgresFinder
from recorder.adapters.postgres.jobs import PostgresJobs
from recorder.adapters.postgres.live import PostgresOrderBook
from recorder.adapters.postgres.playbacks import PostgresPlaybacks
from recorder.adapters.postgres.today import read_today
from recorder.adapters.postgres.trail_reading import PostgresTrail
from recorder.adapters.postgres.web import (
    ListedPlaces,
    PostgresLimits,
    PostgresPrograms,
    PostgresRefusals,
    PostgresSessions,
)
from recorder.adapters.reachability import PartsOfWeb
from recorder.adapters.regulation_file import load_regulation
from recorder.adapters.totp import enrolment_uri, qr_svg
from recorder.audit.service import Report
from recorder.commands.db import url_of
from recorder.commands.parts import Parts, parts_around
from recorder.commands.web_announcing import announcing_around
from recorder.commands.web_maintenance import maintenance_around
from recorder.commands.web_oversight import oversight_around
from recorder.commands.web_setup import setup_around
from recorder.commands.web_trail import exported, public_key, verify_trail
from recorder.errors import ConfigurationError
from recorder.live.service import LiveController
from recorder.processes import run_process
from recorder.settings import Settings
from recorder.web.answers import Answers
from recorder.web.app import create_app
from recorder.web.drawing import Drawing
from recorder.web.footing import Footing, Today
from recorder.web.gate import Gate
from recorder.web.health import Supervision
from recorder.web.law import Paragraphs
from recorder.web.metrics import Measures
from recorder.web.public_texts import public_texts
from recorder.web.rules import Origin, parse_origin
from recorder.web.server import listen, server_for
from recorder.web.services import Keeping, People, Services
from recorder.web.streaming import Pace, Streams
from recorder.web.upkeep import keep_up
from recorder.web.verifying import Verifications

log = structlog.get_logger(__name__)


NICENESS = 5
"""Less of the processor than capture where there is not enough: a caller never waits for a page."""


def run() -> None:
    """Serve until the process is told to stop; a known error ends with its exit status."""
    os.nice(NICENESS)
    run_process(serve, configure_logs=logs.configure)


async def serve(settings: Settings) -> None:
    """Build the parts and serve until the process is told to stop."""
    origin = origin_of(settings)
    # A key file may come after this process; what is written out is right or wrong by now.
    if settings.audit_public_key:
        public_key(settings)
    listening = listen(settings.web_host, settings.web_port)
    with listening:
        async with connect(url_of(settings), application="web") as engine:
            services = services_around(engine, settings, origin)
            server = server_for(create_app(services), origin=origin)
            log.info("web_serves", host=settings.web_host, port=settings.web_port)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(server.run_until_cancelled(listening), name="web")
                tasks.create_task(keep_up(services), name="upkeep")
                tasks.create_task(services.verifications.work(), name="verifications")
                tasks.create_task(services.maintenance.bundles.work(), name="bundles")


def services_around(engine: AsyncEngine, settings: Settings, origin: Origin) -> Services:
    """Wire the services around an engine that is there."""
    regulation = load_regulation(settings.regulation_file)
    parts = parts_around(engine, settings)
    clock, measures, programs = parts.clock, Measures(), PostgresPrograms(engine)
    drawing = Drawing(
        office=regulation.controller.name,
        zone=settings.office_zone,
        paragraphs=Paragraphs(regulation.paragraphs),
    )
    kept = open_keeping(settings, regulation, engine)
    heard = announcing_around(engine, settings, regulation)
    refusals, limits = PostgresRefusals(engine, clock), PostgresLimits(engine)

    def midnight() -> datetime:
        local = clock.now().astimezone(settings.office_zone)
        return local.replace(hour=0, minute=0, second=0, microsecond=0)

    async def figures(into: Measures) -> None:
        await asyncio.to_thread(_disks, settings, into)
        await read_figures(engine, into, now=clock.now(), midnight=midnight)

    async def today() -> Today:
        return await read_today(engine, midnight=midnight())

    async def verified() -> Report:
        found = await asyncio.to_thread(verify_trail, settings)
        if found.sound:
            says = "When this process last found the trail whole."
            at = clock.now().timestamp()
            measures.set("recorder_audit_verified_timestamp_seconds", says, at)
        return found

    return Services(
        origin=origin,
        clock=clock,
        zone=settings.office_zone,
        purposes=regulation.purposes,
        drawing=drawing,
        public=public_texts(regulation),
        footing=Footing(
            recording=regulation.scope.recording,
            today=today,
            captures=PostgresOrderBook(engine).nodes,
            papers=parts.papers.of,
            clock=clock,
        ),
        answers=Answers(drawing),
        measures=measures,
        places=ListedPlaces(parts.workstations, trusted=settings.trusted_proxies),
        note_refusal=refusals.note,
        gate=Gate(
            access=parts.gate,
            doorkeeper=parts.door,
            programs=programs,
            limits=limits,
            measures=measures,
            clock=clock,
            origin=origin,
        ),
        limits=limits,
        supervision=Supervision(
            parts=PartsOfWeb(engine, vault=settings.vault_dir, keys=settings.key_dir),
            figures=figures,
            measures=measures,
            metrics_token=settings.metrics_token.get_secret_value(),
        ),
        doorkeeper=parts.door,
        provider=provider_door(settings, parts, origin),
        accounts=parts.keeper,
        keeping=Keeping(**{each: getattr(kept, each) for each in Keeping.__dataclass_fields__}),
        oversight=oversight_around(engine, settings, regulation, kept, clock),
        maintenance=maintenance_around(engine, settings, clock),
        setup=setup_around(engine, settings, regulation, kept, clock),
        days_in_force=kept.eraser.days_in_force,
        jobs=PostgresJobs(engine).states,
        people=People(**{each: getattr(parts, each) for each in People.__dataclass_fields__}),
        tokens=TokenDesk(tokens=programs, clock=clock, agreement=parts.keeper.agreement),
        trail=PostgresTrail(engine),
        verify_trail=verified,
        verifications=Verifications(
            verify=verified, record=PostgresTrail(engine).record, clock=clock
        ),
        export_trail=lambda: exported(settings, PostgresTrail(engine)),
        announcements=heard.versions,
        announcing=heard.announcing,
        sessions=PostgresSessions(engine),
        announcement_samples=heard.samples,
        finder=PostgresFinder(engine, office_zone=settings.office_zone),
        desk=PostgresDesk(engine),
        searches=PostgresSearches(engine),
        new_id=uuids.uuid7,
        listening=Listening(
            playbacks=PostgresPlaybacks(engine),
            audio=kept.vault,
            clock=clock,
            new_id=uuids.uuid7,
        ),
        live=LiveController(book=PostgresOrderBook(engine), clock=clock, new_id=uuids.uuid7),
        pace=Pace(),
        streams=Streams(),
        draw_factor=lambda secret, login: qr_svg(enrolment_uri(secret, login)),
    )


def _disks(settings: Settings, into: Measures) -> None:
    volumes = {
        "vault": settings.vault_dir,
        "keys": settings.key_dir,
        "spool": settings.spool_dir,
    }
    for volume, free in free_bytes(volumes).items():
        into.set("recorder_disk_free_bytes", "Free for us.", free, volume=volume)
    waiting = unsealed(settings.spool_dir)
    if waiting is not None:
        into.set("recorder_spool_unsealed", "Recordings that wait to be sealed.", waiting)


def provider_door(settings: Settings, parts: Parts, origin: Origin) -> ProviderDoor | None:
    """Return the way by the OpenID provider, if one is set; its library is an extra."""
    if not settings.oidc_issuer:
        return None
    try:
        from recorder.adapters.oidc import provider_of  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise ConfigurationError("OIDC is an extra: pip install 'rejestrator[oidc]'") from None
    return ProviderDoor(
        provider=provider_of(settings, return_to=f"{origin}/sign-in/oidc/return"),
        begun=PostgresBegunSignIns(parts.engine),
        store=parts.store,
        door=parts.door,
        clock=parts.clock,
    )


def origin_of(settings: Settings) -> Origin:
    """Return where people find the web. Raises ``ConfigurationError``."""
    if settings.web_origin is None:
        raise ConfigurationError(
            "RECORDER_WEB_ORIGIN is needed: the address that people type, "
            "for example https://rejestrator.example"
        )
    try:
        origin = parse_origin(settings.web_origin)
    except ValueError as error:
        raise ConfigurationError(f"RECORDER_WEB_ORIGIN: {error}") from error
    if origin.secure:
        return origin
    if not settings.web_plain_http:
        raise ConfigurationError(
            "RECORDER_WEB_ORIGIN is without TLS: put a reverse proxy with a certificate before it; "
            "for a trial on this machine set RECORDER_WEB_PLAIN_HTTP=true"
        )
    if not origin.on_loopback:
        raise ConfigurationError(
            "RECORDER_WEB_PLAIN_HTTP is for a trial on loopback alone: passwords would be readable"
        )
    return origin
