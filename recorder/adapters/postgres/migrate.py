"""Bringing the database to this release's schema, one process at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from recorder.errors import ConfigurationError, LedgerUnavailable

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"


def upgrade(url: str, *, to: str = "head") -> str:
    """Migrate, and return the revision reached. Raises ``LedgerUnavailable``.

    Raises ``ConfigurationError`` when the database belongs to a newer release.
    """
    config = _config(url)
    known = {each.revision for each in ScriptDirectory.from_config(config).walk_revisions()}
    now = current(url)
    if now is not None and now not in known:
        raise ConfigurationError(
            f"the database is at revision {now}, which this release does not know; "
            "install the newer release again"
        )
    try:
        command.upgrade(config, to)
    except (SQLAlchemyError, OSError) as error:
        raise LedgerUnavailable(f"the migration failed ({type(error).__name__})") from error
    return current(url) or ""


def downgrade(url: str, *, to: str) -> None:
    """Go back to an older revision; for tests and for undoing an upgrade by hand."""
    command.downgrade(_config(url), to)


def current(url: str) -> str | None:
    """Return the database's revision, None for an empty one. Raises ``LedgerUnavailable``."""
    engine = create_engine(url, connect_args={"connect_timeout": 3})
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except (SQLAlchemyError, OSError) as error:
        raise LedgerUnavailable(
            "PostgreSQL does not answer; check RECORDER_DATABASE_URL and that it runs"
        ) from error
    finally:
        engine.dispose()


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config
