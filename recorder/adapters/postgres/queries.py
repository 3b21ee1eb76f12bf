"""Reading calls and recordings: by number in any spelling, day, and hour with a window (R7.5)."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    and_,
    false,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from recorder.adapters.postgres import by_digits, tables
from recorder.adapters.postgres.cleaning import clean
from recorder.adapters.postgres.connect import asking
from recorder.adapters.postgres.rows import (
    CallDetails,
    CallRow,
    IncidentRow,
    OutcomeCount,
    PlayedRow,
    RecordingRow,
    TombstoneRow,
)
from recorder.adapters.postgres.tables_keeping import TombstoneTable
from recorder.erasure.model import Stage
from recorder.model import Outcome, Reason
from recorder.phone_numbers import DIGITS, beginnings, normalise

WITHHELD = "withheld"
"""What is searched for a caller who sent no number."""

FIRST, LAST = datetime(1, 1, 1), datetime(9999, 12, 31)  # noqa: DTZ001 - the office's wall clock
CALL, RECORDING = tables.CallTable, tables.RecordingTable
TOMBSTONE = TombstoneTable
PLAYED, INCIDENT = tables.AnnouncementPlayedTable, tables.IncidentTable
KEPT = RECORDING.stage == Stage.KEPT.value
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What a person knows of a call. Everything given must hold."""

    caller: str | None = None
    """In any usual spelling, or ``withheld``."""
    called: str | None = None
    day: date | None = None
    """In the office's zone."""
    hour: time | None = None
    """Counts only with a day."""
    window: timedelta = timedelta(minutes=60)
    """How far from ``hour`` a call may be, both ways (R7.5a)."""
    caller_begins: str | None = None
    """The first digits of a caller, in any usual spelling."""
    caller_ends: str | None = None
    """The last digits of a caller."""
    employee: str | None = None
    """An extension or endpoint of the office that answered (R4.2b)."""
    outcome: Outcome | None = None
    reason: Reason | None = None
    after: "Place | None" = None
    """Where the page before ended."""
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in the order of calls, newest first."""

    arrived_at: datetime
    call_id: UUID


async def find_calls(
    engine: AsyncEngine, criteria: Criteria, *, office_zone: ZoneInfo
) -> Sequence[CallRow]:
    """Return calls, newest first, each with the id of its recording if it has one."""
    return await _fetch(engine, _calls(CallRow, criteria, office_zone), CallRow)


async def find_recordings(
    engine: AsyncEngine, criteria: Criteria, *, office_zone: ZoneInfo
) -> Sequence[RecordingRow]:
    """Return recordings with who called whom and when, newest first."""
    query = recording_search_statement(criteria, office_zone=office_zone)
    return await _fetch(engine, query, RecordingRow)


async def get_call(engine: AsyncEngine, call_id: UUID) -> CallDetails | None:
    """Return one call, None if there is none."""
    query = _with_recording(CallDetails).where(CALL.id == call_id)
    found = await _fetch(engine, query, CallDetails)
    return found[0] if found else None


async def get_recording(engine: AsyncEngine, recording_id: UUID) -> RecordingRow | None:
    """Return one recording, None if there is none."""
    found = await _fetch(engine, _recordings().where(RECORDING.id == recording_id), RecordingRow)
    return found[0] if found else None


async def get_tombstone(engine: AsyncEngine, recording_id: UUID) -> TombstoneRow | None:
    """Return what is left of an erased recording, None if there is no such tombstone."""
    query = select(*_columns(TombstoneRow, TOMBSTONE)).where(TOMBSTONE.recording_id == recording_id)
    found = await _fetch(engine, query, TombstoneRow)
    return found[0] if found else None


async def recordings_of(
    connection: AsyncConnection, call_ids: Sequence[UUID]
) -> Sequence[RecordingRow]:
    """Return the recordings of these calls."""
    return await _read(connection, _recordings().where(CALL.id.in_(call_ids)), RecordingRow)


async def tombstones_of(
    connection: AsyncConnection, call_ids: Sequence[UUID]
) -> Sequence[TombstoneRow]:
    """Return what is left of the erased recordings of these calls."""
    query = select(*_columns(TombstoneRow, TOMBSTONE)).where(TOMBSTONE.call_id.in_(call_ids))
    return await _read(connection, query, TombstoneRow)


async def recordings_after(
    engine: AsyncEngine, after: UUID | None, *, limit: int
) -> Sequence[RecordingRow]:
    """Return kept recordings in the order of ids, from behind ``after``; None = from the first.

    Reading all of them this way misses none, whatever is sealed meanwhile.
    """
    query = _recordings().where(KEPT).order_by(RECORDING.id).limit(limit)
    if after is not None:
        query = query.where(RECORDING.id > after)
    return await _fetch(engine, query, RecordingRow)


async def count_recordings(engine: AsyncEngine) -> int:
    """Return how many recordings are kept."""
    query = select(func.count()).select_from(RECORDING).where(KEPT)
    async with asking(engine) as connection:
        return await connection.scalar(query) or 0


async def announcements_of(engine: AsyncEngine, call_id: UUID) -> Sequence[PlayedRow]:
    """Return the proof of announcement of one call, in order (R8.2c)."""
    query = select(*_columns(PlayedRow, PLAYED)).where(PLAYED.call_id == call_id)
    return await _fetch(engine, query.order_by(PLAYED.position), PlayedRow)


async def incidents_of(engine: AsyncEngine, call_id: UUID) -> Sequence[IncidentRow]:
    """Return the incidents of one call."""
    query = select(*_columns(IncidentRow, INCIDENT)).where(INCIDENT.call_id == call_id)
    return await _fetch(engine, query.order_by(INCIDENT.at, INCIDENT.id), IncidentRow)


async def count_outcomes(engine: AsyncEngine, *, since: datetime) -> Sequence[OutcomeCount]:
    """Return how many calls arrived since an instant, by outcome and reason."""
    query = (
        select(CALL.outcome, CALL.reason, func.count().label("calls"))
        .where(CALL.arrived_at >= since)
        .group_by(CALL.outcome, CALL.reason)
        .order_by(CALL.outcome.desc(), func.count().desc())
    )
    return await _fetch(engine, query, OutcomeCount)


def search_statement(criteria: Criteria, *, office_zone: ZoneInfo) -> Select[Any]:
    """Return the statement of ``find_calls``, so that its plan can be looked at."""
    return _calls(CallRow, criteria, office_zone)


def recording_search_statement(criteria: Criteria, *, office_zone: ZoneInfo) -> Select[Any]:
    """Return the statement of ``find_recordings``."""
    return _page(_recordings(), criteria, office_zone, recorded=True)


def _calls(kind: type[CallRow], criteria: Criteria, office_zone: ZoneInfo) -> Select[Any]:
    return _page(_with_recording(kind), criteria, office_zone, recorded=False)


def _with_recording(kind: type[CallRow]) -> Select[Any]:
    query = select(
        *_columns(kind, CALL), RECORDING.id.label("recording_id"), RECORDING.erase_by
    ).outerjoin(RECORDING, RECORDING.call_id == CALL.id)
    return query.select_from(CALL)


def _recordings() -> Select[Any]:
    of_call = (CALL.arrived_at, CALL.caller_number, CALL.line, CALL.answered_by)
    query = select(*_columns(RecordingRow, RECORDING), *of_call)
    return query.join(CALL, RECORDING.call_id == CALL.id)


def _page(
    query: Select[Any], criteria: Criteria, office_zone: ZoneInfo, *, recorded: bool
) -> Select[Any]:
    conditions = _conditions(criteria, office_zone)
    digits = _digits(criteria)
    if not all(each.any_of for each in digits):
        # What is no number matches nothing.
        return query.where(false()).limit(0)
    if digits and criteria.caller is None and criteria.called is None:
        first, *others = digits
        after = criteria.after
        page = by_digits.newest(
            first,
            [*conditions, *(each.plain for each in others)],
            after=None if after is None else (after.arrived_at, after.call_id),
            bounded=criteria.day is not None,
            recorded=recorded,
            limit=criteria.limit,
            offset=criteria.offset,
        )
        found = query.join(page, page.c.id == CALL.id)
        return found.order_by(page.c.arrived_at.desc(), page.c.id.desc())
    conditions += [each.plain for each in digits]
    if criteria.after is not None:
        place = tuple_(CALL.arrived_at, CALL.id)
        conditions.append(place < tuple_(criteria.after.arrived_at, criteria.after.call_id))
    # Two calls of one instant keep their order from page to page.
    return (
        query.where(*conditions)
        .order_by(CALL.arrived_at.desc(), CALL.id.desc())
        .limit(criteria.limit)
        .offset(criteria.offset)
    )


def _columns(kind: type[Any], table: type[tables.Base]) -> list[ColumnElement[Any]]:
    wanted = {each.name for each in fields(kind)}
    return [each for each in table.__table__.columns if each.name in wanted]


async def _fetch(engine: AsyncEngine, query: Executable, kind: type[Found]) -> list[Found]:
    async with asking(engine) as connection:
        return await _read(connection, query, kind)


async def _read(connection: AsyncConnection, query: Executable, kind: type[Found]) -> list[Found]:
    return [kind(**row) for row in (await connection.execute(query)).mappings()]


def _conditions(criteria: Criteria, office_zone: ZoneInfo) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if criteria.caller is not None:
        conditions.append(_caller(criteria.caller))
    if criteria.called is not None:
        conditions.append(_number(CALL.line, CALL.line_e164, criteria.called))
    if criteria.employee is not None:
        wanted = clean(criteria.employee)
        conditions.append(or_(CALL.answered_by == wanted, CALL.parties.contains([wanted])))
    if criteria.outcome is not None:
        conditions.append(CALL.outcome == criteria.outcome.value)
    if criteria.reason is not None:
        conditions.append(CALL.reason == criteria.reason.value)
    if criteria.day is not None:
        since, until = _between(criteria.day, criteria, office_zone)
        conditions.append(and_(CALL.arrived_at >= since, CALL.arrived_at < until))
    return conditions


def _digits(criteria: Criteria) -> list[by_digits.Digits]:
    """Return the digits looked for, the longest first."""
    wanted = []
    if criteria.caller_begins is not None:
        begun = beginnings(criteria.caller_begins)
        # 484 is 48484… or 484…, and the one is among the other.
        begun = [each for each in begun if not each.startswith(tuple({*begun} - {each}))]
        wanted.append(by_digits.Digits(any_of=tuple(begun), at_the_end=False))
    if criteria.caller_ends is not None:
        end = "".join(each for each in criteria.caller_ends if each in DIGITS)
        wanted.append(by_digits.Digits(any_of=(end,) if end else (), at_the_end=True))
    return sorted(wanted, key=lambda each: max(map(len, each.any_of), default=99), reverse=True)


def _caller(wanted: str) -> ColumnElement[bool]:
    if wanted == WITHHELD:
        return cast("ColumnElement[bool]", tables.IS_WITHHELD)
    return _number(CALL.caller_number, CALL.caller_e164, wanted)


def _number(raw: Any, e164: Any, wanted: str) -> ColumnElement[bool]:  # noqa: ANN401 - columns
    # The shape of the partial indexes in tables.py, and then the whole text. The length is part
    # of the index's expression: as a parameter it would match no index.
    wanted = clean(wanted)
    length: ColumnElement[int] = literal_column(str(tables.INDEXED_CHARACTERS))
    start = func.left(raw, length) == wanted[: tables.INDEXED_CHARACTERS]
    exact = and_(e164.is_(None), start, raw == wanted)
    public = normalise(wanted)
    return or_(exact, e164 == public) if public else exact


def _between(day: date, criteria: Criteria, office_zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return since (included) and until (excluded), UTC.

    An hour that the clock shows twice means both; what lies outside the calendar of ``datetime``
    is cut to it.
    """
    about = datetime.combine(day, criteria.hour or time())
    before = after = timedelta()
    if criteria.hour is None:
        after = timedelta(days=1)
    else:
        before, after = criteria.window, criteria.window + timedelta(minutes=1)
    since, until = _later(about, -before), _later(about, after)
    return min(_instants(since, office_zone)), max(_instants(until, office_zone))


def _later(local: datetime, by: timedelta) -> datetime:
    try:
        return local + by
    except OverflowError:
        return LAST if by > timedelta() else FIRST


def _instants(local: datetime, office_zone: ZoneInfo) -> list[datetime]:
    """Return the instants at which the office's clock shows this: two when it is set back."""
    try:
        return [
            local.replace(tzinfo=office_zone, fold=fold).astimezone(UTC) for fold in (False, True)
        ]
    except OverflowError:
        return [local.replace(tzinfo=UTC)]
