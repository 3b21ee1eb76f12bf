"""The tables of the audit trail, and what guards them."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    ForeignKey,
    Index,
    MetaData,
    SmallInteger,
    event,
)
from sqlalchemy.orm import Mapped, mapped_column

from recorder.adapters.postgres import guards
from recorder.adapters.postgres.tables import Base, one_of
from recorder.audit.event import ActorKind


class AuditEventTable(Base):
    """The audit trail (R8.1e): what is here stays as it is, see ``guards``."""

    __tablename__ = "audit_event"
    __table_args__ = (
        one_of("actor_kind", ActorKind),
        Index("ix_audit_event_at", "at"),
        Index("ix_audit_event_subject_seq", "subject", "seq"),
        Index("ix_audit_event_actor_name_seq", "actor_name", "seq"),
        Index("ix_audit_event_action_seq", "action", "seq"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_name: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    reason: Mapped[str]
    details: Mapped[str]
    """Canonical JSON, kept as it was hashed: ``jsonb`` would not give the same bytes back."""
    commitment: Mapped[bytes | None]
    previous: Mapped[bytes]
    hash: Mapped[bytes]


class AuditPersonalTable(Base):
    """The part of an entry that is forgotten earlier; without it the chain still verifies."""

    __tablename__ = "audit_personal"

    seq: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("audit_event.seq"), primary_key=True, autoincrement=False
    )
    salt: Mapped[bytes]
    data: Mapped[str]


class AuditHeadTable(Base):
    """The trail's last entry: its one row is the lock that keeps the numbers gapless."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes]


class AuditStartTable(Base):
    """Where the kept part of the trail begins, and the signed note that says so (R8.1f)."""

    __tablename__ = "audit_start"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes]
    note: Mapped[str]


@event.listens_for(Base.metadata, "after_create")
def _guard(_: MetaData, connection: Connection, **__: object) -> None:
    for statement in guards.STATEMENTS:
        connection.exec_driver_sql(statement)
