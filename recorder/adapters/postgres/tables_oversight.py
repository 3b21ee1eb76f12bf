"""The tables of oversight: days counted, and days compared with the PBX's own call records."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from recorder.adapters.postgres.tables import Base, RecordingTable
from recorder.adapters.postgres.tables_keeping import TombstoneTable
from recorder.erasure.model import Route

# A day's erasures are shown, and counted, by the instant at which they happened.
Index("ix_tombstone_erased_at", TombstoneTable.erased_at, TombstoneTable.id)
Index(
    "ix_tombstone_by_hand",
    TombstoneTable.erased_at,
    postgresql_where=text(f"route = '{Route.BY_HAND.value}'"),
)
Index(
    "ix_recording_unwell",
    RecordingTable.id,
    postgresql_where=RecordingTable.damaged_at.is_not(None)
    | RecordingTable.missing_at.is_not(None),
)


class CallDayTable(Base):
    """How many calls of a day of the office ended how; a cache, counted anew while days settle."""

    __tablename__ = "call_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(Integer)


class CompletenessTable(Base):
    """RG.13: one day of the office compared with the PBX's own call records."""

    __tablename__ = "completeness"

    day: Mapped[date] = mapped_column(primary_key=True)
    compared_at: Mapped[datetime]
    settled_until: Mapped[datetime]
    """Calls that ended later were not judged yet."""
    pbx_calls: Mapped[int]
    """From outside, by the PBX's records."""
    explained: Mapped[int]
    never_answered: Mapped[int]
    in_hand: Mapped[int]
    unexplained: Mapped[list[Any]]
    """Channel ids of the PBX."""
    without_record: Mapped[list[Any]]
    """Ids of calls that the PBX's records do not know; the first of them."""
    without_record_count: Mapped[int]
