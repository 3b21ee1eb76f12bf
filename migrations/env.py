"""How migrations run: one process at a time, with limits, each in its own transaction."""

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from recorder.adapters.postgres.schema import METADATA

LOCK = 0x7265_6A65_7374
"""Advisory lock of migrations; five started at once run one after the other (F18)."""


def run() -> None:
    # No pool: the lock belongs to the connection, and must end with it however this ends.
    engine = create_engine(
        context.config.attributes["url"],
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"connect_timeout": 3, "application_name": "recorder migrations"},
    )
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=METADATA,
            transaction_per_migration=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
