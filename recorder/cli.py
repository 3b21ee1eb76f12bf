"""The command ``recorder``: what an administrator does at a prompt."""

import sys

import typer

from recorder.commands import (
    announcement,
    audit,
    backup,
    calls,
    config,
    db,
    demo,
    erasing,
    hold,
    keys,
    ledger,
    recordings,
    restore,
    retention,
    status,
)
from recorder.errors import RecorderError

app = typer.Typer(
    name="recorder",
    help="Call recording that a public office can defend.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("status")(status.status)
app.add_typer(config.app, name="config")
app.add_typer(db.app, name="db")
app.add_typer(announcement.app, name="announcement")
app.add_typer(calls.app, name="calls")
app.add_typer(recordings.app, name="recordings")
app.add_typer(demo.app, name="demo")
app.add_typer(keys.app, name="keys")
app.add_typer(hold.app, name="hold")
app.add_typer(erasing.approvals, name="approval")
app.command("purge")(erasing.purge)
app.command("erase")(erasing.erase)
app.command("reconcile")(retention.reconcile)
app.add_typer(retention.reports, name="report")
app.add_typer(backup.app, name="backup")
app.command("restore")(restore.restore)
app.add_typer(ledger.app, name="erasures")
config.app.command("apply-retention")(retention.apply_retention)
app.add_typer(audit.app, name="audit")


def main() -> None:
    """Run the command; errors raised on purpose become a sentence and an exit status."""
    try:
        app()
    except RecorderError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
