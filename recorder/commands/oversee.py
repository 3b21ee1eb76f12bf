"""``recorder completeness`` and ``incidents``: what is unexplained, and its end (RG.13)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder import logs
from recorder.adapters.clock import SystemClock
from recorder.adapters.keeping import open_completeness
from recorder.adapters.postgres.incidents import PostgresIncidents
from recorder.adapters.regulation_file import load_regulation
from recorder.commands.asking import JsonOption, ask_database, in_calendar
from recorder.commands.gatehouse import actor
from recorder.commands.output import for_machines, print_json, print_table
from recorder.completeness.model import Comparison
from recorder.errors import RecorderError
from recorder.incidents.model import Incident, IncidentId, State
from recorder.incidents.service import IncidentDesk
from recorder.settings import Settings, load_settings

incidents = typer.Typer(
    help="What a person must look at: open, explained, closed.", no_args_is_help=True
)
IncidentArgument = Annotated[UUID, typer.Argument(metavar="INCIDENT")]
UNEXPLAINED = {"channel": "channel of the PBX", "started_at": "began", "ended_at": "ended"}
INCIDENTS = {
    "at": "when",
    "kind": "kind",
    "state": "state",
    "detail": "detail",
    "call_id": "call",
    "id": "id",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unexplained:
    """One line of what nobody has explained."""

    channel: str
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line of the incidents."""

    id: UUID
    at: datetime
    kind: str
    state: str
    detail: str
    call_id: UUID | None
    explained_at: datetime | None
    closed_at: datetime | None


def completeness(
    *,
    day: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            callback=in_calendar,
            help="Day of the office; unless given, today.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a day's calls with the PBX's own records; exit 1 when one is unexplained (RG.13).

    Examples: `recorder completeness` · `recorder completeness --day 2026-11-24 --json`
    """
    settings = load_settings()
    logs.configure(level=settings.log_level, file=settings.log_file, to_stdout=False)
    regulation = load_regulation(settings.regulation_file)
    wanted = day.date() if day else SystemClock().now().astimezone(settings.office_zone).date()

    async def act(engine: AsyncEngine) -> Comparison:
        return await open_completeness(settings, regulation, engine).compare(wanted)

    found = ask_database(settings, act)
    lines = [
        Unexplained(channel=each.channel_id, started_at=each.started_at, ended_at=each.ended_at)
        for each in found.unexplained
    ]
    if as_json:
        print_json(
            {
                "day": found.day.isoformat(),
                "pbx_calls": found.pbx_calls,
                "explained": found.explained,
                "in_hand": found.in_hand,
                "never_answered": found.never_answered,
                "unexplained": [
                    for_machines(each, settings.office_zone, reveal=False) for each in lines
                ],
                "without_record": [str(each) for each in found.without_record],
            }
        )
    else:
        if lines:
            print_table(lines, UNEXPLAINED, settings.office_zone, reveal=False, empty="")
        typer.echo(
            f"{found.day}: {found.pbx_calls} calls from outside by the PBX's records, "
            f"{found.explained} explained, {found.in_hand} in hand, "
            f"{found.never_answered} never answered, {len(lines)} unexplained; "
            f"{len(found.without_record)} calls of ours without a record of the PBX."
        )
    if lines:
        raise typer.Exit(RecorderError.exit_code)


@incidents.command("list")
def list_incidents(
    *,
    state: Annotated[State | None, typer.Option(help="Unless given, what is not closed.")] = None,
    kind: Annotated[str | None, typer.Option(help="One kind, as OPERATIONS.md names it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List incidents, newest first; ids alone, of nobody.

    Examples: `recorder incidents list` · `recorder incidents list --state closed --json`
    """
    settings = load_settings()
    states = (state,) if state else (State.OPEN, State.EXPLAINED)

    async def act(engine: AsyncEngine) -> list[Incident]:
        rows = PostgresIncidents(engine)
        pages = [await rows.page(each, kind=kind, after=None, limit=limit) for each in states]
        found = [each for page in pages for each in page]
        return sorted(found, key=lambda each: (each.at, each.id), reverse=True)[:limit]

    rows = [_told(each) for each in ask_database(settings, act)]
    if as_json:
        print_json([for_machines(each, settings.office_zone, reveal=False) for each in rows])
        return
    print_table(rows, INCIDENTS, settings.office_zone, reveal=False, empty="No incident.")


@incidents.command("explain")
def explain(
    incident_id: IncidentArgument,
    *,
    reason: Annotated[str, typer.Option(help="What it was, without names and numbers.")],
    all_alike: Annotated[
        bool, typer.Option("--all-alike", help="And every open one of its kind and day.")
    ] = False,
) -> None:
    """Say what an incident was; it stays in sight until it is closed.

    Examples: `recorder incidents explain 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11 --reason "power cut"`
    · `recorder incidents explain 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11 --reason "an update"
    --all-alike`
    """
    settings = load_settings()

    async def act(engine: AsyncEngine) -> int:
        return await _desk(engine, settings).explain(
            IncidentId(incident_id), reason, all_alike=all_alike, actor=actor()
        )

    typer.echo(f"{ask_database(settings, act)} explained.")


@incidents.command("close")
def close(incident_id: IncidentArgument) -> None:
    """Close an incident that is explained, and of which nothing is left to do.

    Examples: `recorder incidents close 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11` ·
    `recorder incidents list && recorder incidents close 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11`
    """
    settings = load_settings()

    async def act(engine: AsyncEngine) -> None:
        await _desk(engine, settings).close(IncidentId(incident_id), actor=actor())

    ask_database(settings, act)
    typer.echo("Closed.")


def _desk(engine: AsyncEngine, settings: Settings) -> IncidentDesk:
    return IncidentDesk(
        incidents=PostgresIncidents(engine), clock=SystemClock(), office_zone=settings.office_zone
    )


def _told(incident: Incident) -> Told:
    return Told(
        id=incident.id,
        at=incident.at,
        kind=incident.kind,
        state=incident.state.value,
        detail=incident.detail,
        call_id=incident.call_id,
        explained_at=incident.explained_at,
        closed_at=incident.closed_at,
    )
