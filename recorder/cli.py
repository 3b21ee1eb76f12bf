"""The command ``recorder``: what an administrator does at a prompt."""

import sys
from typing import Annotated

import typer

from recorder.adapters.postgres import migrate
from recorder.adapters.regulation_file import load_regulation
from recorder.commands import announcement, records
from recorder.errors import RecorderError
from recorder.regulation import effective_values
from recorder.settings import load_settings

app = typer.Typer(
    name="recorder",
    help="Call recording that a public office can defend.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
config = typer.Typer(help="What is in force, and whether it can work.", no_args_is_help=True)
db = typer.Typer(help="The database's schema.", no_args_is_help=True)
app.add_typer(config, name="config")
app.add_typer(db, name="db")
app.add_typer(announcement.app, name="announcement")
app.add_typer(records.calls, name="calls")
app.add_typer(records.recordings, name="recordings")


@config.command("show")
def show_config() -> None:
    """Print the values in force beside their paragraphs (R1.1b).

    Examples: `recorder config show` · `RECORDER_REGULATION_FILE=office.toml recorder config show`
    """
    regulation = load_regulation(load_settings().regulation_file)
    for name, value, paragraph in effective_values(regulation):
        typer.echo(f"{paragraph:16} {name:34} {value}")


@db.command("upgrade")
def upgrade(
    to: Annotated[str, typer.Option(help="Revision to reach; head is this release's.")] = "head",
) -> None:
    """Bring the database to this release's schema.

    Examples: `recorder db upgrade` · `recorder db upgrade --to 0001`
    """
    revision = migrate.upgrade(load_settings().database_url.get_secret_value(), to=to)
    typer.echo(f"The database is at revision {revision}.")


def main() -> None:
    """Run the command; errors raised on purpose become a sentence and an exit status."""
    try:
        app()
    except RecorderError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
