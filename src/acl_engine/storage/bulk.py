"""Bulk loading of a generated world: streamed rows, few statements, memory that stays flat.

INVARIANTS
- What holds data without the synthetic mark is neither overwritten nor migrated.
- From the first row to the last the mark says `finished` false: a killed build is no world.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError

from acl_engine.domain.errors import StoreError
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database, create_or_upgrade, is_synthetic
from acl_engine.storage.failures import MISSING
from acl_engine.storage.schema import found_version
from acl_engine.storage.tables import metadata, units, world_mark

CHUNK = 5_000

OCCUPIED = Text(
    "world.occupied",
    "数据库 `{database}` 里已有世界",
    "database `{database}` already holds a world",
    "加 `--replace` 以重建，原有内容将被删除",
    "add `--replace` to build it anew; what it holds is deleted",
)
HALF_BUILT = Text(
    "world.half-built",
    "数据库 `{database}` 里有未建完的世界",
    "database `{database}` holds a world that was not finished, or is being built",
    "确认没有其他构建在运行，再加 `--replace` 重建",
    "make sure that no other build runs, then add `--replace`",
)
ALREADY = Text(
    "world.already-imported",
    "数据库 `{database}` 里已有这份轨迹的网点",
    "database `{database}` already holds regions of this trace",
    "加 `--replace` 以重建后再导入",
    "add `--replace` to build the world anew and import into that",
)
NOT_OURS = Text(
    "world.not-synthetic",
    "数据库 `{database}` 有数据但没有合成标记，绝不覆盖",
    "database `{database}` holds data without the synthetic mark, and is never overwritten",
    "请换一个数据库",
    "use another database",
)


def prepare(url: str, *, replace: bool) -> Database:
    """Open the database that a world goes into, made or migrated as needed.

    Raises StoreError, before anything is changed, when it holds real data, or a world and
    `replace` is not set.
    """
    try:
        found = Database.open(url, must_be_current=False)
    except StoreError as error:
        if error.message.text.code != MISSING.code:
            raise
    else:
        with found, found.read() as cx:
            if found_version(cx) is not None:
                _refuse(cx, found.name, replace)
    return create_or_upgrade(url)


def has_world(url: str) -> bool:
    """Whether a whole world of this schema version stands there. Raises StoreError."""
    try:
        with Database.open(url) as found:
            return is_synthetic(found)
    except StoreError as error:
        if error.message.text.code == MISSING.code:
            return False
        raise


def begin(database: Database, *, pack: str, seed: str, at: int, replace: bool) -> None:
    """Mark the database as a world being built. Raises StoreError when it holds something else."""
    with database.write() as cx:
        _refuse(cx, database.name, replace)
        _empty(cx)
        cx.execute(
            insert(world_mark).values(
                id=1, kind="synthetic", pack=pack, seed=seed, built_at=at, finished=False
            )
        )


def _refuse(cx: Connection, name: str, replace: bool) -> None:
    marks = cx.execute(select(world_mark.c.kind, world_mark.c.finished)).all()
    if not marks and any(_holds_rows(cx, table) for table in metadata.sorted_tables):
        raise StoreError(NOT_OURS.of(database=name))
    if any(mark.kind != "synthetic" for mark in marks):
        raise StoreError(NOT_OURS.of(database=name))
    if marks and not replace:
        text_ = OCCUPIED if all(mark.finished for mark in marks) else HALF_BUILT
        raise StoreError(text_.of(database=name))


def _holds_rows(cx: Connection, table: Table) -> bool:
    # A table of a later version is not there yet; then it holds nothing.
    known = inspect(cx).has_table(table.name)
    return known and cx.execute(select(table.columns[0]).limit(1)).first() is not None


def _empty(cx: Connection) -> None:
    if cx.dialect.name == "postgresql":
        names = ", ".join(table.name for table in metadata.sorted_tables)
        cx.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
        return
    for table in reversed(metadata.sorted_tables):
        cx.execute(delete(table))


def finish(database: Database) -> None:
    """The world is whole: only now does `Database.open` take it."""
    with database.write() as cx:
        cx.execute(world_mark.update().values(finished=True))


def load(database: Database, batches: Iterable[Mapping[str, list[tuple[Any, ...]]]]) -> None:
    """Insert batches of rows by table name, in the tables' column order, a transaction a batch."""
    for batch in batches:
        with database.write() as cx:
            for name, rows in batch.items():
                if rows:
                    _insert(cx, name, rows)


def last_ids(database: Database) -> dict[str, int]:
    """The highest id of each table that counts its rows by number; 0 for an empty one."""
    found: dict[str, int] = {}
    with database.read() as cx:
        for table in metadata.sorted_tables:
            column = table.autoincrement_column
            if column is not None:
                found[table.name] = cx.execute(select(func.max(column))).scalar() or 0
    return found


def extend(database: Database, batches: Iterable[Mapping[str, list[tuple[Any, ...]]]]) -> None:
    """Add rows to a finished synthetic world, all or nothing.

    Raises StoreError for any other database, and when a unit of the rows is there already.
    """
    with database.write() as cx:
        marks = cx.execute(select(world_mark.c.kind, world_mark.c.finished)).all()
        if [tuple(mark) for mark in marks] != [("synthetic", True)]:
            raise StoreError(NOT_OURS.of(database=database.name))
        for batch in batches:
            new = [row[0] for row in batch.get("units", ())]
            if cx.execute(select(units.c.id).where(units.c.id.in_(new)).limit(1)).first():
                raise StoreError(ALREADY.of(database=database.name))
            for name, rows in batch.items():
                if rows:
                    _insert(cx, name, rows)
        _advance(cx)


def columns(table: str) -> tuple[str, ...]:
    """The columns of a table in order: what a row of `load` must hold."""
    return tuple(column.name for column in metadata.tables[table].columns)


def chunks(rows: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    """Lists of at most `size` rows."""
    chunk: list[Any] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) >= size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def advance_sequences(database: Database) -> None:
    """After ids were given by hand, PostgreSQL's sequences must start beyond them."""
    with database.write() as cx:
        _advance(cx)


def _advance(cx: Connection) -> None:
    if cx.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None and table.name != "audit_records":
            top = f'SELECT max("{column.name}") FROM {table.name}'  # noqa: S608 - our names
            sequence = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
            cx.execute(text(f"SELECT setval({sequence}, ({top}))"))


def _insert(cx: Connection, name: str, rows: list[tuple[Any, ...]]) -> None:
    names = columns(name)
    if cx.dialect.name == "postgresql":
        listed = ", ".join(f'"{column}"' for column in names)
        driver = cx.connection.driver_connection
        assert driver is not None
        try:
            with driver.cursor().copy(f"COPY {name} ({listed}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        except cx.dialect.loaded_dbapi.Error as error:
            # Past SQLAlchemy, so that it is ours to turn into what the room knows.
            raise DBAPIError("COPY", None, error) from None
        return
    marks = ", ".join("?" * len(names))
    listed = ", ".join(f'"{column}"' for column in names)
    statement = f"INSERT INTO {name} ({listed}) VALUES ({marks})"  # noqa: S608 - our own names
    cx.exec_driver_sql(statement, rows)
