"""The register of authorisations and contractors' openings in PostgreSQL."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.accounts.model import AccountId, Role
from recorder.adapters.postgres import tables_access as tables
from recorder.adapters.postgres import tables_audit, trail
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.authorisations.model import (
    Authorisation,
    AuthorisationId,
    ContractorAccess,
    Scan,
    ScanKind,
)
from recorder.authorisations.ports import Events

PAPER, NUMBER = tables.AuthorisationTable, tables.AuthorisationNumberTable
SCAN, ACCESS, SESSION = (
    tables.AuthorisationScanTable,
    tables.ContractorAccessTable,
    tables.SessionTable,
)
ENTRY, PERSONAL = tables_audit.AuditEventTable, tables_audit.AuditPersonalTable
SUBJECT = "authorisation:"
LAPSED = "contractor_access_closed"


class PostgresPapers:
    """See ``recorder.authorisations.ports`` for the promises of ``Papers``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def propose(self, authorisation: Authorisation, events: Events) -> None:
        """Enter a proposal, which has no number."""
        row = {name: getattr(authorisation, name) for name in Authorisation.__dataclass_fields__}
        row["roles"] = sorted(each.value for each in authorisation.roles)
        row["name"], row["post"] = clean(authorisation.name), clean(authorisation.post)
        if authorisation.lines is not None:
            row["lines"] = [clean(each) for each in authorisation.lines]
        else:
            # JSON knows a null of its own, which is not absence.
            del row["lines"]
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(insert(PAPER).values(row))
                await trail.append(connection, events)

    async def grant(
        self,
        authorisation_id: AuthorisationId,
        *,
        by: AccountId,
        at: datetime,
        year: int,
        events: Events,
    ) -> int | None:
        """Give the proposal its number, gapless in its year; None if it is decided already."""
        with translated():
            async with self._engine.begin() as connection:
                waits = await connection.scalar(
                    select(PAPER.id)
                    .where(
                        PAPER.id == authorisation_id,
                        PAPER.granted_at.is_(None),
                        PAPER.refused_at.is_(None),
                    )
                    .with_for_update()
                )
                if waits is None:
                    return None
                number = await _next_number(connection, year)
                await connection.execute(
                    update(PAPER)
                    .where(PAPER.id == authorisation_id)
                    .values(year=year, number=number, granted_by=by, granted_at=at)
                )
                await trail.append(connection, events)
                return number

    async def refuse(
        self, authorisation_id: AuthorisationId, *, at: datetime, events: Events
    ) -> bool:
        """Refuse a proposal; False if it is decided already."""
        undecided = (PAPER.granted_at.is_(None), PAPER.refused_at.is_(None))
        return await self._set(authorisation_id, undecided, {"refused_at": at}, events)

    async def revoke(
        self, authorisation_id: AuthorisationId, *, by: AccountId, at: datetime, events: Events
    ) -> bool:
        """Revoke a granted one; False if it is revoked already or was never granted."""
        granted = (PAPER.granted_at.is_not(None), PAPER.revoked_at.is_(None))
        return await self._set(
            authorisation_id, granted, {"revoked_at": at, "revoked_by": by}, events
        )

    async def review(
        self, authorisation_id: AuthorisationId, *, at: datetime, events: Events
    ) -> None:
        """Note that somebody said that it is still needed."""
        await self._set(authorisation_id, (), {"reviewed_at": at}, events)

    async def get(self, authorisation_id: AuthorisationId) -> Authorisation | None:
        """Return one, or None."""
        return next(iter(await self._where(PAPER.id == authorisation_id)), None)

    async def numbered(self, year: int, number: int) -> Authorisation | None:
        """Return one by the number people use, or None."""
        found = await self._where(PAPER.year == year, PAPER.number == number)
        return next(iter(found), None)

    async def of(self, account_id: AccountId) -> Sequence[Authorisation]:
        """Return everything ever granted or proposed to a person."""
        return await self._where(PAPER.account_id == account_id)

    async def all(self) -> Sequence[Authorisation]:
        """Return the whole register, proposals first, then by number, newest first."""
        return await self._where()

    async def attach(self, scan: Scan, events: Events) -> None:
        """Enter a signed scan."""
        row = {name: getattr(scan, name) for name in Scan.__dataclass_fields__}
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(insert(SCAN).values(row | {"kind": scan.kind.value}))
                await trail.append(connection, events)

    async def scans(self, authorisation_id: AuthorisationId) -> Sequence[Scan]:
        """Return the scans of one authorisation."""
        query = (
            select(*(getattr(SCAN, name) for name in Scan.__dataclass_fields__))
            .where(SCAN.authorisation_id == authorisation_id)
            .order_by(SCAN.id)
        )
        async with asking(self._engine) as connection:
            rows = (await connection.execute(query)).mappings()
            return [Scan(**{**row, "kind": ScanKind(row["kind"])}) for row in rows]

    async def scanned(self, ids: Collection[AuthorisationId]) -> Collection[AuthorisationId]:
        """Return which of these authorisations have a scan."""
        query = select(SCAN.authorisation_id).where(SCAN.authorisation_id.in_(ids)).distinct()
        async with asking(self._engine) as connection:
            return set(await connection.scalars(query))

    async def reasons(self, ids: Collection[AuthorisationId]) -> Mapping[AuthorisationId, str]:
        """Return why each of these was revoked, as far as the trail still keeps it."""
        query = (
            select(ENTRY.subject, PERSONAL.data)
            .join(PERSONAL, PERSONAL.seq == ENTRY.seq)
            .where(
                ENTRY.action == "authorisation:revoked",
                ENTRY.subject.in_([f"{SUBJECT}{each}" for each in ids]),
            )
        )
        async with asking(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return {
            AuthorisationId(UUID(row.subject.removeprefix(SUBJECT))): json.loads(row.data)["reason"]
            for row in rows
        }

    async def note(self, events: Events) -> None:
        """Write entries about an act that changes no row. Raises ``TrailUnavailable``."""
        with translated():
            async with self._engine.begin() as connection:
                await trail.append(connection, events)

    async def _set(
        self,
        authorisation_id: AuthorisationId,
        conditions: Sequence[Any],
        values: dict[str, Any],
        events: Events,
    ) -> bool:
        with translated():
            async with self._engine.begin() as connection:
                done = await connection.execute(
                    update(PAPER).where(PAPER.id == authorisation_id, *conditions).values(values)
                )
                if done.rowcount != 1:
                    return False
                await trail.append(connection, events)
                return True

    async def _where(self, *conditions: Any) -> list[Authorisation]:  # noqa: ANN401 - SQL expressions
        query = (
            select(*(getattr(PAPER, name) for name in Authorisation.__dataclass_fields__))
            .where(*conditions)
            .order_by(PAPER.year.desc().nulls_first(), PAPER.number.desc(), PAPER.id.desc())
        )
        async with asking(self._engine) as connection:
            rows = (await connection.execute(query)).mappings()
            return [_paper(row) for row in rows]


class PostgresContractorAccesses:
    """See ``recorder.authorisations.ports`` for the promises of ``ContractorAccesses``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def open(self, access: ContractorAccess, events: Events) -> None:
        """Enter an opening; an earlier one of the same account is closed."""
        row = {name: getattr(access, name) for name in ContractorAccess.__dataclass_fields__}
        row["contract"], row["reason"] = clean(access.contract), clean(access.reason)
        with translated():
            async with self._engine.begin() as connection:
                await _close(connection, access.account_id, at=access.opened_at)
                await connection.execute(insert(ACCESS).values(row))
                await trail.append(connection, events)

    async def close(self, account_id: AccountId, *, at: datetime, events: Events) -> bool:
        """Close what is open, and end the account's sessions; False if nothing was."""
        with translated():
            async with self._engine.begin() as connection:
                if not await _close(connection, account_id, at=at):
                    return False
                await connection.execute(
                    update(SESSION)
                    .where(SESSION.account_id == account_id, SESSION.ended_at.is_(None))
                    .values(ended_at=at, ending=LAPSED)
                )
                await trail.append(connection, events)
                return True

    async def note(self, *, at: datetime, events: Events) -> int:
        """Mark every opening not noted before; return how many."""
        statement = update(ACCESS).where(ACCESS.noted_at.is_(None), ACCESS.opened_at <= at)
        with translated():
            async with self._engine.begin() as connection:
                noted = (await connection.execute(statement.values(noted_at=at))).rowcount
                if noted:
                    await trail.append(connection, events)
                return noted

    async def accesses_of(self, account_id: AccountId) -> Sequence[ContractorAccess]:
        """Return every opening of one account, newest first."""
        return await self._where(ACCESS.account_id == account_id)

    async def accesses(self) -> Sequence[ContractorAccess]:
        """Return every opening, newest first."""
        return await self._where()

    async def _where(self, *conditions: Any) -> list[ContractorAccess]:  # noqa: ANN401 - SQL expressions
        query = (
            select(*(getattr(ACCESS, name) for name in ContractorAccess.__dataclass_fields__))
            .where(*conditions)
            .order_by(ACCESS.opened_at.desc())
        )
        async with asking(self._engine) as connection:
            rows = (await connection.execute(query)).mappings()
            return [ContractorAccess(**row) for row in rows]


async def _next_number(connection: AsyncConnection, year: int) -> int:
    """Return the next number; its row stays locked until the transaction ends, so no gap."""
    statement = (
        insert(NUMBER)
        .values(year=year, last=1)
        .on_conflict_do_update(index_elements=["year"], set_={"last": NUMBER.last + 1})
        .returning(NUMBER.last)
    )
    return int(await connection.scalar(statement) or 0)


async def _close(connection: AsyncConnection, account_id: AccountId, *, at: datetime) -> bool:
    done = await connection.execute(
        update(ACCESS)
        .where(ACCESS.account_id == account_id, ACCESS.closed_at.is_(None), ACCESS.until > at)
        .values(closed_at=func.greatest(at, ACCESS.opened_at))
    )
    return done.rowcount > 0


def _paper(row: RowMapping) -> Authorisation:
    values = dict(row)
    values["roles"] = frozenset(Role(each) for each in row["roles"])
    values["lines"] = None if row["lines"] is None else tuple(row["lines"])
    return Authorisation(**values)
