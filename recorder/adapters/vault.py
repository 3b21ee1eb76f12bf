"""Recordings at rest: one WAV each under ``YYYY/MM/DD`` of the vault."""

import asyncio
import re
from pathlib import Path

import soundfile

from recorder.adapters import wav
from recorder.adapters.files import sha256_of, sync_directory, sync_file
from recorder.errors import VaultUnavailable
from recorder.model import RecordingId, SealedAudio

FILE_MODE = 0o640
FOLDER_MODE = 0o750
FOLDER = re.compile(r"[0-9]{4}/[0-9]{2}/[0-9]{2}")
UNFINISHED = ".part"


class DiskVault:
    """A directory tree of WAV files, written so that each is whole or absent."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, recording_id: RecordingId, *, folder: str) -> Path:
        """Return where the stored file is. Only our own ids ever make a path (RG.7)."""
        if not FOLDER.fullmatch(folder):
            raise ValueError("a folder of the vault is YYYY/MM/DD")
        return self._directory / folder / f"{recording_id}.wav"

    async def store(self, recording_id: RecordingId, *, raw: Path, folder: str) -> SealedAudio:
        """Seal ``raw`` as a stereo WAV under ``folder`` and measure it.

        Temporary name → file fsync → rename → fsync of every new folder: when this returns, the
        bytes survive a power cut (RG.5). Raises ``VaultUnavailable``.
        """
        target = self.path(recording_id, folder=folder)
        try:
            return await asyncio.to_thread(self._store, raw, target)
        except (OSError, soundfile.LibsndfileError) as error:
            reason = getattr(error, "strerror", None) or "the audio cannot be written"
            raise VaultUnavailable(f"the vault cannot be written ({reason})") from error

    async def digest(self, recording_id: RecordingId, *, folder: str) -> str | None:
        """Return the SHA-256 of the stored file (hex), None if it is not there (RG.3)."""
        path = self.path(recording_id, folder=folder)
        try:
            return await asyncio.to_thread(sha256_of, path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise VaultUnavailable(f"the vault cannot be read ({error.strerror})") from error

    def _store(self, raw: Path, target: Path) -> SealedAudio:
        self._make_folders(target.parent)
        unfinished = target.with_suffix(UNFINISHED)
        measured = wav.write_wav(raw, unfinished)
        unfinished.chmod(FILE_MODE)
        sync_file(unfinished)
        # Read back, not taken from memory: what is hashed is what is stored.
        digest = sha256_of(unfinished)
        size = unfinished.stat().st_size
        unfinished.replace(target)
        sync_directory(target.parent)
        return SealedAudio(
            sha256=digest,
            size_bytes=size,
            frames=measured.frames,
            sample_rate=wav.SAMPLE_RATE,
            caller_dbfs=measured.caller_dbfs,
            office_dbfs=measured.office_dbfs,
            silent=measured.silent,
            one_sided=measured.one_sided,
        )

    def _make_folders(self, folder: Path) -> None:
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            # mkdir's mode is cut by the umask; a folder of the vault is never open to others.
            each.mkdir(mode=FOLDER_MODE, exist_ok=True)
            each.chmod(FOLDER_MODE)
            sync_directory(each.parent)
