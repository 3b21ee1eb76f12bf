"""Old backups go: their keys are overwritten and removed, and with them all that they opened."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from recorder.adapters.backup_files import only_one, remove_tree, written_to
from recorder.adapters.backup_set import read_manifest, sets_in
from recorder.adapters.key_part import KeyPart, destroy_parts
from recorder.backup.model import Pruned
from recorder.backup.rules import destroy_by, must_be_destroyed
from recorder.errors import BackupUnavailable, RecorderError


class KeyPruner:
    """Destroys expired key backups in every place that is watched over."""

    def __init__(self, places: Sequence[Path], *, key_days: int, lead: timedelta) -> None:
        self._places, self._key_days, self._lead = places, key_days, lead

    def prune(self, now: datetime, *, everything: bool = False) -> Pruned:
        """Destroy what is due. A place that is away does not keep the others."""
        destroyed: list[UUID] = []
        stuck: list[str] = []

        def goes(each: KeyPart) -> bool:
            by = each.destroy_by or destroy_by(each.written_at, key_days=self._key_days)
            # A date beyond what is allowed now, or a file without one, counts from its writing.
            latest = destroy_by(each.written_at, key_days=self._key_days)
            return everything or must_be_destroyed(min(by, latest), lead=self._lead, now=now)

        for place in self._places:
            try:
                gone, left = destroy_parts(place, goes)
            except BackupUnavailable as error:
                stuck.append(f"{place}: {error}")
                continue
            destroyed += [each.backup_id for each in gone if each.backup_id]
            stuck += [each.name for each in left]
        return Pruned(destroyed=tuple(destroyed), stuck=tuple(stuck))


def remove_unreadable(
    directory: Path, *, destroyed: Sequence[UUID], lead: timedelta, now: datetime
) -> list[str]:
    """Remove the backups in ``directory`` whose keys are destroyed; return their names.

    Destroyed just now, or past their day: keys that merely lie elsewhere are no reason. Audio is
    ciphertext by then; files that later backups share keep their names there.
    """
    removed = []
    with only_one(directory):
        for folder in sets_in(directory):
            try:
                manifest, _ = read_manifest(folder)
            except RecorderError:
                continue
            expired = must_be_destroyed(manifest.destroy_by, lead=lead, now=now)
            if not expired and manifest.id not in destroyed:
                continue
            with written_to():
                vault = Path(manifest.vault)
                # A manifest is believed only where it names a folder of its own.
                if vault.name == folder.name:
                    remove_tree(vault)
                remove_tree(folder)
            removed.append(folder.name)
    return removed
