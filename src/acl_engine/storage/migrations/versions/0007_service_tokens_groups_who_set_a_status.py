"""service tokens, groups, who set a status."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "scim_groups",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("external_id", sa.String(length=128), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_groups")),
        sa.UniqueConstraint("name", name=op.f("uq_scim_groups_name")),
    )
    op.create_table(
        "scim_members",
        sa.Column("group", sa.String(length=64), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["group"], ["scim_groups.id"], name=op.f("fk_scim_members_group")),
        sa.ForeignKeyConstraint(["login"], ["accounts.login"], name=op.f("fk_scim_members_login")),
        sa.PrimaryKeyConstraint("group", "login", name=op.f("pk_scim_members")),
    )
    op.create_table(
        "service_tokens",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["login"], ["accounts.login"], name=op.f("fk_service_tokens_login")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_service_tokens")),
    )
    op.create_index(op.f("ix_service_tokens_login"), "service_tokens", ["login"], unique=False)
    op.add_column(
        "accounts", sa.Column("status_by", sa.String(length=64), server_default="", nullable=False)
    )
    op.create_index(
        "ix_waybills_pickup_task",
        "waybills",
        ["pickup_courier"],
        unique=False,
        sqlite_where=sa.text("stage = 'ORDERED'"),
        postgresql_where=sa.text("stage = 'ORDERED'"),
    )
