"""The outside world in memory: state in plain attributes, faults at the turn of a switch."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from recorder.capture.journal import decode, encode
from recorder.errors import CallGone, SpoolUnavailable, VaultUnavailable
from recorder.model import (
    Announcement,
    CallId,
    Layer,
    RecordingId,
    SealedAudio,
)
from tests.builders import NOON, an_announcement


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = NOON
        self.mono = 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.mono

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.mono += seconds


class FakeSwitchboard:
    """Accepts commands; ``faults[command]`` are raised first, one each time."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, str]] = []
        self.outcomes: dict[str, str] = {}
        self.recording: dict[str, RecordingId | None] = {}
        self.faults: defaultdict[str, list[Exception]] = defaultdict(list)
        self.gone: set[str] = set()

    def count(self, command: str, channel_id: str) -> int:
        return self.commands.count((command, channel_id))

    async def follow(self, channel_id: str) -> None:
        self._carry_out("follow", channel_id)

    async def answer(self, channel_id: str) -> None:
        self._carry_out("answer", channel_id)

    async def play(self, channel_id: str, playback_id: str, announcement: Announcement) -> None:
        self._carry_out("play", channel_id)

    async def stop_playing(self, playback_id: str) -> None:
        self._carry_out("stop_playing", playback_id)

    async def extend_watchdog(self, channel_id: str, seconds: float) -> None:
        self._carry_out("extend_watchdog", channel_id)

    async def stop_recording(self, channel_id: str, recording_id: RecordingId) -> None:
        self._carry_out("stop_recording", channel_id)

    async def release(
        self, channel_id: str, *, outcome: str, recording_id: RecordingId | None
    ) -> None:
        self._carry_out("release", channel_id)
        self.outcomes[channel_id] = outcome
        self.recording[channel_id] = recording_id

    def _carry_out(self, command: str, target: str) -> None:
        self.commands.append((command, target))
        if self.faults[command]:
            raise self.faults[command].pop(0)
        if target in self.gone:
            raise CallGone("404")


class FakeJournals:
    """Journals as bytes. ``refuses`` takes nothing, ``refuses_durable`` nothing lasting."""

    def __init__(self) -> None:
        self.stored: dict[CallId, bytes] = {}
        self.durable: dict[CallId, int] = {}
        """How many bytes of each journal survive a power cut."""
        self.refuses = False
        self.refuses_durable = False

    def append(self, call_id: CallId, entry: Mapping[str, object], *, durable: bool) -> None:
        if self.refuses or (durable and self.refuses_durable):
            raise SpoolUnavailable("the spool is full")
        stored = self.stored.get(call_id, b"")
        if stored and not stored.endswith(b"\n"):
            stored += b"\n"
        self.stored[call_id] = stored + encode(entry)
        if durable:
            self.durable[call_id] = len(self.stored[call_id])

    def read(self, call_id: CallId) -> Sequence[Mapping[str, Any]]:
        return decode(self.stored.get(call_id, b""))

    def recall(self, call_id: CallId) -> Sequence[Mapping[str, Any]]:
        return self.read(call_id)

    def all_calls(self) -> Sequence[CallId]:
        return sorted(self.stored)

    def close(self, call_id: CallId) -> None:
        pass

    def wipe(self, call_id: CallId) -> None:
        self.stored.pop(call_id, None)


class FakeSpool:
    """Audio as bytes. ``free`` None = not writable."""

    def __init__(self) -> None:
        self.audio: dict[RecordingId, bytes] = {}
        self.written_at: dict[RecordingId, datetime] = {}
        self.free: int | None = 1 << 40

    def write(self, recording_id: RecordingId, audio: bytes, at: datetime) -> None:
        self.audio[recording_id] = audio
        self.written_at[recording_id] = at

    def audio_path(self, recording_id: RecordingId) -> Path:
        return Path("/spool") / f"{recording_id}.raw"

    def audio_size(self, recording_id: RecordingId) -> int | None:
        return len(self.audio[recording_id]) if recording_id in self.audio else None

    def audio_written_at(self, recording_id: RecordingId) -> datetime | None:
        return self.written_at.get(recording_id)

    def all_audio(self) -> Sequence[RecordingId]:
        return list(self.audio)

    def free_bytes(self) -> int:
        if self.free is None:
            raise SpoolUnavailable("the spool is mounted read-only")
        return self.free

    def wipe_audio(self, recording_id: RecordingId) -> None:
        self.audio.pop(recording_id, None)
        self.written_at.pop(recording_id, None)


class FakeVault:
    """Keeps what ``spool`` held. ``broken`` recordings cannot be stored, ``away`` none."""

    def __init__(self, spool: FakeSpool) -> None:
        self.files: dict[tuple[str, RecordingId], bytes] = {}
        self.stores = 0
        self.broken: set[RecordingId] = set()
        self.away = False
        self._spool = spool

    async def store(self, recording_id: RecordingId, *, raw: Path, folder: str) -> SealedAudio:
        if self.away or recording_id in self.broken:
            raise VaultUnavailable("the vault cannot be written")
        audio = self._spool.audio[RecordingId(UUID(raw.stem))]
        self.files[folder, recording_id] = audio
        self.stores += 1
        return SealedAudio(
            sha256=hashlib.sha256(audio).hexdigest(),
            size_bytes=len(audio) + 44,
            frames=len(audio) // 4,
            sample_rate=8000,
            caller_dbfs=-20.0,
            office_dbfs=-20.0,
            silent=False,
            one_sided=False,
        )

    async def digest(self, recording_id: RecordingId, *, folder: str) -> str | None:
        audio = self.files.get((folder, recording_id))
        return None if audio is None else hashlib.sha256(audio).hexdigest()

    def path(self, recording_id: RecordingId, *, folder: str) -> Path:
        return Path("/vault") / folder / f"{recording_id}.wav"


class FakeAnnouncements:
    """The versions in force; one Polish first layer from the start."""

    def __init__(self) -> None:
        self.in_force = [an_announcement()]

    def active(self, layer: Layer, language: str, now: datetime) -> Announcement | None:
        wanted = (layer, language)
        found = (each for each in self.in_force if (each.layer, each.language) == wanted)
        return next(found, None)

    def versions(self) -> Sequence[Announcement]:
        return self.in_force
