"""Bringing the database to this release's schema, one process at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from recorder.adapters.postgres.connect import NOT_ALLOWED
from recorder.errors import ConfigurationError, LedgerUnavailable

PACKAGE = Path(__file__).resolve().parents[2]
MIGRATIONS = (PACKAGE / "migrations", PACKAGE.parent / "migrations")
"""Inside the package where it was installed from a wheel, beside it in a checkout."""


def upgrade(url: str, *, to: str = "head") -> str:
    """Migrate, and return the revision reached. Raises ``LedgerUnavailable``.

    Raises ``ConfigurationError`` when the database belongs to a newer release (F18).
    """
    config = _config(url)
    now = current(url)
    if now is not None and now not in known():
        raise ConfigurationError(
            f"the database is at revision {now}, which this release does not know; "
            "install the newer release again"
        )
    try:
        command.upgrade(config, to)
    except CommandError as error:
        raise ConfigurationError(f"no such revision: {to}") from error
    except (SQLAlchemyError, OSError) as error:
        # Without its cause: a message of PostgreSQL quotes rows.
        state = _state(error)
        if state == NOT_ALLOWED:
            raise ConfigurationError(
                "this login may not migrate: RECORDER_DATABASE_URL must be the owner's here "
                "(OPERATIONS.md, Install)"
            ) from None
        raise LedgerUnavailable(f"the migration failed ({state}); try again") from None
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
            f"PostgreSQL does not answer ({_state(error)}); "
            "check RECORDER_DATABASE_URL and that it runs"
        ) from None
    finally:
        engine.dispose()


def head() -> str | None:
    """Return the revision that this release needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def known() -> frozenset[str]:
    """Return every revision that this release can migrate from."""
    scripts = ScriptDirectory.from_config(_config())
    return frozenset(each.revision for each in scripts.walk_revisions())


def _state(error: Exception) -> str:
    """Return what may be told of a database error: its code or its kind, never its text."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state or type(error).__name__


def _config(url: str | None = None) -> Config:
    folder = next((each for each in MIGRATIONS if any(each.glob("versions/*.py"))), None)
    if folder is None:
        raise ConfigurationError("the migrations are missing: install the whole of rejestrator")
    config = Config()
    # Alembic reads a % as the start of a placeholder.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["url"] = url
    return config
