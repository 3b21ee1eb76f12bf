"""Where backups go, and what a killed one left there."""

from dataclasses import dataclass
from pathlib import Path

from recorder.adapters import key_part
from recorder.adapters.backup_files import UNFINISHED, hash_of, remove_tree, written_to
from recorder.backup.model import File


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a backup goes: the audio and what opens it to different ones (RG.4)."""

    sets: Path
    vault: Path
    keys: Path

    def problem(self) -> str:
        """Return why these places will not do; empty when they will."""
        keys = self.keys.resolve()
        for other in (self.sets.resolve(), self.vault.resolve()):
            if keys.is_relative_to(other) or other.is_relative_to(keys):
                return (
                    "the keys must not lie beside what they open: --keys-to another folder, best "
                    "on another medium"
                )
        return ""


def sweep_unfinished(places: Places) -> None:
    """Destroy what a killed backup left. The place's lock is held, so nobody is at it."""
    with written_to():
        for folder in places.sets.glob(f"*{UNFINISHED}"):
            name = folder.name.removesuffix(UNFINISHED)
            if places.keys.is_dir():
                for suffix in (key_part.KEYS, key_part.UNFINISHED):
                    key_part.destroy_part(places.keys, f"{name}{suffix}")
            remove_tree(places.vault / name)
            remove_tree(folder)


def described(root: Path, name: str) -> File:
    """Return a file as a manifest tells it."""
    found = hash_of(root, "", name)
    if found is None:
        raise FileNotFoundError(name)
    return File(path=name, size=found[0], sha256=found[1])
