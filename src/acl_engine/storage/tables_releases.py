"""The table of releases: one row a copy that left. Part of `tables`."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from acl_engine.storage.tables_base import metadata

# No personal data of customers: a selection is made of facts, a recipient is a short name.
release_copies = Table(
    "release_copies",
    metadata,
    Column("id", String(48), primary_key=True),
    Column("kind", String(8), nullable=False),  # export | publish
    Column("resource", String(32), nullable=False),
    Column("selection", String(400), nullable=False),
    Column("purpose", String(48), nullable=False),
    Column("recipient", String(48), nullable=False),
    Column("account", String(64), nullable=False),
    Column("case", String(32), nullable=False),
    Column("request", String(40), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("marks", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("released_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", String(64)),
    Index(None, "ended_at", "expires_at"),
)
