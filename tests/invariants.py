"""What must hold after every fault: I1 to I10, read from what an office leaves behind.

By other means than the service's own: SQL, the file system, the bytes of the logs. Nothing here
repairs or waits.

I8 is about our own logs and PostgreSQL's. Those of Asterisk are not among them: a PBX's log and
its call records hold numbers, whatever we do, and nobody is given them for our sake.
"""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.rows import dict_row

from recorder.adapters.clock import SystemClock
from recorder.adapters.journals import DiskJournals
from recorder.adapters.postgres.connect import connect
from recorder.adapters.postgres.trail_reading import PostgresTrail
from recorder.audit.rules import Entry, Position, verify
from recorder.capture.journal import JournalIncomplete, JournalTooNew, fold
from recorder.embedded import tones
from tests.stored import Stored

GRACE = timedelta(seconds=60)
"""How long an ended call may lie in the spool."""

NOT_LEFT_BEHIND = {".lock", "records"}
"""What lies in an idle spool; the PBX's own call records may lie there too, and are no call's."""

PERMITTED = {"stayed_on_the_line", "consented_by_key"}
FAILED = {
    *("announcement_missing", "announcement_failed", "disk_low", "spool_unavailable"),
    *("link_lost", "app_restarted", "app_absent", "app_unresponsive", "pbx_lost", "audio_lost"),
}
"""Reasons that are somebody's failure; each leaves an incident of its name."""

MARKER_SHARE = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One invariant that does not hold, and the row or the file of which it is said."""

    invariant: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What SIPp saw of the calls from one number."""

    number: str
    calls: int = 1
    """How many of them entered from outside: as many rows there must be."""
    failed: int = 0
    slowest_answer_s: float = 0.0
    caught: bool = False
    """Caught in Stasis by the death of capture: may wait longer."""


@dataclass(slots=True, kw_only=True)
class Site:
    """An office at rest."""

    database: str
    spool: Path
    stored: Stored
    logs: Sequence[Path]
    callers: Sequence[Caller] = ()
    names: Sequence[str] = ()
    """Display names that were sent."""
    ready: bool = True
    """All processes take calls again."""
    trail: list[int] = field(default_factory=lambda: [0])
    """How many entries the audit trail had when it was last looked at."""
    heard: set[str] = field(default_factory=set)
    """Hashes of recordings whose samples were looked at before; the digest is always compared."""


def broken(site: Site) -> list[Broken]:
    """Return every invariant that does not hold."""
    with psycopg.connect(site.database, row_factory=dict_row) as connection:

        def ask(query: str) -> list[dict[str, Any]]:
            return connection.execute(query.encode()).fetchall()

        return [
            Broken(invariant=name, what=what)
            for name, check in CHECKS.items()
            for what in check(site, ask)
        ]


Ask = Callable[[str], list[dict[str, Any]]]

CALLS = """SELECT call.*, recording.id AS recording_id, recording.stored_on, recording.frames,
                  recording.sha256, recording.size_bytes, recording.erase_by, recording.stage,
                  recording.first_sample_at,
                  EXISTS (SELECT FROM hold WHERE recording_id = recording.id AND ended_at IS NULL
                          AND coalesce(lapses_at, 'infinity') > now()) AS held,
                  ARRAY(SELECT kind FROM incident WHERE call_id = call.id) AS incidents,
                  EXISTS (SELECT FROM tombstone WHERE call_id = call.id) AS erased
           FROM call LEFT JOIN recording ON recording.call_id = call.id ORDER BY arrived_at"""
RECORDINGS = CALLS.replace("LEFT JOIN", "JOIN")
LOOSE = "SELECT kind, detail FROM incident WHERE call_id IS NULL"


def _one_decision_each(site: Site, ask: Ask) -> Iterator[str]:
    """I1: every call that entered has exactly one decision row, with its reason."""
    calls = ask(CALLS)
    for row in calls:
        if (row["outcome"] == "recorded") != (row["reason"] in PERMITTED):
            yield f"call {row['id']}: {row['outcome']} because {row['reason']}"
    channels = Counter((row["node"], row["channel_id"]) for row in calls)
    yield from (f"channel {each} has {n} rows" for each, n in channels.items() if n > 1)
    rows = Counter(row["caller_number"] for row in calls)
    for caller in site.callers:
        if rows[caller.number] != caller.calls:
            yield f"caller {caller.number}: {caller.calls} calls, {rows[caller.number]} rows"


def _no_recording_is_missing(site: Site, ask: Ask) -> Iterator[str]:
    """I2: what was permitted is sealed, or about to be, or erased, or its loss is an incident."""
    for row in ask(CALLS):
        there = row["recording_id"] is not None or row["erased"]
        if row["outcome"] == "recorded" and not there:
            yield f"call {row['id']}: recorded, but there is no recording"
        if row["reason"] in FAILED and row["reason"] not in row["incidents"]:
            yield f"call {row['id']}: {row['reason']} without an incident"
    told = " ".join(row["detail"] for row in ask(LOOSE) if row["kind"] == "journal_unreadable")
    journals = DiskJournals(site.spool)
    for call_id in journals.all_calls():
        try:
            ended_at = fold(journals.read(call_id)).ended_at
        except (JournalIncomplete, JournalTooNew):
            if str(call_id) not in told:
                yield f"{call_id}.journal cannot be read and nobody was told"
            continue
        if ended_at is not None and SystemClock().now() - ended_at > GRACE:
            yield f"{call_id}.journal: over since {ended_at}, not sealed"


def _audio_is_as_long_as_the_call(site: Site, ask: Ask) -> Iterator[str]:
    """I3: as long as the callers were connected, or an incident says that it is not.

    Of a call that nobody watched to its end the connected time is a guess; its audio is not.
    A recording that was stopped, because the caller was passed on outside, ends there.
    """
    for row in ask(RECORDINGS):
        audio_s, due_s = row["frames"] / 8000, row["bridged_seconds"]
        stops = [each["at"] for each in row["timeline"] if each["kind"] == "recording:stopped"]
        if stops:
            until_stop = datetime.fromisoformat(min(stops)) - row["first_sample_at"]
            due_s = min(due_s, until_stop.total_seconds())
        gap = abs(audio_s - due_s) > max(1.0, 0.02 * due_s)
        if gap and not row["unwatched"] and "audio_gap" not in row["incidents"]:
            yield f"recording {row['recording_id']}: {audio_s:.2f} s of {due_s:.2f} s"
        if not row["frames"]:
            yield f"recording {row['recording_id']}: no audio"


def _files_and_rows_agree(site: Site, ask: Ask) -> Iterator[str]:
    """I4: no file without its row, no row without its file, and each is what its row says."""
    recordings = {row["recording_id"]: row for row in ask(RECORDINGS)}
    for name, row in recordings.items():
        if site.stored.digest(row) != row["sha256"]:
            yield f"recording {name}: missing, or not the bytes that were sealed"
    for path in set(site.stored.files()) - {site.stored.file(row) for row in recordings.values()}:
        yield f"{path.name} in the vault without a row"
    for name in site.stored.with_keys() - set(recordings):
        yield f"key of {name} without a row"
    told = " ".join(row["detail"] for row in ask(LOOSE))
    for path in site.spool.iterdir():
        if path.name not in NOT_LEFT_BEHIND and path.stem not in told:
            yield f"{path.name} left in the spool"


def _nothing_undecided_was_heard(site: Site, ask: Ask) -> Iterator[str]:
    """I5: no audio of a call that was not to be recorded, and none of before the consent."""
    for row in ask(RECORDINGS):
        if row["outcome"] != "recorded":
            yield f"recording {row['recording_id']} of a call {row['reason']}"
        if row["sha256"] in site.heard or not site.stored.digest(row):
            continue
        samples = site.stored.audio(row)
        if len(samples) != row["frames"]:
            yield f"recording {row['recording_id']}: {len(samples)} frames, not {row['frames']}"
        for side in samples.T:
            if tones.share_of(side, tones.MARKER_HZ) > MARKER_SHARE:
                yield f"recording {row['recording_id']}: holds the tone of before the consent"
        site.heard.add(row["sha256"])


HELD_WHEN_ERASED = """SELECT recording_id FROM tombstone JOIN hold USING (recording_id)
    WHERE placed_at < tombstone.erased_at
      AND least(hold.ended_at, lapses_at, 'infinity') > tombstone.erased_at"""


def _kept_as_long_as_it_must_be_and_no_longer(site: Site, ask: Ask) -> Iterator[str]:
    """I6: nothing held was erased; nothing past its ``erase_by`` without a hold can be read."""
    for row in ask(HELD_WHEN_ERASED):
        yield f"recording {row['recording_id']}: erased, though it was held"
    names = site.stored.with_keys()
    for row in ask(RECORDINGS):
        name, readable = row["recording_id"], site.stored.file(row).exists()
        if row["held"] and (row["stage"] != "kept" or not readable or name not in names):
            yield f"recording {name}: held, but it is not whole"
        due = row["erase_by"] < SystemClock().now() and not row["held"]
        if due and (readable or name in names):
            yield f"recording {name}: due since {row['erase_by']}"
    for row in ask("SELECT recording_id FROM tombstone"):
        if row["recording_id"] in names:
            yield f"recording {row['recording_id']}: erased, but its key is there"


STATE_CHANGES = """
    SELECT 'recording:erased' AS action, 'recording:' || recording_id AS subject FROM tombstone
    UNION ALL SELECT 'recording:claimed', 'recording:' || id FROM recording WHERE stage = 'erasing'
    UNION ALL SELECT 'hold:placed', 'hold:' || id FROM hold
    UNION ALL SELECT 'hold:reviewed', 'hold:' || id FROM hold WHERE reviewed_at IS NOT NULL
    UNION ALL SELECT 'hold:' || ending, 'hold:' || id FROM hold WHERE ended_at IS NOT NULL
    UNION ALL SELECT 'approval:proposed', 'approval:' || id FROM approval
    UNION ALL SELECT 'approval:' || answer, 'approval:' || id FROM approval
              WHERE answer IS NOT NULL
    UNION ALL SELECT 'purge:braked', 'brake:' || token FROM brake
    UNION ALL SELECT 'purge:released', 'brake:' || token FROM brake WHERE released_at IS NOT NULL
    UNION ALL SELECT 'authorisation:proposed', 'authorisation:' || id FROM authorisation
    UNION ALL SELECT 'workstation:added', 'workstation:' || id FROM workstation
    UNION ALL SELECT 'workstation:removed', 'workstation:' || id FROM workstation
              WHERE removed_at IS NOT NULL
    UNION ALL SELECT 'session:opened', 'session:' || id FROM session
    UNION ALL SELECT CASE act WHEN 'pause' THEN 'recording:paused'
                              WHEN 'resume' THEN 'recording:resumed'
                              WHEN 'stop' THEN 'recording:stopped' ELSE 'recording:discarded' END,
                     'call:' || call_id FROM live_order WHERE answer = 'done'
    UNION ALL SELECT 'order:refused', 'call:' || call_id FROM live_order
              WHERE answer NOT IN ('done', 'doubtful')
"""


def _the_trail_is_whole(site: Site, ask: Ask) -> Iterator[str]:
    """I7: the chain verifies, is no shorter than it was, and each state change has its entry."""

    async def read() -> tuple[list[Entry], Position | None]:
        entries: list[Entry] = []
        url = site.database.replace("postgresql://", "postgresql+psycopg://")
        async with connect(url) as engine:
            trail = PostgresTrail(engine)
            while page := await trail.entries_after(entries[-1].seq if entries else 0, limit=1000):
                entries += page
            return entries, await trail.head()

    entries, head = asyncio.run(read())
    fault = verify(entries, head=head)
    if fault is not None:
        yield f"audit trail: {fault}"
    if len(entries) < site.trail[0]:
        yield f"audit trail: {len(entries)} entries, there were {site.trail[0]}"
    site.trail[0] = len(entries)
    told = {(each.action, each.subject) for each in entries}
    for row in ask(STATE_CHANGES):
        if (row["action"], row["subject"]) not in told:
            yield f"audit trail: no {row['action']} of {row['subject']}"


def _no_log_names_a_caller(site: Site, ask: Ask) -> Iterator[str]:
    """I8: no number and no name in a log, nor in the name of a file, in any spelling."""
    canaries = {caller.number for caller in site.callers} | set(site.names)
    files = [*site.logs, *site.spool.iterdir(), *site.stored.files()]
    texts = {path: path.read_text(errors="replace") for path in site.logs if path.exists()}
    for canary in filter(None, canaries):
        spelt = {
            canary,
            quote(canary),
            json.dumps(canary)[1:-1],
            base64.b64encode(canary.encode(errors="replace")).decode(),
        }
        for path, text in texts.items():
            if any(each in text for each in spelt):
                yield f"{path.name} holds {canary!r}"
        yield from (f"a file is called {path.name}" for path in files if canary in path.name)


def _callers_got_through(site: Site, ask: Ask) -> Iterator[str]:
    """I9: no call failed or was cut, and none waited."""
    for caller in site.callers:
        if caller.failed:
            yield f"caller {caller.number}: {caller.failed} calls failed"
        limit_s = 5.0 if caller.caught else 1.5
        if caller.slowest_answer_s > limit_s:
            yield f"caller {caller.number}: answered after {caller.slowest_answer_s:.2f} s"


def _everything_runs_again(site: Site, ask: Ask) -> Iterator[str]:
    """I10."""
    if not site.ready:
        yield "capture takes no calls"


CHECKS: Mapping[str, Callable[[Site, Ask], Iterator[str]]] = {
    "I1": _one_decision_each,
    "I2": _no_recording_is_missing,
    "I3": _audio_is_as_long_as_the_call,
    "I4": _files_and_rows_agree,
    "I5": _nothing_undecided_was_heard,
    "I6": _kept_as_long_as_it_must_be_and_no_longer,
    "I7": _the_trail_is_whole,
    "I8": _no_log_names_a_caller,
    "I9": _callers_got_through,
    "I10": _everything_runs_again,
}
