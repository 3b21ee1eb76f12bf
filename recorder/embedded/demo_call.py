"""One test call through a private office that runs, and what became of it."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
import soundfile
from psycopg.rows import dict_row

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.clock import SystemClock
from recorder.adapters.regulation_file import load_regulation
from recorder.embedded import sipp, tones
from recorder.embedded.office import CHECKOUT, Office, audio_of, takes_calls
from recorder.errors import Unavailable
from recorder.model import Layer

STATE = CHECKOUT / ".local" / "office"
TALK_S = 6.0
SEALED_WITHIN_S = 30.0
PURE = 0.95
"""Share of a side's energy that must be its own tone."""

FOREIGN = 0.001
"""Share above which the tone from before consent counts as recorded."""

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningOffice:
    """Where a private office can be called and looked into; kept in a file while it runs."""

    sip_port: int
    desk_port: int
    probe_port: int
    database_url: str
    """Holds the password: the file is for its owner alone."""

    @classmethod
    def of(cls, office: Office) -> "RunningOffice":
        """Return what an office that was just opened is reached by."""
        return cls(
            sip_port=office.asterisk.sip_port,
            desk_port=office.asterisk.desk_port,
            probe_port=office.probe_port,
            database_url=office.postgres.plain_url,
        )

    @classmethod
    def find(cls, state: Path) -> "RunningOffice":
        """Return the office that runs here. Raises ``Unavailable`` when none takes calls."""
        try:
            found = cls(**json.loads(_file(state).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise Unavailable(
                "no private office runs here, and a test call goes to no other: "
                "start one with script/run, in another terminal"
            ) from error
        if not takes_calls(found.probe_port):
            raise Unavailable(
                "the private office takes no calls; look into .local/office/capture.log, "
                "or start it anew with script/run"
            )
        return found

    def keep(self, state: Path) -> None:
        """Let ``find`` find it."""
        path = _file(state)
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def forget(state: Path) -> None:
    """Let ``find`` find nothing: the office is about to stop."""
    _file(state).unlink(missing_ok=True)


def place_demo_call(office: RunningOffice, state: Path, report: Report) -> bool:
    """Place one call, wait until it is sealed, and tell whether its recording is right."""
    caller = _caller(state)
    directory = state / "demo"
    with (
        sipp.desk(directory / "desk", port=office.desk_port),
        sipp.call(directory / "caller", caller, sip_port=office.sip_port) as placed,
    ):
        report(f"a caller rings 74 664 08 00 and hangs up after {caller.talk_s:.0f} s:")
        report(
            f"{caller.talk_s - TALK_S:.0f} s of announcement and waiting for a key, then "
            f"{TALK_S:.0f} s of talk"
        )
        failed = _wait_with_progress(placed, caller.talk_s)
    if failed:
        report("the call failed; see .local/office/demo/caller/sipp.log")
        return False
    return _judge(state, _row_of(office, caller.number), report)


def told_s(announcements: Path) -> float:
    """Return how long a caller listens to what is in force in the catalogue."""
    catalogue, now = AnnouncementCatalogue(announcements), SystemClock().now()
    return sum(
        found.length_ms / 1000
        for layer in (Layer.LANGUAGES, Layer.FIRST)
        if (found := catalogue.active(layer, "pl", now)) is not None
    )


def _caller(state: Path) -> sipp.Caller:
    told = told_s(state / "asterisk/announcements")
    wait_s = load_regulation(state / "regulation.toml").announcement.choice_wait_s
    return sipp.Caller(
        number=f"6001{int(time.monotonic() * 10) % 100_000:05}",
        marker_s=told + wait_s - 0.2,
        talk_s=told + wait_s + TALK_S,
    )


def _wait_with_progress(placed: sipp.Sipp, seconds: float) -> int:
    began = time.monotonic()
    while True:
        try:
            return placed.wait(timeout_s=1)
        except subprocess.TimeoutExpired:
            spent = time.monotonic() - began
            if sys.stderr.isatty():
                sys.stderr.write(f"\r  {min(spent, seconds):3.0f} of {seconds:.0f} s ")
            if spent > 3 * seconds:
                return 1


def _row_of(office: RunningOffice, number: str) -> dict[str, Any] | None:
    query = """SELECT call.outcome, call.reason, call.answered_by, call.bridged_seconds,
                      recording.* FROM call LEFT JOIN recording ON call_id = call.id
               WHERE caller_number = %s"""
    deadline = time.monotonic() + SEALED_WITHIN_S
    with psycopg.connect(office.database_url, row_factory=dict_row, autocommit=True) as connection:
        while time.monotonic() < deadline:
            found = connection.execute(query, (number,)).fetchone()
            if found is not None:
                return found
            time.sleep(0.2)
    return None


def _judge(state: Path, row: dict[str, Any] | None, report: Report) -> bool:
    if row is None or row["id"] is None:
        report(f"no recording: {row['reason'] if row else 'the call has no row'}")
        return False
    path = state / "vault" / row["stored_on"] / f"{row['id']}.rec"
    whole = audio_of(state, row["id"], row["stored_on"])
    samples, rate = soundfile.read(io.BytesIO(whole), always_2d=True)
    seconds = len(samples) / rate
    left = tones.share_of(samples[:, 0], tones.CALLER_HZ)
    right = tones.share_of(samples[:, 1], tones.OFFICE_HZ)
    before = max(tones.share_of(samples[:, side], tones.MARKER_HZ) for side in (0, 1))
    checks = {
        "two channels, 8 kHz": samples.shape[1] == 2 and rate == tones.SAMPLE_RATE,  # noqa: PLR2004
        f"left is the caller ({left:.0%} of it their tone)": left > PURE,
        f"right is the office ({right:.0%} of it their tone)": right > PURE,
        "nothing from before consent": before < FOREIGN,
        f"{seconds:.2f} s of audio for {row['bridged_seconds']:.2f} s connected": abs(
            seconds - row["bridged_seconds"]
        )
        <= 0.1,  # noqa: PLR2004 - the promise: 100 ms
    }
    report(f"recorded ({row['reason']}), answered by {row['answered_by']}")
    report(f"recording {row['id']}")
    report(f"sealed at {path.relative_to(CHECKOUT) if path.is_relative_to(CHECKOUT) else path}")
    report(f"to be erased by {row['erase_by']:%Y-%m-%d %H:%M %Z}")
    for what, holds in checks.items():
        report(f"  {'yes' if holds else 'NO '}  {what}")
    return all(checks.values())


def _file(state: Path) -> Path:
    return state / "running.json"
