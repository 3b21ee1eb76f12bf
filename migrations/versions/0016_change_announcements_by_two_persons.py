"""Let announcements be uploaded, and their activation be proposed and confirmed.

Needs downtime: no. The table of proposals is read through once while its writers wait.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ACTIONS = ("hold:lift", "recording:erase", "retention:change")
MORE = ("announcement:activate",)
LAYERS = ("first", "second", "languages")


def upgrade() -> None:
    _allow((*ACTIONS, *MORE))
    op.create_table(
        "announcement_upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("length_ms", sa.Integer(), nullable=False),
        sa.Column("level_dbfs", sa.Float(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("samples", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            f"layer IN ({', '.join(repr(each) for each in LAYERS)})",
            name=op.f("ck_announcement_upload_layer_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement_upload")),
    )
    op.create_table(
        "announcement_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("announcement_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "decided_by <> proposed_by", name=op.f("ck_announcement_order_four_eyes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement_order")),
    )
    op.create_index(
        "ix_announcement_order_open",
        "announcement_order",
        ["decided_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )


def downgrade() -> None:
    for table in ("announcement_order", "announcement_upload"):
        op.drop_table(table)
    for each in MORE:
        op.execute(f"DELETE FROM approval WHERE action = '{each}'")  # noqa: S608 - our own words
    _allow(ACTIONS)


def _allow(actions: tuple[str, ...]) -> None:
    name = op.f("ck_approval_action_known")
    op.drop_constraint(name, "approval", type_="check")
    known = ", ".join(f"'{each}'" for each in actions)
    op.create_check_constraint(name, "approval", f"action IN ({known})")
