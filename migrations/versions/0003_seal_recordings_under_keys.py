"""Tell in which form each recording lies in the vault, and since when one is damaged.

Needs downtime: no. Afterwards `recorder keys adopt` seals what was stored before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KINDS_BEFORE = (
    "'announcement_missing', 'announcement_failed', "
    "'announcement_changed', 'audio_gap', 'audio_lost', 'disk_low', "
    "'spool_unavailable', 'app_absent', 'app_unresponsive', "
    "'app_restarted', 'link_lost', 'pbx_lost', 'journal_unreadable', "
    "'orphan_audio', 'erasure_failed', 'purge_braked', 'clock_jump', 'recording_missing', "
    "'review_overdue', 'retention_shortened', 'stray_traces'"
)


def upgrade() -> None:
    op.add_column("recording", sa.Column("damaged_at", sa.DateTime(timezone=True), nullable=True))
    # What is stored before this revision is plain; the next release names the form itself.
    op.add_column(
        "recording", sa.Column("sealed_as", sa.Text(), server_default="wav", nullable=False)
    )
    op.alter_column("recording", "sealed_as", server_default=None)
    op.create_check_constraint(
        op.f("ck_recording_sealed_as_known"), "recording", "sealed_as IN ('wav', 'rec1')"
    )
    op.drop_constraint(op.f("ck_incident_kind_known"), "incident")
    op.create_check_constraint(
        op.f("ck_incident_kind_known"), "incident", f"kind IN ({KINDS_BEFORE}, 'recording_damaged')"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_incident_kind_known"), "incident")
    op.execute("DELETE FROM incident WHERE kind = 'recording_damaged'")
    op.create_check_constraint(
        op.f("ck_incident_kind_known"), "incident", f"kind IN ({KINDS_BEFORE})"
    )
    op.drop_constraint(op.f("ck_recording_sealed_as_known"), "recording")
    op.drop_column("recording", "sealed_as")
    op.drop_column("recording", "damaged_at")
