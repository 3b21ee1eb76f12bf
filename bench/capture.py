"""Benchmarks of capture, each beside its baseline in the same run (design, section 9).

The baseline is the same Asterisk, dialplan and callers with a bare MixMonitor and no
application; what is compared is processor time and lost files, never wall-clock across runs.
"""

import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg
import soundfile

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.sounds import read_sound
from recorder.embedded import asterisk_config, sipp, tones
from recorder.embedded.office import CHECKOUT, Office, trial_regulation
from recorder.model import Layer

CALLS, AT_ONCE, A_SECOND, TALK_S, TOLD_S = 100, 50, 10, 12.0, 1.5
CACHE = Path.home() / ".cache" / "rejestrator"
BARE = """
[bare]
; Who enters: the baseline's callers. What leaves: the same call, recorded by MixMonitor alone.
exten => _X.,1,Answer()
 same => n,Playback({sound})
 same => n,MixMonitor({directory}/${{UNIQUEID}}.wav,b)
 same => n,Dial(PJSIP/desk,30)
"""


def main() -> None:
    """Run all rows, print them, and keep them with the machine's description."""
    results = {"machine": _machine(), "at": _now().isoformat(timespec="seconds"), "rows": []}
    with tempfile.TemporaryDirectory() as directory:
        rows = results["rows"]
        rows += _calls(Path(directory))
    for row in results["rows"]:
        print(f"{row['what']:58} {row['value']:>10}  goal {row['goal']}")
    path = CHECKOUT / "bench/results" / f"capture-{_now():%Y-%m-%d}.json"
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path.relative_to(CHECKOUT)}")


def _calls(directory: Path) -> list[dict[str, object]]:
    regulation = trial_regulation(choice_wait_s=0.0)
    office = Office(directory / "office", cache=CACHE, regulation=regulation, report=_report)
    sound = office.announcements / "bench"
    bare = BARE.format(sound=sound, directory=office.spool)
    asterisk_config.EXTENSIONS += bare
    office.open()
    try:
        told = directory / "told.wav"
        soundfile.write(told, tones.sine(300, TOLD_S), tones.SAMPLE_RATE)
        catalogue = AnnouncementCatalogue(office.announcements)
        version = catalogue.add(
            read_sound(told), layer=Layer.FIRST, language="pl", text="bench", at=_now()
        )
        catalogue.activate(version.id, active_from=_now(), at=_now())
        alaw = office.announcements / str(version.id) / "sound.alaw"
        sound.with_suffix(".alaw").write_bytes(alaw.read_bytes())
        office.start_capture()
        capture = psutil.Process(office.capture_pid)
        with sipp.desk(directory / "desk", port=office.asterisk.desk_port):
            # The baseline's callers come by another trunk, into the bare context.
            office.asterisk.cli("dialplan remove extension _X.@from-other-trunk")
            office.asterisk.cli("dialplan add include bare into from-other-trunk")
            bare_cpu, bare_failed = _measured(
                office.asterisk.cpu_seconds,
                lambda: _place(office, directory / "bare", asterisk_config.OTHER_TRUNK),
            )
            bare_files = len(list(office.spool.glob("*.wav")))
            app_before = sum(capture.cpu_times()[:2])
            ours_cpu, ours_failed = _measured(
                office.asterisk.cpu_seconds,
                lambda: _place(office, directory / "ours", asterisk_config.TRUNK),
            )
            time.sleep(5)
            app_cpu = sum(capture.cpu_times()[:2]) - app_before
        found, worst, silence = _outcome(office)
        memory = capture.memory_info().rss / (1 << 20)
    finally:
        office.close()
    return [
        _row("Asterisk CPU per recorded call / bare MixMonitor", ours_cpu / bare_cpu, "<= 1.10"),
        _row("Asterisk CPU per bare call, ms", 1000 * bare_cpu / CALLS, "baseline"),
        _row("capture CPU per call with sealing, ms", 1000 * app_cpu / CALLS, "<= 6 (capture)"),
        _row("files of ours / files of bare MixMonitor", found / max(1, bare_files), ">= 0.95"),
        _row("failed calls, ours + bare", ours_failed + bare_failed, "0"),
        _row("audio against connected time, worst, s", worst, "<= 0.1"),
        _row("announcement's end to release, p99, ms", silence, "<= 30"),
        _row("capture memory, MiB", memory, "<= 150"),
    ]


def _outcome(office: Office) -> tuple[int, float, float]:
    query = """SELECT recording.frames / 8000.0 - call.bridged_seconds,
                      (SELECT (moment->>'at')::timestamptz
                         FROM jsonb_array_elements(timeline) AS moment
                        WHERE moment->>'kind' = 'recording:armed')
                      - (SELECT max(finished_at) FROM announcement_played
                          WHERE call_id = call.id)
                 FROM call JOIN recording ON recording.call_id = call.id"""
    with psycopg.connect(office.postgres.plain_url) as connection:
        found = connection.execute(query).fetchall()
    waits = sorted(each[1].total_seconds() * 1000 for each in found if each[1] is not None)
    worst = max((abs(float(each[0])) for each in found), default=0.0)
    return len(found), worst, waits[int(len(waits) * 0.99)] if waits else 0.0


def _place(office: Office, directory: Path, address: str) -> int:
    caller = sipp.Caller(talk_s=TALK_S, marker_s=TOLD_S, address=address)
    with sipp.call(
        directory,
        caller,
        sip_port=office.asterisk.sip_port,
        calls=CALLS,
        at_once=AT_ONCE,
        a_second=A_SECOND,
    ) as placed:
        return placed.wait(timeout_s=180)


def _measured(clock: Callable[[], float], act: Callable[[], int]) -> tuple[float, int]:
    before = clock()
    failed = act()
    time.sleep(1)
    return clock() - before, failed


def _row(what: str, value: float, goal: str) -> dict[str, object]:
    return {"what": what, "value": round(value, 3), "goal": goal}


def _machine() -> dict[str, object]:
    memory = psutil.virtual_memory().total / (1 << 30)
    cores = psutil.cpu_count()
    return {"cores": cores, "memory_gib": round(memory, 1), "python": platform.python_version()}


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a benchmark has no clock to be handed


def _report(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
