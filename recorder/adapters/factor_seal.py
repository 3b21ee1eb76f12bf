"""Secrets of second factors at rest: sealed under a key of the accounts' own (ADR 0044).

``accounts.key`` in the key directory holds that key wrapped by the master key, like the key of
a recording: a rotation wraps it again, and the database is not touched by it.
"""

import base64
import fcntl
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recorder.accounts.model import AccountId
from recorder.adapters.keys import KEY, DiskKeys, locked, opened, put, read, tidy
from recorder.adapters.master_key import (
    KEY_BYTES,
    NONCE_BYTES,
    MasterKey,
    load_master_key,
    wrapped_by,
)
from recorder.errors import ConfigurationError, KeyUnavailable
from recorder.settings import Settings

ACCOUNTS = "accounts"
ACCOUNTS_ID = UUID(int=1)
SEALED = "sealed1:"
"""How what is sealed begins; no base32 secret has a colon."""
CONTEXT = b"rejestrator second factor"


class FactorSeal:
    """Seals a secret for one account: in another account's row it does not open."""

    def __init__(self, directory: Path, master: Callable[[], MasterKey]) -> None:
        self._directory, self._master = directory, master

    def prepare(self) -> None:
        """Make the accounts' key unless it is there: the web, which needs it, may only read keys.

        Raises ``KeyUnavailable`` and ``ConfigurationError``.
        """
        self._key(make=True)

    def seal(self, secret: str, account_id: AccountId) -> str:
        """Return what may be stored. Raises ``KeyUnavailable`` and ``ConfigurationError``."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(self._key(make=True)).encrypt(nonce, secret.encode(), _bound(account_id))
        return SEALED + base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, stored: str, account_id: AccountId) -> str:
        """Return the secret. Raises ``KeyUnavailable`` and ``ConfigurationError``."""
        cipher = AESGCM(self._key(make=False))
        try:
            raw = base64.b64decode(stored.removeprefix(SEALED), validate=True)
            plain = cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(account_id))
        except (InvalidTag, ValueError):
            raise KeyUnavailable(
                "a second factor's secret is damaged or another account's: "
                "recorder user reset LOGIN --totp"
            ) from None
        return plain.decode("ascii")

    def _key(self, *, make: bool) -> bytes:
        master = self._master()
        with opened(self._directory) as folder:
            with locked(folder, fcntl.LOCK_SH):
                wrapped = read(folder, f"{ACCOUNTS}{KEY}")
            if wrapped is None and make:
                with locked(folder, fcntl.LOCK_EX):
                    # A wrong master key must not bind the accounts to itself.
                    DiskKeys(self._directory, master).check()
                    wrapped = read(folder, f"{ACCOUNTS}{KEY}")
                    if wrapped is None:
                        wrapped = master.wrap(secrets.token_bytes(KEY_BYTES), ACCOUNTS_ID)
                        put(folder, ACCOUNTS, wrapped)
        if wrapped is None:
            raise KeyUnavailable(
                "the key directory has no accounts.key: restore it from the backup, or have "
                "second factors set anew: recorder user reset LOGIN --totp"
            )
        return master.unwrap(wrapped, ACCOUNTS_ID)


def seal_of(settings: Settings) -> FactorSeal | None:
    """Return the seal; None where no master key is configured, and secrets stay as they are."""
    file, text = settings.master_key_file, settings.master_key.get_secret_value()
    if file is None and not text:
        return None
    return FactorSeal(settings.key_dir, lambda: load_master_key(file=file, text=text))


def accounts_key(directory: Path) -> bytes | None:
    """Return the accounts' key as it lies wrapped, for a backup; None = there is none yet."""
    with opened(directory) as folder, locked(folder, fcntl.LOCK_SH):
        return read(folder, f"{ACCOUNTS}{KEY}")


def wrap_accounts_again(folder: int, old: MasterKey, new: MasterKey) -> None:
    """Wrap the accounts' key with ``new``, if there is one. Done already is done."""
    tidy(folder, ACCOUNTS)
    wrapped = read(folder, f"{ACCOUNTS}{KEY}")
    if wrapped is not None and wrapped_by(wrapped) != new.id:
        put(folder, ACCOUNTS, new.wrap(old.unwrap(wrapped, ACCOUNTS_ID), ACCOUNTS_ID))


def is_sealed(stored: str) -> bool:
    """Tell whether a stored secret is sealed, or from before there was a seal."""
    return stored.startswith(SEALED)


def sealed_if_possible(seal: FactorSeal | None, stored: str, account_id: AccountId) -> str | None:
    """Return a plain secret sealed; None if it is already, or no key can be had here."""
    if seal is None or is_sealed(stored):
        return None
    try:
        return seal.seal(stored, account_id)
    except (KeyUnavailable, ConfigurationError):
        # Whoever has a right code is let in; the next process that has the keys seals it.
        return None


def _bound(account_id: AccountId) -> bytes:
    return CONTEXT + account_id.bytes
