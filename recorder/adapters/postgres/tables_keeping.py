"""The tables of keeping and erasing; the rest is in ``tables``."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from recorder.adapters.postgres.tables import Base, one_of
from recorder.approvals.model import Action, Answer
from recorder.erasure.brakes import Brake
from recorder.erasure.model import Route
from recorder.holds.model import Ending, Ground

STANDS = text("ended_at IS NULL")
WAITS = text("decided_at IS NULL")
IS_ON = text("used_at IS NULL")

RETENTION = "retention_days"
"""The one setting that is put in force by persons."""


class HoldTable(Base):
    """§ 7.3: why a recording must not disappear.

    No foreign key: the hold stays as evidence when its recording is long erased.
    """

    __tablename__ = "hold"
    __table_args__ = (
        one_of("ground", Ground),
        one_of("ending", Ending),
        Index("ix_hold_standing", "recording_id", postgresql_where=STANDS),
        Index("ix_hold_recording_id", "recording_id"),
        Index("ix_hold_batch_id", "batch_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    recording_id: Mapped[UUID]
    batch_id: Mapped[UUID]
    ground: Mapped[str]
    reference: Mapped[str]
    reason: Mapped[str]
    placed_by: Mapped[str]
    placed_at: Mapped[datetime]
    review_by: Mapped[datetime]
    lapses_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str]
    ending: Mapped[str | None]
    end_reference: Mapped[str]


class ApprovalTable(Base):
    """R7.3e: what one person proposed and another answered."""

    __tablename__ = "approval"
    __table_args__ = (
        one_of("action", Action),
        one_of("answer", Answer),
        CheckConstraint("answer = 'refused' OR decided_by <> proposed_by", name="four_eyes"),
        Index(
            "ix_approval_waiting",
            "action",
            "subject",
            unique=True,
            postgresql_where=WAITS,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    action: Mapped[str]
    subject: Mapped[UUID]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    reason: Mapped[str]
    reference: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    wanted: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class TombstoneTable(Base):
    """R7.2g: what remains of an erased recording; no number, no name of who called."""

    __tablename__ = "tombstone"
    __table_args__ = (one_of("route", Route), Index("ix_tombstone_erase_by", "erase_by"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    recording_id: Mapped[UUID] = mapped_column(unique=True)
    call_id: Mapped[UUID] = mapped_column(index=True)
    first_sample_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    erase_by: Mapped[datetime]
    claimed_at: Mapped[datetime]
    erased_at: Mapped[datetime]
    route: Mapped[str]
    why: Mapped[str]
    actor: Mapped[str]
    rule_version: Mapped[str]
    retention_days: Mapped[int]
    sha256: Mapped[str]


class BrakeTable(Base):
    """P5: what stopped a purge until a person released it."""

    __tablename__ = "brake"
    __table_args__ = (
        one_of("brake", Brake),
        Index("ix_brake_on", "brake", unique=True, postgresql_where=IS_ON),
    )

    token: Mapped[str] = mapped_column(primary_key=True)
    brake: Mapped[str]
    at: Mapped[datetime]
    detail: Mapped[str]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str]
    used_at: Mapped[datetime | None]


class PurgeStateTable(Base):
    """What the last run left for the next; one row."""

    __tablename__ = "purge_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    boot_id: Mapped[str]
    boot_s: Mapped[float] = mapped_column(Float)
    standing_holds: Mapped[list[Any]]


class AppliedSettingTable(Base):
    """R7.2c: values of the regulation that were applied, where a change wants a person."""

    __tablename__ = "applied_setting"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]
    applied_at: Mapped[datetime]
    applied_by: Mapped[str]
    written: Mapped[int]
    """What the file said when this was last looked at: raising it counts from there."""


class RetentionChangeTable(Base):
    """R7.2c: each change of the days, by whom, and what they were shown it would do."""

    __tablename__ = "retention_change"
    __table_args__ = (
        CheckConstraint("to_days BETWEEN 1 AND 30", name="in_bounds"),
        Index("ix_retention_change_at", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    from_days: Mapped[int | None]
    to_days: Mapped[int]
    proposed_by: Mapped[str]
    decided_by: Mapped[str]
    reason: Mapped[str]
    at_once: Mapped[int]
    held: Mapped[int]


class JobTable(Base):
    """What the retention process does regularly, and how it went."""

    __tablename__ = "job"

    name: Mapped[str] = mapped_column(primary_key=True)
    worker: Mapped[str]
    last_started: Mapped[datetime | None]
    last_succeeded: Mapped[datetime | None]
    last_failed: Mapped[datetime | None]
    last_error: Mapped[str]
    progress: Mapped[str]
    next_due: Mapped[datetime | None]


class DeletionReportTable(Base):
    """One day of the office: what expired, and what became of it."""

    __tablename__ = "deletion_report"

    day: Mapped[date] = mapped_column(primary_key=True)
    expired: Mapped[int]
    erased: Mapped[int]
    held: Mapped[int]
    failed: Mapped[int]
    by_hand: Mapped[int]
    made_at: Mapped[datetime]
