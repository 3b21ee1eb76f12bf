"""Does anything look wrong enough to stop a purge and ask a person (P5, F12)?

Volume alone never stops a purge: after an outage much is due, and the 30 days bind all the same.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LARGEST_JUMP = timedelta(hours=1)
"""A clock may differ by so much from one that never jumps."""

YOUNGER_BY = timedelta(hours=1)
"""A file is written before its row; so much later it is another file, or the row's day is wrong."""


MOST_ORPHANS = 20
"""More files without rows in one run look like lost rows, not like lost files."""


LARGE = 1_000
"""More than a busy office records in days: told, and erased all the same."""


class Brake(StrEnum):
    """What stops a purge until a person confirms it."""

    CLOCK_JUMP = "clock_jump"
    """The clock has jumped, or nobody vouches for it after a start of the machine."""
    HOLDS_VANISHED = "holds_vanished"
    """A hold that stood at the last run stands no more, and the trail knows of no end."""
    FILE_YOUNGER = "file_younger"
    """An audio file is younger than its row says."""
    MANY_ORPHANS = "many_orphans"
    """So many files have no row that the rows may be what is missing; no orphan is erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """One reading of the machine's clocks."""

    at: datetime
    """Wall clock, UTC."""
    boot_id: str
    """Of this start of this machine; another one means that ``boot_s`` started anew."""
    boot_s: float
    """Seconds since that start, sleep included; never jumps."""


class Doubt(StrEnum):
    """Why the wall clock may be wrong about what is due."""

    NONE = "none"
    JUMPED = "jumped"
    NO_WITNESS = "no_witness"
    """The machine was started since, and its kernel does not say that its clock is kept."""


def doubt_of_clock(*, last: Instant | None, this: Instant, synchronised: bool) -> Doubt:
    """Tell whether the wall clock can be trusted to say what is due (F12).

    Within one start of the machine the two clocks must agree. Across starts there is no witness,
    so the kernel must say that the clock is synchronised, and time must not run backwards.
    """
    if last is None or last.boot_id != this.boot_id:
        if last is not None and this.at < last.at - LARGEST_JUMP:
            return Doubt.JUMPED
        return Doubt.NONE if synchronised else Doubt.NO_WITNESS
    by_wall = this.at - last.at
    by_witness = timedelta(seconds=this.boot_s - last.boot_s)
    return Doubt.JUMPED if abs(by_wall - by_witness) > LARGEST_JUMP else Doubt.NONE


def vanished(
    *, stood: Collection[str], stand: Collection[str], ended_in_trail: Collection[str]
) -> frozenset[str]:
    """Return the holds that stood at the last run and are gone without a word."""
    return frozenset(stood) - frozenset(stand) - frozenset(ended_in_trail)


def file_is_younger(*, written_at: datetime, sealed_at: datetime) -> bool:
    """Tell whether a file was written after its row says that it was sealed."""
    return written_at > sealed_at + YOUNGER_BY


def is_large(due: int) -> bool:
    """Tell whether so much is due at once that a person should hear of it."""
    return due > LARGE


def are_many_orphans(*, orphans: int, rows: int) -> bool:
    """Tell whether files without rows look like rows that were lost."""
    return orphans > 0 and (rows == 0 or orphans > MOST_ORPHANS)
