"""A whole web application on a real PostgreSQL, as ``recorder web`` builds it, and its people."""

import struct
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import uuid_utils.compat as uuids
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp

from recorder.accounts.model import Account, Role
from recorder.accounts.service import Visitor
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.vault import DiskVault
from recorder.audit.event import Actor, ActorKind
from recorder.authorisations.model import Authorisation
from recorder.authorisations.rules import ROLES_OF_PAPER
from recorder.commands.parts import Parts, parts_around
from recorder.commands.web import services_around
from recorder.custody.rules import describe, folder_of
from recorder.model import CallId, CallRecord, RecordingId, Span
from recorder.settings import Settings
from recorder.web.app import create_app
from recorder.web.rules import Origin, parse_origin
from recorder.web.services import Services
from tests.access_builders import whoever_agrees
from tests.builders import IN_SCOPE, a_call
from tests.keys import MASTER_KEY_TEXT, a_vault

ROOT = Path(__file__).parents[2]
ORIGIN = parse_origin("https://rejestrator.example")
DESK, STRANGER = "10.1.2.3", "203.0.113.9"
PASSWORD = "czerwony rower za stodołą"
OPERATOR = Actor(kind=ActorKind.OPERATOR, name="root")
OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class WebOffice:
    """The application, its services and its database."""

    engine: AsyncEngine
    settings: Settings
    parts: Parts
    services: Services
    app: ASGIApp
    origin: Origin
    vault: DiskVault
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings as a process of their own reads them."""
        found = {}
        for name, value in self.settings:
            if name in self.settings.model_fields_set:
                plain = value.get_secret_value() if isinstance(value, SecretStr) else value
                found[f"RECORDER_{name.upper()}"] = str(plain)
        return found

    def browser(self, address: str = DESK, **headers: str) -> httpx.AsyncClient:
        """Return a browser at an address, with no cookie yet."""
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(
                self.app, client=(address, 50_000), raise_app_exceptions=False
            ),
            base_url=str(self.origin),
            headers=OUR_PAGE | headers,
        )
        self._clients.append(client)
        return client

    async def person(self, *roles: Role, login: str = "") -> Account:
        """Add a person with ``PASSWORD``, the second factor not asked for."""
        login = login or "-".join(each.value.replace("_", "") for each in roles)[:30]
        account, temporary = await self.parts.keeper.add(
            login=login,
            name="Zenobia Kwiatkowska",
            post="inspektor",
            roles=roles,
            actor=OPERATOR,
            agreed_by=await whoever_agrees(self.parts.store),
        )
        async with self.engine.begin() as connection:
            await connection.execute(
                text(
                    "UPDATE account SET must_change_password = false, password_hash = :hash "
                    "WHERE id = :id"
                ),
                {"id": account.id, "hash": await self.hashed()},
            )
        assert temporary
        return account

    async def hashed(self) -> str:
        if not hasattr(self, "_hash"):
            self._hash = await self.parts.keeper._hasher.hash(PASSWORD)
        return self._hash

    async def sign_in(
        self, login: str, *, address: str = DESK, password: str = PASSWORD, code: str = ""
    ) -> httpx.AsyncClient:
        """Return a browser in which this person is signed in."""
        browser = self.browser(address)
        answer = await browser.post(
            "/sign-in", data={"login": login, "password": password, "code": code, "next": "/"}
        )
        assert answer.status_code == 303, answer.text
        return browser

    async def at_work(
        self, *roles: Role, paper: bool = True, lines: tuple[str, ...] | None = None
    ) -> httpx.AsyncClient:
        """Return the browser of a new person with these roles and the papers they take."""
        account = await self.person(*roles)
        on_paper = frozenset(roles) & ROLES_OF_PAPER - {Role.DPO}
        if paper and on_paper:
            await self.authorise(account, on_paper, lines=lines)
        if Role.CONTRACTOR in roles:
            await self.parts.contractors.open(
                account, contract="S/1", reason="fault", hours=1, by=OPERATOR
            )
        return await self.sign_in(account.login)

    async def authorise(
        self,
        holder: Account,
        roles: Iterable[Role],
        *,
        lines: tuple[str, ...] | None = None,
    ) -> Authorisation:
        """Have two administrators authorise a person for a month."""
        one, other = [await self._administrator(each) for each in ("anna", "beata")]
        now = self.parts.clock.now()
        paper = await self.parts.registrar.grant(
            holder,
            roles=frozenset(roles),
            lines=lines,
            recording_id=None,
            valid_from=now - timedelta(days=1),
            valid_until=now + timedelta(days=30),
            by=one.id,
        )
        return await self.parts.registrar.confirm(paper.id, by=other.id)

    async def _administrator(self, login: str) -> Account:
        for each in await self.parts.store.accounts():
            if each.login == login:
                return each
        return await self.person(Role.ADMINISTRATOR, login=login)

    async def do(self, statement: str, **values: Any) -> None:
        """Change the database behind the application's back."""
        async with self.engine.begin() as connection:
            await connection.execute(text(statement), values)

    async def call(self, *, seconds: float = 0, sound: bytes = b"", **known: Any) -> CallRecord:
        """Take a call down; with ``seconds`` of audio, or a ``sound``, it has a recording."""
        seconds = seconds or len(sound) / 32_000
        number = next(self._numbers)
        ended = known.pop("ended_at", self.parts.clock.now() - timedelta(minutes=number))
        call = a_call(
            **{
                "id": CallId(uuids.uuid7()),
                "channel_id": str(number),
                "arrived_at": ended - timedelta(minutes=5),
                "ended_at": ended,
                "scope": IN_SCOPE,
                "consent": IN_SCOPE,
                "answered_by": "desk-1",
                "recording_id": RecordingId(uuids.uuid7()) if seconds else None,
                "bridged": (Span(since=ended - timedelta(seconds=seconds), until=ended),),
            }
            | known
        )
        recording = None
        if call.recording_id is not None:
            raw = self.settings.vault_dir.parent / "audio.raw"
            # Each frame says where it is, so that a range can be told from another.
            raw.write_bytes(
                sound
                or b"".join(
                    struct.pack("<hh", frame % 30_000, -(frame % 30_000))
                    for frame in range(int(seconds * 8000))
                )
            )
            folder = folder_of(ended)
            audio = await self.vault.store(call.recording_id, raw=raw, folder=folder)
            recording = describe(
                call, audio, retention_days=30, office_zone=self.settings.office_zone, now=ended
            )
        ledger = PostgresLedger(self.engine)
        assert await ledger.record_call(call, recording=recording, incidents=[], at=ended)
        return call

    async def trail(self) -> list[Any]:
        """Return the trail's entries, oldest first."""
        async with self.engine.connect() as connection:
            found = await connection.execute(
                text(
                    "SELECT e.*, p.data FROM audit_event e LEFT JOIN audit_personal p "
                    "ON p.seq = e.seq ORDER BY e.seq"
                )
            )
            return list(found)

    async def actions(self) -> list[str]:
        return [each.action for each in await self.trail()]

    async def visitor(self, browser: httpx.AsyncClient) -> Visitor:
        found = await self.parts.door.visitor(browser.cookies["__Host-session"])
        assert found is not None
        return found


@asynccontextmanager
async def open_office(
    url: str,
    directory: Path,
    *,
    origin: Origin = ORIGIN,
    listed: str = "10.1.0.0/16",
    **settings: Any,
) -> AsyncIterator[WebOffice]:
    """Build the application on a migrated database, with one network listed."""
    known = Settings.model_validate(
        {
            "database_url": url,
            "vault_dir": directory / "vault",
            "key_dir": directory / "keys",
            "master_key": MASTER_KEY_TEXT,
            "scan_dir": directory / "scans",
            "announcement_dir": directory / "announcements",
            "audit_checkpoint_dir": directory / "checkpoints",
            "regulation_file": ROOT / "regulation.toml",
            "web_origin": str(origin),
            "totp": "optional",
            "password_memory_mib": 1,
            "password_passes": 1,
        }
        | settings
    )
    a_vault(directory)
    async with connect(url, application="web") as engine:
        parts = parts_around(engine, known)
        if listed:
            await parts.stations.add(listed, name="desks", place="first floor", by=OPERATOR)
        services = services_around(engine, known, origin)
        office = WebOffice(
            engine=engine,
            settings=known,
            parts=parts,
            services=services,
            app=create_app(services),
            origin=origin,
            vault=a_vault(directory),
        )
        try:
            yield office
        finally:
            for each in office._clients:
                await each.aclose()
