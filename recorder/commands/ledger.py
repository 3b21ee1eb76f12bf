"""``recorder erasures``: the ledger that a restore applies, kept off the machine."""

from pathlib import Path
from typing import Annotated

import typer

from recorder.adapters.clock import SystemClock
from recorder.adapters.erasure_ledger import write_ledger
from recorder.adapters.postgres.restoring import ledger_of
from recorder.commands.asking import ask_database
from recorder.errors import RuleViolation
from recorder.settings import load_settings

app = typer.Typer(help="What was erased, and what is held.", no_args_is_help=True)


@app.command("export")
def export(
    file: Annotated[
        Path | None, typer.Argument(help="Unless given, RECORDER_ERASURE_LEDGER_FILE.")
    ] = None,
) -> None:
    """Write what was erased and what is held, for a restore to apply. Keep it off the machine.

    Examples: `recorder erasures export` · `recorder erasures export /mnt/off/erasures.jsonl`
    """
    settings = load_settings()
    target = file or settings.erasure_ledger_file
    if target is None:
        raise RuleViolation("name a file, or set RECORDER_ERASURE_LEDGER_FILE")
    now = SystemClock().now()
    erased, holds = ask_database(settings, ledger_of)
    write_ledger(target, at=now, erased=erased, holds=holds)
    typer.echo(f"Wrote {len(erased)} erasures and {len(holds)} holds to {target}.")
