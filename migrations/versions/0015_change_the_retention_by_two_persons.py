"""Let the retention be proposed and confirmed, and keep every change of it.

Needs downtime: no. The table of proposals is read through once while its writers wait.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0017"
branch_labels = None
depends_on = None

ACTIONS = ("hold:lift", "recording:erase")
MORE = ("retention:change",)


def upgrade() -> None:
    op.add_column(
        "approval",
        sa.Column("wanted", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
    )
    _allow((*ACTIONS, *MORE))
    op.add_column("applied_setting", sa.Column("written", sa.Integer(), nullable=True))
    # What holds came from the file until now: a longer period by itself, a shorter one by a person.
    op.execute("UPDATE applied_setting SET written = value")
    op.alter_column("applied_setting", "written", nullable=False)
    op.create_table(
        "retention_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_days", sa.Integer(), nullable=True),
        sa.Column("to_days", sa.Integer(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_once", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.CheckConstraint("to_days BETWEEN 1 AND 30", name=op.f("ck_retention_change_in_bounds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_change")),
    )
    op.create_index("ix_retention_change_at", "retention_change", ["at"])


def downgrade() -> None:
    op.drop_table("retention_change")
    op.drop_column("applied_setting", "written")
    for each in MORE:
        op.execute(f"DELETE FROM approval WHERE action = '{each}'")  # noqa: S608 - our own words
    _allow(ACTIONS)
    op.drop_column("approval", "wanted")


def _allow(actions: tuple[str, ...]) -> None:
    name = op.f("ck_approval_action_known")
    op.drop_constraint(name, "approval", type_="check")
    known = ", ".join(f"'{each}'" for each in actions)
    op.create_check_constraint(name, "approval", f"action IN ({known})")
