"""Accounts, sessions and attempts in PostgreSQL: each change with its entry in the trail."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.accounts.model import (
    Account,
    AccountId,
    Credentials,
    Ended,
    Role,
    Session,
    SessionId,
    SessionKind,
)
from recorder.accounts.ports import AttemptKeys, Events, Proof
from recorder.accounts.rules import (
    FORGET_AFTER,
    NO_ATTEMPTS,
    FirstTokenProblem,
    Throttle,
    counted,
    wait_before,
)
from recorder.adapters.postgres import tables_access as tables
from recorder.adapters.postgres import trail
from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.ledger import clean

ACCOUNT, SESSION = tables.AccountTable, tables.SessionTable
THROTTLE, RECOVERY = tables.SignInThrottleTable, tables.RecoveryCodeTable
TOKEN = tables.FirstRunTokenTable

FIRST_ACCOUNT = 0x6669_7273_74
"""Advisory lock of whoever makes the first account."""


class PostgresAccounts:
    """See ``recorder.accounts.ports.AccountStore`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def _change(self, events: Events) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that ends with the trail's entries, last as the trail asks for."""
        with translated():
            async with self._engine.begin() as connection:
                yield connection
                await trail.append(connection, events)

    async def reserve_attempt(self, keys: AttemptKeys, now: datetime) -> timedelta:
        """Count an attempt before it is tried, or return how long it has to wait."""
        names = sorted((keys.pair, keys.account, keys.source))
        async with self._change([]) as connection:
            nothing = {"failures": 0, "last_at": None, "succeeded_at": None}
            await connection.execute(
                insert(THROTTLE)
                .values([{"key": name, **nothing} for name in names])
                .on_conflict_do_nothing()
            )
            # In the order of their names: two attempts never wait for each other in a ring.
            found = await connection.execute(
                select(THROTTLE.key, THROTTLE.failures, THROTTLE.last_at, THROTTLE.succeeded_at)
                .where(THROTTLE.key.in_(names))
                .order_by(THROTTLE.key)
                .with_for_update()
            )
            rows = {row.key: row for row in found}
            counts = {
                name: Throttle(failures=row.failures, last_at=row.last_at)
                for name, row in rows.items()
            }
            wait = wait_before(
                pair=counts.get(keys.pair, NO_ATTEMPTS),
                account=counts.get(keys.account, NO_ATTEMPTS),
                source=counts.get(keys.source, NO_ATTEMPTS),
                known_here=rows[keys.pair].succeeded_at is not None,
                now=now,
            )
            if wait > timedelta(0):
                return wait
            for name in names:
                more = counted(counts[name], now)
                await connection.execute(
                    update(THROTTLE)
                    .where(THROTTLE.key == name)
                    .values(failures=more.failures, last_at=more.last_at)
                )
            return timedelta(0)

    async def forget_attempts(self, now: datetime) -> int:
        """Remove counts that no longer count; a known pair stays known."""
        old = THROTTLE.last_at < now - FORGET_AFTER
        async with self._change([]) as connection:
            done = await connection.execute(
                delete(THROTTLE).where(old, THROTTLE.succeeded_at.is_(None))
            )
            return done.rowcount

    async def by_login(self, login: str) -> tuple[Account, Credentials] | None:
        """Return an account with its secrets."""
        return await self._one(ACCOUNT.login == clean(login))

    async def by_id(self, account_id: AccountId) -> tuple[Account, Credentials] | None:
        """Return an account with its secrets."""
        return await self._one(ACCOUNT.id == account_id)

    async def accounts(self) -> Sequence[Account]:
        """Return every account, disabled ones too, by login."""
        with translated():
            async with self._engine.connect() as connection:
                rows = await connection.execute(_account_columns().order_by(ACCOUNT.login))
                return [_account(row) for row in rows]

    async def add(self, account: Account, credentials: Credentials, events: Events) -> bool:
        """Add an account; False if the login is taken."""
        with translated():
            async with self._engine.begin() as connection:
                if not await _insert(connection, account, credentials):
                    return False
                await trail.append(connection, events)
                return True

    async def set_password(
        self,
        account_id: AccountId,
        password_hash: str,
        *,
        at: datetime,
        must_change: bool,
        keep: SessionId | None,
        events: Events,
    ) -> None:
        """Set the password and end every session but ``keep``."""
        async with self._change(events) as connection:
            await connection.execute(
                _account_update(account_id).values(
                    password_hash=password_hash,
                    password_set_at=at,
                    must_change_password=must_change,
                )
            )
            await _end_sessions(connection, account_id, Ended.PASSWORD_CHANGED, at=at, keep=keep)

    async def set_totp(
        self,
        account_id: AccountId,
        secret: str | None,
        *,
        since: datetime | None,
        last_step: int | None,
        recovery_sha256: Sequence[str],
        keep: SessionId | None,
        events: Events,
    ) -> None:
        """Set or take away the second factor, replace the recovery codes."""
        async with self._change(events) as connection:
            await connection.execute(
                _account_update(account_id).values(
                    totp_secret=secret, totp_since=since, totp_last_step=last_step
                )
            )
            await connection.execute(delete(RECOVERY).where(RECOVERY.account_id == account_id))
            if recovery_sha256:
                await connection.execute(
                    insert(RECOVERY),
                    [
                        {"account_id": account_id, "sha256": each, "used_at": None}
                        for each in recovery_sha256
                    ],
                )
            if secret is None or since is not None:
                await _end_sessions(
                    connection,
                    account_id,
                    Ended.SECOND_FACTOR_CHANGED,
                    at=since or events[0].at,
                    keep=keep,
                )

    async def set_roles(
        self, account_id: AccountId, roles: frozenset[Role], *, at: datetime, events: Events
    ) -> None:
        """Set the roles and end every session."""
        async with self._change(events) as connection:
            await connection.execute(
                _account_update(account_id).values(roles=sorted(each.value for each in roles))
            )
            await _end_sessions(connection, account_id, Ended.ROLES_CHANGED, at=at, keep=None)

    async def set_disabled(
        self, account_id: AccountId, *, disabled_at: datetime | None, at: datetime, events: Events
    ) -> None:
        """Disable, which ends every session, or enable again."""
        async with self._change(events) as connection:
            await connection.execute(_account_update(account_id).values(disabled_at=disabled_at))
            await _end_sessions(connection, account_id, Ended.ACCOUNT_DISABLED, at=at, keep=None)

    async def open_session(
        self,
        session: Session,
        token_sha256: str,
        *,
        proof: Proof,
        keys: AttemptKeys,
        events: Events,
    ) -> bool:
        """Use the proof up, forget the failed attempts, open the session: all or nothing."""
        with translated():
            async with self._engine.begin() as connection:
                used = await _use_up(
                    connection, session.account_id, proof, keys=keys, at=session.created_at
                )
                if not used:
                    await connection.rollback()
                    return False
                await connection.execute(
                    insert(SESSION).values(
                        id=session.id,
                        token_sha256=token_sha256,
                        account_id=session.account_id,
                        kind=session.kind.value,
                        source=clean(session.source),
                        created_at=session.created_at,
                        seen_at=session.seen_at,
                        fresh_at=session.fresh_at,
                    )
                )
                await trail.append(connection, events)
                return True

    async def refresh_session(
        self,
        session_id: SessionId,
        *,
        proof: Proof,
        keys: AttemptKeys,
        at: datetime,
        events: Events,
    ) -> bool:
        """Note that password and second factor were proved again; False as above."""
        with translated():
            async with self._engine.begin() as connection:
                account_id = await connection.scalar(
                    select(SESSION.account_id).where(SESSION.id == session_id)
                )
                if account_id is None or not await _use_up(
                    connection, AccountId(account_id), proof, keys=keys, at=at
                ):
                    await connection.rollback()
                    return False
                # After the account, as everywhere: no two transactions wait for each other.
                refreshed = await connection.execute(
                    update(SESSION)
                    .where(SESSION.id == session_id, SESSION.ended_at.is_(None))
                    .values(fresh_at=at, seen_at=at)
                )
                if refreshed.rowcount != 1:
                    await connection.rollback()
                    return False
                await trail.append(connection, events)
                return True

    async def session(self, token_sha256: str) -> tuple[Session, Account] | None:
        """Return the session of a token, ended ones too."""
        query = (
            _account_columns()
            .add_columns(
                SESSION.id.label("session_id"),
                SESSION.kind,
                SESSION.source,
                SESSION.created_at.label("opened_at"),
                SESSION.seen_at,
                SESSION.fresh_at,
                SESSION.ended_at,
            )
            .join(SESSION, SESSION.account_id == ACCOUNT.id)
            .where(SESSION.token_sha256 == token_sha256)
        )
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(query)).first()
        if row is None:
            return None
        session = Session(
            id=SessionId(row.session_id),
            account_id=AccountId(row.id),
            kind=SessionKind(row.kind),
            source=row.source,
            created_at=row.opened_at,
            seen_at=row.seen_at,
            fresh_at=row.fresh_at,
            ended_at=row.ended_at,
        )
        return session, _account(row)

    async def touch(self, session_id: SessionId, at: datetime) -> None:
        """Note the last use of a session; two requests at once never set it back."""
        async with self._change([]) as connection:
            await connection.execute(
                update(SESSION)
                .where(SESSION.id == session_id, SESSION.ended_at.is_(None), SESSION.seen_at < at)
                .values(seen_at=at)
            )

    async def end_session(
        self, session_id: SessionId, *, why: Ended, at: datetime, events: Events
    ) -> None:
        """End one session. Ending what has ended is a success."""
        async with self._change(events) as connection:
            await connection.execute(
                update(SESSION)
                .where(SESSION.id == session_id, SESSION.ended_at.is_(None))
                .values(ended_at=at, ending=why.value)
            )

    async def keep_first_token(
        self, sha256: str, *, now: datetime, expires_at: datetime, events: Events
    ) -> bool:
        """Keep the one token that counts, voiding any other; False once there is an account."""
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(select(func.pg_advisory_xact_lock(FIRST_ACCOUNT)))
                if await _has_account(connection):
                    return False
                await connection.execute(delete(TOKEN).where(TOKEN.used_at.is_(None)))
                await connection.execute(
                    insert(TOKEN).values(sha256=sha256, created_at=now, expires_at=expires_at)
                )
                await trail.append(connection, events)
                return True

    async def add_first(
        self,
        token_sha256: str,
        account: Account,
        credentials: Credentials,
        *,
        now: datetime,
        events: Events,
    ) -> FirstTokenProblem | None:
        """Use the token up and add the first account; of two at once one wins."""
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(select(func.pg_advisory_xact_lock(FIRST_ACCOUNT)))
                row = (
                    await connection.execute(
                        select(TOKEN.expires_at, TOKEN.used_at).where(TOKEN.sha256 == token_sha256)
                    )
                ).first()
                if row is None:
                    return FirstTokenProblem.UNKNOWN
                if row.used_at is not None:
                    return FirstTokenProblem.USED
                if now >= row.expires_at:
                    return FirstTokenProblem.TOO_OLD
                if await _has_account(connection):
                    return FirstTokenProblem.NOT_THE_FIRST
                await connection.execute(
                    update(TOKEN).where(TOKEN.sha256 == token_sha256).values(used_at=now)
                )
                await _insert(connection, account, credentials)
                await trail.append(connection, events)
                return None

    async def note(self, events: Events) -> None:
        """Write entries that change nothing else: refusals."""
        async with self._change(events):
            pass

    async def _one(self, condition: Any) -> tuple[Account, Credentials] | None:  # noqa: ANN401 - an SQL expression
        query = (
            _account_columns()
            .add_columns(ACCOUNT.password_hash, ACCOUNT.totp_secret, ACCOUNT.totp_last_step)
            .where(condition)
        )
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(query)).first()
        if row is None:
            return None
        credentials = Credentials(
            password_hash=row.password_hash,
            totp_secret=row.totp_secret,
            totp_last_step=row.totp_last_step,
        )
        return _account(row), credentials


def _account_columns() -> Any:  # noqa: ANN401 - a select of many columns has no useful type
    return select(
        ACCOUNT.id,
        ACCOUNT.login,
        ACCOUNT.name,
        ACCOUNT.post,
        ACCOUNT.roles,
        ACCOUNT.created_at,
        ACCOUNT.password_set_at,
        ACCOUNT.must_change_password,
        ACCOUNT.totp_since,
        ACCOUNT.disabled_at,
    )


def _account(row: Row[Any]) -> Account:
    return Account(
        id=AccountId(row.id),
        login=row.login,
        name=row.name,
        post=row.post,
        roles=frozenset(Role(each) for each in row.roles),
        created_at=row.created_at,
        password_set_at=row.password_set_at,
        must_change_password=row.must_change_password,
        totp_since=row.totp_since,
        disabled_at=row.disabled_at,
    )


def _account_update(account_id: AccountId) -> Any:  # noqa: ANN401 - SQLAlchemy's builder
    return update(ACCOUNT).where(ACCOUNT.id == account_id)


async def _insert(connection: AsyncConnection, account: Account, credentials: Credentials) -> bool:
    added = await connection.execute(
        insert(ACCOUNT)
        .values(
            id=account.id,
            login=account.login,
            name=clean(account.name),
            post=clean(account.post),
            roles=sorted(each.value for each in account.roles),
            created_at=account.created_at,
            password_hash=credentials.password_hash,
            password_set_at=account.password_set_at,
            must_change_password=account.must_change_password,
            totp_secret=credentials.totp_secret,
            totp_since=account.totp_since,
            totp_last_step=credentials.totp_last_step,
            disabled_at=account.disabled_at,
        )
        .on_conflict_do_nothing(index_elements=["login"])
        .returning(ACCOUNT.id)
    )
    return added.first() is not None


async def _has_account(connection: AsyncConnection) -> bool:
    return (await connection.execute(select(ACCOUNT.id).limit(1))).first() is not None


async def _use_up(
    connection: AsyncConnection,
    account_id: AccountId,
    proof: Proof,
    *,
    keys: AttemptKeys,
    at: datetime,
) -> bool:
    """Use a proof up: the row's lock decides between two attempts with one code."""
    row = (
        await connection.execute(
            select(ACCOUNT.totp_last_step, ACCOUNT.disabled_at)
            .where(ACCOUNT.id == account_id)
            .with_for_update()
        )
    ).first()
    if row is None or row.disabled_at is not None:
        return False
    if proof.totp_step is not None:
        if row.totp_last_step is not None and proof.totp_step <= row.totp_last_step:
            return False
        await connection.execute(_account_update(account_id).values(totp_last_step=proof.totp_step))
    if proof.recovery_sha256 is not None:
        used = await connection.execute(
            update(RECOVERY)
            .where(
                RECOVERY.account_id == account_id,
                RECOVERY.sha256 == proof.recovery_sha256,
                RECOVERY.used_at.is_(None),
            )
            .values(used_at=at)
        )
        if used.rowcount != 1:
            return False
    if proof.new_hash is not None:
        await connection.execute(_account_update(account_id).values(password_hash=proof.new_hash))
    # In the order of their names, as attempts lock them.
    await connection.execute(
        select(THROTTLE.key)
        .where(THROTTLE.key.in_([keys.pair, keys.account, keys.source]))
        .order_by(THROTTLE.key)
        .with_for_update()
    )
    # What this attempt counted, and what others failed with before: the owner is here.
    await connection.execute(
        update(THROTTLE)
        .where(THROTTLE.key.in_([keys.pair, keys.account]))
        .values(failures=0, last_at=None)
    )
    await connection.execute(
        update(THROTTLE).where(THROTTLE.key == keys.pair).values(succeeded_at=at)
    )
    await connection.execute(
        update(THROTTLE)
        .where(THROTTLE.key == keys.source)
        .values(failures=func.greatest(THROTTLE.failures - 1, 0))
    )
    return True


async def _end_sessions(
    connection: AsyncConnection,
    account_id: AccountId,
    why: Ended,
    *,
    at: datetime,
    keep: SessionId | None,
) -> None:
    statement = update(SESSION).where(SESSION.account_id == account_id, SESSION.ended_at.is_(None))
    if keep is not None:
        statement = statement.where(SESSION.id != keep)
    await connection.execute(statement.values(ended_at=at, ending=why.value))
