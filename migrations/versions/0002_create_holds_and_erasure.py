"""Create holds, approvals, tombstones and what erasing needs to remember.

Needs downtime: no; columns are added with defaults that cost no rewriting of rows.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KINDS_BEFORE = (
    "'announcement_missing', 'announcement_failed', "
    "'announcement_changed', 'audio_gap', 'audio_lost', 'disk_low', "
    "'spool_unavailable', 'app_absent', 'app_unresponsive', "
    "'app_restarted', 'link_lost', 'pbx_lost', 'journal_unreadable', "
    "'orphan_audio'"
)
KINDS_ADDED = (
    "'erasure_failed', 'purge_braked', 'clock_jump', 'recording_missing', "
    "'review_overdue', 'retention_shortened', 'stray_traces'"
)
NAME = "ck_incident_kind_known"


def upgrade() -> None:
    op.create_table(
        "applied_setting",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_applied_setting")),
    )
    op.create_table(
        "approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "action IN ('hold:lift', 'recording:erase')", name=op.f("ck_approval_action_known")
        ),
        sa.CheckConstraint(
            "answer IN ('confirmed', 'refused')", name=op.f("ck_approval_answer_known")
        ),
        sa.CheckConstraint(
            "answer = 'refused' OR decided_by <> proposed_by", name=op.f("ck_approval_four_eyes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    op.create_index(
        "ix_approval_waiting",
        "approval",
        ["action", "subject"],
        unique=True,
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_table(
        "brake",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("brake", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "brake IN ('clock_jump', 'holds_vanished', 'file_younger', 'many_orphans')",
            name=op.f("ck_brake_brake_known"),
        ),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_brake")),
    )
    op.create_index(
        "ix_brake_on", "brake", ["brake"], unique=True, postgresql_where=sa.text("used_at IS NULL")
    )
    op.create_table(
        "deletion_report",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("expired", sa.Integer(), nullable=False),
        sa.Column("erased", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("by_hand", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_deletion_report")),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.Column("end_reference", sa.Text(), nullable=False),
        sa.CheckConstraint("ending IN ('lifted', 'lapsed')", name=op.f("ck_hold_ending_known")),
        sa.CheckConstraint(
            "ground IN ('request_of_person', 'request_of_authority', 'own_information', "
            "'restriction')",
            name=op.f("ck_hold_ground_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index("ix_hold_batch_id", "hold", ["batch_id"], unique=False)
    op.create_index("ix_hold_recording_id", "hold", ["recording_id"], unique=False)
    op.create_index(
        "ix_hold_standing",
        "hold",
        ["recording_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "job",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("last_started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_succeeded", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_failed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.Column("next_due", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job")),
    )
    op.create_table(
        "purge_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("boot_s", sa.Float(), nullable=False),
        sa.Column("standing_holds", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_purge_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purge_state")),
    )
    op.create_table(
        "tombstone",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("first_sample_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erase_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Text(), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "route IN ('automatic', 'by_hand')", name=op.f("ck_tombstone_route_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstone")),
        sa.UniqueConstraint("recording_id", name=op.f("uq_tombstone_recording_id")),
    )
    op.create_index(op.f("ix_tombstone_call_id"), "tombstone", ["call_id"], unique=False)
    op.create_index("ix_tombstone_erase_by", "tombstone", ["erase_by"], unique=False)
    op.add_column("recording", sa.Column("stage", sa.Text(), server_default="kept", nullable=False))
    op.add_column(
        "recording", sa.Column("erasing_since", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("recording", sa.Column("erasing_route", sa.Text(), nullable=True))
    op.add_column("recording", sa.Column("erasing_why", sa.Text(), nullable=True))
    op.add_column("recording", sa.Column("erasing_actor", sa.Text(), nullable=True))
    op.add_column("recording", sa.Column("erasing_days", sa.Integer(), nullable=True))
    op.add_column("recording", sa.Column("erasing_rules", sa.Text(), nullable=True))
    op.add_column(
        "recording", sa.Column("erase_failures", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("recording", sa.Column("erase_problem", sa.Text(), nullable=True))
    op.add_column("recording", sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("recording", sa.Column("missing_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_recording_ended_at_id", "recording", ["ended_at", "id"], unique=False)
    op.create_index(
        "ix_recording_half_erased",
        "recording",
        ["id"],
        unique=False,
        postgresql_where=sa.text("stage = 'erasing'"),
    )
    op.create_index(
        "ix_recording_to_verify",
        "recording",
        [sa.text("coalesce(verified_at, sealed_at)"), "id"],
        unique=False,
    )
    op.create_check_constraint(
        op.f("ck_recording_stage_known"), "recording", "stage IN ('kept', 'erasing')"
    )
    op.create_check_constraint(
        op.f("ck_recording_erasing_route_known"),
        "recording",
        "erasing_route IN ('automatic', 'by_hand')",
    )
    op.drop_constraint(op.f(NAME), "incident")
    op.create_check_constraint(op.f(NAME), "incident", f"kind IN ({KINDS_BEFORE}, {KINDS_ADDED})")


def downgrade() -> None:
    op.execute(f"DELETE FROM incident WHERE kind IN ({KINDS_ADDED})")  # noqa: S608 - constants
    op.drop_constraint(op.f(NAME), "incident")
    op.create_check_constraint(op.f(NAME), "incident", f"kind IN ({KINDS_BEFORE})")
    op.drop_index("ix_recording_to_verify", table_name="recording")
    op.drop_index(
        "ix_recording_half_erased",
        table_name="recording",
        postgresql_where=sa.text("stage = 'erasing'"),
    )
    op.drop_index("ix_recording_ended_at_id", table_name="recording")
    op.drop_column("recording", "missing_at")
    op.drop_column("recording", "verified_at")
    op.drop_column("recording", "erase_problem")
    op.drop_column("recording", "erase_failures")
    op.drop_column("recording", "erasing_rules")
    op.drop_column("recording", "erasing_days")
    op.drop_column("recording", "erasing_actor")
    op.drop_column("recording", "erasing_why")
    op.drop_column("recording", "erasing_route")
    op.drop_column("recording", "erasing_since")
    op.drop_column("recording", "stage")
    op.drop_index("ix_tombstone_erase_by", table_name="tombstone")
    op.drop_index(op.f("ix_tombstone_call_id"), table_name="tombstone")
    op.drop_table("tombstone")
    op.drop_table("purge_state")
    op.drop_table("job")
    op.drop_index(
        "ix_hold_standing", table_name="hold", postgresql_where=sa.text("ended_at IS NULL")
    )
    op.drop_index("ix_hold_recording_id", table_name="hold")
    op.drop_index("ix_hold_batch_id", table_name="hold")
    op.drop_table("hold")
    op.drop_table("deletion_report")
    op.drop_index("ix_brake_on", table_name="brake", postgresql_where=sa.text("used_at IS NULL"))
    op.drop_table("brake")
    op.drop_index(
        "ix_approval_waiting", table_name="approval", postgresql_where=sa.text("decided_at IS NULL")
    )
    op.drop_table("approval")
    op.drop_table("applied_setting")
