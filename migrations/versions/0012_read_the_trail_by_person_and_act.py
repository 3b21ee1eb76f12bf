"""Index the audit trail by who acted and by the act, for the pages that read it.

Needs downtime: no; entries wait while the indexes are built, about a second for a million.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_audit_event_actor_name_seq", "audit_event", ["actor_name", "seq"])
    op.create_index("ix_audit_event_action_seq", "audit_event", ["action", "seq"])


def downgrade() -> None:
    op.drop_index("ix_audit_event_action_seq", table_name="audit_event")
    op.drop_index("ix_audit_event_actor_name_seq", table_name="audit_event")
