"""The master key, which wraps the key of every recording (RG.4).

Wrapped means encrypted with AES-256-GCM; the recording's id and the master key's id are
authenticated with it, so that a key file under another name, or of another office, is found.
"""

import base64
import hashlib
import os
import re
import secrets
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recorder.adapters.files import sync_directory
from recorder.errors import ConfigurationError, KeyUnavailable, RecordingDamaged, RuleViolation

MAGIC = b"REJKEY1\n"
KEY_BYTES = 32
ID_BYTES = 16
NONCE_BYTES = 12
WRAPPED_BYTES = len(MAGIC) + ID_BYTES + NONCE_BYTES + KEY_BYTES + 16
HOW = "`recorder keys init` makes one; name its file in RECORDER_MASTER_KEY_FILE"


class MasterKey:
    """Thirty-two secret bytes and the id by which files name them."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ConfigurationError("a master key is 32 bytes; `recorder keys init` makes one")
        self.id = hashlib.sha256(b"rejestrator master key id" + secret).digest()[:ID_BYTES]
        self._cipher = AESGCM(secret)

    def wrap(self, key: bytes, name: UUID) -> bytes:
        """Return ``key`` so that it may lie on disk as ``name``'s."""
        nonce = os.urandom(NONCE_BYTES)
        start = MAGIC + self.id
        return start + nonce + self._cipher.encrypt(nonce, key, start + name.bytes)

    def unwrap(self, wrapped: bytes, name: UUID) -> bytes:
        """Return the key. Raises ``RecordingDamaged`` and ``KeyUnavailable``."""
        if wrapped_by(wrapped) != self.id:
            raise KeyUnavailable(
                "the key lies under another master key: finish `recorder keys rotate`, then "
                "start with the new master key"
            )
        nonce = wrapped[len(MAGIC) + ID_BYTES :][:NONCE_BYTES]
        try:
            return self._cipher.decrypt(
                nonce,
                wrapped[len(MAGIC) + ID_BYTES + NONCE_BYTES :],
                MAGIC + self.id + name.bytes,
            )
        except InvalidTag:
            raise RecordingDamaged("the key file is damaged or another recording's") from None


def wrapped_by(wrapped: bytes) -> bytes:
    """Return the id of the master key of a wrapped key. Raises ``RecordingDamaged``."""
    if len(wrapped) != WRAPPED_BYTES or not wrapped.startswith(MAGIC):
        raise RecordingDamaged("the key file is damaged")
    return wrapped[len(MAGIC) :][:ID_BYTES]


def parse_master_key(text: str) -> MasterKey:
    """Return the master key that ``text`` holds in base64 or hex. Never says what it read."""
    text = text.strip()
    try:
        if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
            return MasterKey(bytes.fromhex(text))
        return MasterKey(base64.b64decode(text, altchars=b"-_", validate=True))
    except ValueError:
        raise ConfigurationError("a master key is 32 bytes in base64 or hex") from None


def read_master_key(file: Path) -> MasterKey:
    """Return the master key in ``file``. Raises ``ConfigurationError``."""
    try:
        return parse_master_key(file.read_text(encoding="ascii"))
    except FileNotFoundError:
        raise ConfigurationError(f"the file of the master key is missing; {HOW}") from None
    except OSError as error:
        raise ConfigurationError(
            f"the file of the master key cannot be read ({error.strerror}); check its owner"
        ) from error
    except UnicodeDecodeError:
        raise ConfigurationError("a master key is 32 bytes in base64 or hex") from None


def load_master_key(*, file: Path | None, text: str) -> MasterKey:
    """Return the master key from the one of two places that is set.

    Raises ``ConfigurationError`` when none or both are, or when it is no key.
    """
    if file is not None and text:
        raise ConfigurationError("set RECORDER_MASTER_KEY_FILE or RECORDER_MASTER_KEY, not both")
    if file is not None:
        return read_master_key(file)
    if text:
        return parse_master_key(text)
    raise ConfigurationError(f"there is no master key; {HOW}")


def make_master_key(file: Path) -> MasterKey:
    """Write a new master key for its owner alone. Raises ``RuleViolation`` over an old one."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise RuleViolation("the file exists; a master key is never overwritten") from None
    except OSError as error:
        raise ConfigurationError(
            f"the file of the master key cannot be made ({error.strerror})"
        ) from error
    secret = secrets.token_bytes(KEY_BYTES)
    with os.fdopen(handle, "wb") as target:
        os.fchmod(target.fileno(), 0o600)
        target.write(base64.b64encode(secret) + b"\n")
        target.flush()
        os.fsync(target.fileno())
    sync_directory(file.parent)
    return MasterKey(secret)
