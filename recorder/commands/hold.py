"""``recorder hold``: what must not be erased, and until when somebody looks again (§ 7.3)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.access.model import Permission
from recorder.adapters.clock import SystemClock
from recorder.adapters.keeping import HoldDesk, open_desk
from recorder.adapters.postgres import queries
from recorder.adapters.postgres.purge_log import PostgresPurgeLog
from recorder.adapters.postgres.rows import RecordingRow
from recorder.adapters.regulation_file import load_regulation
from recorder.commands.asking import (
    CalledOption,
    CallerOption,
    DayOption,
    HourOption,
    JsonOption,
    WindowOption,
    ask_database,
    note_search,
    when,
)
from recorder.commands.gatehouse import actor, leave_entry, require
from recorder.commands.output import for_machines, print_json, print_table
from recorder.commands.parts import open_parts
from recorder.erasure.rules import retention_in_force
from recorder.errors import RecorderError, RuleViolation
from recorder.holds.model import Ground, Hold, HoldId
from recorder.holds.rules import has_lapsed, is_overdue
from recorder.model import RecordingId
from recorder.settings import Settings, load_settings

Answer = TypeVar("Answer")
app = typer.Typer(help="Recordings that must not be erased.", no_args_is_help=True)

MOST_AT_ONCE = 100
"""So many recordings at most are held by one search: more is no search but a habit."""

ReasonOption = Annotated[
    str, typer.Option(help="Why, in your words; goes when the recording goes.")
]
ReviewOption = Annotated[int, typer.Option(min=1, max=90, help="Days until somebody looks again.")]
IdArgument = Annotated[UUID, typer.Argument(metavar="HOLD")]

COLUMNS = {
    "recording_id": "recording",
    "ground": "ground",
    "reference": "reference",
    "placed_by": "placed by",
    "placed_at": "placed",
    "review_by": "review by",
    "state": "state",
    "id": "id",
}
MATCHES = {
    "arrived_at": "arrived",
    "caller_number": "caller",
    "line": "called",
    "answered_by": "answered by",
    "id": "id",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(Hold):
    """A hold as a person reads it."""

    state: str


@app.command("place")
def place(
    ids: Annotated[list[UUID] | None, typer.Argument(metavar="[RECORDING]...")] = None,
    *,
    ground: Annotated[Ground, typer.Option(help="On what ground.")],
    reference: Annotated[str, typer.Option(help="Case number, or the request's number.")],
    reason: ReasonOption,
    review_days: ReviewOption = 90,
    provisional: Annotated[
        bool, typer.Option("--provisional", help="Lapses after 7 days unless reviewed.")
    ] = False,
    caller: CallerOption = None,
    called: CalledOption = None,
    day: DayOption = None,
    hour: HourOption = None,
    window: WindowOption = 60,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Hold recordings, named or searched for; what a search finds now is the list for good.

    Examples: `recorder hold place 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11 --ground
    request_of_authority --reference "RSD 12/2026" --reason "threats"` ·
    `recorder hold place --caller 600123456 --day 2026-11-12 --hour 10:00 --ground
    request_of_person --reference W/31/2026 --reason "a claim" --provisional`
    """
    settings = load_settings()
    if not provisional:
        asyncio.run(_require(settings, Permission.HOLD_PLACE))
    searched = caller is not None or called is not None or day is not None
    if bool(ids) == searched:
        raise typer.BadParameter("name recordings, or search with --caller, --called and --day")
    if searched and day is None:
        raise typer.BadParameter("a search needs its --day (R7.3h)")
    criteria = queries.Criteria(
        caller=caller, called=called, **when(day, hour, window), limit=MOST_AT_ONCE + 1
    )
    if searched:
        asked = {"caller": caller, "called": called, "day": day, "hour": hour}
        note_search(settings, asked, kind="recording")
        ids = [each.id for each in _matches(settings, criteria, ask=not yes)]
    wanted = [RecordingId(each) for each in ids or ()]
    batch, answers = _with_desk(
        settings,
        lambda desk: desk.holds.place(
            wanted,
            ground=ground,
            reference=reference,
            reason=reason,
            actor=actor(),
            review_days=review_days,
            provisional=provisional,
        ),
    )
    for recording_id, placing in answers.items():
        typer.echo(f"{recording_id} {placing.why}")
    refused = sum(not each.allowed for each in answers.values())
    typer.echo(f"{len(answers) - refused} held in one act ({batch}), {refused} not.")
    if refused:
        raise typer.Exit(RecorderError.exit_code)


@app.command("list")
def list_holds(
    *,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those to be reviewed.")] = False,
    as_json: JsonOption = False,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show the reasons too: takes the right to review.")
    ] = False,
) -> None:
    """List the holds that stand, the next review first.

    Examples: `recorder hold list --overdue` · `recorder hold list --json`
    """
    settings = load_settings()
    if reveal:
        asyncio.run(_require(settings, Permission.HOLD_REVIEW, entry="hold:revealed"))
    now = SystemClock().now()

    async def standing(desk: HoldDesk) -> list[Hold]:
        return list(await desk.hold_rows.standing())

    holds = [
        each for each in _with_desk(settings, standing) if not overdue or is_overdue(each, now=now)
    ]
    hidden = {} if reveal else {"reason": ""}
    if as_json:
        print_json(
            [
                for_machines(
                    Shown(**asdict(each) | hidden, state=state_of(each, now)),
                    settings.office_zone,
                    reveal=reveal,
                )
                for each in holds
            ]
        )
        return
    print_table(
        [Shown(**asdict(each), state=state_of(each, now)) for each in holds],
        COLUMNS | ({"reason": "reason"} if reveal else {}),
        settings.office_zone,
        reveal=reveal,
        empty="No hold stands.",
    )


@app.command("review")
def review(hold_id: IdArgument, *, reason: ReasonOption, review_days: ReviewOption = 90) -> None:
    """Keep a hold on, with a reason; a provisional one becomes a real one.

    Examples: `recorder hold review 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11 --reason "trial goes on"` ·
    `recorder hold review 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11 --reason "confirmed"
    --review-days 30`
    """
    settings = load_settings()
    kept = _with_desk(
        settings,
        lambda desk: desk.holds.review(
            HoldId(hold_id), reason=reason, actor=actor(), review_days=review_days
        ),
    )
    typer.echo(f"It stands until it is lifted; review by {_day(kept.review_by, settings)}.")


@app.command("lift")
def lift(
    hold_id: IdArgument,
    *,
    reason: ReasonOption,
    reference: Annotated[str, typer.Option(help="What closed the proceedings.")],
) -> None:
    """Lift a hold; where the office wants four eyes, propose to (R7.3e).

    Examples: `recorder hold lift 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11 --reason "it has ended"
    --reference "II K 1/27"` · `recorder approval confirm 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c12`
    """
    settings = load_settings()
    approval = _with_desk(
        settings,
        lambda desk: desk.holds.lift(
            HoldId(hold_id), reason=reason, reference=reference, actor=actor()
        ),
    )
    if approval is None:
        typer.echo("Lifted. Past its day, the recording goes at the next purge.")
    else:
        typer.echo(f"Proposed. A second person: recorder approval confirm {approval.id}")


async def _require(settings: Settings, permission: Permission, *, entry: str = "") -> None:
    """Ask for the right, and leave the entry of what is shown before it is (RG.15)."""
    async with open_parts(settings) as parts:
        await require(parts, permission)
        if entry:
            await leave_entry(parts, entry)


def _matches(settings: Settings, criteria: queries.Criteria, *, ask: bool) -> list[RecordingRow]:
    async def find(engine: AsyncEngine) -> list[RecordingRow]:
        regulation = load_regulation(settings.regulation_file)
        retention = retention_in_force(
            configured=regulation.retention.days,
            applied=await PostgresPurgeLog(engine, actor=actor()).applied(),
        )
        if criteria.day is not None:
            open_desk(regulation, engine).holds.require_within_retention(
                criteria.day,
                retention_days=retention.days,
                office_zone=settings.office_zone,
            )
        found = await queries.find_recordings(engine, criteria, office_zone=settings.office_zone)
        return list(found)

    found = ask_database(settings, find)
    if not found:
        raise RuleViolation("No recording fits. Leave a condition out, or widen --window.")
    if len(found) > MOST_AT_ONCE:
        raise RuleViolation(f"more than {MOST_AT_ONCE} recordings fit: say more of the call")
    if ask:
        print_table(found, MATCHES, settings.office_zone, reveal=False, empty="")
        typer.confirm(f"Hold these {len(found)}?", abort=True, err=True)
    return found


def state_of(hold: Hold, now: datetime) -> str:
    """Say how a hold stands, in a word or two."""
    if has_lapsed(hold, now=now):
        return "lapses at the next purge"
    if hold.lapses_at is not None:
        return "provisional"
    return "review overdue" if is_overdue(hold, now=now) else "stands"


def _with_desk(settings: Settings, act: Callable[[HoldDesk], Awaitable[Answer]]) -> Answer:
    regulation = load_regulation(settings.regulation_file)
    return ask_database(settings, lambda engine: act(open_desk(regulation, engine)))


def _day(at: datetime, settings: Settings) -> str:
    return f"{at.astimezone(settings.office_zone):%a %d %b %Y, %H:%M}"
