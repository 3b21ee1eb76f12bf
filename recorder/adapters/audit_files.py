"""The key that signs checkpoints, and the folder where checkpoints are kept."""

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from recorder.adapters.files import sync_directory
from recorder.audit.notes import BadNote, PublicKey, SigningKey, checked_name
from recorder.errors import ConfigurationError, RuleViolation, VaultUnavailable

SUFFIX = ".note"


def create_key(path: Path, *, name: str) -> PublicKey:
    """Make a key, for its owner's eyes alone, and return what verifies its notes.

    Raises ``RuleViolation`` where a file is: a key that is lost cannot sign again, and one that
    is overwritten would make all its checkpoints look false.
    """
    try:
        key = SigningKey(checked_name(name), secrets.token_bytes(32))
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except BadNote as error:
        raise ConfigurationError(str(error)) from None
    except FileExistsError:
        raise RuleViolation("there is a key file already; nothing is overwritten") from None
    except OSError as error:
        raise ConfigurationError(f"the key file cannot be made ({error.strerror})") from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{key.secret}\n")
        file.flush()
        os.fsync(file.fileno())
    sync_directory(path.parent)
    return key.public


def read_key(path: Path) -> SigningKey:
    """Return the key. Raises ``ConfigurationError``, also where others may read it."""
    try:
        with path.open(encoding="ascii") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise ConfigurationError("RECORDER_AUDIT_KEY_FILE is open to others: chmod 600")
            return SigningKey.parse(file.read())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"RECORDER_AUDIT_KEY_FILE cannot be read ({type(error).__name__}): "
            "`recorder audit init-key` makes it"
        ) from None
    except BadNote as error:
        raise ConfigurationError(f"RECORDER_AUDIT_KEY_FILE: {error}") from None


class CheckpointFolder:
    """One file for each checkpoint, named by its entry. Copy it to another machine."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, seq: int, note: str) -> Path:
        """Write a checkpoint durably; an existing one is left as it is."""
        path = self._directory / f"{seq:012}{SUFFIX}"
        unfinished = path.with_suffix(f".{os.getpid()}")
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with unfinished.open("w", encoding="utf-8") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                unfinished.unlink()
            else:
                unfinished.rename(path)
            sync_directory(self._directory)
        except OSError as error:
            raise VaultUnavailable(
                f"the checkpoint cannot be written ({error.strerror}); "
                "check RECORDER_AUDIT_CHECKPOINT_DIR"
            ) from error
        return path

    def notes(self) -> Mapping[str, str]:
        """Return all checkpoints by the names of their files, oldest first."""
        try:
            return {
                path.name: path.read_text(encoding="utf-8", errors="replace")
                for path in sorted(self._directory.glob(f"*{SUFFIX}"))
            }
        except OSError as error:
            raise VaultUnavailable(
                f"checkpoints cannot be read ({error.strerror}); "
                "check RECORDER_AUDIT_CHECKPOINT_DIR"
            ) from error
