"""How migrations run: one process at a time, with limits, each in its own transaction."""

from alembic import context
from sqlalchemy import create_engine, text

from recorder.adapters.postgres.tables import Base

LOCK = 0x7265_6A65_7374
"""Advisory lock of migrations; five started at once run one after the other (F18)."""


def run() -> None:
    engine = create_engine(context.config.attributes["url"], connect_args={"connect_timeout": 3})
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
        connection.commit()
    engine.dispose()


run()
