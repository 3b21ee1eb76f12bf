"""Connections to PostgreSQL, bounded in number and in time, and the one translation of errors."""

import asyncio
import os
import select
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from recorder.adapters.clock import SystemClock
from recorder.errors import LedgerUnavailable, RecorderError, RowRefused

CONNECT_TIMEOUT_S = 3
STATEMENT_TIMEOUT_MS = 5000
LOCK_TIMEOUT_MS = 3000
ANSWER_WITHIN_S = 8.0
"""Longer than the server's own limit, so that a living server has the first word."""
IDLE_TRANSACTION_MS = 15_000
"""A transaction whose client vanished gives up its row after this, for the retry to take."""
POOL = 5
TRUSTED_S = 10.0
"""How long a connection may lie unused and still be taken for alive without being asked."""

_AT_ONCE: WeakKeyDictionary[AsyncEngine, AsyncEngine] = WeakKeyDictionary()
"""Each engine as it is for questions: made once, for making one costs as much as a question."""
SCHEMA_BEHIND = {"42P01", "42703", "23514"}
"""No such table or column, or a value that an older schema does not list."""
NOT_ALLOWED = "42501"
NEVER_TAKEN = ("22", "23", "54")
"""Classes of SQLSTATE that trying again does not change: bad value, constraint, limit."""


@asynccontextmanager
async def connect(
    url: str, *, application: str = "recorder", answer_within_s: float = ANSWER_WITHIN_S
) -> AsyncIterator[AsyncEngine]:
    """Give an engine; nothing is sent before it is used. Closed on leaving."""
    limits = {
        "statement_timeout": STATEMENT_TIMEOUT_MS,
        "lock_timeout": LOCK_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": IDLE_TRANSACTION_MS,
        "timezone": "UTC",
    }
    engine = create_async_engine(
        url,
        pool_size=POOL,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_S,
        # An error message that quotes parameters would carry telephone numbers into logs.
        hide_parameters=True,
        connect_args={
            "async_creator_fn": _connection_class(answer_within_s).connect,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": application,
            "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
        },
    )
    _doubt_idle_connections(engine)
    try:
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def asking(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Give a connection for questions alone, with errors translated: no BEGIN, no ROLLBACK.

    Each statement is a transaction of its own and sees its own moment, as every statement of a
    transaction does under READ COMMITTED; what has to see one moment takes ``begin``.
    """
    at_once = _AT_ONCE.get(engine)
    if at_once is None:
        at_once = _AT_ONCE[engine] = engine.execution_options(isolation_level="AUTOCOMMIT")
    with translated():
        async with at_once.connect() as connection:
            yield connection


def _doubt_idle_connections(engine: AsyncEngine) -> None:
    """Have a dead connection replaced before it is used, and a living one rarely asked (ADR 0069).

    A server that ended closed its connections: something is there to be read on each, which is
    seen without a word to anybody. One that vanished in silence is found by asking, after a pause.
    """
    clock, dialect = SystemClock(), engine.dialect

    def left(_connection: Any, record: Any) -> None:  # noqa: ANN401 - the pool's
        record.info["left_at"] = clock.monotonic()

    def taken(connection: Any, record: Any, _fairy: Any) -> None:  # noqa: ANN401 - the pool's
        left_at = record.info.get("left_at")
        if left_at is None:
            return
        idle = clock.monotonic() - left_at
        if idle < TRUSTED_S and not _is_told_something(connection.driver_connection):
            return
        try:
            dialect.do_ping(connection)
        except (psycopg.Error, OSError):
            raise InvalidatePoolError from None

    event.listen(engine.sync_engine, "checkin", left)
    event.listen(engine.sync_engine, "checkout", taken)


def _is_told_something(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Tell whether the server said something unasked, such as good-bye."""
    if connection.closed:
        return True
    waiting = select.poll()
    waiting.register(connection.pgconn.socket, select.POLLIN)
    return bool(waiting.poll(0))


def _connection_class(answer_within_s: float) -> type[psycopg.AsyncConnection[Any]]:
    """Return a connection that is cut when an answer takes longer than this.

    ``statement_timeout`` runs in the server: behind a dead network path its verdict never
    arrives, and sealing would wait for good (F7). Cancelling does not help either, since that
    asks the same silent server first. A socket shut down on our side ends the wait at once.
    """

    class BoundedConnection(psycopg.AsyncConnection[Any]):
        async def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - psycopg's
            limit = asyncio.get_running_loop().call_later(answer_within_s, self._cut)
            try:
                return await super().wait(gen, *args, **kwargs)
            finally:
                limit.cancel()

        def _cut(self) -> None:
            with socket.socket(fileno=os.dup(self.pgconn.socket)) as ours:
                ours.shutdown(socket.SHUT_RDWR)

    return BoundedConnection


@contextmanager
def translated() -> Iterator[None]:
    """Turn every database error into one of ours that quotes no value.

    Raises ``LedgerUnavailable`` where trying again may help, ``RowRefused`` where it cannot.
    The cause is cut off on purpose: PostgreSQL's own messages quote rows.
    """
    try:
        yield
    except DBAPIError as error:
        raise _in_our_words(error) from None
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise LedgerUnavailable(f"PostgreSQL does not answer ({type(error).__name__})") from None


def _in_our_words(error: DBAPIError) -> RecorderError:
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return LedgerUnavailable("PostgreSQL does not answer (no connection)")
    if state in SCHEMA_BEHIND:
        return LedgerUnavailable(
            f"the database is older than this release ({state}): recorder db upgrade"
        )
    if state == NOT_ALLOWED:
        return LedgerUnavailable(
            "this login of PostgreSQL may not do that (42501); "
            "OPERATIONS.md, Install, says which one may"
        )
    if state.startswith(NEVER_TAKEN):
        return RowRefused(f"PostgreSQL cannot hold the row ({state})")
    return LedgerUnavailable(f"PostgreSQL does not take the statement ({state})")
