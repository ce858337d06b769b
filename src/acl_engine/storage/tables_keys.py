"""The tables of keys. Without a row here the payload that it names is noise.

They stand apart from what they open, so that a backup can leave them out or forget them sooner.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from acl_engine.storage.tables_base import metadata

# One generation after another, each wrapped by the key service. The newest wraps new record keys;
# deleting a row destroys what it still wraps.
data_keys = Table(
    "data_keys",
    metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)

# The root of every other key, wrapped by the master key: one row, or none in a database from before
# the master key could be changed, whose root is the master key itself.
root_keys = Table(
    "root_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("wrapped_at", BigInteger, nullable=False),
)

# One row a sealed payload: `store` is the payload's table, `row` its id there.
record_keys = Table(
    "record_keys",
    metadata,
    Column("store", String(16), primary_key=True),
    Column("row", String(32), primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("suite", String(16), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Index(None, "generation"),
)
