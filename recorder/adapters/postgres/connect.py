"""Connections to PostgreSQL, bounded in number and in time, and the one translation of errors."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from recorder.errors import LedgerUnavailable

CONNECT_TIMEOUT_S = 3
STATEMENT_TIMEOUT_MS = 5000
LOCK_TIMEOUT_MS = 3000
POOL = 5


@asynccontextmanager
async def connect(url: str, *, application: str = "recorder") -> AsyncIterator[AsyncEngine]:
    """Give an engine; nothing is sent before it is used. Closed on leaving."""
    options = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS}"
    engine = create_async_engine(
        url,
        pool_size=POOL,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_S,
        pool_pre_ping=True,
        # An error message that quotes parameters would carry telephone numbers into logs.
        hide_parameters=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": application,
            "options": f"{options} -c timezone=UTC",
        },
    )
    try:
        yield engine
    finally:
        await engine.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """Turn every database error into ``LedgerUnavailable`` that quotes no value.

    The cause is cut off on purpose: PostgreSQL's own messages quote rows.
    """
    try:
        yield
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None) or "no connection"
        raise LedgerUnavailable(f"PostgreSQL does not take the statement ({state})") from None
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise LedgerUnavailable(f"PostgreSQL does not answer ({type(error).__name__})") from None
