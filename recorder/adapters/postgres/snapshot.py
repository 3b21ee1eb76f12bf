"""One moment of the database, for a backup: the rows as its dump will have them."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, exists, func, select
from sqlalchemy.pool import NullPool

from recorder.adapters.postgres.connect import translated
from recorder.adapters.postgres.tables import RecordingTable
from recorder.adapters.postgres.tables_audit import AuditHeadTable
from recorder.adapters.postgres.tables_keeping import RETENTION, AppliedSettingTable, HoldTable
from recorder.erasure.model import Stage
from recorder.errors import LedgerUnavailable

RECORDING = RecordingTable
STANDS = exists().where(HoldTable.recording_id == RECORDING.id, HoldTable.ended_at.is_(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A recording with a row."""

    id: UUID
    stored_on: str
    ended_at: datetime
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a backup must know of the moment that its dump shows."""

    name: str
    """By which ``pg_dump`` sees the same moment, as long as this one is open."""
    server: int
    revision: str
    applied_days: int | None
    trail_seq: int
    trail_hash: bytes
    recordings: Sequence[Kept]
    """Those that are kept; what is being erased is left out."""


@contextmanager
def snapshot(url: str) -> Iterator[Snapshot]:
    """Open one moment and keep it open. Raises ``LedgerUnavailable``."""
    with _connection(url) as connection:
        with translated():
            found = _look(connection)
        yield found


def still_kept(url: str, ids: Collection[UUID]) -> frozenset[UUID]:
    """Return which of these are kept now. Raises ``LedgerUnavailable``."""
    query = select(RECORDING.id).where(RECORDING.id.in_(ids), RECORDING.stage == Stage.KEPT.value)
    with _connection(url) as connection, translated():
        return frozenset(connection.scalars(query))


def server_major(url: str) -> int:
    """Return the server's major version. Raises ``LedgerUnavailable``."""
    with _connection(url) as connection, translated():
        return _major(connection)


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    # Alone, without the limits of the processes: a dump takes as long as it takes.
    engine = create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        isolation_level="REPEATABLE READ",
        connect_args={
            "connect_timeout": 5,
            "application_name": "backup",
            "options": "-c timezone=UTC",
        },
    )
    with translated():
        connection = engine.connect()
    with connection:
        yield connection


def _look(connection: Connection) -> Snapshot:
    name = connection.scalar(select(func.pg_export_snapshot()))
    revision = MigrationContext.configure(connection).get_current_revision()
    if name is None or revision is None:
        raise LedgerUnavailable("the database is empty: there is nothing to back up")
    head = connection.execute(select(AuditHeadTable.seq, AuditHeadTable.hash)).one()
    setting = AppliedSettingTable
    rows = connection.execute(
        select(RECORDING.id, RECORDING.stored_on, RECORDING.ended_at, STANDS.label("held"))
        .where(RECORDING.stage == Stage.KEPT.value)
        .order_by(RECORDING.id)
    )
    return Snapshot(
        name=name,
        server=_major(connection),
        revision=revision,
        applied_days=connection.scalar(select(setting.value).where(setting.name == RETENTION)),
        trail_seq=head.seq,
        trail_hash=head.hash,
        recordings=[
            Kept(id=row.id, stored_on=row.stored_on, ended_at=row.ended_at, held=row.held)
            for row in rows
        ],
    )


def _major(connection: Connection) -> int:
    number = connection.scalar(select(func.current_setting("server_version_num")))
    return int(number or 0) // 10_000
