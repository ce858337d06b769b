"""What every table is made of: the metadata with its naming, and 64-bit keys."""

from sqlalchemy import BigInteger, Column, Integer, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite only makes an INTEGER primary key its rowid; PostgreSQL wants 64 bits.
Id = BigInteger().with_variant(Integer, "sqlite")


def id_column() -> Column[int]:
    """A 64-bit key that the database counts up."""
    return Column("id", Id, primary_key=True, autoincrement=True)
