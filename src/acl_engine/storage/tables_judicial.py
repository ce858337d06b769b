"""The table of judicial deliveries: one row a sealed result that left. Part of `tables`."""

from sqlalchemy import BigInteger, Column, String, Table

from acl_engine.storage.tables_base import metadata

# No clear value of a record: the paper stands with the case, the result only as a digest.
judicial_deliveries = Table(
    "judicial_deliveries",
    metadata,
    Column("case", String(32), primary_key=True),
    Column("request", String(40), nullable=False),
    Column("account", String(64), nullable=False),
    Column("authority", String(48), nullable=False),
    Column("key", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("fields", String(400), nullable=False),
    Column("delivered_at", BigInteger, nullable=False),
)
