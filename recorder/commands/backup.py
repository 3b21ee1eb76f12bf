"""``recorder backup``: make one, verify one, destroy old ones in time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
import uuid_utils.compat as uuids
from rich.console import Console
from rich.progress import Progress
from typer.core import TyperGroup

from recorder.adapters.backup_check import problems_of
from recorder.adapters.backup_maker import BackupMaker, Source
from recorder.adapters.backup_places import Places
from recorder.adapters.backup_pruning import KeyPruner, remove_unreadable
from recorder.adapters.backup_set import find_set, open_set, read_manifest, sets_in
from recorder.adapters.clock import SystemClock
from recorder.adapters.keys import DiskKeys
from recorder.adapters.master_key import MasterKey, load_master_key
from recorder.adapters.postgres.restoring import Restored
from recorder.adapters.regulation_file import load_regulation
from recorder.audit.event import AuditEvent
from recorder.backup import events
from recorder.commands.acting import operator
from recorder.commands.asking import JsonOption, ask_database
from recorder.commands.db import url_of
from recorder.commands.output import for_machines, print_json, print_table
from recorder.errors import RecorderError, RuleViolation, Unavailable
from recorder.settings import Settings, load_settings

MOST_TOLD = 20
COLUMNS = {
    "name": "backup",
    "at": "made",
    "destroy_by": "keys destroyed by",
    "recordings": "recordings",
    "opens": "keys here",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRow:
    """One backup, as its manifest tells it; nothing is proved here."""

    name: str
    id: UUID
    at: datetime
    destroy_by: datetime
    recordings: int
    missing: int
    opens: bool
    """Its file of keys is in a place that was named."""


class MakeUnlessNamed(TyperGroup):
    """``recorder backup DIRECTORY`` makes a backup: what is no command's name is a directory."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer keeps its own click
        """Put the command's name before arguments that begin with none."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["make", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=MakeUnlessNamed,
    help="Backups: `recorder backup DIRECTORY` makes one. The master key is never in it.",
    no_args_is_help=True,
)

DirectoryArgument = Annotated[Path, typer.Argument(help="A folder of backups, or one of them.")]
KeysFrom = Annotated[Path | None, typer.Option(help="Where the backup's keys are.")]
VaultFrom = Annotated[Path | None, typer.Option(help="Where its audio is, if it was moved.")]


@app.command("make")
def make(
    directory: Annotated[Path, typer.Argument(help="The folder of backups.")],
    *,
    vault_to: Annotated[Path | None, typer.Option(help="Another folder for the audio.")] = None,
    keys_to: Annotated[
        Path | None, typer.Option(help="A folder for the keys, best on another medium.")
    ] = None,
) -> None:
    """Back up database, recordings, keys, announcements and regulation; whole, or named unfinished.

    Examples: `recorder backup /mnt/backup --keys-to /mnt/keys` · `recorder backup /mnt/backup
    --vault-to /mnt/audio --keys-to /mnt/keys`
    """
    settings = load_settings()
    regulation = load_regulation(settings.regulation_file)
    keys = keys_to or next(iter(settings.backup_key_folders), None)
    if keys is None:
        raise typer.BadParameter("say where the keys go: --keys-to, or RECORDER_BACKUP_KEY_DIRS")
    master = master_of(settings)
    DiskKeys(settings.key_dir, master).check()
    source = Source(
        database_url=url_of(settings),
        vault=settings.vault_dir,
        keys=settings.key_dir,
        announcements=settings.announcement_dir,
        checkpoints=settings.audit_checkpoint_dir,
        regulation=settings.regulation_file,
        master=master,
        retention_days=regulation.retention.days,
        key_days=regulation.backups.key_days,
        office_zone=settings.office_zone,
        lead=settings.erasure_lead,
    )
    places = Places(sets=directory, vault=vault_to or directory / "vault", keys=keys)
    maker = BackupMaker(source, places, SystemClock(), uuids.uuid7)
    with shown() as progress:
        folder, manifest = maker.make(progress)
    tell_trail(settings, [events.made(manifest, actor=operator())])
    typer.echo(
        f"Backed up {len(manifest.recordings)} recordings to {folder}. Its keys are in {keys} "
        f"and are destroyed by {manifest.destroy_by:%Y-%m-%d %H:%M} UTC. The master key "
        "is not in it: keep its paper."
    )
    if not is_watched(keys, settings):
        typer.echo(
            f"{keys} is not in RECORDER_BACKUP_KEY_DIRS: nothing destroys its keys in time but "
            "`recorder backup prune --keys-in`",
            err=True,
        )
    for each in manifest.missing[:MOST_TOLD]:
        typer.echo(f"{each.id} has no audio or no key; it is not in the backup", err=True)
    if manifest.missing:
        raise typer.Exit(RecorderError.exit_code)


@app.command("list")
def list_backups(
    directory: Annotated[Path, typer.Argument(help="The folder of backups.")],
    *,
    keys_from: KeysFrom = None,
    as_json: JsonOption = False,
) -> None:
    """List finished backups, newest first, with the day by which their keys are destroyed.

    Examples: `recorder backup list /mnt/backup` · `recorder backup list /mnt/backup --json`
    """
    settings = load_settings()
    places = [*([keys_from] if keys_from else []), *settings.backup_key_folders]
    rows = [_row(folder, places) for folder in sets_in(directory)]
    if as_json:
        print_json([for_machines(each, settings.office_zone, reveal=False) for each in rows])
    else:
        print_table(rows, COLUMNS, settings.office_zone, reveal=False, empty="No backup is there.")


@app.command("verify")
def verify(
    directory: DirectoryArgument, *, keys_from: KeysFrom = None, vault_from: VaultFrom = None
) -> None:
    """Read a whole backup, the newest of a folder, open its dump and keys; exit 1 if damaged.

    Examples: `recorder backup verify /mnt/backup` · `recorder backup verify
    /mnt/backup/20261125T014000Z-1a2b3c4d --keys-from /mnt/keys`
    """
    settings = load_settings()
    master = master_of(settings)
    folder = find_set(directory)
    found = open_set(folder, keys_at=keys_of(settings, keys_from), master=master)
    vault = vault_from or Path(found.manifest.vault)
    with shown() as progress:
        problems = problems_of(found, vault=vault, master=master, progress=progress)
    for each in problems:
        typer.echo(each.says)
    typer.echo(
        f"Read {folder.name}: {len(found.manifest.recordings)} recordings, "
        f"{len(problems)} problems."
    )
    if problems:
        raise typer.Exit(RecorderError.exit_code)


@app.command("prune")
def prune(
    directory: Annotated[
        Path | None, typer.Argument(help="A folder of backups, to remove what is unreadable.")
    ] = None,
    *,
    keys_in: Annotated[Path | None, typer.Option(help="Another place of key backups.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every backup's keys, not only those due.")
    ] = False,
) -> None:
    """Destroy the keys of backups whose days are over, and remove what they opened (RG.17).

    Examples: `recorder backup prune /mnt/backup` · `recorder backup prune --keys-in /mnt/k --all`
    """
    settings = load_settings()
    regulation = load_regulation(settings.regulation_file)
    places = [*settings.backup_key_folders, *([keys_in] if keys_in else [])]
    if not places:
        raise typer.BadParameter("name a place of keys: --keys-in, or RECORDER_BACKUP_KEY_DIRS")
    now, lead = SystemClock().now(), settings.erasure_lead
    pruner = KeyPruner(places, key_days=regulation.backups.key_days, lead=lead)
    done = pruner.prune(now, everything=everything)
    removed = []
    if directory is not None:
        removed = remove_unreadable(directory, destroyed=done.destroyed, lead=lead, now=now)
    typer.echo(f"Destroyed the keys of {len(done.destroyed)} backups, removed {len(removed)}.")
    for each in done.stuck:
        typer.echo(f"{each} would not go", err=True)
    why = "by_hand" if everything else "expired"
    entries = [events.destroyed(each, why=why, actor=operator(), at=now) for each in done.destroyed]
    try:
        tell_trail(settings, entries)
    except Unavailable as error:
        # The keys are gone all the same: a medium may be pruned where no database is.
        typer.echo(f"The audit trail was not told: {error}", err=True)
    if done.stuck:
        raise typer.Exit(RecorderError.exit_code)


def _row(folder: Path, places: Sequence[Path]) -> BackupRow:
    manifest, _ = read_manifest(folder)
    return BackupRow(
        name=folder.name,
        id=manifest.id,
        at=manifest.at,
        destroy_by=manifest.destroy_by,
        recordings=len(manifest.recordings),
        missing=len(manifest.missing),
        opens=any((each / manifest.keys.path).is_file() for each in places),
    )


def master_of(settings: Settings) -> MasterKey:
    """Return the master key. Raises ``ConfigurationError``."""
    text = settings.master_key.get_secret_value()
    return load_master_key(file=settings.master_key_file, text=text)


def keys_of(settings: Settings, given: Path | None) -> Path:
    """Return where the keys of backups are. Raises ``RuleViolation`` when nothing says so."""
    place = given or next(iter(settings.backup_key_folders), None)
    if place is None:
        raise RuleViolation("say where the backup's keys are: --keys-from")
    return place


def is_watched(place: Path, settings: Settings) -> bool:
    """Tell whether the retention process destroys keys there."""
    return place.resolve() in {each.resolve() for each in settings.backup_key_folders}


def tell_trail(settings: Settings, entries: list[AuditEvent]) -> None:
    """Write entries of acts that change no row."""
    if entries:
        ask_database(settings, lambda engine: Restored(engine, actor=operator()).append(entries))


@contextmanager
def shown() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on a terminal; give what it is told by."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        tasks = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield told
