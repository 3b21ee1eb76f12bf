"""Accounts in PostgreSQL: each change with its entry in the trail."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from recorder.accounts.model import (
    Account,
    AccountId,
    Credentials,
    Ended,
    Link,
    Role,
    SessionId,
    SignsInBy,
)
from recorder.accounts.ports import Events
from recorder.accounts.rules import FirstTokenProblem
from recorder.adapters.postgres import tables_access as tables
from recorder.adapters.postgres import trail
from recorder.adapters.postgres.account_rows import (
    account_columns,
    account_of,
    account_update,
    end_sessions,
)
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.sessions import PostgresSessions
from recorder.errors import RowRefused

ACCOUNT, RECOVERY = tables.AccountTable, tables.RecoveryCodeTable
TOKEN = tables.FirstRunTokenTable

FIRST_ACCOUNT = 0x6669_7273_74
"""Advisory lock of whoever makes the first account."""


class PostgresAccounts(PostgresSessions):
    """See ``recorder.accounts.ports.AccountStore`` for the promises."""

    async def by_login(self, login: str) -> tuple[Account, Credentials] | None:
        """Return an account with its secrets."""
        return await self._one(ACCOUNT.login == clean(login))

    async def by_id(self, account_id: AccountId) -> tuple[Account, Credentials] | None:
        """Return an account with its secrets."""
        return await self._one(ACCOUNT.id == account_id)

    async def accounts(self) -> Sequence[Account]:
        """Return every account, disabled ones too, by login."""
        async with asking(self._engine) as connection:
            rows = await connection.execute(account_columns().order_by(ACCOUNT.login))
            return [account_of(row) for row in rows]

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
        async with self.change(events) as connection:
            await connection.execute(
                account_update(account_id).values(
                    password_hash=password_hash,
                    password_set_at=at,
                    must_change_password=must_change,
                )
            )
            await end_sessions(connection, account_id, Ended.PASSWORD_CHANGED, at=at, keep=keep)

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
        async with self.change(events) as connection:
            await connection.execute(
                account_update(account_id).values(
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
                await end_sessions(
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
        async with self.change(events) as connection:
            await connection.execute(
                account_update(account_id).values(roles=sorted(each.value for each in roles))
            )
            await end_sessions(connection, account_id, Ended.ROLES_CHANGED, at=at, keep=None)

    async def set_disabled(
        self, account_id: AccountId, *, disabled_at: datetime | None, at: datetime, events: Events
    ) -> None:
        """Disable, which ends every session, or enable again."""
        async with self.change(events) as connection:
            await connection.execute(account_update(account_id).values(disabled_at=disabled_at))
            await end_sessions(connection, account_id, Ended.ACCOUNT_DISABLED, at=at, keep=None)

    async def set_extension(self, account_id: AccountId, extension: str, events: Events) -> None:
        """Note at which telephone the person answers."""
        async with self.change(events) as connection:
            await connection.execute(account_update(account_id).values(extension=extension))

    async def set_link(
        self,
        account_id: AccountId,
        link: Link | None,
        *,
        password_hash: str,
        must_change: bool,
        at: datetime,
        events: Events,
    ) -> bool:
        """Say who keeps the password; False if another account is linked to the same person."""
        try:
            async with self.change(events) as connection:
                await connection.execute(
                    account_update(account_id).values(
                        signs_in_by=link.by.value if link else SignsInBy.LOCAL.value,
                        issuer=clean(link.issuer) if link else None,
                        subject=clean(link.subject) if link else None,
                        password_hash=password_hash,
                        password_set_at=at,
                        must_change_password=must_change,
                    )
                )
                await end_sessions(connection, account_id, Ended.LINK_CHANGED, at=at, keep=None)
        except RowRefused:
            return False
        return True

    async def linked(self, link: Link) -> tuple[Account, Credentials] | None:
        """Return the account that is linked so."""
        return await self._one(
            (ACCOUNT.signs_in_by == link.by.value)
            & (ACCOUNT.issuer == clean(link.issuer))
            & (ACCOUNT.subject == clean(link.subject))
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
        async with self.change(events):
            pass

    async def _one(self, condition: Any) -> tuple[Account, Credentials] | None:  # noqa: ANN401 - an SQL expression
        query = (
            account_columns()
            .add_columns(ACCOUNT.password_hash, ACCOUNT.totp_secret, ACCOUNT.totp_last_step)
            .where(condition)
        )
        async with asking(self._engine) as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        credentials = Credentials(
            password_hash=row.password_hash,
            totp_secret=row.totp_secret,
            totp_last_step=row.totp_last_step,
        )
        return account_of(row), credentials


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
