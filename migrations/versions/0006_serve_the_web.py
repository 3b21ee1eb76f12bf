"""Create playbacks, programs' tokens and request rates; find numbers by beginning and end.

Needs downtime: no; while the two indexes are built, sealing waits.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CALLER = "ix_call_caller_e164_arrived_at"
REVERSED = "ix_call_caller_e164_reversed_arrived_at"


def upgrade() -> None:
    # Ten million calls take a minute each.
    op.execute("SET LOCAL statement_timeout = 0")
    op.drop_index(CALLER, table_name="call")
    op.create_index(
        CALLER,
        "call",
        ["caller_e164", "arrived_at"],
        unique=False,
        postgresql_ops={"caller_e164": "text_pattern_ops"},
        postgresql_include=["id"],
    )
    op.create_index(
        REVERSED,
        "call",
        [sa.literal_column("reverse(caller_e164)").label("reversed"), "arrived_at"],
        unique=False,
        postgresql_ops={"reversed": "text_pattern_ops"},
    )
    op.create_table(
        "playback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("authorisation_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard", postgresql.JSONB(), nullable=False),
        sa.Column("heard_seconds", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_playback_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_playback_session_id")
        ),
        sa.ForeignKeyConstraint(
            ["authorisation_id"], ["authorisation.id"], name=op.f("fk_playback_authorisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playback")),
    )
    op.create_index("ix_playback_recording_id", "playback", ["recording_id"], unique=False)
    op.create_index(
        "ix_playback_account_id_opened_at", "playback", ["account_id", "opened_at"], unique=False
    )
    op.create_index(
        "ix_playback_served_at_open",
        "playback",
        ["served_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "program_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("may", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_program_token_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program_token")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_program_token_token_sha256")),
    )
    op.create_index("ix_program_token_account_id", "program_token", ["account_id"], unique=False)
    op.create_table(
        "request_rate",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_request_rate")),
        prefixes=["UNLOGGED"],
    )


def downgrade() -> None:
    for table in ("request_rate", "program_token", "playback"):
        op.drop_table(table)
    op.drop_index(REVERSED, table_name="call")
    op.drop_index(CALLER, table_name="call")
    op.create_index(CALLER, "call", ["caller_e164", "arrived_at"], unique=False)
