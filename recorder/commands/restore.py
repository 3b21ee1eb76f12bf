"""``recorder restore``: bring a backup back, and let nothing open before what is due is erased."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder import logs
from recorder.adapters.backup_set import find_set, open_set
from recorder.adapters.clock import SystemClock
from recorder.adapters.erasure_ledger import read_ledger
from recorder.adapters.regulation_file import load_regulation
from recorder.adapters.restore_end import Ended, RestoreEnd
from recorder.adapters.restore_marker import Marker, read_marker
from recorder.adapters.restorer import Orders, Restorer, Target
from recorder.backup.model import ErasureLedger
from recorder.commands.acting import operator
from recorder.commands.asking import ask_database
from recorder.commands.backup import KeysFrom, VaultFrom, keys_of, master_of, shown
from recorder.commands.db import url_of
from recorder.erasure.model import PurgeReport
from recorder.errors import RuleViolation
from recorder.settings import Settings, load_settings


def restore(
    directory: Annotated[
        Path | None, typer.Argument(help="A folder of backups, or one of them.")
    ] = None,
    *,
    ledger: Annotated[
        Path | None, typer.Option(help="The newest ledger of erasures: `recorder erasures export`.")
    ] = None,
    without_ledger: Annotated[
        bool, typer.Option("--without-ledger", help="There is none: erasures by hand come back.")
    ] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="Only erase what is due and let processes start.")
    ] = False,
    confirm: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Release the brake with this token, first.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Destroy what is there now and not in the backup.")
    ] = False,
    despite_damage: Annotated[
        bool, typer.Option("--despite-damage", help="Leave damaged recordings out.")
    ] = False,
    keys_from: KeysFrom = None,
    vault_from: VaultFrom = None,
) -> None:
    """Restore a backup, the newest of a folder; erase what is due before anything opens (RG.17).

    Stop every process first; run it as the user that they run as. Killed, run it again.

    Examples: `recorder restore /mnt/backup --keys-from /mnt/keys --ledger /mnt/off/erasures.jsonl`
    · `recorder restore --finish --confirm 9f3ac1d2`
    """
    settings = load_settings()
    logs.configure(level=settings.log_level, file=settings.log_file, to_stdout=False)
    if finish:
        if directory is not None or replace:
            raise typer.BadParameter("--finish takes no directory: all is back already")
        marker = _pending(settings)
        file = ledger or (Path(marker.ledger) if marker.ledger else None)
    else:
        if directory is None:
            raise typer.BadParameter("name the folder of backups, or say --finish")
        if (ledger is None) != without_ledger:
            raise typer.BadParameter(
                "give the newest --ledger of erasures, or say --without-ledger: then what was "
                "erased by hand since the backup comes back, and holds since then do not"
            )
        file = ledger
    known = read_ledger(file) if file is not None else None
    if not finish and directory is not None:
        orders = Orders(
            replace=replace,
            despite_damage=despite_damage,
            ledger=str(file.resolve()) if file else None,
            ledger_at=known.at if known else None,
        )
        _bring_back(settings, directory, orders, keys_from=keys_from, vault_from=vault_from)
        marker = _pending(settings)
    ended = _end(settings, marker, known, confirm)
    typer.echo(
        f"Erased {ended.erased} recordings that were due and {ended.erased_again} that had been "
        f"erased before; {ended.held} are kept by holds, {ended.holds_changed} holds are as the "
        f"ledger has them, {ended.forgotten} calls lost their numbers, {ended.sessions} sign-ins "
        "were ended. Processes may start. What was revoked or disabled since the backup is in "
        "force again: go through `recorder authorisation list` and `recorder user list` first."
    )


def _bring_back(
    settings: Settings,
    directory: Path,
    orders: Orders,
    *,
    keys_from: Path | None,
    vault_from: Path | None,
) -> None:
    master = master_of(settings)
    backup = open_set(find_set(directory), keys_at=keys_of(settings, keys_from), master=master)
    target = Target(
        database_url=url_of(settings),
        vault=settings.vault_dir,
        keys=settings.key_dir,
        announcements=settings.announcement_dir,
        checkpoints=settings.audit_checkpoint_dir,
        regulation=settings.regulation_file,
        master=master,
    )
    restorer = Restorer(backup, audio=vault_from or Path(backup.manifest.vault), target=target)
    with shown() as progress:
        told = restorer.run(orders, now=SystemClock().now(), progress=progress)
    for each in told:
        typer.echo(each, err=True)
    typer.echo(f"{restorer.brought} recordings are back; erasing what is due.")


def _pending(settings: Settings) -> Marker:
    marker = read_marker(settings.key_dir)
    if marker is None:
        raise RuleViolation("no restore is at work here")
    if not marker.is_back:
        raise RuleViolation(
            f"the restore was cut short: recorder restore {marker.folder} again, as before"
        )
    return marker


def _end(
    settings: Settings, marker: Marker, ledger: ErasureLedger | None, confirm: str | None
) -> Ended:
    regulation = load_regulation(settings.regulation_file)
    master = master_of(settings)

    async def act(engine: AsyncEngine) -> Ended:
        end = RestoreEnd(
            settings=settings,
            regulation=regulation,
            engine=engine,
            master=master,
            clock=SystemClock(),
        )
        with Console(stderr=True).status("erasing") as status:

            async def told(report: PurgeReport) -> None:
                status.update(f"{report.erased} erased")

            return await end.run(
                marker,
                ledger,
                actor=operator(),
                confirm=confirm,
                progress=told,
            )

    return ask_database(settings, act)
