"""A master key for tests, and a vault under it."""

import base64
from pathlib import Path

from recorder.adapters.keys import DiskKeys, prepare
from recorder.adapters.master_key import MasterKey
from recorder.adapters.vault import DiskVault

SECRET = bytes(range(32))
OTHER_SECRET = bytes(range(100, 132))
MASTER_KEY_TEXT = base64.b64encode(SECRET).decode()


def some_keys(directory: Path) -> DiskKeys:
    """Return the keys under ``directory``, which is made and bound to the master key at first."""
    master = MasterKey(SECRET)
    if not (directory / "master.check").exists():
        prepare(directory, master)
    return DiskKeys(directory, master)


def a_vault(directory: Path) -> DiskVault:
    """Return the vault ``directory``/vault, its keys beside it."""
    (directory / "vault").mkdir(exist_ok=True)
    return DiskVault(directory / "vault", some_keys(directory / "keys"))
