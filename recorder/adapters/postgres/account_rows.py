"""What accounts and sessions share of rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from recorder.accounts.model import (
    Account,
    AccountId,
    Ended,
    Link,
    Role,
    SessionId,
    SignsInBy,
)
from recorder.adapters.postgres import tables_access as tables

ACCOUNT, SESSION = tables.AccountTable, tables.SessionTable


def account_columns() -> Any:  # noqa: ANN401 - a select of many columns has no useful type
    """Return a query of all that an ``Account`` holds, without its secrets."""
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
        ACCOUNT.signs_in_by,
        ACCOUNT.issuer,
        ACCOUNT.subject,
        ACCOUNT.extension,
    )


def account_of(row: Row[Any]) -> Account:
    """Return the account of a row."""
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
        link=_link_of(row),
        extension=row.extension,
    )


def _link_of(row: Row[Any]) -> Link | None:
    if row.subject is None:
        return None
    return Link(by=SignsInBy(row.signs_in_by), subject=row.subject, issuer=row.issuer)


def account_update(account_id: AccountId) -> Any:  # noqa: ANN401 - SQLAlchemy's builder
    """Return the beginning of a change of one account."""
    return update(ACCOUNT).where(ACCOUNT.id == account_id)


async def end_sessions(
    connection: AsyncConnection,
    account_id: AccountId,
    why: Ended,
    *,
    at: datetime,
    keep: SessionId | None,
) -> None:
    """End every open session of an account but ``keep``."""
    statement = update(SESSION).where(SESSION.account_id == account_id, SESSION.ended_at.is_(None))
    if keep is not None:
        statement = statement.where(SESSION.id != keep)
    await connection.execute(statement.values(ended_at=at, ending=why.value))
