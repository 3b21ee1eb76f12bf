"""Find the newest of many numbers that begin or end alike; keep forgotten numbers out of withheld.

Needs downtime: no; while the four indexes are built, sealing waits.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CALLER = "ix_call_caller_e164_arrived_at"
REVERSED = "ix_call_caller_e164_reversed_arrived_at"
NEWEST = "ix_call_arrived_at_caller_e164"
WITHHELD = "ix_call_withheld_arrived_at"
HAS_NUMBER = sa.text("caller_e164 IS NOT NULL")
SENT_NONE = (
    "caller_number IN ('', 'anonymous', 'Anonymous', 'restricted', 'unavailable', 'unknown')"
)


def upgrade() -> None:
    # Ten million calls take a minute each.
    op.execute("SET LOCAL statement_timeout = 0")
    _drop()
    _pattern(CALLER, "caller_e164", include=["id"], where=HAS_NUMBER)
    # The column beside its reverse: only so is the index alone enough.
    _pattern(REVERSED, "reverse(caller_e164)", include=["id", "caller_e164"], where=HAS_NUMBER)
    op.create_index(
        NEWEST,
        "call",
        ["arrived_at", "id"],
        unique=False,
        postgresql_include=["caller_e164"],
        postgresql_where=HAS_NUMBER,
    )
    _withheld(f"{SENT_NONE} AND numbers_forgotten_at IS NULL")
    # An index answers alone only for pages that a vacuum has seen: a day's calls, not a month's.
    op.execute(
        "ALTER TABLE call SET (autovacuum_vacuum_insert_scale_factor = 0, "
        "autovacuum_vacuum_insert_threshold = 5000, autovacuum_analyze_scale_factor = 0.02)"
    )


def downgrade() -> None:
    op.execute(
        "ALTER TABLE call RESET (autovacuum_vacuum_insert_scale_factor, "
        "autovacuum_vacuum_insert_threshold, autovacuum_analyze_scale_factor)"
    )
    op.drop_index(NEWEST, table_name="call")
    _drop()
    _pattern(CALLER, "caller_e164", include=["id"], where=None)
    _pattern(REVERSED, "reverse(caller_e164)", include=[], where=None)
    _withheld(SENT_NONE)


def _drop() -> None:
    for name in (CALLER, REVERSED, WITHHELD):
        op.drop_index(name, table_name="call")


def _pattern(name: str, what: str, *, include: list[str], where: sa.TextClause | None) -> None:
    op.create_index(
        name,
        "call",
        [sa.literal_column(what).label("number"), "arrived_at"],
        unique=False,
        postgresql_ops={"number": "text_pattern_ops"},
        postgresql_include=include,
        postgresql_where=where,
    )


def _withheld(where: str) -> None:
    op.create_index(WITHHELD, "call", ["arrived_at"], unique=False, postgresql_where=sa.text(where))
