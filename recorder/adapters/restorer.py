"""Brings a backup back, under a marker that nothing opens past until what is due is erased."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from recorder.adapters.backup_check import container_of, dump_of, problems_of
from recorder.adapters.backup_files import (
    copy_between,
    hash_of,
    only_one,
    put_file,
    sync_tree,
    written_to,
)
from recorder.adapters.backup_set import ANNOUNCEMENTS, CHECKPOINTS, REGULATION, Opened
from recorder.adapters.factor_seal import ACCOUNTS, ACCOUNTS_ID
from recorder.adapters.files import folder_beneath, is_there, overwrite_and_unlink
from recorder.adapters.keys import (
    CHECK,
    CHECK_FILE,
    CHECK_ID,
    KEY,
    KNOWN_TEXT,
    DiskKeys,
    opened,
    put,
    read,
)
from recorder.adapters.master_key import MasterKey
from recorder.adapters.pg_tools import find_tool, restoring
from recorder.adapters.postgres import migrate
from recorder.adapters.postgres.restoring import clear, is_empty, processes_at
from recorder.adapters.postgres.snapshot import server_major
from recorder.adapters.restore_marker import Marker, read_marker, set_marker
from recorder.adapters.vault import FILE_MODE, FOLDER_MODE, KINDS, SEALED, DiskVault
from recorder.backup import rules
from recorder.backup.model import File, Stored
from recorder.errors import BackupDamaged, RuleViolation

Progress = Callable[[str, int, int], None]
MODES = (FILE_MODE, FOLDER_MODE)
RESTORE_LOCK = "restore.lock"
MOST_TOLD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a backup comes back to."""

    database_url: str
    vault: Path
    keys: Path
    announcements: Path
    checkpoints: Path
    regulation: Path
    master: MasterKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the person at the prompt decided."""

    replace: bool
    """What is there now is destroyed."""
    despite_damage: bool
    """Recordings that are damaged in the backup are left out."""
    ledger: str | None
    """The file of the ledger of erasures."""
    ledger_at: datetime | None


class Restorer:
    """Restores one backup. Killed at any point and run again, it goes on."""

    def __init__(self, backup: Opened, *, audio: Path, target: Target) -> None:
        self._backup, self._manifest = backup, backup.manifest
        self._audio_at, self._target = audio, target
        self._keys = DiskKeys(target.keys, target.master)
        self.brought = 0
        """Recordings that are back."""
        self._vault = DiskVault(target.vault, self._keys)

    def run(self, orders: Orders, *, now: datetime, progress: Progress) -> list[str]:
        """Bring everything back, and leave the marker; return what a person should know.

        Raises ``RuleViolation`` and ``BackupDamaged`` before anything is touched, and
        ``Unavailable`` of every part.
        """
        target = self._target
        server = server_major(target.database_url)
        self._require_fitting(orders, server=server, now=now)
        left_out = self._require_whole(orders, progress)
        self._require_free(orders)
        marker = Marker(
            backup=self._manifest.id,
            folder=str(self._backup.folder),
            ledger=orders.ledger,
            erased=tuple(each.id for each in self._manifest.erased),
        )
        set_marker(target.keys, marker)
        with only_one(target.keys, RESTORE_LOCK):
            self._bind()
            self._remove_others()
            stored = [each for each in self._manifest.recordings if each.id not in left_out]
            self._bring_keys(stored)
            self._bring_audio(stored, progress)
            told = [
                f"{each} is damaged in the backup and was left out" for each in sorted(left_out)
            ]
            told += self._bring_files()
            progress("database", 0, 1)
            clear(target.database_url)
            with restoring(target.database_url, server=server) as stream:
                for block in dump_of(self._backup):
                    stream.write(block)
            migrate.upgrade(target.database_url)
            set_marker(target.keys, marker.model_copy(update={"is_back": True}))
        if now >= self._manifest.destroy_by:
            told.append(
                f"the keys of this backup should have been destroyed by "
                f"{self._manifest.destroy_by:%Y-%m-%d %H:%M} UTC: `recorder backup prune --keys-in`"
            )
        return told

    def _require_fitting(self, orders: Orders, *, server: int, now: datetime) -> None:
        problem = rules.restore_problem(
            self._manifest,
            master_key_id=self._target.master.id.hex(),
            revisions=migrate.known(),
            server=server,
            now=now,
        ) or rules.ledger_problem(ledger_at=orders.ledger_at, made_at=self._manifest.at)
        if problem:
            raise RuleViolation(problem)
        find_tool("pg_restore", server=server)

    def _require_whole(self, orders: Orders, progress: Progress) -> frozenset[UUID]:
        """Return the recordings that are left out, being damaged."""
        problems = problems_of(
            self._backup, vault=self._audio_at, master=self._target.master, progress=progress
        )
        if problems and not (orders.despite_damage and all(each.of for each in problems)):
            first = "\n".join(each.says for each in problems[:MOST_TOLD])
            raise BackupDamaged(
                f"the backup is not what was made; nothing was restored:\n{first}\n"
                "Take another, or leave damaged recordings out with --despite-damage"
            )
        return frozenset(each.of for each in problems if each.of)

    def _require_free(self, orders: Orders) -> None:
        target = self._target
        if at_work := processes_at(target.database_url):
            raise RuleViolation(f"{', '.join(at_work)} is connected to the database: stop it first")
        if target.keys.is_dir():
            with opened(target.keys) as folder:
                bound = is_there(CHECK_FILE, folder=folder)
            if bound:
                self._keys.check_master()
        marker = None if orders.replace else read_marker(target.keys)
        if marker is not None and marker.backup == self._manifest.id:
            return
        if marker is not None:
            raise RuleViolation(
                "the restore of another backup is not finished: finish that one, or --replace it"
            )
        if not orders.replace and (where := self._what_is_there()):
            raise RuleViolation(
                f"{where} is not empty: what is there would be lost. Move it aside, or say "
                "--replace to destroy it"
            )

    def _what_is_there(self) -> str:
        target = self._target
        if target.keys.is_dir() and any(self._keys.present()):
            return "the key directory"
        if target.vault.is_dir() and any(True for _ in self._vault.present()):
            return "the vault"
        return "" if is_empty(target.database_url) else "the database"

    def _bind(self) -> None:
        with opened(self._target.keys) as folder:
            if not is_there(CHECK_FILE, folder=folder):
                known = self._target.master.wrap(KNOWN_TEXT, CHECK_ID)
                put(folder, CHECK, known, suffix=".check")
        self._keys.check_master()

    def _remove_others(self) -> None:
        """Destroy what is there and not in the backup: nothing, unless it was to be replaced."""
        ours = {each.id for each in self._manifest.recordings}
        for recording_id in list(self._keys.present()):
            if recording_id not in ours:
                self._keys.destroy(recording_id)
        if not self._target.vault.is_dir():
            return
        for file in list(self._vault.present()):
            if file.id is None or file.id in ours:
                continue
            with written_to(), folder_beneath(self._target.vault, file.folder) as folder:
                for suffix in KINDS:
                    overwrite_and_unlink(f"{file.id}{suffix}", folder=folder)
                os.fsync(folder)

    def _bring_keys(self, stored: Collection[Stored]) -> None:
        with opened(self._target.keys) as folder:
            for each in stored:
                wrapped = self._backup.keys[each.id]
                if read(folder, f"{each.id}{KEY}") != wrapped:
                    put(folder, str(each.id), wrapped)
            if accounts := self._backup.keys.get(ACCOUNTS_ID):
                put(folder, ACCOUNTS, accounts)

    def _bring_audio(self, stored: Collection[Stored], progress: Progress) -> None:
        vault = self._target.vault
        with written_to():
            for done, each in enumerate(stored):
                progress("recordings", done, len(stored))
                self._bring_one(each)
                self.brought += 1
            # Without its folder the purge takes no file for gone.
            rows = self._manifest
            folders = {each.folder for each in rows.recordings}
            folders |= {each.folder for each in (*rows.erased, *rows.missing)}
            for folder in sorted(folders):
                with folder_beneath(vault, folder, make_with=FOLDER_MODE):
                    pass
            if vault.is_dir():
                sync_tree(vault)
        progress("recordings", len(stored), len(stored))

    def _bring_one(self, each: Stored) -> None:
        vault, name = self._target.vault, f"{each.id}{SEALED}"
        with folder_beneath(vault, each.folder, make_with=FOLDER_MODE):
            pass
        told = (each.size, each.sha256)
        if hash_of(vault, each.folder, name) != told:
            copied = copy_between(self._audio_at, vault, each.folder, name, modes=MODES)
            if copied is None or copied[:2] != told:
                raise BackupDamaged(f"{container_of(each).path} changed while it was restored")
        with folder_beneath(vault, each.folder) as folder:
            os.utime(name, ns=(each.written_ns, each.written_ns), dir_fd=folder)

    def _bring_files(self) -> list[str]:
        told = []
        for file in self._manifest.files:
            source = self._backup.folder / file.path
            target = self._place_of(Path(file.path))
            with written_to():
                if not target.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    put_file(target, source.read_bytes())
                elif not _is_same(target, file):
                    told.append(f"{target} is not the one of the backup; it was left as it is")
        return told

    def _place_of(self, path: Path) -> Path:
        if path == Path(REGULATION):
            return self._target.regulation
        if path.is_relative_to(CHECKPOINTS):
            return self._target.checkpoints / path.relative_to(CHECKPOINTS)
        return self._target.announcements / path.relative_to(ANNOUNCEMENTS)


def _is_same(target: Path, file: File) -> bool:
    return hash_of(target.parent, "", target.name) == (file.size, file.sha256)
