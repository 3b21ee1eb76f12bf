"""Playbacks in PostgreSQL, each change of standing with its entry."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.access.listening import BYTES_A_SECOND
from recorder.access.playback import Part, Playback, PlaybackId, seconds_of
from recorder.accounts.model import AccountId, SessionId
from recorder.adapters.postgres import trail
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking, translated
from recorder.adapters.postgres.holds import STANDS, fetch
from recorder.adapters.postgres.tables_keeping import HoldTable
from recorder.adapters.postgres.tables_web import PlaybackTable
from recorder.audit.event import AuditEvent
from recorder.authorisations.model import AuthorisationId
from recorder.holds.rules import is_restricted
from recorder.model import RecordingId

PLAYBACK = PlaybackTable


class PostgresPlaybacks:
    """See ``recorder.access.listening.Playbacks`` for the promises."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def open(self, playback: Playback, entry: AuditEvent) -> bool:
        """Keep a playback with its entry; False when the recording may not be heard at all."""
        row: dict[str, Any] = {
            "id": playback.id,
            "recording_id": playback.recording_id,
            "account_id": playback.account_id,
            "session_id": playback.session_id,
            "purpose": clean(playback.purpose),
            "request": clean(playback.request),
            "authorisation_id": playback.authorisation_id,
            "opened_at": playback.opened_at,
            "served_at": playback.served_at,
            "heard": [],
            "heard_seconds": 0.0,
        }
        with translated():
            async with self._engine.begin() as connection:
                if await _restricted(connection, playback.recording_id):
                    return False
                await connection.execute(insert(PLAYBACK).values(row))
                await trail.append(connection, [entry])
        return True

    async def restricted(self, recording_id: RecordingId) -> bool:
        """Tell whether a recording may not be heard while a right is weighed (R8.3b)."""
        async with asking(self._engine) as connection:
            return await _restricted(connection, recording_id)

    async def require_trail(self) -> None:
        """Raise ``TrailUnavailable`` where what is heard could not be noted (RG.15)."""
        async with asking(self._engine) as connection:
            await trail.require_open(connection)

    async def get(self, playback_id: PlaybackId) -> Playback | None:
        """Return one, None if there is none."""
        found = await self._fetch(_select().where(PLAYBACK.id == playback_id))
        return found[0] if found else None

    async def heard(
        self, playback_id: PlaybackId, add: Callable[[Sequence[Part]], Sequence[Part]], at: datetime
    ) -> None:
        """Change what was heard of one, under its lock."""
        with translated():
            async with self._engine.begin() as connection:
                query = select(PLAYBACK.heard).where(PLAYBACK.id == playback_id).with_for_update()
                row = (await connection.execute(query)).first()
                if row is None:
                    return
                heard = add([(start, end) for start, end in row.heard])
                values = {
                    "heard": [list(each) for each in heard],
                    "heard_seconds": seconds_of(heard, bytes_a_second=BYTES_A_SECOND),
                    "served_at": at,
                }
                await connection.execute(
                    update(PLAYBACK).where(PLAYBACK.id == playback_id).values(values)
                )

    async def end(
        self, playback_id: PlaybackId, *, at: datetime, entry: Callable[[Playback], AuditEvent]
    ) -> bool:
        """End one with its entry; False if it has ended."""
        claim = (
            update(PLAYBACK)
            .where(PLAYBACK.id == playback_id, PLAYBACK.ended_at.is_(None))
            .values(ended_at=at)
            .returning(*PLAYBACK.__table__.columns)
        )
        with translated():
            async with self._engine.begin() as connection:
                row = (await connection.execute(claim)).first()
                if row is None:
                    return False
                await trail.append(connection, [entry(_playback(row))])
                return True

    async def idle_since(self, before: datetime) -> Sequence[Playback]:
        """Return those not ended of which nothing was sent since."""
        query = _select().where(PLAYBACK.ended_at.is_(None), PLAYBACK.served_at <= before)
        return await self._fetch(query.order_by(PLAYBACK.served_at).limit(100))

    async def of_recording(self, recording_id: RecordingId) -> Sequence[Playback]:
        """Return who listened to a recording, newest first."""
        query = _select().where(PLAYBACK.recording_id == recording_id)
        return await self._fetch(query.order_by(PLAYBACK.opened_at.desc()).limit(1000))

    async def of_account(
        self, account_id: AccountId, *, before: datetime | None, limit: int
    ) -> Sequence[Playback]:
        """Return what a person listened to, newest first."""
        query = _select().where(PLAYBACK.account_id == account_id)
        if before is not None:
            query = query.where(PLAYBACK.opened_at < before)
        return await self._fetch(query.order_by(PLAYBACK.opened_at.desc()).limit(limit))

    async def _fetch(self, query: Select[Any]) -> list[Playback]:
        async with asking(self._engine) as connection:
            return [_playback(row) for row in await connection.execute(query)]


async def _restricted(connection: AsyncConnection, recording_id: RecordingId) -> bool:
    return is_restricted(await fetch(connection, STANDS, HoldTable.recording_id == recording_id))


def _select() -> Select[Any]:
    return select(*PLAYBACK.__table__.columns)


def _playback(row: Row[Any]) -> Playback:
    return Playback(
        id=PlaybackId(row.id),
        recording_id=RecordingId(row.recording_id),
        account_id=AccountId(row.account_id),
        session_id=SessionId(row.session_id) if row.session_id else None,
        purpose=row.purpose,
        request=row.request,
        authorisation_id=AuthorisationId(row.authorisation_id) if row.authorisation_id else None,
        opened_at=row.opened_at,
        served_at=row.served_at,
        ended_at=row.ended_at,
        heard=tuple((start, end) for start, end in row.heard),
    )
