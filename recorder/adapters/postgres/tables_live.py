"""The tables of live control: what is in progress, and what was ordered about it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text, true
from sqlalchemy.orm import Mapped, mapped_column

from recorder.adapters.postgres.tables import Base, one_of
from recorder.audit.event import ActorKind
from recorder.live.model import Act, Answer, State


class CaptureNodeTable(Base):
    """A capture process, when it last reported, and whether it can act (RG.12)."""

    __tablename__ = "capture_node"

    name: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]
    switchboard: Mapped[bool]
    linked: Mapped[bool] = mapped_column(server_default=true())
    control_set: Mapped[bool] = mapped_column(server_default=true())


class LiveCallTable(Base):
    """A call that is being recorded now. No number but a masked one; gone with the call."""

    __tablename__ = "live_call"
    __table_args__ = (one_of("state", State), Index("ix_live_call_node", "node"))

    call_id: Mapped[UUID] = mapped_column(primary_key=True)
    node: Mapped[str]
    arrived_at: Mapped[datetime]
    line: Mapped[str]
    caller: Mapped[str]
    answered_at: Mapped[datetime | None]
    parties: Mapped[list[Any]]
    connected: Mapped[bool]
    state: Mapped[str]
    since: Mapped[datetime | None]
    in_doubt: Mapped[bool]


class LiveOrderTable(Base):
    """An order about a call in progress, from a page, the prompt or a telephone."""

    __tablename__ = "live_order"
    __table_args__ = (
        one_of("act", Act),
        one_of("actor_kind", ActorKind),
        one_of("answer", Answer),
        Index("ix_live_order_to_take", "node", "id", postgresql_where=text("taken_at IS NULL")),
        Index("ix_live_order_asked_at", "asked_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_id: Mapped[UUID]
    node: Mapped[str]
    act: Mapped[str]
    actor_kind: Mapped[str]
    actor_name: Mapped[str]
    asked_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    """From then on it is never given to anybody again."""
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None]
