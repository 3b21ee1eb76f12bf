"""Say of each capture process whether calls reach it and whether orders are wanted (RG.12).

An office without AMI is in order; its switchboard is not away. What an older release reports counts
as connected, as it did.

Needs downtime: no; the table has a row for each capture process.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0013"
branch_labels = None
depends_on = None

COLUMNS = ("linked", "control_set")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column(
            "capture_node",
            sa.Column(name, sa.Boolean(), server_default=sa.true(), nullable=False),
        )


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("capture_node", name)
