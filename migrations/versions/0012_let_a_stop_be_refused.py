"""Let an incident say that a recording could not be stopped.

Needs downtime: no. The table is small; it is read through once.
"""

from alembic import op

revision = "0012"
down_revision = "0001"
branch_labels = None
depends_on = None

BEFORE = (
    *("announcement_missing", "announcement_failed", "announcement_changed", "audio_gap"),
    *("audio_lost", "disk_low", "spool_unavailable", "app_absent", "app_unresponsive"),
    *("app_restarted", "link_lost", "pbx_lost", "journal_unreadable", "orphan_audio"),
)
AFTER = (*BEFORE, "stop_refused")


def upgrade() -> None:
    _allow(AFTER)


def downgrade() -> None:
    op.execute("DELETE FROM incident WHERE kind = 'stop_refused'")
    _allow(BEFORE)


def _allow(kinds: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_incident_kind_known"), "incident", type_="check")
    known = ", ".join(f"'{each}'" for each in kinds)
    op.create_check_constraint(op.f("ck_incident_kind_known"), "incident", f"kind IN ({known})")
