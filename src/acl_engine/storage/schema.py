"""The schema's version, and the way to the newest one: Alembic migrations inside the package."""

from functools import cache
from importlib.resources import files

from sqlalchemy import Connection, inspect, select, table, text
from sqlalchemy import column as plain_column

from acl_engine.domain.errors import StoreError
from acl_engine.storage.failures import FOREIGN, NEWER_SCHEMA, SCHEMA

_VERSIONS = "acl_engine.storage.migrations.versions"
_VERSION = table("alembic_version", plain_column("version_num"))
# Any number that no other program takes: one upgrade at a time on PostgreSQL.
_UPGRADE_LOCK = 7301188215


@cache
def versions() -> tuple[str, ...]:
    """Every schema version in order: the numbers that the migration files start with."""
    names = (entry.name for entry in files(_VERSIONS).iterdir())
    return tuple(sorted(name[:4] for name in names if name[:4].isdigit() and name.endswith(".py")))


def found_version(connection: Connection) -> str | None:
    """The database's schema version; None when it has no tables of this program."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar()


def check_version(connection: Connection, database: str) -> None:
    """Refuse a database of another schema version. Raises StoreError."""
    found, wanted = found_version(connection), versions()[-1]
    if found != wanted:
        known = found is None or found in versions()
        what = SCHEMA if known else NEWER_SCHEMA
        raise StoreError(what.of(database=database, found=found or "none", wanted=wanted))


def upgrade(connection: Connection, database: str) -> None:
    """Bring the schema to the newest version, all or nothing, inside the caller's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
    found = found_version(connection)
    if found is None and inspect(connection).get_table_names():
        raise StoreError(FOREIGN.of(database=database))
    if found is not None and found not in versions():
        raise StoreError(NEWER_SCHEMA.of(database=database, found=found, wanted=versions()[-1]))
    if versions() and found != versions()[-1]:
        from alembic import command  # heavy, and needed only here
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", "acl_engine.storage:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
