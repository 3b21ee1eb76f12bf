"""``recorder reconcile``, ``report deletions`` and ``config apply-retention``."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.keeping import open_keeping, open_reconciler
from recorder.adapters.postgres.jobs import PostgresReports
from recorder.adapters.regulation_file import load_regulation
from recorder.approvals.model import Approval
from recorder.commands.asking import JsonOption, ask_database
from recorder.commands.gatehouse import actor
from recorder.commands.output import for_machines, print_json, print_table
from recorder.erasure.effect import Effect
from recorder.erasure.rules import RetentionInForce
from recorder.errors import RecorderError
from recorder.regulation import LONGEST_RETENTION_DAYS
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
    days: Annotated[
        int | None,
        typer.Argument(min=1, max=LONGEST_RETENTION_DAYS, help="Else what regulation.toml says."),
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Propose it; else only show.")] = False,
    reason: Annotated[str, typer.Option(help="Why: the number of the order, for example.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Show what another retention does, and with --yes propose it to a second person (§ 7.2).

    Examples: `recorder config apply-retention 14` ·
    `recorder config apply-retention 14 --yes --reason "order 12/2026"`
    """
    settings = load_settings()
    regulation = load_regulation(settings.regulation_file)

    async def act(engine: AsyncEngine) -> tuple[RetentionInForce, Effect | None, Approval | None]:
        desk = open_keeping(settings, regulation, engine).retention
        retention = await desk.in_force()
        wanted = retention.configured if days is None else days
        if wanted == retention.days and not yes:
            return retention, None, None
        effect = await desk.effect(wanted)
        asked = None
        if yes:
            asked = await desk.ask(wanted, reason=reason, seen=effect.at_once, actor=actor())
        return retention, effect, asked

    retention, effect, asked = ask_database(settings, act)
    if as_json:
        print_json(
            {
                "in_force": retention.days,
                "regulation_toml": retention.configured,
                "effect": effect and _effect_for_machines(effect),
                "proposal": asked and str(asked.id),
            }
        )
        return
    typer.echo(f"{in_force_says(retention)}.")
    if effect is None:
        typer.echo("Name other days to see what they would do: recorder config apply-retention 14")
        return
    for line in effect_says(effect):
        typer.echo(line)
    if asked is not None:
        typer.echo(f"Proposed. A second person: recorder approval confirm {asked.id}")
    elif yes:
        typer.echo(f"{effect.to_days} days are in force.")
    else:
        typer.echo("Nothing is changed. Propose it with --yes and --reason.")


def in_force_says(retention: RetentionInForce) -> str:
    """Say what holds beside what the file says."""
    says = f"In force: {retention.days} days; regulation.toml: {retention.configured}"
    if retention.waits_for_a_person:
        return f"{says}, which waits for persons: `recorder config apply-retention`"
    return f"{says}; persons decided on fewer" if retention.was_decided_shorter else says


def effect_says(effect: Effect) -> Iterator[str]:
    """Say what a change does, line by line."""
    yield f"From {effect.from_days} to {effect.to_days} days, of the recordings there are now:"
    yield f"  the next purge erases {effect.at_once} at once; {effect.held} are held and stay"
    for day, count in effect.calls_on:
        yield f"    {count} of calls of {day}"
    yield f"  {effect.sooner} go sooner than they would, {effect.later} later"


def _effect_for_machines(effect: Effect) -> dict[str, object]:
    return asdict(effect) | {
        "calls_on": {str(day): count for day, count in effect.calls_on},
        "days": [
            {"day": str(each.day), "before": each.before, "after": each.after}
            for each in effect.days
        ],
    }
