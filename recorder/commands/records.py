"""``recorder calls`` and ``recorder recordings``: what came, what became of it, and where it is."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.adapters.files import sha256_of
from recorder.adapters.postgres import queries
from recorder.adapters.postgres.connect import connect
from recorder.adapters.vault import DiskVault
from recorder.errors import NotFound, RecorderError, RuleViolation, VaultUnavailable
from recorder.model import RecordingId
from recorder.settings import Settings, load_settings

calls = typer.Typer(help="Every call that entered, and why it was recorded or not.")
recordings = typer.Typer(help="Sealed recordings.")
Result = TypeVar("Result")

CallerOption = Annotated[str | None, typer.Option(help="Caller, any spelling, or 'withheld'.")]
CalledOption = Annotated[str | None, typer.Option(help="The office's number, any spelling.")]
DayOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day.")]
HourOption = Annotated[datetime | None, typer.Option(formats=["%H:%M"], help="About this hour.")]
WindowOption = Annotated[int, typer.Option(min=0, help="Minutes around the hour, both ways.")]
LimitOption = Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines.")]
RevealOption = Annotated[bool, typer.Option(help="Show telephone numbers whole.")]


@calls.command("list")
def list_calls(
    caller: CallerOption = None,
    called: CalledOption = None,
    day: DayOption = None,
    hour: HourOption = None,
    window: WindowOption = 60,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    reveal: RevealOption = False,
) -> None:
    """List calls, newest first; numbers are masked unless --reveal is given.

    Examples: `recorder calls list --day 2026-11-12 --hour 10:15` ·
    `recorder calls list --caller withheld --json`
    """
    criteria = _criteria(caller, called, day, hour, window, limit)
    settings = load_settings()
    rows = _ask(
        settings,
        lambda engine: queries.find_calls(engine, criteria, office_zone=settings.office_zone),
    )
    columns = ("arrived_at", "caller_number", "line", "outcome", "reason", "answered_by", "id")
    _print(rows, columns, settings, as_json=as_json, reveal=reveal, empty="No call fits.")


@calls.command("show")
def show_call(call_id: UUID, as_json: JsonOption = False, reveal: RevealOption = False) -> None:
    """Print one call whole: decision, announcements heard, timeline, incidents.

    Examples: `recorder calls show 01a20c69-337a-75a6-9b83-bf45ec100461` ·
    `recorder calls show 01a20c69-337a-75a6-9b83-bf45ec100461 --json`
    """
    settings = load_settings()

    async def ask(engine: AsyncEngine) -> dict[str, Any]:
        call = await queries.get_call(engine, call_id)
        if call is None:
            raise NotFound("no call has this id; `recorder calls list`")
        played = await queries.announcements_of(engine, call_id)
        incidents = await queries.incidents_of(engine, call_id)
        return {
            **_plain(call._mapping, settings, reveal=reveal),  # noqa: SLF001 - SQLAlchemy's public name
            "announcements": [_plain(each._mapping, settings, reveal=True) for each in played],  # noqa: SLF001 - as above
            "incidents": [each.kind for each in incidents],
        }

    call = _ask(settings, ask)
    if as_json:
        typer.echo(json.dumps(call, ensure_ascii=False, default=str))
        return
    for name, value in call.items():
        for each in value if isinstance(value, list) and value else [value]:
            typer.echo(f"{name:22} {each}")


@recordings.command("list")
def list_recordings(
    caller: CallerOption = None,
    called: CalledOption = None,
    day: DayOption = None,
    hour: HourOption = None,
    window: WindowOption = 60,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    reveal: RevealOption = False,
) -> None:
    """List recordings, newest first.

    Examples: `recorder recordings list --called 746640800` · `recorder recordings list --json`
    """
    criteria = _criteria(caller, called, day, hour, window, limit)
    settings = load_settings()
    rows = _ask(
        settings,
        lambda engine: queries.find_recordings(engine, criteria, office_zone=settings.office_zone),
    )
    columns = ("arrived_at", "caller_number", "line", "answered_by", "frames", "erase_by", "id")
    _print(rows, columns, settings, as_json=as_json, reveal=reveal, empty="No recording fits.")


@recordings.command("export")
def export(recording_id: UUID, target: Path) -> None:
    """Copy a recording's WAV out of the vault, once its hash is found right (RG.3).

    Examples: `recorder recordings export 01a2… call.wav` · `recorder recordings export 01a2… /mnt`
    """
    settings = load_settings()
    row = _ask(settings, lambda engine: queries.get_recording(engine, recording_id))
    if row is None:
        raise NotFound("no recording has this id; `recorder recordings list`")
    source = _path(settings, row)
    problem = _problem(source, row.sha256)
    if problem:
        raise RuleViolation(f"the recording {problem}: it is not handed out")
    destination = target / source.name if target.is_dir() else target
    if destination.exists():
        raise RuleViolation("the target exists; nothing is overwritten")
    try:
        shutil.copyfile(source, destination)
    except OSError as error:
        raise VaultUnavailable(f"it cannot be copied ({error.strerror})") from error
    typer.echo(f"Copied {row.frames / row.sample_rate:.1f} s of audio to {destination}.")


@recordings.command("verify")
def verify(limit: LimitOption = 1000) -> None:
    """Read stored recordings and compare their hashes; exit 1 if one is missing or changed.

    Examples: `recorder recordings verify` · `recorder recordings verify --limit 10`
    """
    settings = load_settings()
    criteria = queries.Criteria(limit=limit)
    rows = _ask(
        settings,
        lambda engine: queries.find_recordings(engine, criteria, office_zone=settings.office_zone),
    )
    console = Console(stderr=True)
    bad = 0
    for row in track(rows, "reading", console=console, disable=not console.is_terminal):
        problem = _problem(_path(settings, row), row.sha256)
        if problem:
            bad += 1
            typer.echo(f"{row.id} {problem}")
    typer.echo(f"Read {len(rows)} recordings; {bad} missing or changed.")
    if bad:
        raise typer.Exit(RecorderError.exit_code)


def masked(number: str) -> str:
    """Return a number with its middle hidden; the ends tell two callers apart.

    >>> masked("600123456"), masked("101")
    ('600***456', '***')
    """
    ends = 3
    return f"{number[:ends]}***{number[-ends:]}" if len(number) > 2 * ends else "*" * len(number)


def _criteria(
    caller: str | None,
    called: str | None,
    day: datetime | None,
    hour: datetime | None,
    window: int,
    limit: int,
) -> queries.Criteria:
    if hour is not None and day is None:
        raise typer.BadParameter("an hour needs its --day")
    on: date | None = day.date() if day else None
    about: time | None = hour.time() if hour else None
    return queries.Criteria(
        caller=caller,
        called=called,
        day=on,
        hour=about,
        window=timedelta(minutes=window),
        limit=limit,
    )


def _ask(settings: Settings, question: Callable[[AsyncEngine], Awaitable[Result]]) -> Result:
    async def ask() -> Result:
        async with connect(settings.database_url.get_secret_value(), application="cli") as engine:
            return await question(engine)

    return asyncio.run(ask())


def _path(settings: Settings, row: Any) -> Path:  # noqa: ANN401 - a row of recording
    return DiskVault(settings.vault_dir).path(RecordingId(row.id), folder=row.stored_on)


def _problem(path: Path, sha256: str) -> str:
    try:
        return "" if sha256_of(path) == sha256 else "is changed"
    except FileNotFoundError:
        return "is missing"
    except OSError:
        return "cannot be read"


def _plain(row: Any, settings: Settings, *, reveal: bool) -> dict[str, Any]:  # noqa: ANN401 - any row
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, datetime):
            found[name] = value.astimezone(settings.office_zone).isoformat(timespec="seconds")
        elif name in {"caller_number", "caller_e164", "caller_name"} and value and not reveal:
            found[name] = masked(value)
        elif name == "frames":
            found["seconds"] = round(value / row["sample_rate"], 1)
        else:
            found[name] = value if isinstance(value, (list, dict, int, float)) else str(value)
    return found


def _print(
    rows: Sequence[Any],
    columns: tuple[str, ...],
    settings: Settings,
    *,
    as_json: bool,
    reveal: bool,
    empty: str,
) -> None:
    plain = [_plain(row._mapping, settings, reveal=reveal) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name
    if as_json:
        typer.echo(json.dumps(plain, ensure_ascii=False, default=str))
        return
    if not plain:
        typer.echo(f"{empty} Leave a condition out, or widen --window.")
        return
    shown = ["seconds" if each == "frames" else each for each in columns]
    table = Table(*shown, box=None)
    for row in plain:
        table.add_row(*(escape(_visible(str(row[each]))) for each in shown))
    Console(soft_wrap=True).print(table)


def _visible(text: str) -> str:
    """Show control and direction characters as escapes: a caller's name is data, not a command."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
