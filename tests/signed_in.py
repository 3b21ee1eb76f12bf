"""A person signed in at the prompt, for tests of commands: account, paper and session."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
import uuid_utils.compat as uuids

from recorder.accounts.keeper import AccountKeeper
from recorder.accounts.model import (
    Account,
    AccountId,
    Credentials,
    Role,
    Session,
    SessionId,
    SessionKind,
)
from recorder.accounts.ports import Proof
from recorder.accounts.service import Visitor
from recorder.accounts.tokens import attempt_keys, sha256_of
from recorder.adapters.clock import SystemClock
from recorder.adapters.postgres.accounts import PostgresAccounts
from recorder.adapters.postgres.connect import connect
from recorder.adapters.session_file import keep_token
from recorder.audit.event import Actor, ActorKind
from recorder.authorisations.rules import ROLES_OF_PAPER
from recorder.commands.parts import Parts, open_parts
from recorder.settings import load_settings
from tests.access_builders import whoever_agrees

REGULATION = Path(__file__).parents[1] / "regulation.toml"
PURPOSE = "zapewnienie bezpieczeństwa osób i mienia"
PASSWORD = "czerwony rower za stodołą"
OPERATOR = Actor(kind=ActorKind.OPERATOR, name="root")


def sign_in(
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    directory: Path,
    *roles: Role,
    paper: bool = True,
    login: str = "zenobia",
) -> Account:
    """Sign a person in at the prompt of ``directory``, under every paper their roles take."""
    monkeypatch.setenv("RECORDER_DATABASE_URL", database_url)
    monkeypatch.setenv("RECORDER_REGULATION_FILE", str(REGULATION))
    monkeypatch.setenv("RECORDER_SESSION_FILE", str(directory / "session"))
    monkeypatch.setenv("RECORDER_TOTP", "optional")
    monkeypatch.setenv("RECORDER_PASSWORD_MEMORY_MIB", "1")
    monkeypatch.setenv("RECORDER_PASSWORD_PASSES", "1")
    return asyncio.run(_sign_in(login, roles, directory, paper=paper))


async def _sign_in(login: str, roles: Iterable[Role], directory: Path, *, paper: bool) -> Account:
    async with open_parts(load_settings()) as parts:
        account, token = await person(parts, login, roles)
        keep_token(directory / "session", token)
        on_paper = frozenset(roles) & ROLES_OF_PAPER - {Role.DPO}
        if paper and on_paper:
            await authorise(parts, account, on_paper)
        return account


async def person(parts: Parts, login: str, roles: Iterable[Role]) -> tuple[Account, str]:
    """Add an account with ``PASSWORD``; return it and the token of a session."""
    keeper: AccountKeeper = parts.keeper
    account, temporary = await keeper.add(
        login=login,
        name="Zenobia Kwiatkowska",
        post="inspektor",
        roles=roles,
        actor=OPERATOR,
        agreed_by=await whoever_agrees(parts.store),
    )
    signed = await parts.door.sign_in(
        login, temporary, "", source="prompt", kind=SessionKind.PROMPT
    )
    visitor = Visitor(session=signed.session, account=account)
    await keeper.change_password(visitor, old=temporary, new=PASSWORD)
    return account, signed.token


async def authorise(parts: Parts, holder: Account, roles: frozenset[Role]) -> None:
    """Have two administrators authorise a person for a month."""
    grantors = [
        (await person(parts, f"{holder.login}-{name}", [Role.ADMINISTRATOR]))[0]
        for name in ("anna", "beata")
    ]
    now = parts.clock.now()
    granted = await parts.registrar.grant(
        holder,
        roles=roles,
        lines=None,
        recording_id=None,
        valid_from=now,
        valid_until=now + timedelta(days=30),
        by=grantors[0].id,
    )
    await parts.registrar.confirm(granted.id, by=grantors[1].id)


def sit_down(monkeypatch: pytest.MonkeyPatch, url: str, directory: Path, role: Role) -> None:
    """Have somebody signed in without an entry in the trail, for tests that count entries."""
    monkeypatch.setenv("RECORDER_SESSION_FILE", str(directory / "session"))
    monkeypatch.setenv("RECORDER_TOTP", "optional")
    asyncio.run(_sit_down(url, directory, role))


async def _sit_down(url: str, directory: Path, role: Role) -> None:
    async with connect(url) as engine:
        store, now = PostgresAccounts(engine), SystemClock().now()
        account = Account(
            id=AccountId(uuids.uuid7()),
            login="daria",
            name="Daria",
            post="IOD",
            roles=frozenset({role}),
            created_at=now,
            password_set_at=now,
            must_change_password=False,
        )
        session = Session(
            id=SessionId(uuids.uuid7()),
            account_id=account.id,
            kind=SessionKind.PROMPT,
            source="prompt",
            created_at=now,
            seen_at=now,
            fresh_at=now,
        )
        assert await store.add(account, Credentials(password_hash=""), [])
        keys = attempt_keys("daria", "prompt")
        digest = sha256_of("daria")
        assert await store.open_session(session, digest, proof=Proof(), keys=keys, events=[])
    keep_token(directory / "session", "daria")
