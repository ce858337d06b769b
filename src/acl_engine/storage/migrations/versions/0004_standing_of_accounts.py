"""standing of accounts; a change of rights by plain SQL raises the epoch too."""

import sqlalchemy as sa
from alembic import op

from acl_engine.storage.epoch_triggers import triggers

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "accounts", sa.Column("purpose", sa.String(length=64), server_default="", nullable=False)
    )
    op.add_column(
        "accounts", sa.Column("made_by", sa.String(length=64), server_default="", nullable=False)
    )
    op.add_column(
        "accounts", sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "accounts", sa.Column("changed_at", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "accounts", sa.Column("used_at", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "accounts", sa.Column("certified_at", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "accounts",
        sa.Column("certified_by", sa.String(length=64), server_default="", nullable=False),
    )
    op.add_column("accounts", sa.Column("external_id", sa.String(length=128), nullable=True))
    op.create_index(op.f("ix_accounts_external_id"), "accounts", ["external_id"], unique=False)
    op.create_index(op.f("ix_accounts_person"), "accounts", ["person"], unique=False)
    op.add_column(
        "persons", sa.Column("kind", sa.String(length=16), server_default="regular", nullable=False)
    )
    op.add_column("persons", sa.Column("sponsor", sa.String(length=32), nullable=True))
    op.add_column(
        "persons", sa.Column("starts_at", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("persons", sa.Column("ends_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "persons", sa.Column("undertaking", sa.String(length=32), server_default="", nullable=False)
    )
    op.add_column(
        "persons",
        sa.Column("undertaking_digest", sa.String(length=64), server_default="", nullable=False),
    )
    op.add_column(
        "persons", sa.Column("undertaking_at", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "persons", sa.Column("training", sa.String(length=64), server_default="", nullable=False)
    )
    op.add_column(
        "persons", sa.Column("trained_at", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.create_index(op.f("ix_persons_superior"), "persons", ["superior"], unique=False)
    for statement in triggers(op.get_bind().dialect.name):
        op.execute(statement)
