"""Recordings that are due, for the benchmarks that erase them: what sealing left 31 days ago."""

import os
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import psycopg

from recorder.adapters.clock import SystemClock
from recorder.adapters.master_key import MasterKey
from recorder.model import RecordingId

AUDIO = bytes(4096)
NOW = SystemClock().now()
ENDED = NOW - timedelta(days=31)


def number_of(call: int) -> str:
    """Return who called, of so many calls."""
    return f"6{call:08}"


def fill(url: str, *, vault: Path, keys: Path, master: MasterKey, count: int) -> date:
    """Write rows by COPY and files by hand; ``keys`` are prepared. Return their day."""
    ended = ENDED
    folder = f"{ended:%Y/%m/%d}"
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        cursor = connection.cursor()
        calls = (
            "COPY call (id, node, channel_id, linked_id, arrived_at, ended_at, endpoint, context,"
            " line, line_e164, caller_number, caller_e164, caller_name, outcome, reason,"
            " rule_version, scope_reason, language, keys, bridged, bridged_seconds, answered_by,"
            " parties, timeline, pbx_lost, unwatched, quality, written_at) FROM STDIN"
        )
        with cursor.copy(calls) as copy:
            for number in range(count):
                at = ended - timedelta(seconds=number % 3600)
                row = (UUID(int=number), "pbx1", str(number), "", at, at, "operator", "in")
                caller = number_of(number)
                who = ("746640800", "+48746640800", caller, f"+48{caller}", "Jan")
                rest = ("recorded", "stayed_on_the_line", "1", "stayed_on_the_line", "pl", "[]")
                copy.write_row(
                    (*row, *who, *rest, "[]", 3.0, "desk", "[]", "[]", "f", "f", "{}", at)
                )
        recordings = (
            "COPY recording (id, call_id, stored_on, sha256, size_bytes, frames, sample_rate,"
            " caller_dbfs, office_dbfs, silent, one_sided, first_sample_at, ended_at, erase_by,"
            " sealed_at, truncated, incomplete, sealed_as) FROM STDIN"
        )
        with cursor.copy(recordings) as copy:
            for number in range(count):
                at = ended - timedelta(seconds=number % 3600)
                row = (UUID(int=number + (1 << 64)), UUID(int=number), folder, "0" * 64, 4096)
                levels = (1013, 8000, -20.0, -20.0, "f", "f")
                copy.write_row(
                    (*row, *levels, at, at, at + timedelta(days=30), at, "f", "f", "rec1")
                )
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE")
    (vault / folder).mkdir(parents=True)
    for number in range(count):
        recording_id = RecordingId(UUID(int=number + (1 << 64)))
        written = ended.timestamp() - number % 3600
        (keys / f"{recording_id}.key").write_bytes(master.wrap(bytes(32), recording_id))
        (vault / folder / f"{recording_id}.rec").write_bytes(AUDIO)
        os.utime(vault / folder / f"{recording_id}.rec", (written, written))
    return ended.date()
