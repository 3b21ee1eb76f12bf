"""How big a machine an office needs: plain sums over what was measured. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

AUDIO_BYTES_A_SECOND = 32_000
"""Two sides, 16 bits, 8 kHz; encryption adds 16 bytes to each 64 KiB, which is nothing."""
ROW_BYTES = 6_000
"""A call's row, its recording, its entries in the audit trail and their indexes."""
BUSY_HOUR_SHARE = 0.15
"""Of a day's calls that come in the busiest hour; offices that open at eight see so many."""
CORE_A_CALL = 0.01
"""Part of a core that a recorded call takes while it lasts, both legs with RTP: 0.9 to 1 %."""
CALLS_A_SECOND_A_CORE = 20
"""New calls a second that capture was measured with, sealing beside it."""
PORTS_A_CALL = 4
"""Two legs, RTP and RTCP each."""
SPARE = 1.3
LEAST_FLOOR_BYTES = 2 << 30
FLOOR_S = 1800
MIB, GIB = 1 << 20, 1 << 30
KEPT_DAYS_OF_ROWS = 731


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What an office with so many calls needs."""

    calls_at_once: int
    vault_gib: int
    spool_gib: int
    database_gib: int
    backup_gib: int
    floor_mib: int
    cores: int
    memory_gib: int
    rtp_ports: int


def need(*, calls_a_day: int, mean_minutes: float, days: int) -> Need:
    """Return what so many calls of this mean length need, kept for ``days``.

    >>> need(calls_a_day=500, mean_minutes=4, days=30).vault_gib
    140
    """
    call_bytes = mean_minutes * 60 * AUDIO_BYTES_A_SECOND
    busy_hour = calls_a_day * BUSY_HOUR_SHARE
    # Twice the mean: calls do not come evenly.
    at_once = max(4, ceil(2 * busy_hour * mean_minutes / 60))
    vault = ceil(calls_a_day * days * call_bytes * SPARE / GIB)
    floor = max(LEAST_FLOOR_BYTES, at_once * FLOOR_S * AUDIO_BYTES_A_SECOND)
    # A day of calls fits into the spool while PostgreSQL or the vault is away.
    spool = ceil((floor + calls_a_day * call_bytes * SPARE) / GIB)
    database = max(1, ceil(calls_a_day * KEPT_DAYS_OF_ROWS * ROW_BYTES * SPARE / GIB))
    cores = max(2, ceil(at_once * CORE_A_CALL + busy_hour / 3600 / CALLS_A_SECOND_A_CORE) + 1)
    return Need(
        calls_at_once=at_once,
        vault_gib=vault,
        spool_gib=spool,
        database_gib=database,
        backup_gib=vault + database,
        floor_mib=ceil(floor / MIB),
        cores=cores,
        memory_gib=4 + ceil(at_once / 100),
        rtp_ports=at_once * PORTS_A_CALL,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What one day brings into the vault, or takes out of it, in bytes."""

    freed: Sequence[int]
    """By the end of each day to come, today first."""
    taken_a_day: int


def forecast(stored: int, flow: Flow, *, days: int) -> list[int]:
    """Return how full the vault is at the end of each day to come, today first.

    What the days to come bring is gone only after ``days`` of them, so it stays in the sum.

    >>> forecast(100, Flow(freed=[10, 10, 10], taken_a_day=4), days=30)
    [94, 88, 82]
    """
    found = []
    for number, freed in enumerate(flow.freed, start=1):
        stored = max(0, stored - freed) + flow.taken_a_day
        # The first of what was taken ends its own days then.
        if number > days:
            stored = max(0, stored - flow.taken_a_day)
        found.append(stored)
    return found
