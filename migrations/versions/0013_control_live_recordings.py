"""Show what is being recorded, take orders about it, and know whose telephone is whose.

Needs downtime: no. The tables of calls and of the trail are read through once while their writers
wait.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0014"
branch_labels = None
depends_on = None

REASONS = (
    *("stayed_on_the_line", "consented_by_key", "not_enabled", "not_from_a_trunk"),
    *("line_not_listed", "caller_internal", "declined", "no_consent", "caller_left"),
    *("not_answered", "forwarded_outside"),
    *("announcement_missing", "announcement_failed", "disk_low"),
    *("spool_unavailable", "link_lost", "app_restarted", "app_absent", "app_unresponsive"),
    *("pbx_lost", "audio_lost"),
)
NEXT = REASONS.index("forwarded_outside") + 1
MORE = ("stopped", "discarded")
ACTORS = ("account", "operator", "process", "machine")
ACTS = ("pause", "resume", "stop", "discard")
STATES = ("recording", "paused", "stopped", "discarded")
ANSWERS = (
    *("done", "already", "doubtful", "expired", "not_recording", "over", "call_over"),
    *("switchboard_away", "capture_away", "not_of_the_office"),
)


def upgrade() -> None:
    # Ten million calls take longer than a statement may.
    op.execute("SET LOCAL statement_timeout = 0")
    _allow("call", "reason", (*REASONS[:NEXT], *MORE, *REASONS[NEXT:]))
    _allow("audit_event", "actor_kind", (*ACTORS, "extension"))
    op.add_column("account", sa.Column("extension", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "capture_node",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("switchboard", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_capture_node")),
    )
    op.create_table(
        "live_call",
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parties", postgresql.JSONB(), nullable=False),
        sa.Column("connected", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_doubt", sa.Boolean(), nullable=False),
        sa.CheckConstraint(_one_of("state", STATES), name=op.f("ck_live_call_state_known")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_live_call")),
    )
    op.create_index("ix_live_call_node", "live_call", ["node"], unique=False)
    op.create_table(
        "live_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint(_one_of("act", ACTS), name=op.f("ck_live_order_act_known")),
        sa.CheckConstraint(
            _one_of("actor_kind", (*ACTORS, "extension")),
            name=op.f("ck_live_order_actor_kind_known"),
        ),
        sa.CheckConstraint(_one_of("answer", ANSWERS), name=op.f("ck_live_order_answer_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_order")),
    )
    op.create_index(
        "ix_live_order_to_take",
        "live_order",
        ["node", "id"],
        unique=False,
        postgresql_where=sa.text("taken_at IS NULL"),
    )
    op.create_index("ix_live_order_asked_at", "live_order", ["asked_at"], unique=False)


def downgrade() -> None:
    for table in ("live_order", "live_call", "capture_node"):
        op.drop_table(table)
    op.drop_column("account", "extension")
    # The trail is not changed for it: entries by telephones keep this step from being undone.
    _allow("audit_event", "actor_kind", ACTORS)
    for each in MORE:
        op.execute(f"UPDATE call SET reason = 'audio_lost' WHERE reason = '{each}'")  # noqa: S608 - our own words
    _allow("call", "reason", REASONS)


def _allow(table: str, column: str, values: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_{column}_known")
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, _one_of(column, values))


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(each) for each in values)})"
