"""One database, SQLite or PostgreSQL: `with db.read() as cx`, `with db.write() as cx`.

INVARIANTS
- A transaction is all or nothing, and durable when `write` ends without an exception.
- `read` cannot write: the database itself refuses.
- A write is never opened inside another transaction of the same thread: it would wait for itself.
- Inside `moment` a thread's reads are one snapshot, and it cannot write.
- Foreign errors leave as one-line StoreErrors; see `failures`.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, event, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.util import LRUCache

from acl_engine.domain.errors import ConfigError, StoreError
from acl_engine.domain.text import Text
from acl_engine.storage.at_hand import MOST_READING, AtHand
from acl_engine.storage.engines import (
    LOCK_SECONDS,
    made_file,
    make_engine,
    memory_engine,
    parse_url,
)
from acl_engine.storage.failures import (
    GONE,
    LOCKED,
    MISSING,
    UNFINISHED,
    database_name,
    store_error,
)
from acl_engine.storage.schema import check_version, upgrade
from acl_engine.storage.tables import world_mark
from acl_engine.storage.unchanged import PostgresState, SqliteState, State, WhileUnchanged

NOT_SYNTHETIC = Text(
    "store.not-synthetic",
    "数据库 `{database}` 没有合成世界标记",
    "database `{database}` does not carry the mark of a synthetic world",
    "可关闭控制的操作只能在 `acl world build` 建立的数据库上运行",
    "what can switch a control off runs only on a database made by `acl world build`",
)

_SYNTHETIC = "synthetic"
# SQLite's own limit; what lies beyond is read as ever.
_MOST_MAPPED = 0x7FFF0000


class Database:
    """An open database. Safe to share between threads; close it when done."""

    def __init__(self, engine: Engine, name: str, *, shared: Connection | None = None) -> None:
        """Use `open`. `shared`: everything runs on this one connection, one thread at a time."""
        self._engine = engine
        self.name = name
        self.dialect = engine.dialect.name
        self._shared = shared
        self._lock = threading.RLock()
        self._writer = threading.Lock()
        self._local = threading.local()
        self._cache: Any = LRUCache(500)  # compiled statements, shared with copies
        self._file: tuple[str, int] | None = None
        self._at_hand = AtHand(
            lambda write: self._prepared(engine.connect(), write), MOST_READING[self.dialect]
        )
        self.unchanged = WhileUnchanged(self)

    @classmethod
    def open(
        cls, url: str, *, must_be_current: bool = True, may_be_unfinished: bool = False
    ) -> "Database":
        """Open an existing database, check its schema version and that its world is whole.

        Raises StoreError (missing, locked, read-only, of another version, half-built,
        unreachable) or ConfigError (the URL).
        """
        parsed = parse_url(url)
        database = cls._connect(parsed, create=False)
        try:
            with database.read() as cx:
                if must_be_current:
                    check_version(cx, database.name)
                if not may_be_unfinished and must_be_current:
                    _refuse_unfinished(cx, database.name)
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def _connect(cls, url: URL, *, create: bool) -> "Database":
        name = database_name(url)
        engine = make_engine(url, create=create)
        sqlite = engine.dialect.name == "sqlite"
        if sqlite and not create and not Path(url.database or "").is_file():
            raise StoreError(MISSING.of(database=name))
        database = cls(engine, name)
        try:
            # A write proves what a read does not: that the file is ours to change.
            with database.write(opening=True):
                pass
        except BaseException:
            database.close()
            raise
        if sqlite:
            path = str(Path(url.database or "").absolute())
            database._file = (path, os.stat(path).st_ino)
        return database

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent snapshot; writing in it fails."""
        with self._transaction(write=False) as cx:
            yield cx

    @contextmanager
    def write(self, *, opening: bool = False) -> Iterator[Connection]:
        """All or nothing. SQLite: the one writer. PostgreSQL: lock the rows you decide on."""
        with self._transaction(write=True, opening=opening) as cx:
            yield cx

    @contextmanager
    def moment(self) -> Iterator[None]:
        """This thread's reads inside are one snapshot, begun at the first of them."""
        if getattr(self._local, "depth", 0):
            yield
            return
        if self._shared is not None:
            with self.read():
                yield
            return
        self._local.depth = 1
        try:
            with ExitStack() as stack:
                self._local.moment = stack
                yield
        except SQLAlchemyError as error:
            raise store_error(error, self.name) from None
        finally:
            self._local.depth, self._local.moment, self._local.snapshot = 0, None, None

    def close(self) -> None:
        """Give the connections back. What is open in other threads ends by itself."""
        self.unchanged.close()
        if self._shared is not None:
            self._shared.close()
        self._at_hand.forget()
        self._engine.dispose()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- throw-away copies ---------------------------------------------------------------------

    def clone_to_memory(self) -> "Database":
        """A private in-memory copy of a SQLite database, through SQLite's backup API.

        Cheap for a small world, so that every replayed scenario starts from the same bytes.
        """
        if self.dialect != "sqlite":
            raise ValueError("only a SQLite database can be copied into memory: use `trial`")
        target = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with self._raw() as source:
            source.backup(target)
        engine = memory_engine(self._engine, target)
        clone = Database(engine, f"{self.name} (copy)", shared=engine.connect())
        clone._cache = self._cache
        return clone

    def clone_to_file(self, path: Path) -> "Database":
        """A copy of a SQLite database in a new file: for what happens to files and processes."""
        target = sqlite3.connect(path, isolation_level=None)
        with self._raw() as source:
            source.backup(target)
        target.close()
        return Database.open(f"sqlite:///{path}")

    @property
    def path(self) -> str:
        """The file of a SQLite database; empty for one in memory and for PostgreSQL."""
        return self._file[0] if self._file else ""

    @contextmanager
    def trial(self) -> Iterator["Database"]:
        """A database like this one whose changes never reach it.

        SQLite: a copy in memory. PostgreSQL: one connection in a transaction that is rolled back.
        """
        if self.dialect == "sqlite":
            copy = self.clone_to_memory()
            try:
                yield copy
            finally:
                copy.close()
            return
        try:
            connection = self._engine.connect()
        except SQLAlchemyError as error:
            raise store_error(error, self.name) from None
        outer = connection.begin()
        inner = Database(self._engine, f"{self.name} (trial)", shared=connection)
        inner._cache = self._cache
        try:
            yield inner
        finally:
            outer.rollback()
            connection.close()

    def forget(self, *tables: str) -> None:
        """Leave nothing of deleted rows of these tables in the file: what was destroyed must not
        be found in its free space. SQLite: the log of changes too (deleted content is
        overwritten on every connection). PostgreSQL: VACUUM; its own log lives on until recycled.
        """
        if self._shared is not None:
            return
        with self._raw() as raw:
            if self.dialect == "sqlite":
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                return
            before = raw.autocommit
            raw.autocommit = True
            try:
                for table in tables:
                    raw.execute(f"VACUUM {table}")
            finally:
                raw.autocommit = before

    def map_file(self) -> None:
        """Read a SQLite file through memory, in a third less time. A file that is cut off meanwhile
        then ends the process: only for one that may die, and does nothing but read.
        """
        if self.dialect == "sqlite":
            pragma = f"PRAGMA mmap_size={_MOST_MAPPED}"
            event.listen(self._engine, "connect", lambda raw, _: raw.execute(pragma))
            self._at_hand.forget()
            self._engine.dispose()

    # --- inside --------------------------------------------------------------------------------

    @contextmanager
    def _raw(self) -> Iterator[Any]:
        if self._shared is not None:
            with self._lock:
                yield self._shared.connection.dbapi_connection
            return
        try:
            fairy = self._engine.raw_connection()
        except SQLAlchemyError as error:
            raise store_error(error, self.name) from None
        try:
            yield fairy.dbapi_connection
        finally:
            fairy.close()

    @contextmanager
    def _transaction(self, *, write: bool, opening: bool = False) -> Iterator[Connection]:
        depth = getattr(self._local, "depth", 0)
        if write and depth:
            raise RuntimeError("a write transaction inside another transaction waits for itself")
        self.unchanged.refuse_wait()
        self.refuse_replaced_file()
        self._local.depth = depth + 1
        try:
            if depth and getattr(self._local, "moment", None) is not None:
                yield self._snapshot()
            elif self._shared is not None:
                with self._lock, self._on_shared(write, depth) as cx:
                    yield cx
            else:
                with self._own_connection(write) as cx:
                    yield cx
        except SQLAlchemyError as error:
            raise store_error(error, self.name, opening=opening) from None
        finally:
            self._local.depth = depth

    def _snapshot(self) -> Connection:
        """The snapshot of this thread's moment."""
        known: Connection | None = getattr(self._local, "snapshot", None)
        if known is None:
            known = self._local.moment.enter_context(self._own_connection(write=False))
            self._local.snapshot = known
        return known

    @contextmanager
    def _own_connection(self, write: bool) -> Iterator[Connection]:
        alone = write and self.dialect == "sqlite"
        with (
            self._turn() if alone else nullcontext(),
            self._at_hand.one(write) as cx,
            cx.begin() as transaction,
        ):
            yield cx
            if not write:
                transaction.rollback()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite has one writer, and whoever waits for it asks again and again, ever more rarely:
        among many threads some never get it. Those of this process wait for each other here."""
        if not self._writer.acquire(timeout=LOCK_SECONDS):
            raise StoreError(LOCKED.of(database=self.name))
        try:
            yield
        finally:
            self._writer.release()

    @contextmanager
    def _on_shared(self, write: bool, depth: int) -> Iterator[Connection]:
        cx = self._shared
        assert cx is not None
        if depth:  # a read inside a transaction of this thread sees what that sees
            yield cx
            return
        if self.dialect == "postgresql":
            with cx.begin_nested():
                yield cx
            return
        cx = self._prepared(cx, write)
        with cx.begin() as transaction:
            yield cx
            if not write:
                transaction.rollback()

    def _prepared(self, cx: Connection, write: bool) -> Connection:
        if self.dialect == "sqlite":
            return cx.execution_options(acl_write=write, compiled_cache=self._cache)
        if write:
            return cx.execution_options(compiled_cache=self._cache)
        return cx.execution_options(
            compiled_cache=self._cache, isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @property
    def tells_its_state(self) -> bool:
        """Whether `state` can be asked for here and now: not over a copy, nor in a transaction."""
        return self._shared is None and not getattr(self._local, "depth", 0)

    def state(self) -> State:
        """A look at what is committed, on a connection of its own. Raises StoreError."""
        try:
            fairy = self._engine.raw_connection()
        except SQLAlchemyError as error:
            raise store_error(error, self.name) from None
        fairy.detach()
        raw: Any = fairy.dbapi_connection
        return PostgresState(raw) if self.dialect == "postgresql" else SqliteState(raw)

    def refuse_replaced_file(self) -> None:
        """Raises StoreError where the file that was opened is there no longer."""
        # SQLite goes on reading a deleted file; a look into a database that is gone is no look.
        if self._file is None:
            return
        path, inode = self._file
        try:
            same = os.stat(path).st_ino == inode
        except OSError:
            same = False
        if not same:
            raise StoreError(GONE.of(database=self.name))


def create_or_upgrade(url: str) -> Database:
    """Make the database or bring it to the newest schema version, and open it.

    Its world may be unfinished: whoever builds one goes on with it. Raises StoreError.
    """
    with made_file(parse_url(url)) as parsed:
        database = Database._connect(parsed, create=True)
        try:
            with database.write() as cx:
                upgrade(cx, database.name)
        except BaseException:
            database.close()
            raise
        return database


def is_synthetic(database: Database) -> bool:
    """Whether the database carries the mark of a finished synthetic world."""
    with database.read() as cx:
        rows = cx.execute(select(world_mark.c.kind, world_mark.c.finished)).all()
    return len(rows) == 1 and rows[0].kind == _SYNTHETIC and rows[0].finished is True


def world_seed(database: Database) -> str:
    """The seed of a synthetic world. Raises ConfigError for any other database."""
    require_synthetic(database)
    with database.read() as cx:
        return str(cx.execute(select(world_mark.c.seed)).scalar_one())


def world_pack(database: Database) -> str:
    """The company of a synthetic world. Raises ConfigError for any other database."""
    require_synthetic(database)
    with database.read() as cx:
        return str(cx.execute(select(world_mark.c.pack)).scalar_one())


def world_time(database: Database) -> int:
    """The now of a synthetic world, epoch seconds UTC. Raises ConfigError for any other."""
    require_synthetic(database)
    with database.read() as cx:
        return int(cx.execute(select(world_mark.c.built_at)).scalar_one())


def require_synthetic(database: Database) -> None:
    """Refuse a database of real people. Called by everything that can switch a control off.

    Raises ConfigError.
    """
    if not is_synthetic(database):
        raise ConfigError(NOT_SYNTHETIC.of(database=database.name))


def _refuse_unfinished(cx: Connection, name: str) -> None:
    if cx.execute(select(world_mark.c.id).where(world_mark.c.finished.is_(False))).first():
        raise StoreError(UNFINISHED.of(database=name))
