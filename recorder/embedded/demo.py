"""``script/run``: the whole service on one machine, and one real call through it."""

import argparse
import io
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import soundfile
from psycopg.rows import dict_row

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.clock import SystemClock
from recorder.adapters.starters import load_starters
from recorder.announcements.service import AnnouncementKeeper
from recorder.embedded import sipp, tones
from recorder.embedded.office import CHECKOUT, Office, trial_regulation
from recorder.errors import RecorderError
from recorder.model import Layer
from recorder.regulation import parse_regulation

STATE = CHECKOUT / ".local" / "office"
CACHE = Path.home() / ".cache" / "rejestrator"
TALK_S = 6.0
SEALED_WITHIN_S = 30.0
PURE = 0.95
"""Share of a side's energy that must be its own tone."""

FOREIGN = 0.001
"""Share above which the tone from before consent counts as recorded."""


def main() -> None:
    """Run until Ctrl-C; with ``--demo --once`` until the call's recording is proved right."""
    arguments = _parse()
    office = Office(STATE, cache=CACHE, regulation=trial_regulation(), report=_report)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        office.open()
        _report("installing the starter announcements")
        _install_starters(office)
        office.start_capture()
        _say_where(office)
        right = _place_demo_call(office) if arguments.demo else True
        if arguments.once:
            sys.exit(0 if right else 1)
        _report("Ctrl-C stops everything")
        signal.pause()
    except KeyboardInterrupt:
        _report("stopping")
    except RecorderError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    finally:
        office.close()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/run",
        description="Start PostgreSQL, Asterisk and capture on this machine, all on loopback; "
        "state lives under .local/.",
    )
    parser.add_argument("--demo", action="store_true", help="also place one real SIP call")
    parser.add_argument(
        "--once", action="store_true", help="stop afterwards; exit 0 only if all is right"
    )
    return parser.parse_args()


def _install_starters(office: Office) -> None:
    keeper = AnnouncementKeeper(
        catalogue=AnnouncementCatalogue(office.announcements),
        regulation=parse_regulation(trial_regulation(), source="regulation.toml"),
        clock=SystemClock(),
    )
    keeper.install(load_starters(), activate=True)


def _say_where(office: Office) -> None:
    settings = office.directory / "settings.env"
    settings.touch(mode=0o600)
    lines = (f"{name}={value}\n" for name, value in sorted(office.environment.items()))
    settings.write_text("".join(lines), encoding="utf-8")
    _report(f"SIP trunk: 127.0.0.1:{office.asterisk.sip_port} (from 127.0.0.2)")
    answers = office.employ()
    _report("signed in at the prompt as demo; after 15 idle minutes again:")
    _report(f"  .local/venv/bin/recorder sign-in demo < {answers.relative_to(CHECKOUT)}")
    _report(f"settings for the command line: set -a; . {settings.relative_to(CHECKOUT)}; set +a")


def _place_demo_call(office: Office) -> bool:
    catalogue = AnnouncementCatalogue(office.announcements)
    now = SystemClock().now()
    told_s = sum(
        found.length_ms / 1000
        for layer in (Layer.LANGUAGES, Layer.FIRST)
        if (found := catalogue.active(layer, "pl", now)) is not None
    )
    wait_s = parse_regulation(trial_regulation(), source="").announcement.choice_wait_s
    caller = sipp.Caller(
        number=f"6001{int(time.monotonic() * 10) % 100_000:05}",
        marker_s=told_s + wait_s - 0.2,
        talk_s=told_s + wait_s + TALK_S,
    )
    _report(
        f"a caller rings 74 664 08 00, hears {told_s:.0f} s of announcement, has {wait_s:.0f} s "
        f"to press a key, talks {TALK_S:.0f} s"
    )
    directory = office.directory / "demo"
    with (
        sipp.desk(directory / "desk", port=office.asterisk.desk_port),
        sipp.call(directory / "caller", caller, sip_port=office.asterisk.sip_port) as placed,
    ):
        failed = _wait_with_progress(placed, caller.talk_s)
    if failed:
        _report("the call failed; see .local/office/demo/caller/sipp.log")
        return False
    return _judge(office, _row_of(office, caller.number))


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


def _row_of(office: Office, number: str) -> dict[str, Any] | None:
    query = """SELECT call.outcome, call.reason, call.answered_by, call.bridged_seconds,
                      recording.* FROM call LEFT JOIN recording ON call_id = call.id
               WHERE caller_number = %s"""
    deadline = time.monotonic() + SEALED_WITHIN_S
    url = office.postgres.plain_url
    with psycopg.connect(url, row_factory=dict_row, autocommit=True) as connection:
        while time.monotonic() < deadline:
            found = connection.execute(query, (number,)).fetchone()
            if found is not None:
                return found
            time.sleep(0.2)
    return None


def _judge(office: Office, row: dict[str, Any] | None) -> bool:
    if row is None or row["id"] is None:
        _report(f"no recording: {row['reason'] if row else 'the call has no row'}")
        return False
    path = office.vault / row["stored_on"] / f"{row['id']}.rec"
    whole = office.audio_of(row["id"], row["stored_on"])
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
    _report(f"recorded ({row['reason']}), answered by {row['answered_by']}")
    _report(f"recording {row['id']}")
    _report(f"sealed at {path.relative_to(CHECKOUT)}")
    _report(f"to be erased by {row['erase_by']:%Y-%m-%d %H:%M %Z}")
    for what, holds in checks.items():
        _report(f"  {'yes' if holds else 'NO '}  {what}")
    return all(checks.values())


def _report(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
