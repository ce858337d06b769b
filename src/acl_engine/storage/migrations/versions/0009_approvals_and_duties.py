"""approvals and duties."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("approval_no", sa.String(length=32), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=48), nullable=False),
        sa.Column("resource", sa.String(length=32), nullable=False),
        sa.Column("object", sa.String(length=64), nullable=False),
        sa.Column("asker", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("desk", sa.String(length=32), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("sampled", sa.Boolean(), nullable=False),
        sa.Column("reviewed", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("answer_until", sa.BigInteger(), nullable=False),
        sa.Column("lives_until", sa.BigInteger(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("ticket", sa.String(length=48), nullable=True),
        sa.Column("review_until", sa.BigInteger(), nullable=True),
        sa.Column("granted_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_by", sa.String(length=64), nullable=True),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=True),
        sa.Column("sound", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
        sa.UniqueConstraint("approval_no", name=op.f("uq_approvals_approval_no")),
    )
    op.create_index(
        op.f("ix_approvals_account_purpose_stage"),
        "approvals",
        ["account", "purpose", "stage"],
        unique=False,
    )
    op.create_index(
        op.f("ix_approvals_asker_reviewed"), "approvals", ["asker", "reviewed"], unique=False
    )
    op.create_index(op.f("ix_approvals_desk_stage"), "approvals", ["desk", "stage"], unique=False)
    op.create_table(
        "approval_papers",
        sa.Column("approval", _ID, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["approval"],
            ["approvals.id"],
            name=op.f("fk_approval_papers_approval"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("approval", name=op.f("pk_approval_papers")),
    )
    op.create_table(
        "approval_votes",
        sa.Column("approval", _ID, nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("agree", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["approval"],
            ["approvals.id"],
            name=op.f("fk_approval_votes_approval"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("approval", "person", name=op.f("pk_approval_votes")),
    )
    op.create_index(
        op.f("ix_approval_votes_person_at"), "approval_votes", ["person", "at"], unique=False
    )
    op.create_table(
        "duties",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("desk", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("substitute", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["persons.id"], name=op.f("fk_duties_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duties")),
    )
    op.create_index(
        op.f("ix_duties_person_starts_at"), "duties", ["person", "starts_at"], unique=False
    )
