"""Proposals that wait for a second person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.adapters.postgres import trail
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.tables_keeping import ApprovalTable
from recorder.approvals import events
from recorder.approvals.model import Action, Answer, Approval, ApprovalId, signature
from recorder.audit.event import Actor

COLUMNS = tuple(ApprovalTable.__table__.columns)


class PostgresApprovals:
    """See ``recorder.approvals.ports.Approvals`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def propose(self, approval: Approval, *, actor: Actor) -> bool:
        """Write a proposal down, with its entry. False if one waits for the same thing."""
        row = {
            "id": approval.id,
            "action": approval.action.value,
            "subject": approval.subject,
            "proposed_by": approval.proposed_by,
            "proposed_at": approval.proposed_at,
            "reason": clean(approval.reason),
            "reference": clean(approval.reference),
            "wanted": dict(approval.wanted),
            "decided_by": "",
        }
        with translated():
            async with self._engine.begin() as connection:
                written = await connection.execute(
                    insert(ApprovalTable)
                    .values(row)
                    .on_conflict_do_nothing()
                    .returning(ApprovalTable.id)
                )
                if written.first() is None:
                    return False
                await trail.append(connection, [events.proposed(approval, actor=actor)])
                return True

    async def get(self, approval_id: ApprovalId) -> Approval | None:
        """Return one proposal, None if there is none."""
        found = await self._find(ApprovalTable.id == approval_id)
        return found[0] if found else None

    async def waiting(self) -> Sequence[Approval]:
        """Return what waits, oldest first."""
        return await self._find(ApprovalTable.decided_at.is_(None))

    async def waiting_for(self, action: Action, subject: UUID) -> Approval | None:
        """Return what waits for this very thing."""
        found = await self._find(
            ApprovalTable.decided_at.is_(None),
            ApprovalTable.action == action.value,
            ApprovalTable.subject == subject,
        )
        return found[0] if found else None

    async def refuse(self, approval_id: ApprovalId, *, actor: Actor, at: datetime) -> bool:
        """Answer no, with its entry. False if it is answered already."""
        with translated():
            async with self._engine.begin() as connection:
                return await answer(connection, approval_id, Answer.REFUSED, actor=actor, at=at)

    async def _find(self, *conditions: Any) -> Sequence[Approval]:  # noqa: ANN401 - columns
        query = select(*COLUMNS).where(*conditions).order_by(ApprovalTable.proposed_at)
        async with asking(self._engine) as connection:
            return [_approval(each) for each in await connection.execute(query)]


async def answer(
    connection: AsyncConnection,
    approval_id: ApprovalId,
    said: Answer,
    *,
    actor: Actor,
    at: datetime,
) -> bool:
    """Answer a proposal in the caller's transaction. False if it is answered already."""
    written = await connection.execute(
        update(ApprovalTable)
        .where(ApprovalTable.id == approval_id, ApprovalTable.decided_at.is_(None))
        .values(answer=said.value, decided_by=signature(actor), decided_at=at)
        .returning(*COLUMNS)
    )
    row = written.first()
    if row is None:
        return False
    await trail.append(connection, [events.answered(_approval(row), actor=actor, at=at)])
    return True


def _approval(row: Row[Any]) -> Approval:
    return Approval(
        id=ApprovalId(row.id),
        action=Action(row.action),
        subject=row.subject,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        reason=row.reason,
        reference=row.reference,
        wanted=row.wanted,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        answer=None if row.answer is None else Answer(row.answer),
    )
