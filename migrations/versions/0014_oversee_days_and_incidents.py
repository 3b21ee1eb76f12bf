"""Count days, compare them with the PBX's own records, and let incidents be explained and closed.

Needs downtime: no; while the indexes are built, sealing and erasing wait.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

INCIDENTS = (
    *("announcement_missing", "announcement_failed", "announcement_changed", "audio_gap"),
    *("audio_lost", "disk_low", "spool_unavailable", "app_absent", "app_unresponsive"),
    *("app_restarted", "link_lost", "pbx_lost", "journal_unreadable", "orphan_audio"),
    *("erasure_failed", "purge_braked", "clock_jump", "recording_missing", "review_overdue"),
    *("retention_shortened", "stray_traces", "recording_damaged", "stop_refused"),
    *("announcement_failing", "recorded_unpermitted"),
)
MORE = ("unexplained_call", "pbx_records_missing")
ERASE_BY, ERASED_AT = "ix_recording_erase_by", "ix_tombstone_erased_at"
BY_HAND = "ix_tombstone_by_hand"
ARRIVED_AT = "ix_call_arrived_at"
UNWELL, OPEN = "ix_recording_unwell", "ix_incident_open"


def upgrade() -> None:
    # Millions of calls and tombstones take longer than a statement may.
    op.execute("SET LOCAL statement_timeout = 0")
    for name, kind, empty in (
        ("explained_at", sa.DateTime(timezone=True), None),
        ("explained_by", sa.Text(), ""),
        ("explanation", sa.Text(), ""),
        ("closed_at", sa.DateTime(timezone=True), None),
        ("closed_by", sa.Text(), ""),
    ):
        op.add_column(
            "incident", sa.Column(name, kind, nullable=empty is None, server_default=empty)
        )
    _allow((*INCIDENTS, *MORE))
    op.create_index(
        OPEN,
        "incident",
        ["kind", "at", "id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.drop_index(ARRIVED_AT, table_name="call")
    op.create_index(
        ARRIVED_AT, "call", ["arrived_at"], unique=False, postgresql_include=["outcome", "reason"]
    )
    op.drop_index(ERASE_BY, table_name="recording")
    op.create_index(
        ERASE_BY, "recording", ["erase_by"], unique=False, postgresql_include=["size_bytes"]
    )
    op.create_index(
        UNWELL,
        "recording",
        ["id"],
        unique=False,
        postgresql_where=sa.text("damaged_at IS NOT NULL OR missing_at IS NOT NULL"),
    )
    op.create_index(ERASED_AT, "tombstone", ["erased_at", "id"], unique=False)
    op.create_index(
        BY_HAND,
        "tombstone",
        ["erased_at"],
        unique=False,
        postgresql_where=sa.text("route = 'by_hand'"),
    )
    op.create_table(
        "call_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "outcome", "reason", name=op.f("pk_call_day")),
    )
    op.create_table(
        "completeness",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pbx_calls", sa.Integer(), nullable=False),
        sa.Column("explained", sa.Integer(), nullable=False),
        sa.Column("never_answered", sa.Integer(), nullable=False),
        sa.Column("in_hand", sa.Integer(), nullable=False),
        sa.Column("unexplained", postgresql.JSONB(), nullable=False),
        sa.Column("without_record", postgresql.JSONB(), nullable=False),
        sa.Column("without_record_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_completeness")),
    )


def downgrade() -> None:
    op.drop_table("completeness")
    op.drop_table("call_day")
    op.drop_index(BY_HAND, table_name="tombstone")
    op.drop_index(ERASED_AT, table_name="tombstone")
    op.drop_index(UNWELL, table_name="recording")
    op.drop_index(ERASE_BY, table_name="recording")
    op.create_index(ERASE_BY, "recording", ["erase_by"], unique=False)
    op.drop_index(ARRIVED_AT, table_name="call")
    op.create_index(ARRIVED_AT, "call", ["arrived_at"], unique=False)
    op.drop_index(OPEN, table_name="incident")
    for each in MORE:
        op.execute(f"DELETE FROM incident WHERE kind = '{each}'")  # noqa: S608 - our own words
    _allow(INCIDENTS)
    for each in ("explained_at", "explained_by", "explanation", "closed_at", "closed_by"):
        op.drop_column("incident", each)


def _allow(kinds: tuple[str, ...]) -> None:
    name = op.f("ck_incident_kind_known")
    op.drop_constraint(name, "incident", type_="check")
    known = ", ".join(f"'{each}'" for each in kinds)
    op.create_check_constraint(name, "incident", f"kind IN ({known})")
