"""What was heard of a recording, told from what was sent of it: never more than was listened to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from recorder.accounts.model import AccountId, SessionId
from recorder.authorisations.model import AuthorisationId
from recorder.model import RecordingId

PlaybackId = NewType("PlaybackId", UUID)
"""UUIDv7 of one playback: one person, one recording, one purpose."""

OVER_AFTER = timedelta(minutes=10)
"""A playback of which nothing was asked for so long is over; listening on takes a new one."""

Part = tuple[int, int]
"""Bytes from the first up to but not including the second."""


class Over(StrEnum):
    """Why a playback ended."""

    CLOSED = "closed"
    """By the listener."""
    IDLE = "idle"
    REFUSED = "refused"
    """The right to it ended while it was going on (R8.1b)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """One listening, with the ground that was given beforehand (R3.1a)."""

    id: PlaybackId
    recording_id: RecordingId
    account_id: AccountId
    session_id: SessionId | None
    """It plays in this session alone; None = a program's."""
    purpose: str
    request: str
    authorisation_id: AuthorisationId | None
    opened_at: datetime
    served_at: datetime
    """When something of it was last sent."""
    ended_at: datetime | None = None
    heard: tuple[Part, ...] = ()
    """What was sent, in order, without overlap."""

    def is_over(self, now: datetime) -> bool:
        """Tell whether nothing more is sent of it."""
        return self.ended_at is not None or now - self.served_at >= OVER_AFTER


def with_part(heard: Sequence[Part], part: Part) -> tuple[Part, ...]:
    """Return what is heard with one part more: what is heard twice counts once.

    >>> with_part([(0, 10), (20, 30)], (5, 20))
    ((0, 30),)
    >>> with_part([(0, 10)], (15, 15))
    ((0, 10),)
    """
    joined: list[Part] = []
    for start, end in sorted([*heard, part]):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def seconds_of(heard: Sequence[Part], *, bytes_a_second: int) -> float:
    """Return how many different seconds were heard."""
    return sum(end - start for start, end in heard) / bytes_a_second
