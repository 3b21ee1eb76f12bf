"""The newest calls whose caller's number begins or ends with some digits (R7.5c).

Digits that few calls share are read whole and sorted; for digits that many share one goes back in
time until the page is full. How many share them is counted up to ``FEW``, because the planner's
estimate of it is wrong by orders of magnitude. So neither way reads more than the index entries of
some ten thousand calls, out of ten million.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)

from recorder.adapters.postgres import tables

CALL, RECORDING = tables.CallTable, tables.RecordingTable
FEW = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Digits:
    """The digits at one end of a number, in each way in which one may have meant them."""

    any_of: tuple[str, ...]
    at_the_end: bool

    @property
    def ways(self) -> list[ColumnElement[bool]]:
        """Return the conditions, one a way, in the form in which an index is found."""
        if self.at_the_end:
            return [starts(func.reverse(CALL.caller_e164), each[::-1]) for each in self.any_of]
        return [starts(CALL.caller_e164, each) for each in self.any_of]

    @property
    def plain(self) -> ColumnElement[bool]:
        """Return the same in a form for which no index of digits is taken."""
        end = func.right if self.at_the_end else func.left
        return or_(*(end(CALL.caller_e164, len(each)) == each for each in self.any_of))


def starts(column: Any, start: str) -> ColumnElement[bool]:  # noqa: ANN401 - a column
    """Return that a column starts so, by the operators of the index itself.

    ``LIKE`` with a parameter finds no index once the plan is a general one.
    """
    end = start[:-1] + chr(ord(start[-1]) + 1)
    return and_(column.op("~>=~")(start), column.op("~<~")(end))


def newest(
    digits: Digits,
    conditions: Sequence[ColumnElement[bool]],
    *,
    after: tuple[Any, Any] | None,
    bounded: bool,
    recorded: bool,
    limit: int,
    offset: int,
) -> Subquery:
    """Return ``id`` and ``arrived_at`` of one page, newest first.

    ``conditions`` are the others; ``bounded`` = a day is among them, so that going back in time
    ends soon. ``recorded`` = only calls with a recording.
    """
    place = tuple_(CALL.arrived_at, CALL.id)
    others = list(conditions) if after is None else [*conditions, place < tuple_(*after)]
    if recorded:
        # A question for each row, not a join: nothing else reads all recordings.
        others.append(
            select(literal_column("true"))
            .where(RECORDING.call_id == CALL.id)
            .correlate(CALL)
            .scalar_subquery()
        )
    back_in_time = (
        select(CALL.id, CALL.arrived_at)
        .where(CALL.caller_e164.is_not(None), digits.plain, *others)
        .order_by(CALL.arrived_at.desc(), CALL.id.desc())
        .limit(limit + offset)
    )
    if bounded:
        return _cut(back_in_time.subquery(), limit, offset)
    found = [
        select(CALL.id, CALL.arrived_at).where(CALL.caller_e164.is_not(None), each).limit(FEW + 1)
        for each in digits.ways
    ]
    # Named twice below, and so made once.
    few = union_all(*(select(each.subquery()) for each in found)).cte("few")
    many = select(func.count()).select_from(few).scalar_subquery() > FEW
    whole = select(few.c.id, few.c.arrived_at).where(~many)
    if others:
        whole = whole.join(CALL, CALL.id == few.c.id).where(*others)
    gone_back = back_in_time.subquery()
    either = union_all(whole, select(gone_back.c.id, gone_back.c.arrived_at).where(many)).subquery()
    return _cut(either, limit, offset)


def _cut(found: Subquery, limit: int, offset: int) -> Subquery:
    page = select(found.c.id, found.c.arrived_at)
    page = page.order_by(found.c.arrived_at.desc(), found.c.id.desc())
    return page.limit(limit).offset(offset).subquery()
