"""An office with accounts on a real PostgreSQL: the services wired, the clock in hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyotp
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.access.model import Place
from recorder.access.service import Asking, Gate
from recorder.accounts.agreeing import Agreement
from recorder.accounts.keeper import AccountKeeper
from recorder.accounts.model import Account, Role, SessionKind
from recorder.accounts.service import Doorkeeper, SignedIn, Visitor
from recorder.adapters.common_passwords import common_passwords
from recorder.adapters.passwords import Argon2Hasher
from recorder.adapters.postgres.accounts import PostgresAccounts
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.papers import PostgresContractorAccesses, PostgresPapers
from recorder.adapters.postgres.workstations import PostgresWorkstations
from recorder.adapters.scans import DiskScans
from recorder.adapters.totp import TotpBook
from recorder.audit.event import Actor, ActorKind
from recorder.authorisations.contractors import ContractorDesk
from recorder.authorisations.model import Authorisation
from recorder.authorisations.service import Registrar
from recorder.workstations.service import WorkstationKeeper
from tests.access_builders import PURPOSES, whoever_agrees

OPERATOR = Actor(kind=ActorKind.OPERATOR, name="root")
PASSWORD = "czerwony rower za stodołą"
START = datetime.fromisoformat("2026-11-12T12:00:00+00:00")
DESK = "10.0.0.5"


class ClockInHand:
    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def go(self, **how: float) -> None:
        self.at += timedelta(**how)


@dataclass(kw_only=True)
class World:
    engine: AsyncEngine
    clock: ClockInHand
    store: PostgresAccounts
    door: Doorkeeper
    keeper: AccountKeeper
    registrar: Registrar
    contractors: ContractorDesk
    stations: WorkstationKeeper
    gate: Gate

    async def asking(self, signed: SignedIn, place: Place = Place.LISTED) -> Asking:
        """Return who stands behind a token now, as an application would at each request."""
        visitor = await self.door.visitor(signed.token)
        return Asking(
            account=visitor.account if visitor else None,
            session=visitor.session if visitor else None,
            place=place,
        )

    async def authorised(self, holder: Account, *roles: Role, days: float = 30) -> Authorisation:
        """Grant, and have a second administrator confirm where one is needed."""
        by = [
            each
            for each in await self.store.accounts()
            if Role.ADMINISTRATOR in each.roles and each.id != holder.id
        ]
        now = self.clock.now()
        paper = await self.registrar.grant(
            holder,
            roles=frozenset(roles),
            lines=None,
            recording_id=None,
            valid_from=now,
            valid_until=now + timedelta(days=days),
            by=by[0].id,
        )
        return await self.registrar.confirm(paper.id, by=by[1].id)

    async def person(self, login: str, *roles: Role) -> Account:
        """Add an account with ``PASSWORD``, its own already."""
        account, temporary = await self.keeper.add(
            login=login,
            name="Zenobia Kwiatkowska",
            post="inspektor",
            roles=roles,
            actor=OPERATOR,
            agreed_by=await whoever_agrees(self.store),
        )
        signed = await self.sign_in(login, temporary)
        visitor = Visitor(session=signed.session, account=signed.account)
        await self.keeper.change_password(visitor, old=temporary, new=PASSWORD)
        await self.door.sign_out(visitor)
        return account

    async def sign_in(
        self, login: str, password: str = PASSWORD, code: str = "", *, source: str = DESK
    ) -> SignedIn:
        return await self.door.sign_in(login, password, code, source=source, kind=SessionKind.WEB)

    async def visitor(self, signed: SignedIn) -> Visitor | None:
        return await self.door.visitor(signed.token)

    def code(self, secret: str) -> str:
        return pyotp.TOTP(secret).at(self.clock.now())

    async def actions(self) -> list[str]:
        async with self.engine.connect() as connection:
            found = await connection.execute(text("SELECT action FROM audit_event ORDER BY seq"))
            return [each.action for each in found]


@asynccontextmanager
async def open_world(url: str, scans: Path = Path("/nonexistent")) -> AsyncIterator[World]:
    async with connect(url) as engine:
        clock = ClockInHand()
        store = PostgresAccounts(engine)
        hasher = Argon2Hasher(memory_mib=1, passes=1)
        codes = TotpBook()
        papers, accesses = PostgresPapers(engine), PostgresContractorAccesses(engine)
        stations = PostgresWorkstations(engine)
        yield World(
            engine=engine,
            clock=clock,
            store=store,
            door=Doorkeeper(store=store, hasher=hasher, codes=codes, clock=clock),
            keeper=AccountKeeper(
                store=store,
                hasher=hasher,
                codes=codes,
                clock=clock,
                common=common_passwords(),
                office="Dyrektor MOPS w Wałbrzychu",
                agreement=Agreement(store=store, papers=papers, clock=clock, four_eyes=True),
            ),
            registrar=Registrar(
                papers=papers,
                scans=DiskScans(scans),
                accounts=store,
                clock=clock,
                zone=ZoneInfo("Europe/Warsaw"),
                four_eyes=True,
                totp_required=False,
            ),
            contractors=ContractorDesk(accesses=accesses, clock=clock),
            stations=WorkstationKeeper(workstations=stations, clock=clock),
            gate=Gate(
                store=store,
                papers=papers,
                accesses=accesses,
                workstations=stations,
                clock=clock,
                purposes=PURPOSES,
                totp_required=False,
            ),
        )
