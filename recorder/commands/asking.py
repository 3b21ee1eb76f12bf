"""What the commands about calls share: the options of a search, and asking the database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta
from typing import Annotated, TypedDict, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.postgres.connect import connect
from recorder.commands.db import url_of
from recorder.settings import Settings

Result = TypeVar("Result")

CallerOption = Annotated[str | None, typer.Option(help="Caller, any spelling, or 'withheld'.")]
CalledOption = Annotated[str | None, typer.Option(help="The office's number, any spelling.")]
DayOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day.")]
HourOption = Annotated[datetime | None, typer.Option(formats=["%H:%M"], help="About this hour.")]
WindowOption = Annotated[
    int, typer.Option(min=0, max=1440, help="Minutes around the hour, both ways.")
]
LimitOption = Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")]
OffsetOption = Annotated[int, typer.Option(min=0, help="Leave out the first so many.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines.")]
RevealOption = Annotated[bool, typer.Option("--reveal", help="Show telephone numbers whole.")]


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


def ask_database(
    settings: Settings, question: Callable[[AsyncEngine], Awaitable[Result]]
) -> Result:
    """Open the database, put one question to it, close it. Raises ``LedgerUnavailable``."""

    async def ask() -> Result:
        async with connect(url_of(settings), application="cli") as engine:
            return await question(engine)

    return asyncio.run(ask())
