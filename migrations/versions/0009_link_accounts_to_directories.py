"""Let an account sign in by the office's directory or an OpenID provider; keep begun sign-ins;
note when the DPO was told of a contractor.

Needs downtime: no.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "account", sa.Column("signs_in_by", sa.Text(), server_default="local", nullable=False)
    )
    op.add_column("account", sa.Column("issuer", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("subject", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_account_signs_in_by_known"), "account", "signs_in_by IN ('local', 'ldap', 'oidc')"
    )
    op.create_check_constraint(
        op.f("ck_account_linked_in_full"),
        "account",
        "(signs_in_by = 'local') = (subject IS NULL) AND (subject IS NULL) = (issuer IS NULL)",
    )
    op.create_unique_constraint(
        op.f("uq_account_signs_in_by_issuer_subject"),
        "account",
        ["signs_in_by", "issuer", "subject"],
    )
    op.add_column(
        "contractor_access", sa.Column("noted_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_table(
        "begun_sign_in",
        sa.Column("state_sha256", sa.Text(), nullable=False),
        sa.Column("browser_sha256", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("next_path", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_begun_sign_in_account_id")
        ),
        sa.PrimaryKeyConstraint("state_sha256", name=op.f("pk_begun_sign_in")),
    )


def downgrade() -> None:
    op.drop_table("begun_sign_in")
    op.drop_column("contractor_access", "noted_at")
    op.drop_constraint(op.f("uq_account_signs_in_by_issuer_subject"), "account", type_="unique")
    op.drop_constraint(op.f("ck_account_linked_in_full"), "account", type_="check")
    op.drop_constraint(op.f("ck_account_signs_in_by_known"), "account", type_="check")
    for column in ("subject", "issuer", "signs_in_by"):
        op.drop_column("account", column)
