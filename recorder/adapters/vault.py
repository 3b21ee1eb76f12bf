"""Recordings at rest: one container each under ``YYYY/MM/DD``, each under a key of its own."""

import asyncio
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TypeVar
from uuid import UUID

from recorder.adapters import wav
from recorder.adapters.container import Sealed, Sealer
from recorder.adapters.files import folder_beneath, is_there, overwrite_and_unlink, sync_directory
from recorder.adapters.keys import DiskKeys
from recorder.adapters.master_key import load_master_key
from recorder.custody.model import FileKind, StoredFile
from recorder.errors import NotFound, RecordingDamaged, RuleViolation, VaultUnavailable
from recorder.model import RecordingId, SealedAudio
from recorder.ports import Keys
from recorder.settings import Settings

FILE_MODE, FOLDER_MODE = 0o640, 0o750
FOLDER = re.compile(r"[0-9]{4}/[0-9]{2}/[0-9]{2}")
SEALED, PLAIN, UNFINISHED = ".rec", ".wav", ".part"
KINDS = {
    SEALED: FileKind.SEALED,
    PLAIN: FileKind.PLAIN,
    UNFINISHED: FileKind.UNFINISHED,
}
NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(\.rec|\.wav|\.part)")
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""A pipe in a file's place must not keep its reader waiting."""
Answer = TypeVar("Answer")


class DiskVault:
    """A directory tree of containers. See ``recorder.ports.Vault`` for the promises.

    Every file is reached from the vault's own folder without following a link (A15, RG.7).
    """

    def __init__(self, directory: Path, keys: Keys) -> None:
        self._directory, self._keys = directory, keys

    async def store(self, recording_id: RecordingId, *, raw: Path, folder: str) -> SealedAudio:
        """Seal ``raw`` as a stereo WAV under ``folder``, encrypted, and measure it."""
        return await self._in_thread(lambda: self._store(recording_id, raw, folder))

    async def digest(self, recording_id: RecordingId, *, folder: str) -> str | None:
        """Read all of a recording and return the SHA-256 of its WAV; None = not there."""
        return await self._in_thread(lambda: self._digest(recording_id, folder))

    async def read(
        self, recording_id: RecordingId, *, folder: str, start: int, length: int
    ) -> bytes:
        """Return a range of the WAV, cut at its end."""

        def act() -> bytes:
            with self._sealed(recording_id, folder) as sealed:
                return sealed.read(start, length)

        return await self._in_thread(act)

    async def size(self, recording_id: RecordingId, *, folder: str) -> int:
        """Return the bytes of the WAV."""

        def act() -> int:
            with self._sealed(recording_id, folder) as sealed:
                # The header is proved by any chunk; the last is the one that a cut would miss.
                sealed.read(sealed.size, 1)
                return sealed.size

        return await self._in_thread(act)

    async def export(self, recording_id: RecordingId, *, folder: str, target: Path) -> str:
        """Decrypt to a new WAV file and return its SHA-256."""
        return await self._in_thread(lambda: self._export(recording_id, folder, target))

    async def destroy_key(self, recording_id: RecordingId) -> None:
        """Make the audio unreadable for ever."""
        await self._in_thread(lambda: self._keys.destroy(recording_id))

    async def destroy_audio(self, recording_id: RecordingId, *, folder: str) -> None:
        """Overwrite and remove what is stored, finished or not."""

        def act() -> None:
            try:
                with self._folder(folder) as handle:
                    for suffix in KINDS:
                        overwrite_and_unlink(f"{recording_id}{suffix}", folder=handle)
                    os.fsync(handle)
            except FileNotFoundError:
                # Without its folder a file is gone; without the vault nothing is known.
                self._directory.stat()

        await self._in_thread(act)

    async def remains(self, recording_id: RecordingId, *, folder: str) -> tuple[bool, bool]:
        """Tell whether anything of the key, and anything of the audio, is there."""

        def act() -> tuple[bool, bool]:
            return self._keys.holds(recording_id), self._has_audio(recording_id, folder)

        return await self._in_thread(act)

    def present(self) -> Iterator[StoredFile]:
        """Yield every file in the vault, ours or not."""
        with translated():
            for where, inner, names, handle in os.fwalk(self._directory, onerror=_raise):
                folder = Path(where).relative_to(self._directory).as_posix()
                # A link to a folder is not entered, so it is told like a file.
                links = (each for each in inner if _is_link(each, handle))
                for name in (*names, *links):
                    if found := _look_at(name, folder, handle):
                        yield found

    def keys_present(self) -> Iterator[RecordingId]:
        """Yield every recording of which anything of a key is there."""
        return self._keys.present()

    def _store(self, recording_id: RecordingId, raw: Path, folder: str) -> SealedAudio:
        frames = wav.frames_in(raw)
        size = wav.size_of(frames)
        digest = hashlib.sha256()
        with self._folder(folder, make=True) as handle:
            # A key seals once: sealing again after a crash takes a new one, and the file that
            # the old one opened is replaced below. Key on disk → file on disk → its name → row.
            key = self._keys.create(recording_id)
            with written(recording_id, handle) as file:
                sealer = Sealer(file, key, recording_id=recording_id, size=size)

                def write(block: bytes) -> None:
                    digest.update(block)
                    sealer.write(block)

                measured = wav.write_wav(raw, write, frames=frames)
                sealer.finish()
        return SealedAudio(
            sha256=digest.hexdigest(),
            size_bytes=size,
            frames=frames,
            sample_rate=wav.SAMPLE_RATE,
            caller_dbfs=measured.caller_dbfs,
            office_dbfs=measured.office_dbfs,
            silent=measured.silent,
            one_sided=measured.one_sided,
        )

    def _digest(self, recording_id: RecordingId, folder: str) -> str | None:
        digest = hashlib.sha256()
        try:
            with self._sealed(recording_id, folder) as sealed:
                for chunk in sealed.chunks():
                    digest.update(chunk)
        except NotFound:
            return None
        return digest.hexdigest()

    def _export(self, recording_id: RecordingId, folder: str, target: Path) -> str:
        unfinished = target.with_name(f"{target.name}{UNFINISHED}")
        if target.exists() or target.is_symlink():
            raise RuleViolation("the target exists; nothing is overwritten")
        digest = hashlib.sha256()
        with self._sealed(recording_id, folder) as sealed:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                # For its owner alone, from the first byte.
                handle = os.open(unfinished, flags, 0o600)
            except FileExistsError:
                raise RuleViolation("another copy is under way to this target") from None
            try:
                with os.fdopen(handle, "wb") as file:
                    for chunk in sealed.chunks():
                        digest.update(chunk)
                        file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
                unfinished.rename(target)
                sync_directory(target.parent)
            finally:
                unfinished.unlink(missing_ok=True)
        return digest.hexdigest()

    @contextmanager
    def _sealed(self, recording_id: RecordingId, folder: str) -> Iterator[Sealed]:
        try:
            with self._folder(folder) as handle:
                file = os.open(f"{recording_id}{SEALED}", READ, dir_fd=handle)
        except FileNotFoundError:
            self._directory.stat()
            raise NotFound("the recording's audio is not in the vault") from None
        try:
            key = self._keys.get(recording_id)
            if key is None:
                raise RecordingDamaged("the recording's key is missing")
            yield Sealed(file, key, recording_id=recording_id)
        finally:
            os.close(file)

    def _has_audio(self, recording_id: RecordingId, folder: str) -> bool:
        try:
            with self._folder(folder) as handle:
                return any(is_there(f"{recording_id}{each}", folder=handle) for each in KINDS)
        except FileNotFoundError:
            self._directory.stat()
            return False

    @contextmanager
    def _folder(self, folder: str, *, make: bool = False) -> Iterator[int]:
        if not FOLDER.fullmatch(folder):
            raise ValueError("a folder of the vault is YYYY/MM/DD")
        make_with = FOLDER_MODE if make else None
        with folder_beneath(self._directory, folder, make_with=make_with) as handle:
            yield handle

    async def _in_thread(self, act: Callable[[], Answer]) -> Answer:
        with translated():
            return await asyncio.to_thread(act)


def open_vault(settings: Settings) -> DiskVault:
    """Return the vault, once the master key is found to be the right one.

    Raises ``ConfigurationError`` and ``KeyUnavailable``.
    """
    text = settings.master_key.get_secret_value()
    keys = DiskKeys(settings.key_dir, load_master_key(file=settings.master_key_file, text=text))
    keys.check()
    return DiskVault(settings.vault_dir, keys)


@contextmanager
def written(recording_id: RecordingId, folder: int) -> Iterator[BinaryIO]:
    """Write one container into an open folder: whole, on disk and named at the end, or not."""
    unfinished, name = f"{recording_id}{UNFINISHED}", f"{recording_id}{SEALED}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(unfinished, flags, FILE_MODE, dir_fd=folder), "wb") as file:
        yield file
        file.flush()
        # The mode of open() is cut by the umask.
        os.fchmod(file.fileno(), FILE_MODE)
        os.fsync(file.fileno())
    os.rename(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the disk says into ``VaultUnavailable``. Its own paths are not repeated."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise VaultUnavailable(f"the vault cannot be read or written ({reason})") from error


def _look_at(name: str, folder: str, handle: int) -> StoredFile | None:
    try:
        found = os.stat(name, dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        return None
    ours = NAME.fullmatch(name) if FOLDER.fullmatch(folder) else None
    return StoredFile(
        id=RecordingId(UUID(ours[1])) if ours else None,
        kind=KINDS[ours[2]] if ours else FileKind.FOREIGN,
        folder=folder if FOLDER.fullmatch(folder) else "",
        created_at=datetime.fromtimestamp(found.st_mtime, UTC),
        size_bytes=found.st_size,
    )


def _is_link(name: str, handle: int) -> bool:
    try:
        os.readlink(name, dir_fd=handle)
    except OSError:
        return False
    return True


def _raise(error: OSError) -> None:
    raise error
