"""The command ``recorder``: what an administrator does at a prompt."""

import sys
from typing import cast

import typer
from typer.core import TyperGroup

from recorder import logs
from recorder.commands import (
    announcement,
    approval,
    audit,
    authorisation,
    backup,
    calls,
    config,
    contractor,
    db,
    demo,
    diagnose,
    erasing,
    extension,
    hold,
    keys,
    ledger,
    linking,
    live,
    log,
    oversee,
    recordings,
    restore,
    retention,
    serving,
    sign_in,
    size,
    status,
    token,
    user,
    workstation,
)
from recorder.commands.gatehouse import guard
from recorder.errors import RecorderError

app = typer.Typer(
    name="recorder",
    help="Call recording that a public office can defend.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("status")(status.status)
app.command("logs")(log.logs)
app.command("diagnose")(diagnose.diagnose)
app.command("sizing")(size.sizing)
app.add_typer(config.app, name="config")
app.add_typer(db.app, name="db")
app.add_typer(announcement.app, name="announcement")
app.add_typer(calls.app, name="calls")
calls.app.command("live")(live.list_live)
calls.app.command("pause")(live.pause)
calls.app.command("resume")(live.resume)
calls.app.command("stop")(live.stop)
app.add_typer(recordings.app, name="recordings")
app.command("sign-in")(sign_in.sign_in)
app.command("sign-out")(sign_in.sign_out)
app.add_typer(user.app, name="user")
user.app.command("link")(linking.link)
user.app.command("unlink")(linking.unlink)
user.app.command("extension")(extension.extension)
app.add_typer(authorisation.app, name="authorisation")
app.add_typer(token.app, name="token")
app.add_typer(workstation.app, name="workstation")
app.add_typer(contractor.app, name="contractor")
app.command("web")(serving.web)
app.add_typer(demo.app, name="demo")
app.add_typer(keys.app, name="keys")
app.add_typer(hold.app, name="hold")
app.add_typer(approval.approvals, name="approval")
app.command("purge")(erasing.purge)
app.command("erase")(erasing.erase)
app.command("reconcile")(retention.reconcile)
app.add_typer(retention.reports, name="report")
app.command("completeness")(oversee.completeness)
app.add_typer(oversee.incidents, name="incidents")
app.add_typer(backup.app, name="backup")
app.command("restore")(restore.restore)
app.add_typer(ledger.app, name="erasures")
config.app.command("apply-retention")(retention.apply_retention)
app.add_typer(audit.app, name="audit")


def command() -> TyperGroup:
    """Return the command with the gate in front of everything below it."""
    # get_command, for it alone adds the shell's completion.
    whole = cast("TyperGroup", typer.main.get_command(app))
    guard(whole)
    return whole


def main() -> None:
    """Run the command; errors raised on purpose become a sentence and an exit status."""
    logs.send_to_stderr()
    try:
        command()()
    except RecorderError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
