"""Create the audit trail, and the roles that cannot edit it.

Needs downtime: no. Needs the right to create roles, or the roles created before:
recorder_runtime and recorder_retention.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROLES = """
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['recorder_runtime', 'recorder_retention'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE 'CREATE ROLE ' || quote_ident(wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database of this server was migrated at the same moment
            END;
        END IF;
    END LOOP;
END $$
"""

REFUSE = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('recorder.audit_forgetting', true) = 'yes' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""

FORWARD = """
CREATE FUNCTION audit_head_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.seq <= OLD.seq THEN
        RAISE EXCEPTION 'the audit trail only grows' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""

START = """
CREATE FUNCTION audit_start_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('recorder.audit_forgetting', true), '') <> 'yes' THEN
        RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""

FORGET = """
CREATE FUNCTION audit_forget(through bigint, signed_note text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    final audit_event;
    forgotten bigint;
BEGIN
    SELECT * INTO STRICT final FROM audit_event WHERE seq = through;
    -- Whatever is asked: the newest entry stays, and so does what is younger than a year.
    IF through >= (SELECT seq FROM audit_head)
        OR final.at > clock_timestamp() - interval '1 year' THEN
        RAISE EXCEPTION 'too young to be forgotten' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('recorder.audit_forgetting', 'yes', true);
    DELETE FROM audit_personal WHERE seq <= through;
    DELETE FROM audit_event WHERE seq <= through;
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    UPDATE audit_start SET seq = final.seq, hash = final.hash, note = signed_note;
    PERFORM set_config('recorder.audit_forgetting', '', true);
    RETURN forgotten;
END $$
"""

TRIGGERS = (
    ("audit_event_append_only", "UPDATE OR DELETE OR TRUNCATE", "audit_event", "audit_refuse"),
    ("audit_personal_not_edited", "UPDATE OR TRUNCATE", "audit_personal", "audit_refuse"),
    ("audit_head_forward", "UPDATE", "audit_head", "audit_head_forward"),
    ("audit_head_stays", "DELETE OR TRUNCATE", "audit_head", "audit_refuse"),
    ("audit_start_moves", "UPDATE", "audit_start", "audit_start_moves"),
    ("audit_start_stays", "DELETE OR TRUNCATE", "audit_start", "audit_refuse"),
)
BOTH = "recorder_runtime, recorder_retention"
WORK = "SELECT, INSERT, UPDATE, DELETE"

STATEMENTS = (
    ROLES,
    REFUSE,
    FORWARD,
    START,
    FORGET,
    *(
        f"CREATE TRIGGER {name} BEFORE {verbs} ON {table} "
        f"FOR EACH {'STATEMENT' if function == 'audit_refuse' else 'ROW'} "
        f"EXECUTE FUNCTION {function}()"
        for name, verbs, table, function in TRIGGERS
    ),
    f"GRANT USAGE ON SCHEMA public TO {BOTH}",
    # Tables of later migrations too: what a process works with is not the owner's alone.
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {WORK} ON TABLES TO {BOTH}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {BOTH}",
    f"GRANT {WORK} ON ALL TABLES IN SCHEMA public TO {BOTH}",
    f"REVOKE UPDATE, DELETE ON audit_event, audit_personal FROM {BOTH}",
    f"REVOKE INSERT, DELETE ON audit_head FROM {BOTH}",
    f"REVOKE INSERT, UPDATE, DELETE ON audit_start FROM {BOTH}",
    "GRANT DELETE ON audit_personal TO recorder_retention",
    "REVOKE ALL ON FUNCTION audit_forget(bigint, text) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION audit_forget(bigint, text) TO recorder_retention",
)


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=True),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "actor_kind IN ('account', 'operator', 'process', 'machine')",
            name=op.f("ck_audit_event_actor_kind_known"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_event")),
    )
    op.create_index("ix_audit_event_at", "audit_event", ["at"], unique=False)
    op.create_index("ix_audit_event_subject_seq", "audit_event", ["subject", "seq"], unique=False)
    op.create_table(
        "audit_personal",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["audit_event.seq"], name=op.f("fk_audit_personal_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_personal")),
    )
    for table in ("audit_head", "audit_start"):
        note = [sa.Column("note", sa.Text(), nullable=False)] if table == "audit_start" else []
        made = op.create_table(
            table,
            sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
            sa.Column("seq", sa.BigInteger(), nullable=False),
            sa.Column("hash", sa.LargeBinary(), nullable=False),
            *note,
            sa.CheckConstraint("id = 1", name=op.f(f"ck_{table}_single")),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        )
        first = {"id": 1, "seq": 0, "hash": bytes(32)}
        op.bulk_insert(made, [first | ({"note": ""} if note else {})])
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
    # The schema's revision is the owner's business.
    op.get_bind().exec_driver_sql(f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {BOTH}")


def downgrade() -> None:
    bind = op.get_bind()
    for table in ("audit_personal", "audit_start", "audit_head", "audit_event"):
        op.drop_table(table)
    for function in (
        "audit_forget(bigint, text)",
        "audit_start_moves()",
        "audit_head_forward()",
        "audit_refuse()",
    ):
        bind.exec_driver_sql(f"DROP FUNCTION {function}")
    # The roles stay: they belong to the server, and another database may use them.
    for statement in (
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM {BOTH}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM {BOTH}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {BOTH}",
        f"REVOKE ALL ON SCHEMA public FROM {BOTH}",
    ):
        bind.exec_driver_sql(statement)
