"""What waits between the pages and the catalogue of announcements.

See ``recorder.announcements.ports.AnnouncementDesk`` for the promises.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import trail
from recorder.adapters.postgres.approvals import answer
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.tables_announcements import (
    AnnouncementOrderTable,
    AnnouncementUploadTable,
)
from recorder.announcements.ports import Order, Upload
from recorder.approvals.model import Answer, Approval, ApprovalId, signature
from recorder.audit.event import Actor, AuditEvent
from recorder.model import Announcement, AnnouncementId, Layer

UPLOAD, ORDER = AnnouncementUploadTable, AnnouncementOrderTable
TOLD_FOR = timedelta(days=30)
COLUMNS = tuple(each for each in UPLOAD.__table__.columns if each.name != "samples")


class PostgresAnnouncementDesk:
    """Uploads and orders, each with its entry in the trail."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def keep(self, announcement: Announcement, *, samples: bytes, actor: Actor) -> None:
        """Keep an upload, with its entry."""
        row = {
            "id": announcement.id,
            "layer": announcement.layer.value,
            "language": announcement.language,
            "text": clean(announcement.text),
            "sha256": announcement.sha256,
            "length_ms": announcement.length_ms,
            "level_dbfs": announcement.level_dbfs,
            "added_at": announcement.added_at,
            "added_by": signature(actor),
            "samples": samples,
        }
        entry = _entry("uploaded", announcement, actor=actor, at=announcement.added_at)
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(insert(UPLOAD).values(row))
                await trail.append(connection, [entry])

    async def uploads(self) -> Sequence[Announcement]:
        """Return the versions that wait, oldest first."""
        query = select(*COLUMNS).order_by(UPLOAD.added_at, UPLOAD.id)
        async with asking(self._engine) as connection:
            return [_announcement(each) for each in await connection.execute(query)]

    async def upload(self, announcement_id: AnnouncementId) -> Upload | None:
        """Return one with its sound, None if it does not wait."""
        query = select(*UPLOAD.__table__.columns).where(UPLOAD.id == announcement_id)
        async with asking(self._engine) as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        return Upload(announcement=_announcement(row), samples=bytes(row.samples))

    async def discard(self, announcement_id: AnnouncementId, *, actor: Actor, at: datetime) -> bool:
        """Drop one, with its entry. False if it does not wait."""
        with translated():
            async with self._engine.begin() as connection:
                dropped = await connection.execute(
                    delete(UPLOAD).where(UPLOAD.id == announcement_id).returning(*COLUMNS)
                )
                row = dropped.first()
                if row is None:
                    return False
                entry = _entry("discarded", _announcement(row), actor=actor, at=at)
                await trail.append(connection, [entry])
                return True

    async def order(
        self, approval: Approval, *, active_from: datetime | None, actor: Actor, at: datetime
    ) -> bool:
        """Confirm a proposal and order what it says. False if it is answered already."""
        row = {
            "id": approval.id,
            "announcement_id": approval.subject,
            "proposed_by": approval.proposed_by,
            "decided_by": signature(actor),
            "decided_at": at,
            "active_from": active_from,
            "problem": "",
        }
        with translated():
            async with self._engine.begin() as connection:
                said = Answer.CONFIRMED
                if not await answer(connection, approval.id, said, actor=actor, at=at):
                    return False
                await connection.execute(insert(ORDER).values(row))
                return True

    async def orders(self) -> Sequence[Order]:
        """Return the orders of the last days and all that are not carried out, oldest first."""
        newest = select(ORDER.decided_at).order_by(ORDER.decided_at.desc()).limit(1)
        recent = ORDER.decided_at > newest.scalar_subquery() - TOLD_FOR
        query = (
            select(*ORDER.__table__.columns)
            .where(or_(ORDER.done_at.is_(None), recent))
            .order_by(ORDER.decided_at, ORDER.id)
        )
        async with asking(self._engine) as connection:
            return [_order(each) for each in await connection.execute(query)]

    async def carried_out(
        self, order: Order, *, announcement: Announcement, actor: Actor, at: datetime
    ) -> None:
        """Write down that callers hear it, with its entry; its upload waits no longer."""
        details = {"proposed_by": order.proposed_by, "decided_by": order.decided_by}
        if announcement.active_from is not None:
            details["valid_from"] = announcement.active_from.isoformat()
        entry = _entry("activated", announcement, actor=actor, at=at, details=details)
        with translated():
            async with self._engine.begin() as connection:
                done = update(ORDER).where(ORDER.id == order.id).values(done_at=at)
                await connection.execute(done)
                ids = [order.announcement_id, announcement.id]
                await connection.execute(delete(UPLOAD).where(UPLOAD.id.in_(ids)))
                await trail.append(connection, [entry])

    async def failed(self, order: Order, *, problem: str, actor: Actor, at: datetime) -> None:
        """Write down that it cannot be done, with its entry."""
        entry = AuditEvent(
            action="announcement:not_activated",
            at=at,
            actor=actor,
            subject=f"announcement:{order.announcement_id}",
            details={"proposed_by": order.proposed_by, "decided_by": order.decided_by},
        )
        values = {"done_at": at, "problem": clean(problem)}
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(update(ORDER).where(ORDER.id == order.id).values(values))
                await trail.append(connection, [entry])


def _entry(
    act: str,
    announcement: Announcement,
    *,
    actor: Actor,
    at: datetime,
    details: dict[str, str] | None = None,
) -> AuditEvent:
    kind = f"{announcement.layer.value}, {announcement.language}"
    return AuditEvent(
        action=f"announcement:{act}",
        at=at,
        actor=actor,
        subject=f"announcement:{announcement.id}",
        details={"kind": kind, "sha256": announcement.sha256} | (details or {}),
    )


def _announcement(row: Row[Any]) -> Announcement:
    return Announcement(
        id=AnnouncementId(row.id),
        layer=Layer(row.layer),
        language=row.language,
        text=row.text,
        sha256=row.sha256,
        length_ms=row.length_ms,
        level_dbfs=row.level_dbfs,
        added_at=row.added_at,
    )


def _order(row: Row[Any]) -> Order:
    return Order(
        id=ApprovalId(row.id),
        announcement_id=AnnouncementId(row.announcement_id),
        proposed_by=row.proposed_by,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        active_from=row.active_from,
        done_at=row.done_at,
        problem=row.problem,
    )
