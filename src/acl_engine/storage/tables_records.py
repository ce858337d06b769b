"""Records of the packs that need no tables of their own: any type that a catalogue declares."""

from sqlalchemy import JSON, Column, ForeignKey, Index, LargeBinary, String, Table

from acl_engine.storage.tables_base import Id, id_column, metadata

# Policy facts by name, as the catalogue types them; never personal data.
records = Table(
    "records",
    metadata,
    id_column(),
    Column("type", String(32), nullable=False),
    Column("record_key", String(64), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("attributes", JSON, nullable=False),
    Index(None, "type", "record_key", unique=True),
    Index(None, "type", "stage"),
)

# The personal data of a record, one to one. Fact queries never touch this table.
record_people = Table(
    "record_people",
    metadata,
    Column("record", Id, ForeignKey("records.id", ondelete="CASCADE"), primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)
