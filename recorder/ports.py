"""What the services need from the outside world, each as a small promise.

Named after the need, not the product. Every fake in ``tests/fakes.py`` and every adapter
passes the same contract suite.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from recorder.audit.event import AuditEvent
from recorder.custody.model import StoredFile
from recorder.live.model import Act, Answer, Settled
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
        """Set how long from now the PBX waits before it takes the caller back by itself.

        The caller leaves for it and is handed over anew, both told by events.
        """

    async def stop_recording(self, channel_id: str, recording_id: RecordingId) -> None:
        """Make the PBX stop recording this call; what there is stays (R3.4h).

        Returns only once it is done; stopping what has stopped is a success.
        """

    async def pause_recording(self, channel_id: str) -> None:
        """Have silence recorded in place of both sides; time goes on (RG.12). Safe to repeat.

        This one, the next and ``stop_recording`` raise ``SwitchboardSilent`` when the PBX was
        asked and it is not known whether it did it.
        """

    async def resume_recording(self, channel_id: str) -> None:
        """Have both sides recorded again. Safe to repeat."""

    async def tell(self, channel_id: str, act: Act, answer: Answer) -> None:
        """Let a telephone that pressed a code hear what became of it."""

    async def release(
        self, channel_id: str, *, outcome: str, recording_id: RecordingId | None
    ) -> None:
        """Give the caller back to the PBX's own routing.

        ``recording_id`` makes the PBX record the rest of the call into the spool, both sides,
        while the caller is connected; None means that no audio file comes into being.
        """


class LiveControl(Protocol):
    """Acts on what the PBX is recording right now, by the caller's channel (R3.4h, RG.12).

    Every method answers within 2 s. It raises ``SwitchboardUnavailable`` when the PBX did not do
    it, ``SwitchboardSilent`` when it did not say whether, and ``CallGone`` when there is no such
    call or recording. Nothing is done later that was refused now.
    """

    @property
    def connected(self) -> bool:
        """Tell whether the PBX can be asked now."""

    async def stop(self, channel_id: str) -> None:
        """End the recording; what there is stays. Stopping what has stopped is a success."""

    async def mute(self, channel_id: str) -> None:
        """Write silence in place of both sides until ``unmute``; time goes on in the file."""

    async def unmute(self, channel_id: str) -> None:
        """Write both sides again. Muting and unmuting again changes nothing."""

    async def tell(self, channel_id: str, word: str) -> None:
        """Leave a word of our own, letters alone, for the dialplan that waits on this channel."""


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


class Keys(Protocol):
    """The key of each recording, outside database and vault (RG.4).

    Raises ``KeyUnavailable`` when they cannot be read or written, or lie under another master
    key, and ``RecordingDamaged`` when one key is not what was written.
    """

    def create(self, recording_id: RecordingId) -> bytes:
        """Return a fresh key of 32 bytes, on disk when this returns.

        An earlier key of this recording is destroyed: a key seals once, whatever crashed.
        """

    def get(self, recording_id: RecordingId) -> bytes | None:
        """Return the key, None if there is none."""

    def destroy(self, recording_id: RecordingId) -> None:
        """Overwrite and remove the key. Destroying what is gone is a success."""

    def holds(self, recording_id: RecordingId) -> bool:
        """Tell whether anything of a key is there, even what a crash left."""

    def present(self) -> Iterator[RecordingId]:
        """Yield every recording for which ``holds`` is true."""


class Vault(Protocol):
    """Keeps recorded audio at rest, each recording sealed under a key of its own.

    ``folder`` is the recording's ``stored_on``. Every method raises ``VaultUnavailable`` when
    vault or keys do not answer; those that read raise ``RecordingDamaged`` when stored audio
    does not authenticate or its key is missing, and then give nothing out (RG.3).
    """

    async def store(self, recording_id: RecordingId, *, raw: Path, folder: str) -> SealedAudio:
        """Seal ``raw`` as a stereo WAV under ``folder``, encrypted, and measure it.

        When this returns, key and audio survive a power cut, in this order (RG.5). Storing the
        same recording twice leaves one file, under the second key.
        """

    async def digest(self, recording_id: RecordingId, *, folder: str) -> str | None:
        """Read all of a recording and return the SHA-256 of its WAV (hex); None = not there."""

    async def read(
        self, recording_id: RecordingId, *, folder: str, start: int, length: int
    ) -> bytes:
        """Return a range of the WAV, cut at its end. Raises ``NotFound`` as well."""

    async def size(self, recording_id: RecordingId, *, folder: str) -> int:
        """Return the bytes of the WAV. Raises ``NotFound`` as well."""

    async def export(self, recording_id: RecordingId, *, folder: str, target: Path) -> str:
        """Decrypt to a new WAV file, for its owner alone, whole or absent; return its SHA-256.

        Raises ``NotFound`` as well, and ``RuleViolation`` when ``target`` exists.
        """

    async def destroy_key(self, recording_id: RecordingId) -> None:
        """Make the audio unreadable for ever: the first step of erasing. Safe to repeat."""

    async def destroy_audio(self, recording_id: RecordingId, *, folder: str) -> None:
        """Overwrite the stored bytes once at random and remove them. Safe to repeat (§ 7.2)."""

    async def remains(self, recording_id: RecordingId, *, folder: str) -> tuple[bool, bool]:
        """Tell whether anything of the key, and anything of the audio, is there."""

    def present(self) -> Iterator[StoredFile]:
        """Yield every file in the vault, ours or not."""

    def keys_present(self) -> Iterator[RecordingId]:
        """Yield every recording of which anything of a key is there."""


class Ledger(Protocol):
    """The rows about calls and recordings. Raises ``LedgerUnavailable``."""

    async def record_call(
        self,
        call: CallRecord,
        *,
        recording: Recording | None,
        incidents: Sequence[Incident],
        at: datetime,
        orders: Sequence[Settled] = (),
        entries: Sequence[AuditEvent] = (),
    ) -> bool:
        """Write everything about one ended call in one transaction.

        False if that call (its id, or its node and channel) is there already; then nothing
        changes. ``at`` is the moment of writing. ``orders`` about its recording are written with
        their entries in the trail, unless they are there; ``entries`` go there too.
        """

    async def knows_channel(self, node: str, channel_id: str) -> bool:
        """Tell whether a call with this channel has a row."""

    async def retention_days(self, configured: int) -> int:
        """Return the days in force, given those of regulation.toml (ADR 0061)."""

    async def record_incident(self, incident: Incident, *, once: bool = False) -> bool:
        """Write an incident that belongs to no call; True if it was written.

        ``once``: not if one of the same kind with the same detail is there.
        """

    async def mark_damaged(self, recording_id: RecordingId, *, at: datetime, detail: str) -> bool:
        """Mark a recording as damaged and write the incident, in one transaction (RG.3).

        False if it was marked before or has no row; then nothing changes. ``detail`` holds
        neither number nor name.
        """

    async def keep_announcement(self, announcement: Announcement) -> None:
        """Register a version, or update when it is active. The same version twice is one."""


class Announcements(Protocol):
    """The versions that callers hear, from a catalogue that needs no database."""

    def active(self, layer: Layer, language: str, now: datetime) -> Announcement | None:
        """Return the version in force, None if there is none or its sound is not intact."""

    def versions(self) -> Sequence[Announcement]:
        """Return every version ever added, oldest first."""
