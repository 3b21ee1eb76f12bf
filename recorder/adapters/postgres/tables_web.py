"""The tables of the web: playbacks, searches, programs' tokens, how often somebody asked."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from recorder.adapters.postgres.tables import Base


class PlaybackTable(Base):
    """Who listened to what, why, and how much of it (R3.1a, R8.1e). Outlives the recording."""

    __tablename__ = "playback"
    __table_args__ = (
        Index("ix_playback_recording_id", "recording_id"),
        Index("ix_playback_account_id_opened_at", "account_id", "opened_at"),
        Index("ix_playback_served_at_open", "served_at", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    recording_id: Mapped[UUID]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("session.id"))
    purpose: Mapped[str]
    request: Mapped[str]
    authorisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("authorisation.id"))
    opened_at: Mapped[datetime]
    served_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    heard: Mapped[list[Any]]
    heard_seconds: Mapped[float] = mapped_column(Float)


class SearchTable(Base):
    """What somebody looks for, while they look at it: numbers, so kept for hours and no longer."""

    __tablename__ = "search"
    __table_args__ = (Index("ix_search_at", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"))
    at: Mapped[datetime]
    wanted: Mapped[dict[str, Any]]


class ProgramTokenTable(Base):
    """Tokens of programs; the hash alone."""

    __tablename__ = "program_token"
    __table_args__ = (Index("ix_program_token_account_id", "account_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    token_sha256: Mapped[str] = mapped_column(unique=True)
    may: Mapped[list[Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class RequestRateTable(Base):
    """Requests of this minute, under hashes of who asked; gone after a crash, which is no harm."""

    __tablename__ = "request_rate"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    key: Mapped[str] = mapped_column(primary_key=True)
    minute: Mapped[datetime]
    requests: Mapped[int] = mapped_column(Integer)
