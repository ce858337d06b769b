"""The table of loaded policies. Part of `tables`."""

from sqlalchemy import BigInteger, Column, String, Table

from acl_engine.storage.tables_base import id_column, metadata

# One row a change of what runs; the newest row runs. Rows are never changed.
policy_loads = Table(
    "policy_loads",
    metadata,
    id_column(),
    Column("at", BigInteger, nullable=False),
    Column("pack", String(64), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("rollback_order", String(64), unique=True),  # the order's digest; None: a newer bundle
)
