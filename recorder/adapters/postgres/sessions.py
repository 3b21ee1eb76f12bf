"""Attempts, counted under locks, and sessions, each with its entry in the trail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.accounts.model import (
    Account,
    AccountId,
    Ended,
    Session,
    SessionId,
    SessionKind,
)
from recorder.accounts.ports import AttemptKeys, Events, Proof
from recorder.accounts.rules import (
    FORGET_AFTER,
    NO_ATTEMPTS,
    Throttle,
    counted,
    wait_before,
)
from recorder.adapters.postgres import tables_access as tables
from recorder.adapters.postgres import trail
from recorder.adapters.postgres.account_rows import account_columns, account_of, account_update
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated

ACCOUNT, SESSION = tables.AccountTable, tables.SessionTable
THROTTLE, RECOVERY = tables.SignInThrottleTable, tables.RecoveryCodeTable


class PostgresSessions:
    """The part of ``recorder.accounts.ports.AccountStore`` about signing in."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def change(self, events: Events) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that ends with the trail's entries, last as the trail asks for."""
        with translated():
            async with self._engine.begin() as connection:
                yield connection
                await trail.append(connection, events)

    async def reserve_attempt(self, keys: AttemptKeys, now: datetime) -> timedelta:
        """Count an attempt before it is tried, or return how long it has to wait."""
        names = sorted((keys.pair, keys.account, keys.source))
        async with self.change([]) as connection:
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
        async with self.change([]) as connection:
            done = await connection.execute(
                delete(THROTTLE).where(old, THROTTLE.succeeded_at.is_(None))
            )
            return done.rowcount

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
            account_columns()
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
        async with asking(self._engine) as connection:
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
        return session, account_of(row)

    async def touch(self, session_id: SessionId, at: datetime) -> None:
        """Note the last use of a session; two requests at once never set it back."""
        async with self.change([]) as connection:
            await connection.execute(
                update(SESSION)
                .where(SESSION.id == session_id, SESSION.ended_at.is_(None), SESSION.seen_at < at)
                .values(seen_at=at)
            )

    async def end_session(
        self, session_id: SessionId, *, why: Ended, at: datetime, events: Events
    ) -> None:
        """End one session. Ending what has ended is a success."""
        async with self.change(events) as connection:
            await connection.execute(
                update(SESSION)
                .where(SESSION.id == session_id, SESSION.ended_at.is_(None))
                .values(ended_at=at, ending=why.value)
            )


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
        await connection.execute(account_update(account_id).values(totp_last_step=proof.totp_step))
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
        await connection.execute(account_update(account_id).values(password_hash=proof.new_hash))
    if proof.new_totp is not None:
        await connection.execute(account_update(account_id).values(totp_secret=proof.new_totp))
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
