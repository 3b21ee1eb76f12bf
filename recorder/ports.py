"""What the services need from the outside world, each as a small promise.

Named after the need, not the product. Every fake in ``tests/fakes.py`` and every adapter
passes the same contract suite.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from recorder.model import (
    Announcement,
    CallId,
    CallRecord,
    Incident,
    Layer,
    Recording,
    RecordingId,
    SealedAudio,
)


class Clock(Protocol):
    """Tells the time. The only source of "now" in the service."""

    def now(self) -> datetime:
        """Return the current instant, timezone-aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps; only differences mean anything."""


class Switchboard(Protocol):
    """Commands one live call on the PBX.

    Every method raises ``SwitchboardUnavailable`` when the PBX does not answer in time and
    ``CallGone`` when the channel is no longer ours to command. Success means "accepted":
    what really happened is told by events (RG.6).
    """

    async def follow(self, channel_id: str) -> None:
        """Keep this channel's events coming after it leaves the application."""

    async def answer(self, channel_id: str) -> None:
        """Answer the caller."""

    async def play(self, channel_id: str, playback_id: str, announcement: Announcement) -> None:
        """Start playing to the caller; start and end arrive as events."""

    async def stop_playing(self, playback_id: str) -> None:
        """Stop what is playing. Stopping what has ended is a success."""

    async def extend_watchdog(self, channel_id: str, seconds: float) -> None:
        """Set how long from now the PBX waits before it takes the caller back by itself."""

    async def stop_recording(self, channel_id: str, recording_id: RecordingId) -> None:
        """Make the PBX stop recording this call; what there is stays (R3.4h)."""

    async def release(
        self, channel_id: str, *, outcome: str, recording_id: RecordingId | None
    ) -> None:
        """Give the caller back to the PBX's own routing.

        ``recording_id`` makes the PBX record the rest of the call into the spool, both sides,
        while the caller is connected; None means that no audio file comes into being.
        """


class Journals(Protocol):
    """The append-only journals of live calls in the spool.

    Raises ``SpoolUnavailable`` when the spool cannot be read or written.
    """

    def append(self, call_id: CallId, entry: Mapping[str, object], *, durable: bool) -> None:
        """Add one entry. When ``durable``, the entry survives a power cut on return."""

    def read(self, call_id: CallId) -> Sequence[Mapping[str, object]]:
        """Return the entries in order; a torn last line is not an entry."""

    def recall(self, call_id: CallId) -> Sequence[Mapping[str, object]]:
        """Return what can still be read after ``append`` failed; empty rather than raising."""

    def all_calls(self) -> Sequence[CallId]:
        """Return every call with a journal, oldest first."""

    def close(self, call_id: CallId) -> None:
        """Release the journal's file handle; the journal stays."""

    def wipe(self, call_id: CallId) -> None:
        """Remove the journal. Removing what is gone is a success."""


class Spool(Protocol):
    """Audio of live calls, as the PBX writes it: headerless, 16-bit, interleaved stereo."""

    def audio_path(self, recording_id: RecordingId) -> Path:
        """Return where the audio is, or would be."""

    def audio_size(self, recording_id: RecordingId) -> int | None:
        """Return its size in bytes, None if there is no such file."""

    def audio_written_at(self, recording_id: RecordingId) -> datetime | None:
        """Return when its last byte was written, None if there is no such file."""

    def all_audio(self) -> Iterable[RecordingId]:
        """Return the id of every audio file; an unreadable spool has none."""

    def free_bytes(self) -> int:
        """Return the space left for audio. Raises ``SpoolUnavailable`` when not writable."""

    def wipe_audio(self, recording_id: RecordingId) -> None:
        """Overwrite and remove the audio. Removing what is gone is a success."""


class Vault(Protocol):
    """Keeps recorded audio at rest."""

    async def store(self, recording_id: RecordingId, *, raw: Path, folder: str) -> SealedAudio:
        """Seal ``raw`` as a stereo WAV under ``folder`` and measure it.

        When this returns, the bytes survive a power cut. Storing the same recording twice
        leaves one file with the same bytes. Raises ``VaultUnavailable``.
        """

    async def digest(self, recording_id: RecordingId, *, folder: str) -> str | None:
        """Return the SHA-256 of the stored file (hex), None if it is not there (RG.3)."""

    def path(self, recording_id: RecordingId, *, folder: str) -> Path:
        """Return where the stored file is."""


class Ledger(Protocol):
    """The rows about calls and recordings. Raises ``LedgerUnavailable``."""

    async def record_call(
        self,
        call: CallRecord,
        *,
        recording: Recording | None,
        incidents: Sequence[Incident],
        at: datetime,
    ) -> bool:
        """Write everything about one ended call in one transaction.

        False if that call (its id, or its node and channel) is there already; then nothing
        changes. ``at`` is the moment of writing.
        """

    async def knows_channel(self, node: str, channel_id: str) -> bool:
        """Tell whether a call with this channel has a row."""

    async def record_incident(self, incident: Incident, *, once: bool = False) -> bool:
        """Write an incident that belongs to no call; True if it was written.

        ``once``: not if one of the same kind with the same detail is there.
        """

    async def keep_announcement(self, announcement: Announcement) -> None:
        """Register a version, or update when it is active. The same version twice is one."""


class Announcements(Protocol):
    """The versions that callers hear, from a catalogue that needs no database."""

    def active(self, layer: Layer, language: str, now: datetime) -> Announcement | None:
        """Return the version in force, None if there is none or its sound is not intact."""

    def versions(self) -> Sequence[Announcement]:
        """Return every version ever added, oldest first."""
