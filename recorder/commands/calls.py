"""``recorder calls``: what came, and what became of it."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres import queries
from recorder.commands.asking import (
    NOTHING,
    CalledOption,
    CallerOption,
    DayOption,
    HourOption,
    JsonOption,
    LimitOption,
    OffsetOption,
    PurposeOption,
    RequestOption,
    RevealOption,
    WindowOption,
    allow_reveal,
    ask_database,
    note_search,
    when,
)
from recorder.commands.output import for_machines, print_fields, print_json, print_table
from recorder.errors import NotFound
from recorder.model import Outcome, Reason
from recorder.settings import load_settings

app = typer.Typer(
    help="Every call that entered, and why it was recorded or not.", no_args_is_help=True
)
OutcomeOption = Annotated[Outcome | None, typer.Option(help="What became of the call.")]
ReasonOption = Annotated[Reason | None, typer.Option(help="Why.")]

CALL_COLUMNS = {
    "arrived_at": "arrived",
    "caller_number": "caller",
    "line": "called",
    "outcome": "outcome",
    "reason": "reason",
    "answered_by": "answered by",
    "id": "id",
}


@app.command("list")
def list_calls(
    *,
    caller: CallerOption = None,
    called: CalledOption = None,
    day: DayOption = None,
    hour: HourOption = None,
    window: WindowOption = 60,
    outcome: OutcomeOption = None,
    reason: ReasonOption = None,
    limit: LimitOption = 50,
    offset: OffsetOption = 0,
    as_json: JsonOption = False,
    reveal: RevealOption = False,
    purpose: PurposeOption = "",
    request: RequestOption = "",
) -> None:
    """List calls, newest first; numbers are masked unless --reveal is given.

    Examples: `recorder calls list --day 2026-11-12 --hour 10:15` ·
    `recorder calls list --caller withheld --json`
    """
    settings = load_settings()
    zone = settings.office_zone
    criteria = queries.Criteria(
        caller=caller,
        called=called,
        **when(day, hour, window),
        outcome=outcome,
        reason=reason,
        limit=limit,
        offset=offset,
    )
    asyncio.run(allow_reveal(settings, reveal=reveal, purpose=purpose, request=request))
    note_search(
        settings,
        {"caller": caller, "called": called, "day": day, "hour": hour, "reason": reason},
        kind="call",
    )
    rows = ask_database(
        settings, lambda engine: queries.find_calls(engine, criteria, office_zone=zone)
    )
    if as_json:
        print_json([for_machines(each, zone, reveal=reveal) for each in rows])
    else:
        print_table(rows, CALL_COLUMNS, zone, reveal=reveal, empty=NOTHING.format("No call"))


@app.command("show")
def show_call(
    call_id: Annotated[UUID, typer.Argument(metavar="ID")],
    *,
    as_json: JsonOption = False,
    reveal: RevealOption = False,
    purpose: PurposeOption = "",
    request: RequestOption = "",
) -> None:
    """Print one call whole: decision, announcements heard, timeline, incidents.

    Examples: `recorder calls show 01a20c69-337a-75a6-9b83-bf45ec100461` ·
    `recorder calls show 01a20c69-337a-75a6-9b83-bf45ec100461 --json`
    """
    settings = load_settings()
    zone = settings.office_zone

    async def ask(engine: AsyncEngine) -> dict[str, Any]:
        call = await queries.get_call(engine, call_id)
        if call is None:
            raise NotFound("no call has this id; `recorder calls list`")
        await allow_reveal(
            settings,
            reveal=reveal,
            purpose=purpose,
            request=request,
            line=call.line,
            subject=f"call:{call_id}",
        )
        played = await queries.announcements_of(engine, call_id)
        incidents = await queries.incidents_of(engine, call_id)
        return {
            **for_machines(call, zone, reveal=reveal),
            "announcements": [for_machines(each, zone, reveal=reveal) for each in played],
            "incidents": [for_machines(each, zone, reveal=reveal) for each in incidents],
        }

    found = ask_database(settings, ask)
    if as_json:
        print_json(found)
    else:
        print_fields(found)
