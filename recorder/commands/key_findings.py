"""Can the keys be used, and do they lie where a thief of the vault does not find them?"""

import stat
from collections.abc import Iterator
from pathlib import Path

from recorder.adapters.key_rotation import keys_under_another
from recorder.adapters.keys import DiskKeys
from recorder.adapters.master_key import MasterKey, load_master_key
from recorder.adapters.vault import DiskVault
from recorder.commands.finding import Finding, Weight
from recorder.custody.model import FileKind
from recorder.errors import RecorderError, VaultUnavailable
from recorder.settings import Settings


def key_problem(settings: Settings) -> str:
    """Return why no recording can be sealed or read for want of a key; else empty."""
    try:
        _usable_master_key(settings)
    except RecorderError as error:
        return str(error)
    return ""


def about_keys(settings: Settings) -> Iterator[Finding]:
    """Yield what keeps recordings from being sealed or read, and what keeps keys apart badly."""
    yield from _about_places(settings)
    try:
        master = _usable_master_key(settings)
        stale = keys_under_another(settings.key_dir, master)
    except RecorderError as error:
        yield Finding(Weight.WRONG, f"{error}; until then recordings wait in the spool")
        return
    if stale:
        yield Finding(
            Weight.WRONG,
            f"{stale} keys lie under another master key: run `recorder keys rotate` again with "
            "the two of the rotation that was begun",
        )

    yield from _about_plain(DiskVault(settings.vault_dir, DiskKeys(settings.key_dir, master)))


def _about_plain(vault: DiskVault) -> Iterator[Finding]:
    try:
        plain = sum(each.kind is FileKind.PLAIN for each in vault.present())
    except VaultUnavailable:
        # Told as the vault's own trouble.
        return
    if plain:
        yield Finding(
            Weight.WRONG,
            f"{plain} recordings lie in plain from before there were keys: `recorder keys adopt`",
        )


def _usable_master_key(settings: Settings) -> MasterKey:
    text = settings.master_key.get_secret_value()
    master = load_master_key(file=settings.master_key_file, text=text)
    DiskKeys(settings.key_dir, master).check()
    return master


def _about_places(settings: Settings) -> Iterator[Finding]:
    keys, vault = settings.key_dir.resolve(), settings.vault_dir.resolve()
    if keys.is_relative_to(vault) or vault.is_relative_to(keys):
        yield Finding(
            Weight.WRONG,
            "RECORDER_KEY_DIR and RECORDER_VAULT_DIR lie in one another: whoever copies the vault "
            "copies its keys",
        )
    elif _volume(keys) is not None and _volume(keys) == _volume(vault):
        yield Finding(
            Weight.REMARK,
            "keys and vault are on one volume: another one for RECORDER_KEY_DIR keeps a copy of "
            "the vault from carrying its keys (RG.4)",
        )
    if _open_to_others(keys):
        yield Finding(Weight.WRONG, "RECORDER_KEY_DIR is open to others; chmod 0700")
    file = settings.master_key_file
    if file is None:
        return
    if file.resolve().is_relative_to(keys) or file.resolve().is_relative_to(vault):
        yield Finding(
            Weight.WRONG, "the master key lies beside what it protects; move it elsewhere"
        )
    if _open_to_others(file):
        yield Finding(
            Weight.REMARK,
            "the file of the master key is open to others; chmod 0600, unless a container secret",
        )


def _volume(directory: Path) -> int | None:
    try:
        return directory.stat().st_dev
    except OSError:
        return None


def _open_to_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except OSError:
        return False
