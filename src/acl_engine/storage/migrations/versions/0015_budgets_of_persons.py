"""budgets of persons."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What was set aside lives for a minute: nothing of it is worth keeping.
    op.drop_table("budget_reservations")
    op.create_table(
        "budget_reservations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("counter", sa.String(length=120), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "counter", name=op.f("pk_budget_reservations")),
    )
    op.create_index(
        op.f("ix_budget_reservations_counter"), "budget_reservations", ["counter"], unique=False
    )
    op.create_table(
        "budget_seen",
        sa.Column("counter", sa.String(length=120), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("counter", "subject", name=op.f("pk_budget_seen")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_scans_account_at"), "scans", ["account", "at"], unique=False)
    op.create_index(op.f("ix_assignments_person_at"), "assignments", ["person", "at"], unique=False)
