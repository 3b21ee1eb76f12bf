"""An office to measure, with its baseline beside it, and what is read from it by other means."""

import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
import soundfile

from recorder.adapters.announcement_catalogue import AnnouncementCatalogue
from recorder.adapters.sounds import read_sound
from recorder.embedded import asterisk_config, sipp, tones
from recorder.embedded.office import Office, trial_regulation
from recorder.model import Layer

CACHE = Path.home() / ".cache" / "rejestrator"
TOLD_S = 1.5
OURS, BARE, STAMPED, PLAIN = "746640800", "1000", "2000", "3000"
"""Numbers to dial: our subroutine, and the baselines below."""

BASELINES = """
[baselines]
; Who enters: the baseline's callers, by the other trunk. What leaves: calls without capture.
; 1: the same call, recorded by MixMonitor alone.
exten => _1X.,1,Answer()
 same => n,Playback({sound})
 same => n,MixMonitor({directory}/${{UNIQUEID}}.wav,b)
 same => n,Dial(PJSIP/desk,30)
; 2: as 1, and the desk is told as the caller's name when the announcement ended, in ms.
exten => _2X.,1,Answer()
 same => n,Playback({sound})
 same => n,Set(CALLERID(name)=${{STRFTIME(,,%s%3q)}})
 same => n,MixMonitor({directory}/${{UNIQUEID}}.wav,b)
 same => n,Dial(PJSIP/desk,30)
; 3: a call as if nothing of ours were there.
exten => _3X.,1,Dial(PJSIP/desk,30)
"""
INVITE = re.compile(r"^INVITE .*?^From: *(?P<from>[^\n]*)", re.MULTILINE | re.DOTALL)
STAMP = re.compile(r"^-{20,} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+)$", re.MULTILINE)
NUMBER = re.compile(r"sip:(\d+)@")
NAME = re.compile(r'^"?(\d{13})"? ')


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What callers and desk saw of a batch of calls."""

    calls: int
    failed: int
    asterisk_s: float
    """Processor time of Asterisk."""
    wall_s: float
    sent: dict[str, float]
    """When each caller's INVITE went out, by number; empty without a trace."""
    rang: dict[str, float]
    """When the desk got it."""
    told: dict[str, float]
    """When the baseline's announcement ended."""


class Rig:
    """The office, its capture as a process, and ways to call it."""

    def __init__(self, office: Office, directory: Path) -> None:
        self.office = office
        self.directory = directory
        self.capture = psutil.Process(office.capture_pid)
        self._batches = 0

    def place(
        self,
        line: str,
        *,
        calls: int,
        at_once: int,
        a_second: int,
        talk_s: float,
        trace: bool = False,
        timeout_s: float = 240,
    ) -> Placed:
        """Place calls and wait for all of them; each caller has a number of its own."""
        self._batches += 1
        prefix = f"6{self._batches:02}"
        folder = self.directory / prefix
        address = asterisk_config.TRUNK if line == OURS else asterisk_config.OTHER_TRUNK
        caller = sipp.Caller(
            line=line,
            number=f"{prefix}[call_number]",
            talk_s=talk_s,
            address=address,
            marker_s=TOLD_S,
        )
        asterisk = self.office.asterisk
        began, cpu = time.monotonic(), asterisk.cpu_seconds()
        with (
            sipp.desk(folder / "desk", port=asterisk.desk_port, trace=trace),
            sipp.call(
                folder / "callers",
                caller,
                sip_port=asterisk.sip_port,
                calls=calls,
                at_once=at_once,
                a_second=a_second,
                trace=trace,
            ) as placed,
        ):
            failed = placed.wait(timeout_s=timeout_s)
            time.sleep(1)
        sent, _ = _invites(folder / "callers/messages.log")
        rang, told = _invites(folder / "desk/messages.log")
        return Placed(
            calls=calls,
            failed=failed,
            asterisk_s=asterisk.cpu_seconds() - cpu,
            wall_s=time.monotonic() - began,
            sent=sent,
            rang=rang,
            told=told,
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database itself."""
        with psycopg.connect(self.office.postgres.plain_url) as connection:
            return connection.execute(query.encode()).fetchall()

    def wait_for_rows(self, calls: int, within_s: float = 90) -> None:
        """Wait until so many calls have their row."""
        deadline = time.monotonic() + within_s
        while self.rows("SELECT count(*) FROM call")[0][0] < calls:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not all of {calls} calls are sealed")
            time.sleep(0.25)

    def capture_s(self) -> float:
        """Return the processor time of capture, all its threads."""
        used = self.capture.cpu_times()
        return float(used.user + used.system)

    def memory_mib(self) -> float:
        """Return what capture holds in memory."""
        return float(self.capture.memory_info().rss / (1 << 20))

    def announced(self) -> dict[str, float]:
        """Return when Asterisk said that the announcement had ended, by caller."""
        query = """SELECT caller_number, extract(epoch FROM max(finished_at))
                   FROM call JOIN announcement_played ON call_id = call.id GROUP BY 1"""
        return {number: float(at) for number, at in self.rows(query) if at is not None}

    def lengths(self) -> list[tuple[float, float]]:
        """Return audio and connected seconds of every recording."""
        query = """SELECT frames / 8000.0, bridged_seconds
                   FROM recording JOIN call ON call.id = call_id"""
        return [(float(audio), float(bridged)) for audio, bridged in self.rows(query)]

    def bare_lengths(self) -> list[float]:
        """Return the seconds of every file of the bare MixMonitor, and remove them."""
        found = []
        for path in self.office.spool.glob("*.wav"):
            found.append(soundfile.info(path).duration)
            path.unlink()
        return found


@contextmanager
def rig(directory: Path, report: Callable[[str], None]) -> Iterator[Rig]:
    """Give an open office whose capture runs, and the baselines."""
    regulation = trial_regulation(choice_wait_s=0.0)
    office = Office(directory / "office", cache=CACHE, regulation=regulation, report=report)
    sound = office.announcements / "bench"
    asterisk_config.EXTENSIONS += BASELINES.format(sound=sound, directory=office.spool)
    office.open()
    try:
        told = directory / "told.wav"
        soundfile.write(told, tones.sine(300, TOLD_S), tones.SAMPLE_RATE)
        catalogue = AnnouncementCatalogue(office.announcements)
        version = catalogue.add(
            read_sound(told), layer=Layer.FIRST, language="pl", text="bench", at=now()
        )
        catalogue.activate(version.id, active_from=now(), at=now())
        alaw = office.announcements / str(version.id) / "sound.alaw"
        sound.with_suffix(".alaw").write_bytes(alaw.read_bytes())
        office.start_capture()
        office.asterisk.cli("dialplan remove extension _X.@from-other-trunk")
        office.asterisk.cli("dialplan add include baselines into from-other-trunk")
        yield Rig(office, directory)
    finally:
        office.close()


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a benchmark has no clock to be handed


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of ``values`` lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def worst_from_median(values: Sequence[float]) -> float:
    """Return how far the farthest value is from the median."""
    middle = statistics.median(values)
    return max(abs(each - middle) for each in values)


def waits(since: dict[str, float], until: dict[str, float]) -> list[float]:
    """Return the milliseconds between two moments, for whoever has both."""
    return [1000 * (until[each] - since[each]) for each in since if each in until]


def _invites(path: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Return from a trace of SIPp when each number's first INVITE was seen, and its stamp."""
    seen: dict[str, float] = {}
    stamped: dict[str, float] = {}
    if not path.exists():
        return seen, stamped
    parts = STAMP.split(path.read_text(encoding="utf-8", errors="replace").replace("\r", ""))
    for moment, text in zip(parts[1::2], parts[2::2], strict=True):
        invite = INVITE.search(text)
        number = NUMBER.search(invite["from"]) if invite else None
        if invite is None or number is None or number[1] in seen:
            continue
        seen[number[1]] = datetime.fromisoformat(moment).astimezone().timestamp()
        if name := NAME.match(invite["from"]):
            stamped[number[1]] = int(name[1]) / 1000
    return seen, stamped
