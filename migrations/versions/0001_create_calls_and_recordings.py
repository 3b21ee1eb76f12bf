"""Create calls, recordings, announcements and incidents.

Needs downtime: no, the database is empty.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "announcement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("length_ms", sa.Integer(), nullable=False),
        sa.Column("level_dbfs", sa.Float(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "layer IN ('first', 'second', 'languages')", name=op.f("ck_announcement_layer_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
    )
    op.create_table(
        "call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("linked_id", sa.Text(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("line_e164", sa.Text(), nullable=True),
        sa.Column("caller_number", sa.Text(), nullable=True),
        sa.Column("caller_e164", sa.Text(), nullable=True),
        sa.Column("caller_name", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Text(), nullable=False),
        sa.Column("scope_reason", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("keys", postgresql.JSONB(), nullable=False),
        sa.Column("bridged", postgresql.JSONB(), nullable=False),
        sa.Column("bridged_seconds", sa.Float(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("parties", postgresql.JSONB(), nullable=False),
        sa.Column("timeline", postgresql.JSONB(), nullable=False),
        sa.Column("hangup_cause", sa.Integer(), nullable=True),
        sa.Column("pbx_lost", sa.Boolean(), nullable=False),
        sa.Column("unwatched", sa.Boolean(), nullable=False),
        sa.Column("quality", postgresql.JSONB(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("numbers_forgotten_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "mode IN ('opt_out', 'opt_in', 'notice')", name=op.f("ck_call_mode_known")
        ),
        sa.CheckConstraint(
            "outcome IN ('recorded', 'not_recorded')", name=op.f("ck_call_outcome_known")
        ),
        sa.CheckConstraint(
            "reason IN ("
            "'stayed_on_the_line', 'consented_by_key', 'not_enabled', "
            "'not_from_a_trunk', 'line_not_listed', 'caller_internal', 'declined', "
            "'no_consent', 'caller_left', 'not_answered', 'announcement_missing', "
            "'announcement_failed', 'disk_low', 'spool_unavailable', 'link_lost', "
            "'app_restarted', 'app_absent', 'app_unresponsive', 'pbx_lost', "
            "'audio_lost')",
            name=op.f("ck_call_reason_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
        sa.UniqueConstraint("node", "channel_id", name=op.f("uq_call_node_channel_id")),
    )
    op.create_index("ix_call_arrived_at", "call", ["arrived_at"], unique=False)
    op.create_index(
        "ix_call_caller_e164_arrived_at", "call", ["caller_e164", "arrived_at"], unique=False
    )
    op.create_index(
        "ix_call_caller_number_arrived_at",
        "call",
        [sa.text("left(caller_number, 64)"), "arrived_at"],
        unique=False,
        postgresql_where=sa.text("caller_e164 IS NULL"),
    )
    op.create_index(
        "ix_call_line_arrived_at",
        "call",
        [sa.text("left(line, 64)"), "arrived_at"],
        unique=False,
        postgresql_where=sa.text("line_e164 IS NULL"),
    )
    op.create_index(
        "ix_call_line_e164_arrived_at", "call", ["line_e164", "arrived_at"], unique=False
    )
    op.create_index(
        "ix_call_numbers_to_forget",
        "call",
        ["arrived_at"],
        unique=False,
        postgresql_where=sa.text("outcome = 'not_recorded' AND numbers_forgotten_at IS NULL"),
    )
    op.create_index(
        "ix_call_withheld_arrived_at",
        "call",
        ["arrived_at"],
        unique=False,
        postgresql_where=sa.text(
            "caller_number IN "
            "('', 'anonymous', 'Anonymous', 'restricted', 'unavailable', 'unknown')"
        ),
    )
    op.create_table(
        "announcement_played",
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("announcement_id", sa.Uuid(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("length_ms", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("measured_ms", sa.Integer(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "layer IN ('first', 'second', 'languages')",
            name=op.f("ck_announcement_played_layer_known"),
        ),
        sa.CheckConstraint(
            "result IN ('heard', 'cut', 'interrupted', 'not_reported')",
            name=op.f("ck_announcement_played_result_known"),
        ),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call.id"], name=op.f("fk_announcement_played_call_id")
        ),
        sa.PrimaryKeyConstraint("call_id", "position", name=op.f("pk_announcement_played")),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ("
            "'announcement_missing', 'announcement_failed', "
            "'announcement_changed', 'audio_gap', 'audio_lost', 'disk_low', "
            "'spool_unavailable', 'app_absent', 'app_unresponsive', "
            "'app_restarted', 'link_lost', 'pbx_lost', 'journal_unreadable', "
            "'orphan_audio')",
            name=op.f("ck_incident_kind_known"),
        ),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_incident_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index("ix_incident_at", "incident", ["at"], unique=False)
    op.create_index("ix_incident_call_id", "incident", ["call_id"], unique=False)
    op.create_table(
        "recording",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("stored_on", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("frames", sa.BigInteger(), nullable=False),
        sa.Column("sample_rate", sa.Integer(), nullable=False),
        sa.Column("caller_dbfs", sa.Float(), nullable=False),
        sa.Column("office_dbfs", sa.Float(), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("one_sided", sa.Boolean(), nullable=False),
        sa.Column("first_sample_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erase_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.Column("incomplete", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_recording_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
        sa.UniqueConstraint("call_id", name=op.f("uq_recording_call_id")),
    )
    op.create_index("ix_recording_erase_by", "recording", ["erase_by"], unique=False)


def downgrade() -> None:
    for table in ("recording", "incident", "announcement_played", "call", "announcement"):
        op.drop_table(table)
