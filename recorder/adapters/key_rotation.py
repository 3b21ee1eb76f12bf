"""Another master key for the same recordings: every key is wrapped again, no audio is touched."""

import fcntl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recorder.adapters.factor_seal import ACCOUNTS, wrap_accounts_again
from recorder.adapters.files import is_there
from recorder.adapters.keys import (
    CHECK,
    CHECK_FILE,
    CHECK_ID,
    KEY,
    KNOWN_TEXT,
    NOT_FINISHED,
    PENDING,
    locked,
    opened,
    put,
    read,
    recordings_in,
    tidy,
)
from recorder.adapters.master_key import MasterKey, wrapped_by
from recorder.errors import ConfigurationError, KeyUnavailable, RecordingDamaged, RuleViolation
from recorder.model import RecordingId


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What a rotation did."""

    wrapped: int
    """Keys wrapped again by this run."""
    already: int
    """Keys that lay under the new master key before."""
    damaged: tuple[RecordingId, ...]
    """Recordings whose key neither master key opens; left as they are."""


def rotate(
    directory: Path,
    *,
    old: MasterKey,
    new: MasterKey,
    progress: Callable[[int, int], None],
) -> Rotated:
    """Put ``new`` in force and wrap every key with it. ``progress`` hears done and total.

    The new master key is in force from the first step: whoever runs with the old one writes no
    key any more, so that one sweep meets them all. Killed at any point and run again with the
    same two keys, it goes on. Raises ``ConfigurationError``, ``RuleViolation`` and
    ``KeyUnavailable``.
    """
    if old.id == new.id:
        raise RuleViolation("the new master key is the old one")
    with opened(directory) as folder:
        if is_there(PENDING, folder=folder):
            raise ConfigurationError(NOT_FINISHED)
        with locked(folder, fcntl.LOCK_EX):
            _put_in_force(folder, old, new)
            wrap_accounts_again(folder, old, new)
        every = list(recordings_in(folder))
        wrapped, already, damaged = 0, 0, []
        for done, recording_id in enumerate(every):
            progress(done, len(every))
            # Alone for one key at a time: calls are sealed and recordings erased meanwhile.
            with locked(folder, fcntl.LOCK_EX):
                try:
                    if _wrap_again(folder, recording_id, old, new):
                        wrapped += 1
                    else:
                        already += 1
                except (RecordingDamaged, KeyUnavailable):
                    damaged.append(recording_id)
        progress(len(every), len(every))
    return Rotated(wrapped=wrapped, already=already, damaged=tuple(damaged))


def keys_under_another(directory: Path, master: MasterKey) -> int:
    """Return how many keys do not lie under ``master``: those of a rotation not finished."""
    with opened(directory) as folder:
        return sum(
            not _lies_under(read(folder, f"{each}{KEY}"), master)
            for each in (ACCOUNTS, *recordings_in(folder))
        )


def _put_in_force(folder: int, old: MasterKey, new: MasterKey) -> None:
    tidy(folder, CHECK)
    wrapped = read(folder, CHECK_FILE)
    if wrapped is None:
        raise ConfigurationError("the key directory has no master.check: is its volume mounted?")
    if wrapped_by(wrapped) == new.id:
        return
    if wrapped_by(wrapped) != old.id:
        raise ConfigurationError(
            "neither master key is the one of the key directory; name the two of the rotation "
            "that was begun"
        )
    old.unwrap(wrapped, CHECK_ID)
    put(folder, CHECK, new.wrap(KNOWN_TEXT, CHECK_ID), suffix=".check")


def _wrap_again(folder: int, recording_id: RecordingId, old: MasterKey, new: MasterKey) -> bool:
    tidy(folder, str(recording_id))
    wrapped = read(folder, f"{recording_id}{KEY}")
    # Gone since it was listed is erased.
    if wrapped is None or wrapped_by(wrapped) == new.id:
        return False
    put(folder, str(recording_id), new.wrap(old.unwrap(wrapped, recording_id), recording_id))
    return True


def _lies_under(wrapped: bytes | None, master: MasterKey) -> bool:
    try:
        return wrapped is None or wrapped_by(wrapped) == master.id
    except RecordingDamaged:
        return True
