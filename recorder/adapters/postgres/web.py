"""What the web asks of PostgreSQL beside the services: places, programs, rates, sessions."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.access.model import Permission, Place
from recorder.accounts.model import Account, AccountId, Ended, Role, Session, SessionId, SessionKind
from recorder.accounts.programs import ProgramToken
from recorder.accounts.rules import problem_of_session
from recorder.adapters.postgres import trail
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.tables_access import AccountTable, SessionTable
from recorder.adapters.postgres.tables_web import ProgramTokenTable, RequestRateTable
from recorder.audit.event import Actor, ActorKind, AuditEvent
from recorder.ports import Clock
from recorder.web.gate import Program
from recorder.workstations.model import Network
from recorder.workstations.ports import Workstations
from recorder.workstations.rules import Address, effective_address, place_of

TOKEN, RATE = ProgramTokenTable, RequestRateTable
RATE_KEPT = timedelta(hours=1)
FULL_REMEMBERED = 1000


class ListedPlaces:
    """See ``recorder.web.door.Places``: the list is read at every request."""

    def __init__(self, workstations: Workstations, *, trusted: Sequence[Network]) -> None:
        self._workstations, self._trusted = workstations, tuple(trusted)

    async def locate(self, *, peer: str, forwarded_for: list[str]) -> tuple[Address | None, Place]:
        """Return the effective client address, and whether it is on the list (R6.2b)."""
        address = effective_address(
            peer=peer, forwarded_for=forwarded_for, trusted_proxies=self._trusted
        )
        return address, place_of(address, await self._workstations.listed())


class PostgresRefusals:
    """Writes what the door refused into the trail."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    async def note(self, address: Address | None, why: str, unsaid: int) -> None:
        """Write one entry; ``unsaid`` refusals like it came before and were not written."""
        entry = AuditEvent(
            action="access:refused",
            at=self._clock.now(),
            actor=Actor(kind=ActorKind.PROCESS, name="web"),
            reason=why,
            details={"more": unsaid} if unsaid else {},
            personal={"source": str(address)},
        )
        with translated():
            async with self._engine.begin() as connection:
                await trail.append(connection, [entry])


class PostgresLimits:
    """See ``recorder.web.gate.Limits``: one count for all processes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # One statement is a transaction of its own; of an unlogged table it waits for no disk.
        self._counting = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._enough: OrderedDict[str, datetime] = OrderedDict()

    async def within(self, key: str, *, a_minute: int, now: datetime) -> bool:
        """Count one more; False when there were enough this minute."""
        minute = now.replace(second=0, microsecond=0)
        # Whoever has had enough has it for the whole minute: a flood does not reach the database.
        if self._enough.get(key) == minute:
            return False
        within = await self._counted(key, minute) <= a_minute
        if not within:
            self._enough[key] = minute
            self._enough.move_to_end(key)
            if len(self._enough) > FULL_REMEMBERED:
                self._enough.popitem(last=False)
        return within

    async def _counted(self, key: str, minute: datetime) -> int:
        # Neither a name nor an address is kept for counting.
        hashed = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        statement = insert(RATE).values(key=hashed, minute=minute, requests=1)
        counted = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "requests": case((RATE.minute == minute, RATE.requests + 1), else_=1),
                "minute": minute,
            },
        ).returning(RATE.requests)
        with translated():
            async with self._counting.connect() as connection:
                return await connection.scalar(counted) or 0

    async def forget(self, now: datetime) -> None:
        """Drop the counts of whoever has not asked for an hour."""
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(delete(RATE).where(RATE.minute < now - RATE_KEPT))


class PostgresPrograms:
    """See ``recorder.web.gate.Programs``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def known(self, token: str, *, now: datetime) -> Program | None:
        """Return whose token this is, None if it is unknown, revoked or over."""
        hashed = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        query = (
            select(*AccountTable.__table__.columns, TOKEN.may)
            .join(TOKEN, TOKEN.account_id == AccountTable.id)
            .where(TOKEN.token_sha256 == hashed, TOKEN.revoked_at.is_(None), TOKEN.expires_at > now)
        )
        async with asking(self._engine) as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        account = Account(
            id=AccountId(row.id),
            login=row.login,
            name=row.name,
            post=row.post,
            roles=frozenset(Role(each) for each in row.roles),
            created_at=row.created_at,
            password_set_at=row.password_set_at,
            # A program signs in by its token alone: password and code are not its.
            must_change_password=False,
            totp_since=row.created_at,
            disabled_at=row.disabled_at,
        )
        return Program(account=account, may=frozenset(Permission(each) for each in row.may))

    async def listed(self) -> Sequence[ProgramToken]:
        """Return every token ever issued, the newest first; of the secret nothing."""
        query = (
            select(*TOKEN.__table__.columns, AccountTable.login)
            .join(AccountTable, TOKEN.account_id == AccountTable.id)
            .order_by(TOKEN.created_at.desc(), TOKEN.id.desc())
        )
        async with asking(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return [
            ProgramToken(
                id=each.id,
                name=each.name,
                account=each.login,
                may=tuple(each.may),
                created_at=each.created_at,
                created_by=each.created_by,
                expires_at=each.expires_at,
                revoked_at=each.revoked_at,
            )
            for each in rows
        ]

    async def add(
        self,
        *,
        token_id: UUID,
        name: str,
        account_id: AccountId,
        token_sha256: str,
        may: Sequence[str],
        expires_at: datetime,
        by: Actor,
        at: datetime,
        agreed: Mapping[str, str],
    ) -> None:
        """Keep a token, by its hash, with its entry in the trail."""
        row = {
            "id": token_id,
            "name": clean(name),
            "account_id": account_id,
            "token_sha256": token_sha256,
            "may": sorted(may),
            "created_at": at,
            "created_by": f"{by.kind}:{by.name}",
            "expires_at": expires_at,
        }
        entry = AuditEvent(
            action="token:issued",
            at=at,
            actor=by,
            subject=f"token:{token_id}",
            details={
                "account": str(account_id),
                "may": ", ".join(sorted(may)),
                "until": expires_at.isoformat(),
                **agreed,
            },
        )
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(insert(TOKEN).values(row))
                await trail.append(connection, [entry])

    async def revoke(self, token_id: UUID, *, by: Actor, at: datetime) -> bool:
        """Revoke a token from this instant; False if there is none to revoke."""
        entry = AuditEvent(action="token:revoked", at=at, actor=by, subject=f"token:{token_id}")
        statement = (
            update(TOKEN)
            .where(TOKEN.id == token_id, TOKEN.revoked_at.is_(None))
            .values(revoked_at=at)
        )
        with translated():
            async with self._engine.begin() as connection:
                if (await connection.execute(statement)).rowcount != 1:
                    return False
                await trail.append(connection, [entry])
                return True


class PostgresSessions:
    """See ``recorder.web.services.Sessions``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_account(self, account: Account, *, now: datetime) -> Sequence[Session]:
        """Return the sessions that stand, the last used first."""
        query = (
            select(*SessionTable.__table__.columns)
            .where(SessionTable.account_id == account.id, SessionTable.ended_at.is_(None))
            .order_by(SessionTable.seen_at.desc())
        )
        async with asking(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        found = [
            Session(
                id=SessionId(row.id),
                account_id=AccountId(row.account_id),
                kind=SessionKind(row.kind),
                source=row.source,
                created_at=row.created_at,
                seen_at=row.seen_at,
                fresh_at=row.fresh_at,
            )
            for row in rows
        ]
        return [
            each for each in found if problem_of_session(each, account=account, now=now) is None
        ]

    async def end(self, session_id: SessionId, *, actor: Actor, at: datetime) -> None:
        """End one, with its entry in the trail."""
        entry = AuditEvent(
            action="session:closed", at=at, actor=actor, subject=f"session:{session_id}"
        )
        statement = (
            update(SessionTable)
            .where(SessionTable.id == session_id, SessionTable.ended_at.is_(None))
            .values(ended_at=at, ending=Ended.SIGNED_OUT.value)
        )
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(statement)
                await trail.append(connection, [entry])
