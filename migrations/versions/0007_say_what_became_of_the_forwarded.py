"""Let a call and an incident say what became of a caller who was passed on to the outside.

Needs downtime: no. Both tables are read through once while their writers wait.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INCIDENTS = (
    *("announcement_missing", "announcement_failed", "announcement_changed", "audio_gap"),
    *("audio_lost", "disk_low", "spool_unavailable", "app_absent", "app_unresponsive"),
    *("app_restarted", "link_lost", "pbx_lost", "journal_unreadable", "orphan_audio"),
    *("erasure_failed", "purge_braked", "clock_jump", "recording_missing", "review_overdue"),
    *("retention_shortened", "stray_traces", "recording_damaged"),
)
REASONS = (
    *("stayed_on_the_line", "consented_by_key", "not_enabled", "not_from_a_trunk"),
    *("line_not_listed", "caller_internal", "declined", "no_consent", "caller_left"),
    "not_answered",
    *("announcement_missing", "announcement_failed", "disk_low"),
    *("spool_unavailable", "link_lost", "app_restarted", "app_absent", "app_unresponsive"),
    *("pbx_lost", "audio_lost"),
)
NEXT = REASONS.index("not_answered") + 1


def upgrade() -> None:
    _allow("incident", "kind", (*INCIDENTS, "stop_refused"))
    _allow("call", "reason", (*REASONS[:NEXT], "forwarded_outside", *REASONS[NEXT:]))


def downgrade() -> None:
    op.execute("DELETE FROM incident WHERE kind = 'stop_refused'")
    op.execute("UPDATE call SET reason = 'audio_lost' WHERE reason = 'forwarded_outside'")
    _allow("incident", "kind", INCIDENTS)
    _allow("call", "reason", REASONS)


def _allow(table: str, column: str, values: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_{column}_known")
    op.drop_constraint(name, table, type_="check")
    known = ", ".join(f"'{each}'" for each in values)
    op.create_check_constraint(name, table, f"{column} IN ({known})")
