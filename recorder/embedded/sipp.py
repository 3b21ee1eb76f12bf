"""SIP callers and a desk that answers, with real RTP, by SIPp."""

import re
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from xml.sax.saxutils import escape

import numpy as np

from recorder.embedded import tones
from recorder.embedded.asterisk_config import DESK, TRUNK
from recorder.embedded.sipp_scenarios import (
    CALLER,
    CALLER_IS_LEFT,
    CALLER_LEAVES,
    DESK_ANSWERS,
    FALLS_SILENT,
    HEAD,
    INFO,
    PRESSES_ON,
    SDP,
    SPEAKS,
)

TRACE = ("-trace_msg", "-message_file", "messages.log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and what they do."""

    line: str = "746640800"
    number: str = "600123456"
    display: str = ""
    address: str = TRUNK
    marker_s: float = 2.0
    """How long the marker tone sounds before the caller's own: the announcement's length."""
    talk_s: float = 8.0
    """From the answer of the application to hanging up."""
    key: str | None = None
    key_after_s: float = 0.5
    keys: int = 1
    """How many times the key is pressed, each ``key_after_s`` after the one before."""
    talk_at_random: bool = False
    """Hang up at a random moment before ``talk_s``, another one for each call."""
    sends: bool = True
    """False = no RTP ever comes from the caller."""
    mute_after_s: float = 0.0
    mute_s: float = 0.0
    """How long no RTP comes, from so many seconds after the answer; part of ``talk_s``."""


class Sipp:
    """One running SIPp; files are written to ``directory``."""

    def __init__(self, directory: Path, arguments: list[str]) -> None:
        self._directory = directory
        self.failed: int | None = None
        """How many calls failed; None = not known yet."""
        with (directory / "sipp.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *("sipp", *arguments, "-nostdin", "-trace_err", "-trace_stat", "-fd", "1"),
                    *("-trace_rtt", "-rtt_freq", "1"),
                ],
                cwd=directory,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self, *, timeout_s: float) -> int:
        """Return how many calls failed once all are done. Raises ``subprocess.TimeoutExpired``."""
        self._process.wait(timeout=timeout_s)
        self.failed = self._failed()
        return self.failed

    def slowest_answer_s(self) -> float:
        """Return the longest time from a call's INVITE to its 200, 0 if none was answered."""
        times = [
            float(line.split(";")[1])
            for path in self._directory.glob("*_rtt.csv")
            for line in path.read_text(errors="replace").splitlines()[1:]
        ]
        return max(times, default=0.0) / 1000

    def _failed(self) -> int:
        if self._process.returncode not in {0, 1}:
            # It could not even begin: a port was taken, a file was missing.
            return -1
        screen = (self._directory / "sipp.log").read_text(errors="replace")
        failed = re.findall(r"Failed call\s+\|\s*\d+\s+\|\s*(\d+)", screen)
        return int(failed[-1]) if failed else self._process.returncode

    def stop(self) -> None:
        """End it now; calls in progress are dropped."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def __enter__(self) -> Self:
        """Keep it for the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.stop()


def call(
    directory: Path,
    caller: Caller,
    *,
    sip_port: int,
    host: str = "127.0.0.1",
    calls: int = 1,
    at_once: int = 1,
    a_second: int = 1,
    trace: bool = False,
) -> Sipp:
    """Place calls to Asterisk on ``sip_port``; ``trace`` keeps every message with its time."""
    directory.mkdir(parents=True, exist_ok=True)
    marker = tones.sine(tones.MARKER_HZ, caller.marker_s)
    tone = tones.sine(tones.CALLER_HZ, caller.talk_s + 60)
    sound = directory / "caller.alaw"
    tones.write_alaw(sound, np.concatenate((marker, tone)))
    words = {
        "line": caller.line,
        "number": caller.number,
        "display": caller.display,
        "sdp": SDP,
        "sound": escape(str(sound)),
        "key": caller.key,
        "keys": caller.keys,
        "after_ms": round(caller.key_after_s * 1000),
        "mute_after_ms": round(caller.mute_after_s * 1000),
        "mute_ms": round(caller.mute_s * 1000),
        "talk": _pause_of(caller),
    }
    parts = [HEAD.format(name="caller"), CALLER.format(**words)]
    if caller.sends:
        parts.append(SPEAKS.format(**words))
    if caller.key is not None:
        parts.append(INFO.format(**words) if caller.keys == 1 else PRESSES_ON.format(**words))
    if caller.mute_s:
        parts.append(FALLS_SILENT.format(**words))
    parts.append(CALLER_LEAVES.format(**words))
    scenario = directory / "caller.xml"
    scenario.write_text("".join(parts), encoding="utf-8")
    return Sipp(
        directory,
        [
            *(f"{host}:{sip_port}", "-sf", str(scenario), "-i", caller.address),
            *("-p", str(_free_udp(caller.address)), "-mi", caller.address),
            *("-mp", str(_free_udp(caller.address) // 2 * 2), "-t", "u1"),
            *("-m", str(calls), "-l", str(at_once), "-r", str(a_second)),
            *(TRACE if trace else ()),
        ],
    )


def desk(
    directory: Path, *, port: int, ring_s: float = 0.2, address: str = DESK, trace: bool = False
) -> Sipp:
    """Answer calls at the desk until stopped; the caller hangs up."""
    directory.mkdir(parents=True, exist_ok=True)
    sound = directory / "desk.alaw"
    tones.write_alaw(sound, tones.sine(tones.OFFICE_HZ, 10))
    words = {"sdp": SDP, "sound": escape(str(sound)), "ring_ms": round(ring_s * 1000)}
    parts = [HEAD.format(name="desk"), DESK_ANSWERS.format(**words)]
    parts.append(CALLER_IS_LEFT.format(patience_ms=600_000))
    scenario = directory / "desk.xml"
    scenario.write_text("".join(parts), encoding="utf-8")
    return Sipp(
        directory,
        [
            *("127.0.0.1", "-sf", str(scenario), "-i", address, "-p", str(port)),
            *("-mi", address, "-mp", str(_free_udp(address) // 2 * 2), "-t", "u1"),
            *(TRACE if trace else ()),
        ],
    )


def _pause_of(caller: Caller) -> str:
    rest_ms = round((caller.talk_s - caller.mute_after_s - caller.mute_s) * 1000)
    if caller.talk_at_random:
        return f'distribution="uniform" min="1" max="{rest_ms}"'
    return f'milliseconds="{rest_ms}"'


def _free_udp(address: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port
