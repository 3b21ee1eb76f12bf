"""The tables. Declarative, and imported nowhere outside this folder but by the migrations."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from recorder.custody.model import SealedAs
from recorder.erasure.model import Route, Stage
from recorder.model import IncidentKind, Layer, Mode, Outcome, PlaybackResult, Reason
from recorder.phone_numbers import WITHHELD_AS_DELIVERED

INDEXED_CHARACTERS = 64
"""Numbers without a public form are indexed by so many characters: an index entry has a limit,
a caller's input has none."""


IS_WITHHELD = text(
    "caller_number IN (" + ", ".join(f"'{each}'" for each in WITHHELD_AS_DELIVERED) + ") "
    "AND numbers_forgotten_at IS NULL"
)
"""Spelt out, not bound: the planner takes a partial index only for the very same condition. What
was forgotten is empty too, and was not withheld."""


class Base(DeclarativeBase):
    """One metadata with named constraints, so that errors are recognised by name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own form
        datetime: DateTime(timezone=True),
        str: Text(),
        bytes: LargeBinary(),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
    }


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """Return the constraint that a column holds one of these values."""
    listed = ", ".join(f"'{each.value}'" for each in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


class AnnouncementTable(Base):
    """§ 8.2: every version that callers were ever told (R8.2d)."""

    __tablename__ = "announcement"
    __table_args__ = (one_of("layer", Layer),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    layer: Mapped[str]
    language: Mapped[str]
    text: Mapped[str]
    sha256: Mapped[str]
    length_ms: Mapped[int]
    level_dbfs: Mapped[float] = mapped_column(Float)
    added_at: Mapped[datetime]
    active_from: Mapped[datetime | None]


class CallTable(Base):
    """Every call that entered, recorded or not, with its decision (R3.4f)."""

    __tablename__ = "call"
    __table_args__ = (
        UniqueConstraint("node", "channel_id"),
        one_of("outcome", Outcome),
        one_of("reason", Reason),
        one_of("mode", Mode),
        # With what became of them: a day is counted by the index alone.
        Index("ix_call_arrived_at", "arrived_at", postgresql_include=["outcome", "reason"]),
        # An index answers alone only for pages that a vacuum has seen.
        {
            "postgresql_with": {
                "autovacuum_vacuum_insert_scale_factor": "0",
                "autovacuum_vacuum_insert_threshold": "5000",
                "autovacuum_analyze_scale_factor": "0.02",
            }
        },
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    node: Mapped[str]
    channel_id: Mapped[str]
    linked_id: Mapped[str]
    arrived_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    endpoint: Mapped[str]
    context: Mapped[str]
    line: Mapped[str]
    line_e164: Mapped[str | None]
    caller_number: Mapped[str | None]
    caller_e164: Mapped[str | None]
    caller_name: Mapped[str | None]
    outcome: Mapped[str]
    reason: Mapped[str]
    rule_version: Mapped[str]
    scope_reason: Mapped[str]
    mode: Mapped[str | None]
    language: Mapped[str]
    keys: Mapped[list[Any]]
    bridged: Mapped[list[Any]]
    bridged_seconds: Mapped[float] = mapped_column(Float)
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str]
    parties: Mapped[list[Any]]
    timeline: Mapped[list[Any]]
    hangup_cause: Mapped[int | None] = mapped_column(Integer)
    pbx_lost: Mapped[bool]
    unwatched: Mapped[bool]
    quality: Mapped[dict[str, Any]]
    written_at: Mapped[datetime]
    numbers_forgotten_at: Mapped[datetime | None]


# R7.5d. A number is looked for in its public form; only what has none is looked for as it came.
_NO_CALLER_E164, _NO_LINE_E164 = text("caller_e164 IS NULL"), text("line_e164 IS NULL")
# Numbers are forgotten after weeks, calls are not: what holds numbers stays small.
HAS_CALLER_E164 = text("caller_e164 IS NOT NULL")
# By pattern: it finds a whole number as well as its beginning, whatever the database's collation.
BY_PATTERN = "text_pattern_ops"
Index(
    "ix_call_caller_e164_arrived_at",
    CallTable.caller_e164,
    CallTable.arrived_at,
    postgresql_ops={"caller_e164": BY_PATTERN},
    # With the id the newest of many thousands are told by the index alone.
    postgresql_include=["id"],
    postgresql_where=HAS_CALLER_E164,
)
Index(
    "ix_call_caller_e164_reversed_arrived_at",
    func.reverse(CallTable.caller_e164).label("reversed"),
    CallTable.arrived_at,
    postgresql_ops={"reversed": BY_PATTERN},
    # The column beside its reverse: only so is the index alone enough.
    postgresql_include=["id", "caller_e164"],
    postgresql_where=HAS_CALLER_E164,
)
# Of digits that very many share, the newest are met by going back in time.
Index(
    "ix_call_arrived_at_caller_e164",
    CallTable.arrived_at,
    CallTable.id,
    postgresql_include=["caller_e164"],
    postgresql_where=HAS_CALLER_E164,
)
Index(
    "ix_call_caller_number_arrived_at",
    func.left(CallTable.caller_number, text(str(INDEXED_CHARACTERS))),
    CallTable.arrived_at,
    postgresql_where=_NO_CALLER_E164,
)
Index("ix_call_withheld_arrived_at", CallTable.arrived_at, postgresql_where=IS_WITHHELD)
Index("ix_call_line_e164_arrived_at", CallTable.line_e164, CallTable.arrived_at)
Index(
    "ix_call_line_arrived_at",
    func.left(CallTable.line, text(str(INDEXED_CHARACTERS))),
    CallTable.arrived_at,
    postgresql_where=_NO_LINE_E164,
)
# R7.2k: what still has to lose its numbers, and nothing else.
Index(
    "ix_call_numbers_to_forget",
    CallTable.arrived_at,
    postgresql_where=text(
        f"outcome = '{Outcome.NOT_RECORDED.value}' AND numbers_forgotten_at IS NULL"
    ),
)


class AnnouncementPlayedTable(Base):
    """Proof of announcement, one row a playing (R8.2c)."""

    __tablename__ = "announcement_played"
    __table_args__ = (one_of("layer", Layer), one_of("result", PlaybackResult))

    call_id: Mapped[UUID] = mapped_column(ForeignKey("call.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    announcement_id: Mapped[UUID]
    layer: Mapped[str]
    language: Mapped[str]
    sha256: Mapped[str]
    length_ms: Mapped[int]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    measured_ms: Mapped[int | None]
    result: Mapped[str]


class RecordingTable(Base):
    """A sealed recording in the vault, or one that is being erased."""

    __tablename__ = "recording"
    __table_args__ = (
        one_of("sealed_as", SealedAs),
        one_of("stage", Stage),
        one_of("erasing_route", Route),
        # With the size, the days to come and the space they free are told by the index alone.
        Index("ix_recording_erase_by", "erase_by", postgresql_include=["size_bytes"]),
        Index("ix_recording_ended_at_id", "ended_at", "id"),
        Index(
            "ix_recording_half_erased",
            "id",
            postgresql_where=text(f"stage = '{Stage.ERASING.value}'"),
        ),
        Index("ix_recording_to_verify", text("coalesce(verified_at, sealed_at)"), "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_id: Mapped[UUID] = mapped_column(ForeignKey("call.id"), unique=True)
    stored_on: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    frames: Mapped[int] = mapped_column(BigInteger)
    sample_rate: Mapped[int]
    caller_dbfs: Mapped[float] = mapped_column(Float)
    office_dbfs: Mapped[float] = mapped_column(Float)
    silent: Mapped[bool]
    one_sided: Mapped[bool]
    first_sample_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    erase_by: Mapped[datetime]
    sealed_at: Mapped[datetime]
    truncated: Mapped[bool]
    incomplete: Mapped[bool]
    stage: Mapped[str] = mapped_column(server_default=Stage.KEPT.value)
    erasing_since: Mapped[datetime | None]
    erasing_route: Mapped[str | None]
    erasing_why: Mapped[str | None]
    erasing_actor: Mapped[str | None]
    erasing_days: Mapped[int | None]
    erasing_rules: Mapped[str | None]
    erase_failures: Mapped[int] = mapped_column(server_default="0")
    erase_problem: Mapped[str | None]
    verified_at: Mapped[datetime | None]
    missing_at: Mapped[datetime | None]
    damaged_at: Mapped[datetime | None]
    sealed_as: Mapped[str]


class IncidentTable(Base):
    """What a person must look at; holds ids, never numbers."""

    __tablename__ = "incident"
    __table_args__ = (
        one_of("kind", IncidentKind),
        Index("ix_incident_at", "at"),
        Index("ix_incident_call_id", "call_id"),
        Index("ix_incident_open", "kind", "at", "id", postgresql_where=text("closed_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("call.id"))
    detail: Mapped[str]
    explained_at: Mapped[datetime | None]
    explained_by: Mapped[str] = mapped_column(server_default="")
    explanation: Mapped[str] = mapped_column(server_default="")
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str] = mapped_column(server_default="")
