"""The tables of changing announcements; what callers hear lies in the catalogue of files."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from recorder.adapters.postgres.tables import Base, one_of
from recorder.model import Layer


class AnnouncementUploadTable(Base):
    """A version that was uploaded at a page and is not in the catalogue yet."""

    __tablename__ = "announcement_upload"
    __table_args__ = (one_of("layer", Layer),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    layer: Mapped[str]
    language: Mapped[str]
    text: Mapped[str]
    sha256: Mapped[str]
    length_ms: Mapped[int]
    level_dbfs: Mapped[float] = mapped_column(Float)
    added_at: Mapped[datetime]
    added_by: Mapped[str]
    samples: Mapped[bytes]


class AnnouncementOrderTable(Base):
    """A change that two persons agreed on, and what became of it."""

    __tablename__ = "announcement_order"
    __table_args__ = (
        CheckConstraint("decided_by <> proposed_by", name="four_eyes"),
        Index("ix_announcement_order_open", "decided_at", postgresql_where=text("done_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    announcement_id: Mapped[UUID]
    proposed_by: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]
    active_from: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    problem: Mapped[str]
