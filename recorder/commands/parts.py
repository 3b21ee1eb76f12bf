"""The services about people, wired for one command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.access.service import Gate
from recorder.accounts.agreeing import Agreement
from recorder.accounts.keeper import AccountKeeper
from recorder.accounts.linking import Linker
from recorder.accounts.ports import Directory
from recorder.accounts.service import Doorkeeper
from recorder.adapters.clock import SystemClock
from recorder.adapters.common_passwords import common_passwords
from recorder.adapters.factor_seal import seal_of
from recorder.adapters.passwords import Argon2Hasher
from recorder.adapters.postgres.accounts import PostgresAccounts
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.papers import PostgresContractorAccesses, PostgresPapers
from recorder.adapters.postgres.workstations import PostgresWorkstations
from recorder.adapters.regulation_file import load_regulation
from recorder.adapters.scans import DiskScans
from recorder.adapters.totp import TotpBook
from recorder.authorisations.contractors import ContractorDesk
from recorder.authorisations.service import Registrar
from recorder.commands.db import url_of
from recorder.errors import ConfigurationError
from recorder.settings import Settings
from recorder.workstations.service import WorkstationKeeper


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What commands about people, and the gate in front of all of them, work with."""

    engine: AsyncEngine
    clock: SystemClock
    store: PostgresAccounts
    papers: PostgresPapers
    accesses: PostgresContractorAccesses
    workstations: PostgresWorkstations
    door: Doorkeeper
    keeper: AccountKeeper
    linker: Linker
    registrar: Registrar
    contractors: ContractorDesk
    stations: WorkstationKeeper
    gate: Gate


@asynccontextmanager
async def open_parts(settings: Settings, *, application: str = "cli") -> AsyncIterator[Parts]:
    """Wire the services around one engine; nothing is sent before it is used."""
    async with connect(url_of(settings), application=application) as engine:
        yield parts_around(engine, settings)


def parts_around(engine: AsyncEngine, settings: Settings) -> Parts:
    """Wire the services around an engine that is there."""
    clock = SystemClock()
    store, papers = PostgresAccounts(engine), PostgresPapers(engine)
    accesses, workstations = PostgresContractorAccesses(engine), PostgresWorkstations(engine)
    hasher = Argon2Hasher(memory_mib=settings.password_memory_mib, passes=settings.password_passes)
    codes = TotpBook(seal_of(settings))
    purposes, office = _of_the_office(settings)
    agreement = Agreement(
        store=store, papers=papers, clock=clock, four_eyes=settings.four_eyes == "on"
    )
    return Parts(
        engine=engine,
        clock=clock,
        store=store,
        papers=papers,
        accesses=accesses,
        workstations=workstations,
        door=Doorkeeper(
            store=store,
            hasher=hasher,
            codes=codes,
            clock=clock,
            directory=_directory(settings),
        ),
        linker=Linker(store=store, hasher=hasher, clock=clock, agreement=agreement),
        keeper=AccountKeeper(
            store=store,
            hasher=hasher,
            codes=codes,
            clock=clock,
            common=common_passwords(),
            office=office,
            agreement=agreement,
        ),
        registrar=Registrar(
            papers=papers,
            scans=DiskScans(settings.scan_dir),
            accounts=store,
            clock=clock,
            zone=settings.office_zone,
            four_eyes=settings.four_eyes == "on",
            totp_required=settings.totp == "required",
        ),
        contractors=ContractorDesk(accesses=accesses, clock=clock),
        stations=WorkstationKeeper(workstations=workstations, clock=clock),
        gate=Gate(
            store=store,
            papers=papers,
            accesses=accesses,
            workstations=workstations,
            clock=clock,
            purposes=purposes,
            totp_required=settings.totp == "required",
        ),
    )


def _directory(settings: Settings) -> Directory | None:
    """Return the office's directory, if one is set; its library is an extra."""
    if not settings.ldap_servers:
        return None
    try:
        from recorder.adapters.ldap import directory_of  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise ConfigurationError("LDAP is an extra: pip install 'rejestrator[ldap]'") from None
    return directory_of(settings)


def _of_the_office(settings: Settings) -> tuple[tuple[str, ...], str]:
    """Return the purposes and the office's name; without a regulation there is no purpose."""
    try:
        regulation = load_regulation(settings.regulation_file)
    except ConfigurationError:
        return (), ""
    return regulation.purposes, regulation.controller.name
