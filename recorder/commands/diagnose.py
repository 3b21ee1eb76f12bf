"""``recorder diagnose``: one file to send to whoever is to find a fault. Nothing of anybody."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import gettempdir
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.progress import Progress

from recorder.accounts.service import Visitor
from recorder.adapters.bundle_file import name_of, packed, write_new
from recorder.adapters.clock import SystemClock
from recorder.commands.asking import JsonOption
from recorder.commands.diagnosis import MOST_LINES, PARTS, diagnostician
from recorder.commands.gatehouse import actor, admitted
from recorder.commands.output import print_json
from recorder.commands.parts import open_parts
from recorder.commands.status import ask_all
from recorder.errors import LedgerUnavailable, RuleViolation
from recorder.maintenance.model import Bundle
from recorder.maintenance.service import BundleBlocked
from recorder.settings import Settings, load_settings

log = structlog.get_logger(__name__)

STANDARD_OUTPUT = "-"


def diagnose(
    *,
    to: Annotated[
        str, typer.Option(help="Where to write it; - is standard output, a folder takes a name.")
    ] = "",
    lines: Annotated[int, typer.Option(min=0, max=50_000, help="Newest log lines.")] = MOST_LINES,
    leave_out: Annotated[
        list[str] | None, typer.Option(help=f"Leave a part out: {', '.join(PARTS)}.")
    ] = None,
    uncompared: Annotated[
        bool,
        typer.Option(
            "--uncompared",
            help="While PostgreSQL is away: look for telephone numbers alone, not for names.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write one file with versions, settings without secrets, health, jobs, errors and logs.

    It is searched for telephone numbers and for every name and number of the ledger first; a hit
    blocks it and says where.

    Examples: `recorder diagnose` · `recorder diagnose --leave-out logs --to /mnt/stick/`
    """
    unknown = sorted(set(leave_out or ()) - set(PARTS))
    if unknown:
        raise typer.BadParameter(f"one of {', '.join(PARTS)}", param_hint="--leave-out")
    settings = load_settings()
    at = SystemClock().now()
    try:
        with _shown() as told:
            bundle = asyncio.run(
                _make(settings, lines, leave_out or [], told, uncompared=uncompared)
            )
    except BundleBlocked as blocked:
        if as_json:
            print_json({"written": None, "hits": [asdict(each) for each in blocked.hits]})
        else:
            for each in blocked.hits:
                typer.echo(f"{each.file}, {each.place}: {each.kind}")
        typer.echo(
            f"Not written: {len(blocked.hits)} places seem to hold somebody's data. It is a "
            "defect to be reported; --leave-out writes the rest.",
            err=True,
        )
        raise typer.Exit(RuleViolation.exit_code) from None
    content = packed(bundle, at=at, compared=not uncompared)
    if to == STANDARD_OUTPUT:
        sys.stdout.buffer.write(content)
        return
    path = Path(to or gettempdir())
    path = path / name_of(at) if path.is_dir() else path
    write_new(path, content)
    if as_json:
        parts = [each.file for each in bundle.parts]
        print_json({"written": str(path), "bytes": len(content), "parts": parts}
                   | {"missing": dict(bundle.missing), "hits": []})  # fmt: skip
        return
    for name, why in bundle.missing.items():
        typer.echo(f"not in it: {name}: {why}")
    typer.echo(f"{path}: {len(bundle.parts)} files, {len(content) >> 10} KiB, nobody found in it.")


async def _make(
    settings: Settings,
    lines: int,
    leave_out: list[str],
    told: Callable[[str], None],
    *,
    uncompared: bool,
) -> Bundle:
    async def health() -> list[dict[str, object]]:
        parts, _ = await ask_all(settings, SystemClock().now())
        return [asdict(each) for each in parts]

    async with open_parts(settings) as parts:
        maker = diagnostician(
            settings, parts.engine, health=health, note=parts.store.note, lines=lines
        )
        try:
            return await maker.make(actor=actor(), leave_out=leave_out, told=told)
        except LedgerUnavailable as error:
            if not uncompared:
                raise LedgerUnavailable(
                    f"{error}; what it holds cannot be compared. Root may say --uncompared"
                ) from None
            _only_at_the_machine(admitted().visitor)
            log.warning("diagnosis_uncompared")
            return await maker.make_uncompared(leave_out=leave_out, told=told)


def _only_at_the_machine(visitor: Visitor | None) -> None:
    """Refuse everybody but the machine's administrator, who can read the files anyway."""
    if visitor is not None:
        raise RuleViolation("--uncompared is for the machine's administrator")


@contextmanager
def _shown() -> Iterator[Callable[[str], None]]:
    """Show a bar on a terminal; give what it is told by."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("asking", total=len(PARTS) + 1)

        def told(what: str) -> None:
            progress.update(task, description=what, advance=1)

        yield told
