"""``recorder audit``: reading the audit trail, and proving that it is what was written."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.access.model import View
from recorder.adapters.audit_files import CheckpointFolder, create_key, read_key
from recorder.adapters.clock import SystemClock
from recorder.adapters.keeping import open_trail_keeper
from recorder.adapters.postgres.trail_reading import PostgresTrail, Wanted
from recorder.audit.event import AuditEvent, kept_object
from recorder.audit.keeping import TrailKeeper
from recorder.audit.notes import BadNote, PublicKey
from recorder.audit.rules import Entry
from recorder.audit.service import Auditor, Report
from recorder.commands import audit_report, gatehouse
from recorder.commands.asking import (
    JsonOption,
    LimitOption,
    OffsetOption,
    ask_database,
    in_calendar,
)
from recorder.commands.audit_export import write_export
from recorder.commands.output import print_json, print_table
from recorder.errors import ConfigurationError, RecorderError, RuleViolation
from recorder.settings import Settings, load_settings

app = typer.Typer(help="The audit trail.", no_args_is_help=True)

COLUMNS = {
    "seq": "no.",
    "at": "at",
    "actor": "who",
    "action": "did",
    "subject": "to",
    "reason": "why",
    "details": "",
}
PublicKeyOption = Annotated[
    str | None, typer.Option("--public-key", help="Verify with this key, kept elsewhere.")
]
RevealOption = Annotated[
    bool, typer.Option("--reveal", help="With numbers and texts; leaves an entry of its own.")
]
EntryDay = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], callback=in_calendar, help="Day, included."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry as a person reads it."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    details: str


@app.command("show")
def show(
    *,
    actor: Annotated[str | None, typer.Option(help="Who, by name.")] = None,
    action: Annotated[str | None, typer.Option(help="recording:played, or recording.")] = None,
    subject: Annotated[str | None, typer.Option(help="As in recording:<id>.")] = None,
    since: EntryDay = None,
    until: EntryDay = None,
    limit: LimitOption = 50,
    offset: OffsetOption = 0,
    as_json: JsonOption = False,
    reveal: RevealOption = False,
) -> None:
    """List entries, newest first. Days are the office's. Only the DPO sees others' entries.

    Examples: `recorder audit show --action hold --since 2026-11-01` ·
    `recorder audit show --actor a.nowak --json`
    """
    settings = load_settings()
    zone = settings.office_zone
    wanted = Wanted(
        # ○ in the matrix: who sees only their own asks for nobody else's, whatever they ask for.
        actor=gatehouse.actor().name if _sees_own_alone() else actor,
        action=action,
        subject=subject,
        since=since.replace(tzinfo=zone) if since else None,
        until=(until + timedelta(days=1)).replace(tzinfo=zone) if until else None,
        limit=limit,
        offset=offset,
    )

    async def find(engine: AsyncEngine) -> list[Entry]:
        trail = PostgresTrail(engine)
        found = list(await trail.find(wanted))
        if reveal and any(each.personal for each in found):
            # First the entry, then the numbers (RG.15).
            revealed = {"entries": len(found), "newest": found[0].seq, "oldest": found[-1].seq}
            await trail.record(_act("audit:revealed", revealed))
        return found

    found = ask_database(settings, find)
    if as_json:
        print_json([_for_machines(each, settings, reveal=reveal) for each in found])
        return
    lines = [_line(each, reveal=reveal) for each in found]
    print_table(lines, COLUMNS, zone, reveal=reveal, empty="No entry fits.")


@app.command("verify")
def verify(*, public_key: PublicKeyOption = None, as_json: JsonOption = False) -> None:
    """Verify every entry, and compare with every checkpoint; exit 1 names the first bad entry.

    Examples: `recorder audit verify` · `recorder audit verify --public-key "$(cat dpo.key)"`
    """
    settings = load_settings()
    public = _public(settings, public_key)
    checkpoints = CheckpointFolder(settings.audit_checkpoint_dir).notes()
    console = Console(stderr=True)

    async def read(engine: AsyncEngine) -> tuple[Report, bool]:
        trail = PostgresTrail(engine)
        head = await trail.head()
        with Progress(console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("verifying", total=head.seq if head else None)
            report = await Auditor(trail, public=public).verify(
                checkpoints, seen=lambda seq: progress.update(task, completed=seq)
            )
        return report, await trail.editable()

    report, editable = ask_database(settings, read)
    if as_json:
        print_json(audit_report.for_machines(report, editable=editable))
    else:
        audit_report.tell(report, editable=editable)
    if not report.sound:
        raise typer.Exit(RecorderError.exit_code)


@app.command("checkpoint")
def checkpoint() -> None:
    """Sign how the trail ends now, and keep that as a file to be copied elsewhere. Run it daily.

    Examples: `recorder audit checkpoint` · `recorder audit checkpoint && rsync ...`
    """
    settings = load_settings()
    found = ask_database(settings, lambda engine: _keeper(settings, engine).checkpoint())
    if found is None:
        typer.echo("Nothing was added since the last checkpoint.")
    else:
        typer.echo(f"Signed up to entry {found[0].seq}: {found[1]}")


@app.command("init-key")
def init_key(
    name: Annotated[str, typer.Argument(help="Whose trail; as in mops.example.pl/audit.")],
) -> None:
    """Make the key that signs checkpoints, and print what verifies them.

    Examples: `recorder audit init-key mops.example.pl/audit` ·
    `RECORDER_AUDIT_KEY_FILE=/etc/rejestrator/audit.key recorder audit init-key office/audit`
    """
    path = load_settings().audit_key_file
    if path is None:
        raise ConfigurationError("RECORDER_AUDIT_KEY_FILE: name the file that the key goes to")
    public = create_key(path, name=name)
    typer.echo(str(public))
    typer.echo("Give this line to the data protection officer, off this machine.", err=True)


@app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="A new folder.")], *, reveal: RevealOption = False
) -> None:
    """Write the whole trail with its checkpoints, for `script/verify-audit` and for reading.

    Examples: `recorder audit export /mnt/stick/trail` ·
    `recorder audit export --reveal /mnt/stick/trail`
    """
    if _sees_own_alone():
        raise RuleViolation("the whole trail is the DPO's; your own entries: `recorder audit show`")
    settings = load_settings()
    public = _public(settings, None)
    if public is None:
        raise ConfigurationError(
            "an export without a key proves little: `recorder audit init-key`, then try again"
        )

    async def write(engine: AsyncEngine) -> int:
        trail = PostgresTrail(engine)
        await trail.record(_act("audit:exported", {"revealed": reveal}))
        if settings.audit_key_file is not None:
            await _keeper(settings, engine).checkpoint()
        checkpoints = CheckpointFolder(settings.audit_checkpoint_dir).notes()
        return await write_export(trail, folder, public, checkpoints, reveal=reveal)

    written = ask_database(settings, write)
    typer.echo(f"Wrote {written} entries to {folder}.")


@app.command("forget")
def forget() -> None:
    """Drop entries, and numbers in entries, that are past their time. For the retention login.

    Examples: `recorder audit forget` · `RECORDER_AUDIT_DAYS=1096 recorder audit forget`
    """
    settings = load_settings()
    gone = ask_database(settings, lambda engine: _keeper(settings, engine).forget())
    typer.echo(f"Dropped the personal part of {gone.personal} entries, and {gone.entries} entries.")


def _sees_own_alone() -> bool:
    return gatehouse.admitted().decision.view is View.OWN


def _keeper(settings: Settings, engine: AsyncEngine) -> TrailKeeper:
    return open_trail_keeper(settings, engine, actor=gatehouse.actor())


def _act(action: str, details: dict[str, Any]) -> AuditEvent:
    return AuditEvent(
        action=action, at=SystemClock().now(), actor=gatehouse.actor(), details=details
    )


def _public(settings: Settings, given: str | None) -> PublicKey | None:
    text = given or settings.audit_public_key
    if not text:
        return read_key(settings.audit_key_file).public if settings.audit_key_file else None
    try:
        return PublicKey.parse(text)
    except BadNote as error:
        raise ConfigurationError(str(error)) from None


def _line(entry: Entry, *, reveal: bool) -> Line:
    personal = kept_object(entry.personal.data) if entry.personal and reveal else {}
    details = kept_object(entry.details) | personal
    return Line(
        seq=entry.seq,
        at=entry.at,
        actor=f"{entry.actor.name} ({entry.actor.kind.value})",
        action=entry.action,
        subject=entry.subject,
        reason=entry.reason,
        details="  ".join(f"{name}={value}" for name, value in details.items()),
    )


def _for_machines(entry: Entry, settings: Settings, *, reveal: bool) -> dict[str, Any]:
    personal = kept_object(entry.personal.data) if entry.personal and reveal else None
    at = entry.at.astimezone(settings.office_zone)
    return {
        "seq": entry.seq,
        "at": at.isoformat(timespec="milliseconds"),
        "actor_kind": entry.actor.kind.value,
        "actor_name": entry.actor.name,
        "action": entry.action,
        "subject": entry.subject,
        "reason": entry.reason,
        "details": kept_object(entry.details),
        "has_personal": entry.personal is not None,
        "personal": personal,
        "hash": entry.hash.hex(),
    }
