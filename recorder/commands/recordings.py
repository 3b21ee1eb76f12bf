"""``recorder recordings``: what is sealed, where it is, and whether it is whole."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, assert_never
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder import logs
from recorder.access.model import Ground, Permission, Target
from recorder.adapters.clock import SystemClock
from recorder.adapters.postgres import queries
from recorder.adapters.postgres.holds import holds_on
from recorder.adapters.postgres.ledger import PostgresLedger
from recorder.adapters.postgres.rows import RecordingRow
from recorder.adapters.vault import open_vault
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
from recorder.commands.gatehouse import leave_entry, require
from recorder.commands.output import for_machines, print_fields, print_json, print_table
from recorder.commands.parts import open_parts
from recorder.custody.integrity import Integrity, Verifier
from recorder.custody.model import SealedAs
from recorder.erasure.model import Stage
from recorder.errors import NotFound, RecorderError, RuleViolation
from recorder.holds.rules import is_restricted
from recorder.model import RecordingId
from recorder.ports import Vault
from recorder.settings import Settings, load_settings

app = typer.Typer(help="Sealed recordings.", no_args_is_help=True)

RECORDING_COLUMNS = {
    "arrived_at": "arrived",
    "caller_number": "caller",
    "line": "called",
    "answered_by": "answered by",
    "erase_by": "erased by",
    "id": "id",
}


@app.command("list")
def list_recordings(
    *,
    caller: CallerOption = None,
    called: CalledOption = None,
    day: DayOption = None,
    hour: HourOption = None,
    window: WindowOption = 60,
    limit: LimitOption = 50,
    offset: OffsetOption = 0,
    as_json: JsonOption = False,
    reveal: RevealOption = False,
    purpose: PurposeOption = "",
    request: RequestOption = "",
) -> None:
    """List recordings, newest first; numbers are masked unless --reveal is given.

    Examples: `recorder recordings list --called 746640800` · `recorder recordings list --json`
    """
    settings = load_settings()
    zone = settings.office_zone
    criteria = queries.Criteria(
        caller=caller, called=called, **when(day, hour, window), limit=limit, offset=offset
    )
    asyncio.run(allow_reveal(settings, reveal=reveal, purpose=purpose, request=request))
    note_search(
        settings,
        {"caller": caller, "called": called, "day": day, "hour": hour},
        kind="recording",
    )
    rows = ask_database(
        settings, lambda engine: queries.find_recordings(engine, criteria, office_zone=zone)
    )
    if as_json:
        print_json([_recording(each, settings, reveal=reveal) for each in rows])
    else:
        empty = NOTHING.format("No recording")
        print_table(rows, RECORDING_COLUMNS, zone, reveal=reveal, empty=empty)


@app.command("show")
def show_recording(
    recording_id: Annotated[UUID, typer.Argument(metavar="ID")],
    *,
    as_json: JsonOption = False,
    reveal: RevealOption = False,
    purpose: PurposeOption = "",
    request: RequestOption = "",
) -> None:
    """Print one recording: length, levels, flags, hash, and by when it is erased.

    Examples: `recorder recordings show 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11` ·
    `recorder recordings show 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11 --json`
    """
    settings = load_settings()
    row = _one(settings, recording_id)
    asyncio.run(
        allow_reveal(
            settings,
            reveal=reveal,
            purpose=purpose,
            request=request,
            line=row.line,
            subject=f"recording:{recording_id}",
        )
    )
    found = _recording(row, settings, reveal=reveal)
    if as_json:
        print_json(found)
    else:
        print_fields(found)


@app.command("export")
def export(
    recording_id: Annotated[UUID, typer.Argument(metavar="ID")],
    target: Annotated[Path, typer.Argument(help="A new file, or a folder.")],
    *,
    purpose: PurposeOption = "",
    request: RequestOption = "",
) -> None:
    """Copy a recording's WAV out of the vault, once its hash is found right (RG.3).

    Takes a copy maker's authorisation and a purpose or a request's number (R3.1a).

    Examples: `recorder recordings export 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11 call.wav --request
    W/31/2026` · `recorder recordings export 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11 /mnt/stick
    --request W/31/2026`
    """
    settings = _with_logs()
    vault = open_vault(settings)
    row = _one(settings, recording_id)
    if row.stage != Stage.KEPT:
        raise RuleViolation("the recording is being erased: it is not handed out")
    ground = Ground(purpose=purpose, request=request)
    asyncio.run(_allow_export(settings, row, ground))
    destination = target / f"{row.id}.wav" if target.is_dir() else target

    async def hand_out(engine: AsyncEngine) -> None:
        if is_restricted(await holds_on(engine, [RecordingId(row.id)])):
            raise RuleViolation("the recording is restricted (§ 8.3): it is not handed out")
        if problem := await _problem(_verifier(vault, engine), row):
            raise RuleViolation(f"the recording {problem}: it is not handed out")
        await vault.export(RecordingId(row.id), folder=row.stored_on, target=destination)

    ask_database(settings, hand_out)
    typer.echo(f"Copied {row.seconds:.1f} s of audio to {destination}.")


@app.command("verify")
def verify(
    ids: Annotated[list[UUID] | None, typer.Argument(metavar="[ID]...")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every recording.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read stored recordings and compare their hashes; exit 1 if one is missing or changed.

    Examples: `recorder recordings verify --all --json` ·
    `recorder recordings verify 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c11`
    """
    if bool(ids) == everything:
        raise typer.BadParameter("name recordings, or say --all")
    settings = _with_logs()
    vault = open_vault(settings)
    console = Console(stderr=True)

    async def read(engine: AsyncEngine) -> tuple[int, dict[str, str]]:
        total = len(ids) if ids else await queries.count_recordings(engine)
        verifier = _verifier(vault, engine)
        seen, bad = 0, {}
        with Progress(console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("reading", total=total)
            async for row in _rows(engine, ids):
                seen += 1
                if problem := await _problem(verifier, row):
                    bad[str(row.id)] = problem
                    if not as_json:
                        typer.echo(f"{row.id} {problem}")
                progress.advance(task)
        return seen, bad

    seen, bad = ask_database(settings, read)
    if as_json:
        print_json({"read": seen, "problems": bad})
    else:
        typer.echo(f"Read {seen} recordings; {len(bad)} missing or changed.")
    if bad:
        raise typer.Exit(RecorderError.exit_code)


async def _allow_export(settings: Settings, row: RecordingRow, ground: Ground) -> None:
    """Leave the entry before the audio: what cannot be written down is not handed out (RG.15)."""
    async with open_parts(settings) as parts:
        target = Target(line=row.line, recording_id=row.id)
        await require(parts, Permission.COPY_MAKE, target=target, ground=ground)
        subject = f"recording:{row.id}"
        await leave_entry(parts, "recording:exported", subject=subject, ground=ground)


def _one(settings: Settings, recording_id: UUID) -> RecordingRow:
    row = ask_database(settings, lambda engine: queries.get_recording(engine, recording_id))
    if row is not None:
        return row
    stone = ask_database(settings, lambda engine: queries.get_tombstone(engine, recording_id))
    if stone is not None:
        day = f"{stone.erased_at.astimezone(settings.office_zone):%a %d %b %Y, %H:%M}"
        raise NotFound(
            f"already erased on {day} ({stone.route}, {stone.why}), tombstone {stone.id}"
        )
    raise NotFound("no recording has this id; `recorder recordings list`")


async def _rows(engine: AsyncEngine, ids: list[UUID] | None) -> AsyncIterator[RecordingRow]:
    for recording_id in ids or ():
        row = await queries.get_recording(engine, recording_id)
        if row is None:
            raise NotFound(f"no recording has the id {recording_id}; `recorder recordings list`")
        yield row
    page = [] if ids else await queries.recordings_after(engine, None, limit=500)
    while page:
        for row in page:
            yield row
        page = await queries.recordings_after(engine, page[-1].id, limit=500)


def _with_logs() -> Settings:
    settings = load_settings()
    logs.configure(level=settings.log_level, file=settings.log_file, to_stdout=False)
    return settings


def _verifier(vault: Vault, engine: AsyncEngine) -> Verifier:
    return Verifier(vault=vault, ledger=PostgresLedger(engine), clock=SystemClock())


async def _problem(verifier: Verifier, row: RecordingRow) -> str:
    if row.sealed_as == SealedAs.WAV:
        return "lies in plain from before there were keys (`recorder keys adopt`)"
    found = await verifier.verify(RecordingId(row.id), folder=row.stored_on, sha256=row.sha256)
    match found:
        case Integrity.WHOLE:
            return ""
        case Integrity.MISSING:
            return "is missing"
        case Integrity.DAMAGED:
            return "is damaged"
        case Integrity.UNREADABLE:
            # One file that cannot be read must not hide the state of the others.
            return "cannot be read"
        case _:
            assert_never(found)


def _recording(row: RecordingRow, settings: Settings, *, reveal: bool) -> dict[str, Any]:
    found = for_machines(row, settings.office_zone, reveal=reveal)
    return {**found, "seconds": round(row.seconds, 3)}
