"""What a test sees of an office after a call: rows, files, tones. By other means than the app."""

import io
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import soundfile
from psycopg.rows import dict_row

from recorder.embedded import sipp, tones
from recorder.embedded.office import Office

_numbers = count(600_000_000)


def place(office: Office, *, timeout_s: float = 60, **what: Any) -> str:
    """Place one call from a number of its own, assert that it did not fail, return the number."""
    number = str(next(_numbers))
    caller = sipp.Caller(number=number, **what)
    placed = sipp.call(office.directory / number, caller, sip_port=office.asterisk.sip_port)
    assert placed.wait(timeout_s=timeout_s) == 0, "the caller did not get through"
    return number


def rows(office: Office, query: str, *values: Any) -> list[dict[str, Any]]:
    url = office.postgres.plain_url
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(query, values).fetchall()


def row_of(office: Office, number: str, *, within_s: float = 20) -> dict[str, Any]:
    """Return the one row of a caller's call, waiting until it is sealed."""
    query = """SELECT call.*, recording.id AS recording_id, recording.frames, recording.stored_on,
                      recording.truncated, recording.incomplete
               FROM call LEFT JOIN recording ON recording.call_id = call.id
               WHERE caller_number = %s"""
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        found[:] = rows(office, query, number)
        return bool(found)

    wait_until(is_there, within_s)
    assert len(found) == 1, f"{len(found)} rows for one call"
    return found[0]


def audio_of(office: Office, row: dict[str, Any]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    whole = office.audio_of(row["recording_id"], row["stored_on"])
    samples, rate = soundfile.read(io.BytesIO(whole))
    assert rate == tones.SAMPLE_RATE
    assert samples.shape[1] == 2
    return samples  # type: ignore[no-any-return]


def assert_sides_are_right(samples: "np.ndarray[Any, np.dtype[np.float64]]") -> None:
    caller, office = samples[:, 0], samples[:, 1]
    assert tones.share_of(caller, tones.CALLER_HZ) > 0.95, "the caller is on the left"
    assert tones.share_of(office, tones.OFFICE_HZ) > 0.95, "the office is on the right"
    for side in (caller, office):
        assert tones.share_of(side, tones.MARKER_HZ) < 0.001, "recorded before consent"


def spool_files(office: Office) -> list[Path]:
    return [each for each in office.spool.iterdir() if each.name != ".lock"]


def wait_until(holds: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.1)
