"""Makes a backup: the database's one moment first, then audio, then keys.

In this order every row of the dump has its audio, or is known to be without: what is sealed
after the moment has no row and is not copied, and what is erased after it has lost its key before
the keys are read. See ADR 0036.
"""

import fcntl
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from recorder.adapters import key_part
from recorder.adapters.backup_files import (
    FILE_MODE,
    FOLDER_MODE,
    UNFINISHED,
    copy_between,
    copy_tree,
    link_from,
    look_at,
    make_folder,
    only_one,
    put_file,
    sync_tree,
    written_to,
)
from recorder.adapters.backup_places import Places, described, sweep_unfinished
from recorder.adapters.backup_set import (
    ANNOUNCEMENTS,
    CHECKPOINTS,
    DUMP,
    MANIFEST,
    PROOF,
    REGULATION,
    open_set,
    prove,
    sets_in,
)
from recorder.adapters.factor_seal import ACCOUNTS_ID, accounts_key
from recorder.adapters.files import sync_directory
from recorder.adapters.keys import KEY, locked, opened, read
from recorder.adapters.master_key import KEY_BYTES, MasterKey, wrapped_by
from recorder.adapters.pg_tools import dumping
from recorder.adapters.postgres.snapshot import Kept, Snapshot, snapshot, still_kept
from recorder.adapters.sealed_stream import seal_stream
from recorder.adapters.vault import SEALED
from recorder.backup import rules
from recorder.backup.model import FORMAT, File, Manifest, Stored, Without
from recorder.dates import erase_by
from recorder.errors import KeyUnavailable, RecorderError, RecordingDamaged, RuleViolation
from recorder.ports import Clock

MODES = (FILE_MODE, FOLDER_MODE)
Progress = Callable[[str, int, int], None]
"""Hears what is done, how much of it, and of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is backed up."""

    database_url: str
    vault: Path
    keys: Path
    announcements: Path
    checkpoints: Path
    regulation: Path
    master: MasterKey
    retention_days: int
    key_days: int
    office_zone: ZoneInfo
    lead: timedelta


class BackupMaker:
    """Makes backups of one installation."""

    def __init__(
        self, source: Source, places: Places, clock: Clock, new_id: Callable[[], UUID]
    ) -> None:
        self._source, self._places = source, places
        self._clock, self._new_id = clock, new_id

    def make(self, progress: Progress) -> tuple[Path, Manifest]:
        """Make one; whole under its name when this returns, else named unfinished.

        Raises ``RuleViolation``, ``BackupUnavailable`` and ``Unavailable`` of every part.
        """
        source, places = self._source, self._places
        if problem := rules.none_allowed(key_days=source.key_days) or places.problem():
            raise RuleViolation(problem)
        with only_one(places.sets):
            sweep_unfinished(places)
            made_at, backup_id = self._clock.now(), self._new_id()
            name = f"{made_at:%Y%m%dT%H%M%SZ}-{backup_id.hex[-8:]}"
            folder = places.sets / f"{name}{UNFINISHED}"
            with written_to():
                make_folder(folder)
                make_folder(places.vault / name)
            dump_key = secrets.token_bytes(KEY_BYTES)
            with snapshot(source.database_url) as moment:
                days = max(source.retention_days, moment.applied_days or 0)
                if problem := rules.days_problem(retention_days=days, key_days=source.key_days):
                    raise RuleViolation(problem)
                progress("database", 0, 1)
                dump = self._dump(folder, moment, dump_key, backup_id)
            files = self._others(folder)
            due, kept = self._part_due(moment, days)
            stored = self._audio(name, kept, progress)
            destroy_by = rules.destroy_by(made_at, key_days=source.key_days)
            keys, opens = self._keys(name, stored, backup_id, dump_key, destroy_by)
            gone = [each for each in kept if each.id not in opens]
            alive = still_kept(source.database_url, [each.id for each in gone])
            manifest = Manifest(
                format=FORMAT,
                id=backup_id,
                release=version("rejestrator"),
                at=made_at,
                finished_at=self._clock.now(),
                destroy_by=destroy_by,
                retention_days=days,
                key_days=source.key_days,
                server=moment.server,
                revision=moment.revision,
                trail_seq=moment.trail_seq,
                trail_hash=moment.trail_hash.hex(),
                master_key_id=source.master.id.hex(),
                dump=dump,
                keys=keys,
                vault=str(places.vault / name),
                recordings=tuple(each for each in stored if each.id in opens),
                erased=tuple(_without(each) for each in (*due, *gone) if each.id not in alive),
                missing=tuple(_without(each) for each in gone if each.id in alive),
                files=tuple(files),
            )
            return self._finish(folder, name, manifest, dump_key), manifest

    def _dump(self, folder: Path, moment: Snapshot, key: bytes, owner: UUID) -> File:
        with written_to():
            target = (folder / DUMP).open("xb")
        with (
            target,
            dumping(
                self._source.database_url, server=moment.server, snapshot=moment.name
            ) as stream,
            written_to(),
        ):
            (folder / DUMP).chmod(FILE_MODE)
            seal_stream(stream, target, key, owner=owner)
        with written_to():
            return described(folder, DUMP)

    def _others(self, folder: Path) -> list[File]:
        source = self._source
        with written_to():
            put_file(folder / REGULATION, source.regulation.read_bytes())
            return [
                described(folder, REGULATION),
                *copy_tree(source.announcements, folder, beneath=ANNOUNCEMENTS, modes=MODES),
                *copy_tree(source.checkpoints, folder, beneath=CHECKPOINTS, modes=MODES),
            ]

    def _part_due(self, moment: Snapshot, days: int) -> tuple[list[Kept], list[Kept]]:
        """Part what should have been erased, after an outage perhaps, from what is backed up."""
        now, zone = self._clock.now(), self._source.office_zone
        due: list[Kept] = []
        kept: list[Kept] = []
        for each in moment.recordings:
            limit = erase_by(each.ended_at, days=days, office_zone=zone) - self._source.lead
            (due if limit <= now and not each.held else kept).append(each)
        return due, kept

    def _audio(self, name: str, kept: Sequence[Kept], progress: Progress) -> list[Stored]:
        earlier = self._earlier()
        found = []
        for done, each in enumerate(kept):
            progress("recordings", done, len(kept))
            with written_to():
                stored = self._link(earlier, name, each) or self._copy(name, each)
            if stored is not None:
                found.append(stored)
        progress("recordings", len(kept), len(kept))
        with written_to():
            sync_tree(self._places.vault / name)
        return found

    def _earlier(self) -> tuple[Path, dict[UUID, Stored]]:
        """Return the newest earlier backup whose manifest is proved, and what it has."""
        for folder in sets_in(self._places.sets):
            try:
                known = open_set(folder, keys_at=self._places.keys, master=self._source.master)
            except RecorderError:
                continue
            recordings = {each.id: each for each in known.manifest.recordings}
            return Path(known.manifest.vault), recordings
        return self._places.vault, {}

    def _link(
        self, earlier: tuple[Path, dict[UUID, Stored]], name: str, each: Kept
    ) -> Stored | None:
        place, known = earlier
        before = known.get(each.id)
        file = f"{each.id}{SEALED}"
        if before is None or before.folder != each.stored_on:
            return None
        same = (before.size, before.written_ns)
        # A container is written once: of this size and time it is the one that was hashed.
        if same != look_at(self._source.vault, each.stored_on, file):
            return None
        if same != look_at(place, each.stored_on, file):
            return None
        return before if link_from(place, self._places.vault / name, each.stored_on, file) else None

    def _copy(self, name: str, each: Kept) -> Stored | None:
        file = f"{each.id}{SEALED}"
        target = self._places.vault / name
        copied = copy_between(self._source.vault, target, each.stored_on, file, modes=MODES)
        if copied is None:
            return None
        size, digest, written = copied
        return Stored(
            id=each.id, folder=each.stored_on, size=size, sha256=digest, written_ns=written
        )

    def _keys(
        self,
        name: str,
        stored: Sequence[Stored],
        backup_id: UUID,
        dump_key: bytes,
        destroy_by: datetime,
    ) -> tuple[File, frozenset[UUID]]:
        """Write the keys of what was copied; those erased meanwhile have none any more."""
        source, place = self._source, self._places.keys
        keys = {backup_id: source.master.wrap(dump_key, backup_id)}
        keys |= dict(_wrapped(source.keys, source.master, stored))
        # The database's second factors lie under it.
        if accounts := accounts_key(source.keys):
            keys[ACCOUNTS_ID] = accounts
        key_part.write_part(place, name, keys, backup_id=backup_id, destroy_by=destroy_by)
        with written_to():
            return described(place, f"{name}{key_part.KEYS}"), frozenset(keys)

    def _finish(self, folder: Path, name: str, manifest: Manifest, dump_key: bytes) -> Path:
        content = manifest.model_dump_json(indent=1).encode()
        whole = self._places.sets / name
        with written_to():
            self._drop_unopened(manifest)
            put_file(folder / PROOF, f"{prove(content, dump_key)}\n".encode())
            put_file(folder / MANIFEST, content)
            sync_tree(folder)
            folder.rename(whole)
            sync_directory(self._places.sets)
        return whole

    def _drop_unopened(self, manifest: Manifest) -> None:
        """Remove copies of what was erased meanwhile: no key opens them."""
        for each in (*manifest.erased, *manifest.missing):
            (Path(manifest.vault) / each.folder / f"{each.id}{SEALED}").unlink(missing_ok=True)


def _wrapped(
    directory: Path, master: MasterKey, stored: Sequence[Stored]
) -> Iterator[tuple[UUID, bytes]]:
    with opened(directory) as folder, locked(folder, fcntl.LOCK_SH):
        for each in stored:
            wrapped = read(folder, f"{each.id}{KEY}")
            if wrapped is None:
                continue
            try:
                if wrapped_by(wrapped) != master.id:
                    raise KeyUnavailable(
                        "a key lies under another master key: finish `recorder keys rotate` first"
                    )
            except RecordingDamaged:
                # Told as missing: nothing opens it here either.
                continue
            yield each.id, wrapped


def _without(each: Kept) -> Without:
    return Without(id=each.id, folder=each.stored_on)
