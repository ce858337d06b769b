"""SQLAlchemy engines for the two databases, with durability set and read back on every connection.

INVARIANTS
- SQLite: WAL, synchronous=FULL, foreign keys and secure_delete on, a busy timeout; a missing file
  is never made by opening it. Transactions are begun by us (`BEGIN`, `BEGIN IMMEDIATE`), never by
  the driver.
- PostgreSQL: fsync and synchronous_commit on, a lock timeout, UTC.
- Error texts of the driver never carry parameters.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool, StaticPool

from acl_engine.domain.errors import ConfigError, StoreError
from acl_engine.storage.failures import (
    BAD_URL,
    NO_DRIVER,
    NOT_DURABLE,
    READ_ONLY,
    database_name,
    driver_errors,
)

# A writer waits this long for another one before it gives up as locked.
LOCK_SECONDS = 10
CONNECT_SECONDS = 5
# 64 callers at once each hold one connection. Those that `at_hand` keeps count as held.
POOL = {"pool_size": 8, "max_overflow": 120, "pool_timeout": 30}


def parse_url(url: str) -> URL:
    """The URL with psycopg 3 as PostgreSQL's driver. Raises ConfigError."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):
        raise ConfigError(BAD_URL.of()) from None
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    # `sqlite:///a?b.db` names no file `a?b.db`: refused, or another file would be opened quietly.
    if backend == "sqlite" and "?" not in url and not parsed.host:
        return parsed.set(drivername="sqlite")
    raise ConfigError(BAD_URL.of())


def make_engine(url: URL, *, create: bool = False) -> Engine:
    """An engine that has not connected yet. `create` lets SQLite make a missing file."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, create)
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            connect_args={"connect_timeout": CONNECT_SECONDS},
            **POOL,
        )
    except ModuleNotFoundError:
        raise ConfigError(NO_DRIVER.of(driver="psycopg")) from None
    name = database_name(url)
    event.listen(engine, "connect", lambda raw, _: _check_postgres(raw, name))
    return engine


@contextmanager
def made_file(url: URL) -> Iterator[URL]:
    """What fails inside leaves no empty SQLite file behind that was not there before."""
    file = Path(url.database or "")
    new = url.get_backend_name() == "sqlite" and not file.exists()
    try:
        yield url
    except BaseException:
        # Only while it is empty: whoever came at the same moment may have begun to fill it.
        if new and file.is_file() and file.stat().st_size == 0:
            file.unlink()
        raise


def memory_engine(model: Engine, raw: sqlite3.Connection) -> Engine:
    """An engine over one in-memory connection, sharing the dialect of `model`.

    Sharing the dialect lets both use one cache of compiled statements.
    """
    _pragmas(raw, "MEMORY")
    pool = StaticPool(lambda: raw, reset_on_return=None)  # type: ignore[arg-type]
    engine = Engine(pool, model.dialect, URL.create("sqlite"), hide_parameters=True)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _sqlite(url: URL, create: bool) -> Engine:
    path, name = url.database, database_name(url)
    if not path or path == ":memory:":
        raise ConfigError(BAD_URL.of())
    target = file_uri(Path(path), "rwc" if create else "rw")

    def connect() -> sqlite3.Connection:
        raw = sqlite3.connect(
            target, uri=True, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _pragmas(raw, name)
        except BaseException:
            raw.close()
            raise
        return raw

    engine = create_engine(
        url,
        creator=connect,
        poolclass=QueuePool,
        hide_parameters=True,
        **POOL,
    )
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def file_uri(path: Path, mode: str) -> str:
    """What SQLite opens as this file, whatever is in its name; `mode` as in SQLite's URI."""
    # With its empty authority: in `file:` before `//data/a.db`, SQLite reads `data` as one.
    return f"file://{quote(str(path.absolute()))}?mode={mode}"


def _pragmas(raw: sqlite3.Connection, name: str) -> None:
    # secure_delete: what is deleted is overwritten, so that a destroyed key is gone from the file.
    wanted = {"foreign_keys": 1, "synchronous": 2, "secure_delete": 1}
    if name != "MEMORY":
        wanted["journal_mode"] = "wal"  # type: ignore[assignment]
    raw.execute(f"PRAGMA busy_timeout={LOCK_SECONDS * 1000}")
    for setting, value in wanted.items():
        raw.execute(f"PRAGMA {setting}={value}")
        found = raw.execute(f"PRAGMA {setting}").fetchone()[0]
        if found != value:
            raise StoreError(NOT_DURABLE.of(database=name, setting=setting, value=found))


def _begin_sqlite(connection: Connection) -> None:
    # A read that tried to write would be rolled back without a word; query_only makes it fail.
    write = connection.get_execution_options().get("acl_write", False)
    raw: Any = connection.connection.dbapi_connection
    known = connection.info  # the pool keeps it as long as the driver's connection
    with driver_errors(connection):
        if known.get("acl_write") != write:
            raw.execute(f"PRAGMA query_only={int(not write)}")
            known["acl_write"] = write
        raw.execute("BEGIN IMMEDIATE" if write else "BEGIN")


def _check_postgres(raw: Any, name: str) -> None:
    before = raw.autocommit
    raw.autocommit = True
    try:
        with raw.cursor() as cursor:
            cursor.execute(
                f"SET synchronous_commit = on; SET lock_timeout = '{LOCK_SECONDS}s';"
                " SET timezone = 'UTC'"
            )
            cursor.execute("SHOW transaction_read_only")
            if cursor.fetchone()[0] == "on":
                raise StoreError(READ_ONLY.of(database=name))
            cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
            found = cursor.fetchone()
            for setting, value in zip(("fsync", "synchronous_commit"), found, strict=True):
                if value != "on":
                    raise StoreError(NOT_DURABLE.of(database=name, setting=setting, value=value))
    finally:
        raw.autocommit = before
