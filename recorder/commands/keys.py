"""``recorder keys``: the master key, its rotation, and recordings from before there were keys."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.factor_seal import FactorSeal, accounts_key
from recorder.adapters.key_rotation import rotate as rotate_keys
from recorder.adapters.keys import DiskKeys, is_bound, prepare
from recorder.adapters.master_key import load_master_key, make_master_key, read_master_key
from recorder.adapters.plain_wavs import PlainWavs
from recorder.adapters.postgres import queries
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.vault import DiskVault
from recorder.commands.asking import ask_database
from recorder.custody.adoption import Adopted, Adopter
from recorder.errors import RecorderError
from recorder.settings import load_settings

MOST_TOLD = 20

app = typer.Typer(help="The keys of the recordings.", no_args_is_help=True)


@app.command("init")
def init() -> None:
    """Make a master key where RECORDER_MASTER_KEY_FILE says, and bind the key directory to it.

    A master key that is there is taken and never overwritten; a key directory is bound once. The
    key of the accounts' second factors is made with it, and where it is missing.

    Examples: `recorder keys init` · `RECORDER_MASTER_KEY_FILE=/etc/rejestrator/master-key recorder
    keys init`
    """
    settings = load_settings()
    file, text = settings.master_key_file, settings.master_key.get_secret_value()
    if file is not None and not text and not file.exists():
        make_master_key(file)
        typer.echo(f"Made a master key in {file}. Keep a copy of it in a safe, on paper.")
    master = load_master_key(file=file, text=text)
    if not is_bound(settings.key_dir) or accounts_key(settings.key_dir) is not None:
        prepare(settings.key_dir, master)
    FactorSeal(settings.key_dir, lambda: master).prepare()
    typer.echo(f"The keys in {settings.key_dir} lie under this master key from now on.")


@app.command("rotate")
def rotate(
    *,
    new_master_key_file: Annotated[
        Path, typer.Option(help="The new master key; made if there is no such file.")
    ],
) -> None:
    """Wrap every key with a new master key; no audio is touched. Killed, run it again.

    From its first step recordings wait in the spool until capture is started with the new one.

    Examples: `recorder keys rotate --new-master-key-file /etc/rejestrator/master-key-2` ·
    `RECORDER_MASTER_KEY_FILE=/mnt/old recorder keys rotate --new-master-key-file /mnt/new`
    """
    settings = load_settings()
    old = load_master_key(
        file=settings.master_key_file, text=settings.master_key.get_secret_value()
    )
    if new_master_key_file.exists():
        new = read_master_key(new_master_key_file)
    else:
        new = make_master_key(new_master_key_file)
    with _bar("wrapping keys") as progress:
        done = rotate_keys(settings.key_dir, old=old, new=new, progress=progress)
    typer.echo(
        f"Wrapped {done.wrapped} keys, {done.already} were already. Set RECORDER_MASTER_KEY_FILE "
        f"to {new_master_key_file} and start every process again"
        + ("." if done.damaged else "; then destroy the old one.")
    )
    for each in done.damaged[:MOST_TOLD]:
        typer.echo(f"{each} has a key that neither master key opens", err=True)
    if done.damaged:
        typer.echo(
            f"{len(done.damaged)} keys lie under neither. Destroy no master key: was an earlier "
            "rotation not finished, run this again with RECORDER_MASTER_KEY_FILE its old one.",
            err=True,
        )
        raise typer.Exit(RecorderError.exit_code)


@app.command("adopt")
def adopt() -> None:
    """Seal the plain WAVs from before there were keys and destroy them. Killed, run it again.

    Examples: `recorder keys adopt` · `recorder keys adopt && recorder recordings verify --all`
    """
    settings = load_settings()
    master = load_master_key(
        file=settings.master_key_file, text=settings.master_key.get_secret_value()
    )
    keys = DiskKeys(settings.key_dir, master)
    keys.check()

    async def act(engine: AsyncEngine) -> Adopted:
        adopter = Adopter(
            vault=DiskVault(settings.vault_dir, keys),
            plain=PlainWavs(settings.vault_dir, keys),
            ledger=PostgresLedger(engine),
            row_of=lambda recording_id: queries.get_recording(engine, recording_id),
        )
        with _bar("sealing") as progress:
            return await adopter.run(progress)

    done = ask_database(settings, act)
    for each, why in done.refused:
        typer.echo(f"{each}: {why}; its WAV is left as it is", err=True)
    typer.echo(
        f"Sealed {done.sealed} recordings and destroyed their plain WAVs; "
        f"{len(done.refused)} refused, {done.without_row} have no row and are left."
    )
    if done.refused:
        raise typer.Exit(RecorderError.exit_code)


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
