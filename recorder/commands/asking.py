"""What the commands about calls share: the options of a search, and asking the database."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, TypedDict, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.access.model import Ground, Permission, Target
from recorder.adapters.postgres.connect import connect
from recorder.commands.db import url_of
from recorder.commands.gatehouse import leave_entry, require
from recorder.commands.parts import open_parts
from recorder.settings import Settings

Result = TypeVar("Result")
EARLIEST, LATEST = datetime(2000, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001 - days of the office


def in_calendar(day: datetime | None) -> datetime | None:
    """Refuse a day near the ends of the calendar: there a day more, or another zone, is none."""
    if day is not None and not EARLIEST <= day < LATEST:
        raise typer.BadParameter("a day of this century or the next")
    return day


CallerOption = Annotated[str | None, typer.Option(help="Caller, any spelling, or 'withheld'.")]
CalledOption = Annotated[str | None, typer.Option(help="The office's number, any spelling.")]
DayOption = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], callback=in_calendar, help="Day.")
]
FirstDayOption = Annotated[
    datetime | None,
    typer.Option(
        "--from",
        formats=["%Y-%m-%d"],
        callback=in_calendar,
        help="First day; today unless given.",
    ),
]
LastDayOption = Annotated[
    datetime,
    typer.Option("--to", formats=["%Y-%m-%d"], callback=in_calendar, help="Last day, included."),
]
HourOption = Annotated[datetime | None, typer.Option(formats=["%H:%M"], help="About this hour.")]
WindowOption = Annotated[
    int, typer.Option(min=0, max=1440, help="Minutes around the hour, both ways.")
]
LimitOption = Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")]
OffsetOption = Annotated[int, typer.Option(min=0, help="Leave out the first so many.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines.")]
RevealOption = Annotated[
    bool, typer.Option("--reveal", help="Show numbers whole; needs a purpose and a paper.")
]
PurposeOption = Annotated[str, typer.Option(help="Why: one of § 3.1's purposes, word for word.")]
RequestOption = Annotated[str, typer.Option(help="Or a request's number, as in W/31/2026.")]


NOTHING = "{} fits. Leave a condition out, or widen --window."


class When(TypedDict):
    """The part of the criteria that tells when."""

    day: date | None
    hour: time | None
    window: timedelta


def when(day: datetime | None, hour: datetime | None, window: int) -> When:
    """Return the criteria of time. An hour means nothing without its day."""
    if hour is not None and day is None:
        raise typer.BadParameter("an hour needs its --day")
    return {
        "day": day.date() if day else None,
        "hour": hour.time() if hour else None,
        "window": timedelta(minutes=window),
    }


async def allow_reveal(
    settings: Settings,
    *,
    reveal: bool,
    purpose: str,
    request: str,
    line: str | None = None,
    subject: str = "",
) -> None:
    """Ask for the right to see numbers whole, and leave the entry before they are shown.

    A list may hold calls of every line, so it takes a paper for all of them.
    """
    if not reveal:
        return
    ground = Ground(purpose=purpose, request=request)
    async with open_parts(settings) as parts:
        await require(parts, Permission.NUMBER_REVEAL, target=Target(line=line), ground=ground)
        await leave_entry(parts, "number:revealed", subject=subject, ground=ground)


def note_search(settings: Settings, criteria: Mapping[str, object], *, kind: str) -> None:
    """Leave the entry of a search before its result is shown: what it asked for, not for whom."""

    async def note() -> None:
        async with open_parts(settings) as parts:
            asked = ", ".join(sorted(name for name, value in criteria.items() if value))
            await leave_entry(parts, f"{kind}:searched", details={"by": asked})

    asyncio.run(note())


def ask_database(
    settings: Settings, question: Callable[[AsyncEngine], Awaitable[Result]]
) -> Result:
    """Open the database, put one question to it, close it. Raises ``LedgerUnavailable``."""

    async def ask() -> Result:
        async with connect(url_of(settings), application="cli") as engine:
            return await question(engine)

    return asyncio.run(ask())
