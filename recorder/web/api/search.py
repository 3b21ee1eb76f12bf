"""What a search may ask for, and how one goes on: in the body, never in the address (A10)."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from recorder.access.model import Ground
from recorder.adapters.postgres.queries import Criteria, Place
from recorder.audit.event import AuditEvent
from recorder.model import Outcome, Reason
from recorder.web.api.routing import Body
from recorder.web.asker import Asker
from recorder.web.problems import Fault, Kind, Problem

FEWEST_DIGITS = 3
MOST_ROWS = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Number = Annotated[str, Field(min_length=1, max_length=64)]
Digits = Annotated[str, Field(min_length=FEWEST_DIGITS, max_length=32, pattern=r"^[0-9 +()/.-]+$")]
LastDigits = Annotated[str, Field(min_length=4, max_length=32, pattern=r"^[0-9 +()/.-]+$")]
Purpose = Annotated[str, Field(max_length=200)]
RequestNumber = Annotated[str, Field(max_length=20)]


class Grounded(Body):
    """Why it is asked: a purpose of § 3.1 word for word, or a request's number."""

    purpose: Purpose = ""
    request: RequestNumber = ""

    @property
    def ground(self) -> Ground:
        """Return it as the rules take it."""
        return Ground(purpose=self.purpose, request=self.request)


class Search(Body):
    """The four fields of § 7.5, and what else is known. Everything given must hold."""

    caller: Number | None = None
    """In any usual spelling, or ``withheld``."""
    caller_begins: Digits | None = None
    caller_ends: LastDigits | None = None
    called: Number | None = None
    day: date | None = None
    """In the office's zone."""
    hour: time | None = None
    """Counts only with a day."""
    window_minutes: Annotated[int, Field(ge=0, le=1440)] = 60
    outcome: Outcome | None = None
    reason: Reason | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 50
    cursor: Annotated[str, Field(max_length=100)] | None = None
    """Where the page before ended; the rest of the search stays the same."""

    @model_validator(mode="after")
    def _hour_has_a_day(self) -> "Search":
        if self.hour is not None and self.day is None:
            raise ValueError("an hour needs its day")
        return self

    def criteria(self, *, employee: str | None = None) -> Criteria:
        """Return the search, for one row more than a page: so it is known whether there is one."""
        return Criteria(
            caller=self.caller,
            caller_begins=self.caller_begins,
            caller_ends=self.caller_ends,
            called=self.called,
            employee=employee,
            day=self.day,
            hour=self.hour.replace(tzinfo=None) if self.hour else None,
            window=timedelta(minutes=self.window_minutes),
            outcome=self.outcome,
            reason=self.reason,
            after=place_of(self.cursor) if self.cursor else None,
            limit=self.limit + 1,
        )

    def entry(self, action: str, asker: Asker, *, ground: Ground | None = None) -> AuditEvent:
        """Return what the trail keeps of the search: by what always, for whom as long as it may."""
        known = self.model_dump(
            mode="json",
            exclude={"limit", "cursor", "window_minutes"},
            exclude_none=True,
        )
        known.pop("purpose", None)
        known.pop("request", None)
        return AuditEvent(
            action=action,
            at=asker.now,
            actor=asker.actor,
            reason=(ground.request or ground.purpose) if ground else "",
            details={"by": ", ".join(sorted(name for name, value in known.items() if value))},
            personal={name: str(value) for name, value in known.items() if value},
        )


def place_of(cursor: str) -> Place:
    """Return the place that a cursor names. Raises ``Problem`` when it is none of ours."""
    try:
        raw = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        moment, call = int.from_bytes(raw[:8], "big"), UUID(bytes=raw[8:])
        return Place(arrived_at=EPOCH + moment * MICROSECOND, call_id=call)
    except (ValueError, OverflowError, binascii.Error):
        fault = Fault("cursor", "is none of ours; begin again")
        raise Problem(kind=Kind.INVALID, faults=(fault,)) from None


def cursor_after(arrived_at: datetime, call_id: UUID) -> str:
    """Return the cursor behind a call. It names an instant and an id, and nothing of anybody.

    >>> at = datetime(2026, 11, 25, tzinfo=UTC)
    >>> place_of(cursor_after(at, UUID(int=7))) == Place(arrived_at=at, call_id=UUID(int=7))
    True
    """
    moment = (arrived_at - EPOCH) // MICROSECOND
    return base64.urlsafe_b64encode(moment.to_bytes(8, "big") + call_id.bytes).decode("ascii")


def next_of(places: Sequence[tuple[datetime, UUID]], limit: int) -> str | None:
    """Return the cursor of the next page; None = this is the last."""
    return cursor_after(*places[limit - 1]) if len(places) > limit else None
