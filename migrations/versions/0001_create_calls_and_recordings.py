"""Create calls, recordings, announcements and incidents.

Needs downtime: no, the database is empty.
"""

from alembic import op

from recorder.adapters.postgres.tables import Base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    Base.metadata.create_all(op.get_bind())


def downgrade() -> None:
    Base.metadata.drop_all(op.get_bind())
