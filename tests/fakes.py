"""The outside world in memory: state in plain attributes, faults at the turn of a switch."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from recorder.adapters import wav
from recorder.capture.journal import decode, encode
from recorder.custody.model import FileKind, StoredFile
from recorder.errors import (
    CallGone,
    NotFound,
    RecordingDamaged,
    RuleViolation,
    SpoolUnavailable,
    VaultUnavailable,
)
from recorder.live.model import Act, Answer
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
        self.told: list[tuple[str, Act, Answer]] = []

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

    async def pause_recording(self, channel_id: str) -> None:
        self._carry_out("pause_recording", channel_id)

    async def resume_recording(self, channel_id: str) -> None:
        self._carry_out("resume_recording", channel_id)

    async def tell(self, channel_id: str, act: Act, answer: Answer) -> None:
        self._carry_out("tell", channel_id)
        self.told.append((channel_id, act, answer))

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
    """Keeps what ``spool`` held. ``broken`` recordings cannot be stored, ``away`` none.

    ``damaged`` recordings do not authenticate.
    """

    def __init__(self, spool: FakeSpool) -> None:
        self.files: dict[tuple[str, RecordingId], bytes] = {}
        """The samples, without a WAV's header."""
        self.keys: set[RecordingId] = set()
        self.foreign: list[StoredFile] = []
        self.written_at: dict[RecordingId, datetime] = {}
        self.stores = 0
        self.broken: set[RecordingId] = set()
        self.damaged: set[RecordingId] = set()
        self.away = False
        self._spool = spool

    async def store(self, recording_id: RecordingId, *, raw: Path, folder: str) -> SealedAudio:
        self._answer()
        if recording_id in self.broken:
            raise VaultUnavailable("the vault cannot be written")
        try:
            audio = self._spool.audio[RecordingId(UUID(raw.stem))]
        except KeyError:
            raise VaultUnavailable("the spool cannot be read") from None
        self.keys.add(recording_id)
        self.files[folder, recording_id] = audio
        self.written_at[recording_id] = NOON
        self.stores += 1
        whole = wav.header(len(audio) // 4) + audio[: len(audio) // 4 * 4]
        return SealedAudio(
            sha256=hashlib.sha256(whole).hexdigest(),
            size_bytes=len(whole),
            frames=len(audio) // 4,
            sample_rate=8000,
            caller_dbfs=-20.0,
            office_dbfs=-20.0,
            silent=False,
            one_sided=False,
        )

    async def digest(self, recording_id: RecordingId, *, folder: str) -> str | None:
        try:
            return hashlib.sha256(self._wav(recording_id, folder)).hexdigest()
        except NotFound:
            return None

    async def read(
        self, recording_id: RecordingId, *, folder: str, start: int, length: int
    ) -> bytes:
        return self._wav(recording_id, folder)[start : start + length]

    async def size(self, recording_id: RecordingId, *, folder: str) -> int:
        return len(self._wav(recording_id, folder))

    async def export(self, recording_id: RecordingId, *, folder: str, target: Path) -> str:
        whole = self._wav(recording_id, folder)
        if target.exists():
            raise RuleViolation("the target exists; nothing is overwritten")
        target.touch(0o600)
        target.write_bytes(whole)
        return hashlib.sha256(whole).hexdigest()

    async def destroy_key(self, recording_id: RecordingId) -> None:
        self._answer()
        self.keys.discard(recording_id)

    async def destroy_audio(self, recording_id: RecordingId, *, folder: str) -> None:
        self._answer()
        self.files.pop((folder, recording_id), None)

    async def remains(self, recording_id: RecordingId, *, folder: str) -> tuple[bool, bool]:
        self._answer()
        return recording_id in self.keys, (folder, recording_id) in self.files

    def present(self) -> Iterator[StoredFile]:
        self._answer()
        for (folder, recording_id), audio in self.files.items():
            yield StoredFile(
                id=recording_id,
                kind=FileKind.SEALED,
                folder=folder,
                created_at=self.written_at.get(recording_id, NOON),
                size_bytes=len(audio),
            )
        yield from self.foreign

    def keys_present(self) -> Iterator[RecordingId]:
        self._answer()
        yield from list(self.keys)

    def _wav(self, recording_id: RecordingId, folder: str) -> bytes:
        self._answer()
        audio = self.files.get((folder, recording_id))
        if audio is None:
            raise NotFound("the recording's audio is not in the vault")
        if recording_id in self.damaged or recording_id not in self.keys:
            raise RecordingDamaged("the audio is not what was sealed")
        return wav.header(len(audio) // 4) + audio[: len(audio) // 4 * 4]

    def _answer(self) -> None:
        if self.away:
            raise VaultUnavailable("the vault cannot be read or written")


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
