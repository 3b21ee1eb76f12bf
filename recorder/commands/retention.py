"""``recorder reconcile``, ``report deletions`` and ``config apply-retention``."""

from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.clock import SystemClock
from recorder.adapters.keeping import open_keeping, open_reconciler
from recorder.adapters.postgres.jobs import PostgresReports
from recorder.adapters.regulation_file import load_regulation
from recorder.commands.asking import JsonOption, ask_database
from recorder.commands.gatehouse import actor
from recorder.commands.output import for_machines, print_json, print_table
from recorder.errors import RecorderError
from recorder.settings import load_settings

reports = typer.Typer(help="What is counted daily.", no_args_is_help=True)
NOT_AS_IT_SHOULD = ("missing", "orphan", "foreign", "unpermitted", "spool", "journal")
REPORT_COLUMNS = {
    "day": "day",
    "expired": "expired",
    "erased": "erased",
    "held": "held",
    "failed": "failed",
    "by_hand": "by hand",
}


def reconcile(*, as_json: JsonOption = False) -> None:
    """Compare files and rows both ways; exit 1 when something is missing or is nobody's.

    Examples: `recorder reconcile` · `recorder reconcile --json`
    """
    settings = load_settings()
    regulation = load_regulation(settings.regulation_file)
    console = Console(stderr=True)

    async def act(engine: AsyncEngine) -> dict[str, int]:
        keeping = open_keeping(settings, regulation, engine)
        reconciler = open_reconciler(settings, engine, keeping)
        with console.status("comparing") as status:

            async def tell(progress: str) -> None:
                status.update(progress)

            return dict(await reconciler.run(await keeping.eraser.days_in_force(), tell))

    found = ask_database(settings, act)
    if as_json:
        print_json(found)
    else:
        typer.echo(", ".join(f"{name} {n}" for name, n in sorted(found.items())) or "All fits.")
    if any(found.get(each) for each in NOT_AS_IT_SHOULD):
        raise typer.Exit(RecorderError.exit_code)


@reports.command("deletions")
def deletions(
    *,
    days: Annotated[int, typer.Option(min=1, max=400, help="So many days.")] = 30,
    as_json: JsonOption = False,
) -> None:
    """Print day by day what expired and what became of it; exit 1 when anything failed.

    Examples: `recorder report deletions` · `recorder report deletions --days 7 --json`
    """
    settings = load_settings()
    rows = ask_database(settings, lambda engine: PostgresReports(engine).newest(limit=days))
    if as_json:
        shown = [for_machines(each, settings.office_zone, reveal=False) for each in rows]
        print_json([{**each, "day": str(each["day"])} for each in shown])
    else:
        print_table(
            rows, REPORT_COLUMNS, settings.office_zone, reveal=False, empty="No day is over yet."
        )
    if any(each.failed for each in rows):
        raise typer.Exit(RecorderError.exit_code)


def apply_retention(
    *, yes: Annotated[bool, typer.Option("--yes", help="Do it; else only show.")] = False
) -> None:
    """Show what `retention.days` of regulation.toml erases, and with --yes put it in force (§ 7.2).

    Examples: `recorder config apply-retention` · `recorder config apply-retention --yes`
    """
    settings = load_settings()
    regulation = load_regulation(settings.regulation_file)
    wanted = regulation.retention.days

    async def act(engine: AsyncEngine) -> tuple[int | None, int]:
        keeping = open_keeping(settings, regulation, engine)
        before = await keeping.purge_log.applied_days()
        concerned = sum(
            [sum(each.erase for each in page) async for page in keeping.eraser.plan(wanted)]
        )
        if yes:
            now = SystemClock().now()
            await keeping.purge_log.apply_days(wanted, actor=actor(), at=now)
        return before, concerned

    before, concerned = ask_database(settings, act)
    typer.echo(f"In force: {before or 'nothing yet'}; regulation.toml: {wanted} days.")
    if yes:
        typer.echo(f"{wanted} days are in force. The next purge erases {concerned} recordings.")
    else:
        typer.echo(f"With --yes the next purge erases {concerned} recordings.")
