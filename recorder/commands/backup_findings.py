"""Do backups lose their keys in time, and would a restore know what was erased and held?"""

from collections.abc import Iterator

from recorder.backup.rules import days_problem, none_allowed
from recorder.commands.finding import Finding, Weight
from recorder.regulation import Regulation
from recorder.settings import Settings


def about_days(days: int, *, key_days: int) -> Iterator[Finding]:
    """Yield whether keys in a backup would outlive recordings that are kept for ``days``."""
    if problem := days_problem(retention_days=days, key_days=key_days):
        yield Finding(Weight.WRONG, f"{problem} (RG.17)")


def about_backups(settings: Settings, regulation: Regulation) -> Iterator[Finding]:
    """Yield what keeps backups from being made, or erasure from reaching them (RG.17)."""
    days, key_days = regulation.retention.days, regulation.backups.key_days
    if too_long := list(about_days(days, key_days=key_days)):
        yield from too_long
        return
    if problem := none_allowed(key_days=key_days):
        yield Finding(Weight.REMARK, problem)
        return
    if not settings.backup_key_folders:
        yield Finding(
            Weight.REMARK,
            "RECORDER_BACKUP_KEY_DIRS is empty: nothing destroys the keys of backups in time but "
            "`recorder backup prune`",
        )
    if settings.erasure_ledger_file is None:
        yield Finding(
            Weight.REMARK,
            "RECORDER_ERASURE_LEDGER_FILE is not set: a restore would bring back what was erased "
            "by hand, and lose holds placed since the backup",
        )
    for each in settings.backup_key_folders:
        for other in (settings.vault_dir, settings.key_dir):
            if each.resolve().is_relative_to(other.resolve()):
                yield Finding(
                    Weight.WRONG,
                    "RECORDER_BACKUP_KEY_DIRS lies in the vault or the key directory: a backup on "
                    "the disk that it is to replace",
                )
