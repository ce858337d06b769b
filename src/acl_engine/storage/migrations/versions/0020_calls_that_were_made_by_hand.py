"""calls that were made by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "call_records",
        sa.Column("by_hand", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
