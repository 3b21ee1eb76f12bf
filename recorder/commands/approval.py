"""``recorder approval``: what one person proposed and another answers (§ 7.2)."""

from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from recorder.access.model import Permission, Target
from recorder.adapters.changing_announcements import open_announcement_office
from recorder.adapters.clock import SystemClock
from recorder.adapters.keeping import open_desk, open_keeping
from recorder.adapters.postgres import queries
from recorder.adapters.regulation_file import load_regulation
from recorder.approvals.model import Action, ApprovalId
from recorder.commands.asking import JsonOption, ask_database
from recorder.commands.gatehouse import actor, require
from recorder.commands.output import for_machines, print_json, print_table
from recorder.commands.parts import parts_around
from recorder.commands.retention import effect_says
from recorder.erasure.effect import Effect
from recorder.errors import NotFound, RuleViolation
from recorder.settings import Settings, load_settings

approvals = typer.Typer(help="What one person proposed and another confirms.", no_args_is_help=True)
ApprovalArgument = Annotated[UUID, typer.Argument(metavar="PROPOSAL")]
RIGHTS = {
    Action.LIFT_HOLD: Permission.HOLD_LIFT,
    Action.ACTIVATE_ANNOUNCEMENT: Permission.ANNOUNCEMENT_ACTIVATE,
    Action.CHANGE_RETENTION: Permission.RETENTION_CHANGE,
}
"""The rights to what may be proposed, where they do not depend on a call."""
APPROVAL_COLUMNS = {
    "action": "action",
    "subject": "of",
    "wanted": "wanted",
    "proposed_by": "proposed by",
    "proposed_at": "proposed",
    "reference": "reference",
    "id": "id",
}
IN_A_MINUTE = "Confirmed. The retention process puts it in force within a minute."


@approvals.command("list")
def list_approvals(*, as_json: JsonOption = False) -> None:
    """List what waits for a second person, oldest first.

    Examples: `recorder approval list` · `recorder approval list --json`
    """
    settings = load_settings()
    regulation = load_regulation(settings.regulation_file)
    waiting = ask_database(
        settings, lambda engine: open_desk(regulation, engine).approvals.waiting()
    )
    if as_json:
        rows = [for_machines(each, settings.office_zone, reveal=False) for each in waiting]
        print_json([{k: v for k, v in each.items() if k != "reason"} for each in rows])
        return
    print_table(
        waiting, APPROVAL_COLUMNS, settings.office_zone, reveal=False, empty="Nothing waits."
    )


@approvals.command("confirm")
def confirm_approval(
    approval_id: ApprovalArgument,
    *,
    erases: Annotated[
        int | None,
        typer.Option(min=0, help="Of a retention: so many you agree go at once; else as proposed."),
    ] = None,
) -> None:
    """Do what another person proposed; you must not be the one who did.

    Examples: `recorder approval confirm 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c12` ·
    `recorder approval confirm 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c12 --erases 31`
    """
    settings = load_settings()
    regulation = load_regulation(settings.regulation_file)

    async def act(engine: AsyncEngine) -> bool | Effect | str | None:
        desk = open_desk(regulation, engine)
        approval = await desk.approvals.get(ApprovalId(approval_id))
        if approval is None:
            raise NotFound("no proposal has this id; `recorder approval list`")
        await require_right(engine, settings, approval.action, approval.subject)
        if approval.action is Action.LIFT_HOLD:
            await desk.holds.confirm_lifting(approval, actor=actor())
            return None
        if approval.action is Action.ACTIVATE_ANNOUNCEMENT:
            office = open_announcement_office(settings, regulation, engine)
            await office.confirm(approval, actor=actor())
            return IN_A_MINUTE
        keeping = open_keeping(settings, regulation, engine)
        if approval.action is Action.CHANGE_RETENTION:
            return await keeping.retention.confirm(approval, seen=erases, actor=actor())
        return await keeping.by_hand.confirm(approval, actor=actor())

    done = ask_database(settings, act)
    if isinstance(done, Effect):
        for line in effect_says(done):
            typer.echo(line)
        typer.echo(f"{done.to_days} days are in force.")
    elif done is None:
        typer.echo("Lifted. Past its day, the recording goes at the next purge.")
    elif isinstance(done, str):
        typer.echo(done)
    else:
        say_erased(done=done)


@approvals.command("refuse")
def refuse_approval(approval_id: ApprovalArgument) -> None:
    """Answer a proposal with no, your own included.

    Examples: `recorder approval refuse 01a20c69-3a52-7d15-8d1f-2f6a1f0c0c12` ·
    `recorder approval list --json`
    """
    settings = load_settings()
    regulation = load_regulation(settings.regulation_file)

    async def act(engine: AsyncEngine) -> bool:
        rows = open_desk(regulation, engine).approvals
        approval = await rows.get(ApprovalId(approval_id))
        if approval is None:
            return False
        await require_right(engine, settings, approval.action, approval.subject)
        return await rows.refuse(ApprovalId(approval_id), actor=actor(), at=SystemClock().now())

    if not ask_database(settings, act):
        raise RuleViolation("no such proposal waits; `recorder approval list`")
    typer.echo("Refused; nothing was done.")


async def require_right(
    engine: AsyncEngine, settings: Settings, action: Action, subject: UUID
) -> None:
    """Ask for the right to the act itself: who may not propose it may not answer it either."""
    parts = parts_around(engine, settings)
    if action in RIGHTS:
        await require(parts, RIGHTS[action])
        return
    row = await queries.get_recording(engine, subject)
    target = Target(line=row.line if row else None, recording_id=subject)
    await require(parts, Permission.RECORDING_ERASE, target=target)


def say_erased(*, done: bool) -> None:
    """Tell whether a recording is erased or will be by the next purge."""
    typer.echo("Erased." if done else "Claimed; the next purge finishes it. See `recorder status`.")
