"""How one version and one activation lie on disk, and how they get there whole."""

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from recorder.adapters.announcement_cards import ActivationCard, VersionCard
from recorder.adapters.files import sha256_of, sync_directory
from recorder.announcements.rules import Damage
from recorder.errors import Unavailable
from recorder.model import AnnouncementId, IncidentKind

FILE_MODE = 0o640
FOLDER_MODE = 0o750
CARD = "announcement.json"
ACTIVATIONS = "activations"
UNFINISHED = ".unfinished-"
LOCK = ".lock"


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Be the only writer, and clear away what a writer that died left unfinished.

    Raises ``Unavailable`` when the catalogue cannot be written.
    """
    try:
        if not directory.is_dir():
            directory.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            sync_directory(directory.parent)
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for each in directory.glob(f"{UNFINISHED}*"):
                shutil.rmtree(each)
            for each in directory.glob(f"*/{UNFINISHED}*"):
                each.unlink()
            yield
        finally:
            os.close(lock)
    except OSError as error:
        raise _unavailable(error, "written") from error


def write_version(directory: Path, card: VersionCard, encoded: Mapping[str, bytes]) -> None:
    """Put a version into the catalogue: a folder that is whole, or none."""
    unfinished = directory / f"{UNFINISHED}{card.id}"
    _make_folder(unfinished)
    for extension, content in encoded.items():
        _write(unfinished / f"sound.{extension}", content)
    _write(unfinished / CARD, card.model_dump_json(indent=2).encode())
    sync_directory(unfinished)
    _rename(unfinished, directory / str(card.id))


def write_activation(directory: Path, card: ActivationCard) -> None:
    """Put an activation into the catalogue: a file that is whole, or none."""
    folder = directory / ACTIVATIONS
    if not folder.is_dir():
        _make_folder(folder)
        sync_directory(directory)
    unfinished = folder / f"{UNFINISHED}{card.id}"
    _write(unfinished, card.model_dump_json(indent=2).encode())
    _rename(unfinished, folder / f"{card.id}.json")


def restore_sounds(directory: Path, card: VersionCard, encoded: Mapping[str, bytes]) -> None:
    """Put the sound files of a version back, each whole or as it was."""
    folder = directory / str(card.id)
    for extension, content in encoded.items():
        unfinished = folder / f"{UNFINISHED}{extension}"
        _write(unfinished, content)
        _rename(unfinished, folder / f"sound.{extension}")


def read_versions(
    directory: Path,
) -> tuple[dict[AnnouncementId, VersionCard], tuple[Damage, ...]]:
    """Return every version that can be read, and what is wrong with the others.

    Raises ``Unavailable`` when the catalogue is there but cannot be read.
    """
    cards: dict[AnnouncementId, VersionCard] = {}
    damage = []
    for folder in _entries(directory):
        announcement_id = _id_of(folder.name)
        if announcement_id is None:
            continue
        try:
            card = VersionCard.model_validate_json((folder / CARD).read_bytes())
        except (OSError, ValidationError) as error:
            # One version that cannot be read must not hide the others.
            damage.append(_changed(announcement_id, f"{CARD} cannot be read", error))
            continue
        if card.id != announcement_id:
            damage.append(_changed(announcement_id, f"{CARD} belongs to another version"))
            continue
        cards[announcement_id] = card
    return cards, tuple(damage)


def read_activations(
    directory: Path,
) -> tuple[tuple[ActivationCard, ...], tuple[Damage, ...]]:
    """Return every activation that can be read, in the order they were made."""
    cards: list[ActivationCard] = []
    damage = []
    for file in _entries(directory / ACTIVATIONS):
        if _id_of(file.stem) is None:
            continue
        try:
            card = ActivationCard.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            damage.append(_changed(None, f"activation {file.stem} cannot be read", error))
            continue
        cards.append(card)
    return tuple(sorted(cards, key=lambda card: (card.activated_at, card.id))), tuple(damage)


def without_version(
    activations: Iterable[ActivationCard], known: Container[AnnouncementId | None]
) -> tuple[Damage, ...]:
    """Return what was activated and is no longer there: a folder that somebody removed."""
    lost = {AnnouncementId(each.announcement_id) for each in activations}
    return tuple(
        Damage(
            kind=IncidentKind.ANNOUNCEMENT_MISSING,
            announcement_id=each,
            detail="it was activated, but its version is missing",
        )
        for each in sorted(lost)
        if each not in known
    )


def damage_of(directory: Path, card: VersionCard) -> list[Damage]:
    """Return what is wrong with the sound files of a version, by their hashes."""
    damage = []
    for name, expected in card.files.items():
        try:
            digest = sha256_of(directory / str(card.id) / name)
        except OSError as error:
            damage.append(
                Damage(
                    kind=IncidentKind.ANNOUNCEMENT_MISSING,
                    announcement_id=AnnouncementId(card.id),
                    detail=f"{name} is missing or cannot be read ({error.strerror})",
                )
            )
            continue
        if digest != expected.sha256:
            damage.append(_changed(AnnouncementId(card.id), f"{name} was changed"))
    return damage


def signature_of_catalogue(directory: Path) -> tuple[tuple[int, ...], ...] | None:
    """Return what changes whenever a version or an activation is added; None = no catalogue."""
    try:
        found = [directory.stat()]
        with suppress(FileNotFoundError):
            found.append((directory / ACTIVATIONS).stat())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unavailable(error, "read") from error
    return tuple((each.st_ino, each.st_mtime_ns) for each in found)


def signature_of_sounds(directory: Path, card: VersionCard) -> tuple[tuple[int, ...], ...] | None:
    """Return what changes whenever a sound file does; None if one is not there or too short."""
    signature = []
    for name, expected in card.files.items():
        try:
            found = (directory / str(card.id) / name).stat()
        except OSError:
            return None
        if found.st_size != expected.size or not stat.S_ISREG(found.st_mode):
            return None
        signature.append((found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    return tuple(signature)


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unavailable(error, "read") from error


def _make_folder(folder: Path) -> None:
    folder.mkdir()
    # mkdir's mode is cut by the umask. The set-group-id bit, inherited from the catalogue, is
    # how Asterisk's group comes to read what is added.
    folder.chmod(FOLDER_MODE | (folder.stat().st_mode & stat.S_ISGID))


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    try:
        os.fchmod(handle, FILE_MODE)
        while content:
            content = content[os.write(handle, content) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _rename(unfinished: Path, target: Path) -> None:
    parent = target.parent
    before = parent.stat().st_mtime_ns
    unfinished.rename(target)
    # Two changes within one tick of the kernel's clock look like one to a reader.
    if parent.stat().st_mtime_ns <= before:
        os.utime(parent, ns=(before + 1, before + 1))
    sync_directory(parent)


def _id_of(name: str) -> AnnouncementId | None:
    try:
        found = UUID(name)
    except ValueError:
        return None
    return AnnouncementId(found) if str(found) == name else None


def _changed(
    announcement_id: AnnouncementId | None, detail: str, error: Exception | None = None
) -> Damage:
    reason = f" ({type(error).__name__})" if error else ""
    return Damage(
        kind=IncidentKind.ANNOUNCEMENT_CHANGED,
        announcement_id=announcement_id,
        detail=f"{detail}{reason}",
    )


def _unavailable(error: OSError, done: str) -> Unavailable:
    reason = os.strerror(error.errno or errno.EIO)
    return Unavailable(
        f"the catalogue of announcements cannot be {done} ({reason}); "
        "check RECORDER_ANNOUNCEMENT_DIR, its rights and its disk"
    )
