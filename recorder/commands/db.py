"""``recorder db``: the database's schema."""

from typing import Annotated

import typer
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from recorder.adapters.postgres import migrate
from recorder.errors import ConfigurationError, Unavailable
from recorder.settings import Settings, load_settings

app = typer.Typer(help="The database's schema.", no_args_is_help=True)


@app.command("upgrade")
def upgrade(
    to: Annotated[str, typer.Option(help="Revision to reach; head is this release's.")] = "head",
) -> None:
    """Bring the database to this release's schema.

    Examples: `recorder db upgrade` · `recorder db upgrade --to 0001`
    """
    revision = migrate.upgrade(url_of(load_settings()), to=to)
    typer.echo(f"The database is at revision {revision}.")


@app.command("current")
def current() -> None:
    """Print the database's revision; exit 3 when this release cannot work with it.

    Examples: `recorder db current` · `recorder db current && systemctl start rejestrator-capture`
    """
    revision = migrate.current(url_of(load_settings()))
    typer.echo(f"The database is at revision {revision or 'none'}.")
    if problem := schema_problem(revision):
        typer.echo(problem, err=True)
        raise typer.Exit(Unavailable.exit_code)


def url_of(settings: Settings) -> str:
    """Return the database's URL. Raises ``ConfigurationError`` if it is none of PostgreSQL."""
    url = settings.database_url.get_secret_value()
    try:
        known = make_url(url)
    # A port that is no number is a ValueError.
    except (ArgumentError, ValueError):
        known = None
    if known is None or known.get_backend_name() != "postgresql":
        # Without its cause: SQLAlchemy quotes the URL, and with it the password.
        raise ConfigurationError(
            "RECORDER_DATABASE_URL is no address of PostgreSQL; "
            "example: postgresql+psycopg://recorder:password@127.0.0.1/recorder"
        ) from None
    return url


def address_of(settings: Settings) -> str:
    """Return where PostgreSQL is and who asks, without the password and without options."""
    url = make_url(url_of(settings))
    return str(
        URL.create(
            url.drivername,
            username=url.username,
            host=url.host,
            port=url.port,
            database=url.database,
        )
    )


def schema_problem(revision: str | None) -> str:
    """Return what a person must do about a database at ``revision``; empty when nothing."""
    if revision is None:
        return "the database is empty: recorder db upgrade"
    if revision == migrate.head():
        return ""
    if revision in migrate.known():
        return f"the database is at revision {revision}, older than this: recorder db upgrade"
    return f"the database is at revision {revision} of a newer release: install that one again"
