"""``recorder purge`` and ``erase``: what goes, and why (§ 7.2)."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.clock import SystemClock
from recorder.adapters.keeping import Keeping, open_keeping
from recorder.adapters.postgres import queries
from recorder.adapters.postgres.rows import RecordingRow
from recorder.adapters.regulation_file import load_regulation
from recorder.approvals.model import Action, Approval
from recorder.commands.approval import require_right, say_erased
from recorder.commands.asking import JsonOption, ask_database
from recorder.commands.gatehouse import actor
from recorder.commands.hold import MATCHES
from recorder.commands.output import for_machines, print_json, print_table
from recorder.erasure.model import PurgeReport
from recorder.errors import RecorderError, RuleViolation
from recorder.model import RecordingId
from recorder.retention.work import told
from recorder.settings import Settings, load_settings

Answer = TypeVar("Answer")
PLAN_COLUMNS = {
    "recording": "recording",
    "ended_at": "ended",
    "due_at": "due",
    "erase": "erase",
    "why": "why",
    "failures": "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One line of the plan."""

    recording: UUID
    ended_at: datetime
    due_at: datetime
    erase: bool
    why: str
    failures: int


def purge(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print the plan, with the reasons.")
    ] = False,
    confirm: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Release the brake with this token, first.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Erase what is due now, as the retention process does every five minutes.

    Examples: `recorder purge --dry-run` · `recorder purge --confirm 9f3ac1d2`
    """
    settings = load_settings()
    if dry_run:
        plan = _with_keeping(settings, _plan)
        _print_plan(plan, settings, as_json=as_json)
        return
    if confirm is not None:
        _with_keeping(settings, lambda keeping: _release(keeping, confirm))
    report = _with_keeping(settings, _purge)
    if as_json:
        print_json(asdict(report) | {"braked_by": [asdict(e)["brake"] for e in report.braked_by]})
    else:
        typer.echo(f"{told(report)}.")
    for each in report.braked_by:
        typer.echo(
            f"{each.brake}: {each.detail}. Look first (OPERATIONS.md), then: "
            f"recorder purge --confirm {each.token}",
            err=True,
        )
    if report.braked_by or report.failed:
        raise typer.Exit(RecorderError.exit_code)


def erase(
    recording_id: Annotated[UUID, typer.Argument(metavar="RECORDING")],
    *,
    reason: Annotated[str, typer.Option(help="Why, in your words.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Where one person is enough: do not ask.")
    ] = False,
) -> None:
    """Erase one recording before its time; where the office wants four eyes, propose to.

    Examples: `recorder erase 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11 --reason "recorded by mistake"` ·
    `recorder approval confirm 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c12`
    """
    settings = load_settings()
    regulation = load_regulation(settings.regulation_file)

    async def find(engine: AsyncEngine) -> RecordingRow | None:
        await require_right(engine, settings, Action.ERASE_BY_HAND, recording_id)
        return await queries.get_recording(engine, recording_id)

    async def act(engine: AsyncEngine) -> Approval | bool:
        await require_right(engine, settings, Action.ERASE_BY_HAND, recording_id)
        keeping = open_keeping(settings, regulation, engine)
        return await keeping.by_hand.ask(RecordingId(recording_id), reason=reason, actor=actor())

    if not (yes or regulation.holds.four_eyes) and (row := ask_database(settings, find)):
        print_table([row], MATCHES, settings.office_zone, reveal=False, empty="")
        typer.confirm("Erase it? It cannot be brought back.", abort=True, err=True)
    answer = ask_database(settings, act)
    if isinstance(answer, Approval):
        typer.echo(f"Proposed. A second person: recorder approval confirm {answer.id}")
    else:
        say_erased(done=answer)


async def _plan(keeping: Keeping) -> list[Planned]:
    days = await keeping.eraser.days_in_force()
    return [
        Planned(
            recording=each.recording.id,
            ended_at=each.recording.ended_at,
            due_at=each.due_at,
            erase=each.erase,
            why=each.why.value,
            failures=each.recording.failures,
        )
        async for page in keeping.eraser.plan(days)
        for each in page
    ]


def _print_plan(plan: list[Planned], settings: Settings, *, as_json: bool) -> None:
    zone = settings.office_zone
    if as_json:
        print_json([for_machines(each, zone, reveal=False) for each in plan])
        return
    print_table(plan, PLAN_COLUMNS, zone, reveal=False, empty="Nothing comes due now.")
    counts = Counter(each.why for each in plan)
    typer.echo(", ".join(f"{why} {count}" for why, count in sorted(counts.items())) or "Nothing.")


async def _purge(keeping: Keeping) -> PurgeReport:
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("erasing", total=None)

        async def show(so_far: PurgeReport) -> None:
            progress.update(task, completed=so_far.erased + so_far.finished)

        return await keeping.eraser.run(show)


async def _release(keeping: Keeping, token: str) -> None:
    now = SystemClock().now()
    if await keeping.purge_log.release(token, actor=actor(), at=now) is None:
        raise RuleViolation("no brake that is on has this token; `recorder purge` tells it")


def _with_keeping(settings: Settings, act: Callable[[Keeping], Awaitable[Answer]]) -> Answer:
    regulation = load_regulation(settings.regulation_file)
    return ask_database(settings, lambda engine: act(open_keeping(settings, regulation, engine)))
