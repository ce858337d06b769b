"""The tables of the audit log.

INVARIANTS
- `audit_records` holds no clear personal data, and its rows are never changed.
- What is derived stands apart from what is recorded: `audit_nodes` can be made again from the
  records, and no verification trusts it.
"""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from acl_engine.storage.tables_base import Id, id_column, metadata

# `body` is the encoded entry, `leaf` its RFC 6962 leaf hash; the rest is there to search by.
# Equal records are allowed, as in RFC 6962: a unique leaf would cost a random write each.
audit_records = Table(
    "audit_records",
    metadata,
    Column("index", Id, primary_key=True, autoincrement=False),
    Column("request", String(40), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("account", String(64), index=True),
    Column("body", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)

# Signed checkpoints, cosignatures included, as the notes they are (C2SP tlog-checkpoint).
audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    id_column(),
    Column("size", BigInteger, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)

# Roots of complete subtrees at levels 8, 16, 24: a proof reads a few hundred hashes, not all.
audit_nodes = Table(
    "audit_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", Id, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)

# A legal hold: while one is open, retention deletes nothing and no key is destroyed.
audit_holds = Table(
    "audit_holds",
    metadata,
    Column("case_id", String(64), primary_key=True),
    Column("opened_at", BigInteger, nullable=False),
    Column("opened_by", String(64), nullable=False),
    Column("released_at", BigInteger),
    Column("released_by", String(64)),
)

# RFC 3161 time stamps of checkpoints: `token` is the authority's whole answer, `size` says which
# checkpoint it stamps. What it proves is read from the token and the checkpoint, not from here.
audit_stamps = Table(
    "audit_stamps",
    metadata,
    id_column(),
    Column("size", BigInteger, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("token", LargeBinary, nullable=False),
)

# Generations of this service's own signing key: from which size on each one signs. The keys
# themselves come from the master secret, so that nobody can add one here.
audit_keys = Table(
    "audit_keys",
    metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("from_size", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# Planted before a leak: honey rows, and rows made up for one export alone. Digests, as in the log.
planted_marks = Table(
    "planted_marks",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("account", String(64)),
    Column("request", String(40)),
    Column("copies", String(80)),  # ids of the one or two copies that hold the row
)

# When the watch that acts on alerts was last seen at work: one row, by the time of its machine.
watch_marks = Table(
    "watch_marks",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("at", BigInteger, nullable=False),
)
