"""Wires what the pages of maintenance read: versions, log lines, the diagnostic bundle."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.bundle_file import name_of, packed
from recorder.adapters.clock import SystemClock
from recorder.adapters.log_tails import LogTails
from recorder.adapters.machine_facts import disks, releases
from recorder.audit.event import Actor
from recorder.commands.diagnosis import PARTS, diagnostician, schema_of, volumes_of
from recorder.commands.log import log_folder
from recorder.commands.parts import open_parts
from recorder.maintenance.lines import Wanted
from recorder.maintenance.model import Disk, FoundLines
from recorder.maintenance.rules import redacted
from recorder.ports import Clock
from recorder.settings import Settings
from recorder.web.bundling import Bundles, Health
from recorder.web.services import Maintenance, Versions

MOST_BYTES = 4 << 20
"""Of each service's log, for one page."""


def maintenance_around(engine: AsyncEngine, settings: Settings, clock: Clock) -> Maintenance:
    """Return the parts around an engine that is there."""

    async def versions() -> Versions:
        schema = await schema_of(engine)
        return Versions(
            releases=await asyncio.to_thread(releases),
            schema=schema["database"],
            schema_needed=schema["release"],
        )

    async def logs(wanted: Wanted, most: int) -> FoundLines:
        return await asyncio.to_thread(newest, settings, wanted, most)

    async def seen() -> Mapping[str, Disk | None]:
        return await asyncio.to_thread(disks, volumes_of(settings))

    bundles = Bundles(maker=BundleMaker(settings), clock=clock)
    return Maintenance(versions=versions, disks=seen, logs=logs, bundles=bundles)


def newest(settings: Settings, wanted: Wanted, most: int) -> FoundLines:
    """Return log lines as everybody sees them at a page: a sysadmin reads no number either.

    Raises ``Unavailable`` and ``ConfigurationError``.
    """
    tails = LogTails(log_folder(settings), most_bytes=MOST_BYTES)
    return tails.newest(wanted, most=most, shown=redacted)


class BundleMaker:
    """See ``recorder.web.bundling.Bundler``."""

    parts: Sequence[str] = PARTS

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def make(
        self,
        *,
        actor: Actor,
        health: Health,
        leave_out: Collection[str],
        told: Callable[[str], None],
    ) -> tuple[str, bytes]:
        """Return a name and the content. Raises ``BundleBlocked`` and ``LedgerUnavailable``."""
        loop = asyncio.get_running_loop()

        def heard(what: str) -> None:
            loop.call_soon_threadsafe(told, what)

        # Looking for names and numbers in thousands of lines takes the processor for seconds.
        return await asyncio.to_thread(
            lambda: asyncio.run(self._make(actor, health, leave_out, heard))
        )

    async def _make(
        self,
        actor: Actor,
        known: Health,
        leave_out: Collection[str],
        told: Callable[[str], None],
    ) -> tuple[str, bytes]:
        async def health() -> Health:
            return known

        async with open_parts(self._settings, application="web diagnosis") as parts:
            maker = diagnostician(
                self._settings, parts.engine, health=health, note=parts.store.note
            )
            bundle = await maker.make(actor=actor, leave_out=leave_out, told=told)
        at = SystemClock().now()
        return name_of(at), packed(bundle, at=at, compared=True)
