"""How long may a backup live, may it be restored here, and which tools can do it?"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from recorder.backup.model import FORMAT, Manifest
from recorder.regulation import LONGEST_RETENTION_DAYS


def days_problem(*, retention_days: int, key_days: int) -> str:
    """Return why keys may not be backed up for so long; empty when they may (RG.17).

    A recording enters a backup at most ``retention_days`` old, and its key stays there for
    ``key_days``: together they are what § 7.2 limits.

    >>> days_problem(retention_days=23, key_days=7)
    ''
    """
    if retention_days + key_days <= LONGEST_RETENTION_DAYS:
        return ""
    return (
        f"retention.days ({retention_days}) and backups.key_days ({key_days}) are more than "
        f"{LONGEST_RETENTION_DAYS} days together: a key in a backup would outlive its recording's "
        f"days (§ 7.2). Shorten one, for example to days = {LONGEST_RETENTION_DAYS - 7} and "
        "key_days = 7"
    )


def none_allowed(*, key_days: int) -> str:
    """Return why no backup can be made at all; empty when one can."""
    if key_days:
        return ""
    return (
        "backups.key_days is 0: no key may be backed up, so nothing that is lost comes back. "
        f"For example retention.days = {LONGEST_RETENTION_DAYS - 7} and backups.key_days = 7 "
        "in regulation.toml, then `recorder config apply-retention`"
    )


def destroy_by(made_at: datetime, *, key_days: int) -> datetime:
    """Return the instant by which the keys of a backup must be gone.

    Days of 24 hours: calendar days are at most an hour longer, which is never the office's.
    """
    return made_at + timedelta(hours=24 * key_days)


def must_be_destroyed(by: datetime, *, lead: timedelta, now: datetime) -> bool:
    """Tell whether the keys of a backup go now: ``lead`` before their limit, as recordings do."""
    return now >= by - lead


def tool_order(found: Iterable[tuple[int, str]], *, server: int) -> list[str]:
    """Return the usable ones of PostgreSQL's tools, best first: the server's own version wins.

    An older tool does not know a newer server. A newer one does, but what it writes or sets may
    be unknown to the server.

    >>> tool_order([(15, "/usr/bin"), (19, "/opt"), (18, "/pg18")], server=18)
    ['/pg18', '/opt']
    """
    return [path for _, path in sorted(each for each in found if each[0] >= server)]


def restore_problem(
    manifest: Manifest,
    *,
    master_key_id: str,
    revisions: Collection[str],
    server: int,
    now: datetime,
) -> str:
    """Return why this backup cannot be restored here; empty when it can."""
    if manifest.format != FORMAT:
        return "the backup was made by a newer release: install that one"
    if manifest.revision not in revisions:
        return (
            f"the backup's database is at revision {manifest.revision}, which this release does "
            "not know: install the newer release"
        )
    if manifest.master_key_id != master_key_id:
        return (
            "the backup lies under another master key: name the one that was in force when it "
            "was made in RECORDER_MASTER_KEY_FILE"
        )
    if manifest.server > server:
        return (
            f"the backup comes from PostgreSQL {manifest.server}, this server is {server}: "
            "restore into one that is not older"
        )
    if now < manifest.at:
        return "the clock is before the day of the backup: set it right, days are counted by it"
    return ""


def ledger_problem(*, ledger_at: datetime | None, made_at: datetime) -> str:
    """Return why the ledger of erasures does not do; empty when it does or none is given."""
    if ledger_at is not None and ledger_at < made_at:
        return "the ledger of erasures is older than the backup, so it says nothing: give a newer"
    return ""


def to_erase_again(back: Iterable[UUID], *, held: Collection[UUID]) -> frozenset[UUID]:
    """Return which recordings, erased once and back with the backup, are erased again.

    A hold that stands wins even so: a person looks at it.
    """
    return frozenset(back) - frozenset(held)
