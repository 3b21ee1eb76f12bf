"""What a test sees of an office after a call: rows, files, tones. By other means than the app."""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from recorder.adapters.journals import DiskJournals
from recorder.capture.journal import fold
from recorder.embedded import sipp, tones
from recorder.embedded.asterisk_config import PHONE
from recorder.embedded.office import Office
from recorder.model import CallRecord
from tests.invariants import Caller, Site
from tests.stored import Samples, Stored

RING_S = 0.2
_numbers = count(600_000_000)


@dataclass
class Seen:
    """What a test did to an office, for the checker to compare with what the office says."""

    placed: list[tuple[Caller, sipp.Sipp | None]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    trail: list[int] = field(default_factory=lambda: [0])
    ring_s: float = RING_S
    began: dict[str, float] = field(default_factory=dict)
    """When each caller was sent off."""
    restarted: float = 0.0
    """When capture was last started anew; callers caught by its death are timed from there."""


seen_of: defaultdict[Path, Seen] = defaultdict(Seen)


def a_number() -> str:
    """Return a caller's number that no other call of this run has."""
    return str(next(_numbers))


def begin(
    office: Office,
    *,
    calls: int = 1,
    at_once: int = 1,
    a_second: int = 1,
    caught: bool = False,
    is_cut: bool = False,
    **what: Any,
) -> tuple[str, sipp.Sipp]:
    """Start a call, or several, from a number of its own; return the number and the caller.

    ``is_cut``: the PBX ends it, because nobody answers, so that SIPp may call it failed.
    """
    number = a_number()
    caller = sipp.Caller(number=number, **what)
    placed = sipp.call(
        office.directory / number,
        caller,
        sip_port=office.asterisk.sip_port,
        calls=calls,
        at_once=at_once,
        a_second=a_second,
    )
    seen = seen_of[office.directory]
    seen.began[number] = time.monotonic()
    entered = 0 if caller.address == PHONE else calls
    caller_seen = Caller(number=number, calls=entered, caught=caught)
    seen.placed.append((caller_seen, None if is_cut else placed))
    if caller.display.strip('" '):
        seen.names.append(caller.display.strip('" '))
    return number, placed


def place(office: Office, *, timeout_s: float = 60, **what: Any) -> str:
    """Place one call from a number of its own, assert that it did not fail, return the number."""
    number, placed = begin(office, **what)
    assert placed.wait(timeout_s=timeout_s) == 0, "the caller did not get through"
    return number


def site_of(office: Office, *, ready: bool) -> Site:
    """Return what the checker needs to judge an office."""
    seen = seen_of[office.directory]
    callers = [
        Caller(
            number=caller.number,
            calls=caller.calls,
            caught=caller.caught,
            # Whom a test itself cut off, by the death of Asterisk, has not failed.
            failed=(placed.failed or 0) if placed else 0,
            slowest_answer_s=_slowest_answer_s(seen, caller, placed),
        )
        for caller, placed in seen.placed
    ]
    return Site(
        database=office.postgres.plain_url,
        spool=office.spool,
        stored=stored_in(office),
        logs=[
            *(office.log, office.directory / "postgres" / "postgres.log"),
            *office.directory.glob("logs/*.log"),
        ],
        callers=callers,
        names=seen.names,
        ready=ready,
        heard=seen.heard,
        trail=seen.trail,
    )


def _slowest_answer_s(seen: Seen, caller: Caller, placed: sipp.Sipp | None) -> float:
    if placed is None:
        return 0.0
    dead_s = seen.restarted - seen.began[caller.number] if caller.caught else 0.0
    return placed.slowest_answer_s() - seen.ring_s - dead_s


def restart_capture(office: Office) -> datetime:
    """Kill capture if it lives, start it anew; return when that began."""
    office.kill_capture()
    seen_of[office.directory].restarted = time.monotonic()
    began = datetime.now(UTC)  # noqa: TID251 - beside what the database says
    office.start_capture()
    return began


def rows(office: Office, query: str, *values: Any) -> list[dict[str, Any]]:
    url = office.postgres.plain_url
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(query, values).fetchall()


def row_of(office: Office, number: str, *, within_s: float = 20) -> dict[str, Any]:
    """Return the one row of a caller's call, waiting until it is sealed."""
    query = """SELECT call.*, recording.id AS recording_id, recording.frames, recording.stored_on,
                      recording.truncated, recording.incomplete, recording.one_sided
               FROM call LEFT JOIN recording ON recording.call_id = call.id
               WHERE caller_number = %s"""
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        found[:] = rows(office, query, number)
        return bool(found)

    wait_until(is_there, within_s)
    assert len(found) == 1, f"{len(found)} rows for one call"
    return found[0]


def journal_of(office: Office, number: str) -> CallRecord | None:
    """Return what the journal of a caller's live call says now, None if there is none."""
    journals = DiskJournals(office.spool)
    for call_id in journals.all_calls():
        entries = journals.read(call_id)
        if entries and entries[0].get("caller_number") == number:
            return fold(entries)
    return None


def says(office: Office, number: str, is_there: Callable[[CallRecord], bool]) -> Callable[[], bool]:
    def look() -> bool:
        call = journal_of(office, number)
        return call is not None and is_there(call)

    return look


def is_announced(call: CallRecord) -> bool:
    return len(call.announcements) == 1 and call.announcements[0].finished_at is None


def stored_in(office: Office) -> Stored:
    return Stored(vault=office.vault, keys=office.keys, master_key=office.master_key)


def audio_of(office: Office, row: dict[str, Any]) -> Samples:
    return stored_in(office).audio(row)


def assert_sides_are_right(samples: Samples) -> None:
    caller, office = samples[:, 0], samples[:, 1]
    assert tones.share_of(caller, tones.CALLER_HZ) > 0.95, "the caller is on the left"
    assert tones.share_of(office, tones.OFFICE_HZ) > 0.95, "the office is on the right"
    for side in (caller, office):
        assert tones.share_of(side, tones.MARKER_HZ) < 0.001, "recorded before consent"


def spool_files(office: Office) -> list[Path]:
    return [each for each in office.spool.iterdir() if each.name != ".lock"]


def holds_within(holds: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def wait_until(holds: Callable[[], bool], within_s: float) -> None:
    assert holds_within(holds, within_s), f"not within {within_s} s"
