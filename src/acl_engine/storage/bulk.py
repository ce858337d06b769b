"""Bulk loading of a generated world: streamed rows, few statements, memory that stays flat."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text

from acl_engine.domain.errors import StoreError
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database
from acl_engine.storage.tables import metadata, waybills, world_mark

CHUNK = 5_000

OCCUPIED = Text(
    "world.occupied",
    "数据库 `{database}` 里已有世界",
    "database `{database}` already holds a world",
    "加 `--replace` 以重建，原有内容将被删除",
    "add `--replace` to build it anew; what it holds is deleted",
)
NOT_OURS = Text(
    "world.not-synthetic",
    "数据库 `{database}` 有数据但没有合成标记，绝不覆盖",
    "database `{database}` holds data without the synthetic mark, and is never overwritten",
    "请换一个数据库",
    "use another database",
)


def begin(database: Database, *, pack: str, seed: str, at: int, replace: bool) -> None:
    """Mark the database as a world being built. Raises StoreError when it holds something else."""
    with database.write() as cx:
        mark = cx.execute(select(world_mark.c.kind)).scalar()
        if mark is None and cx.execute(select(func.count()).select_from(waybills)).scalar():
            raise StoreError(NOT_OURS.of(database=database.name))
        if mark is not None and mark != "synthetic":
            raise StoreError(NOT_OURS.of(database=database.name))
        if mark is not None and not replace:
            raise StoreError(OCCUPIED.of(database=database.name))
        for table in reversed(metadata.sorted_tables):
            cx.execute(delete(table))
        cx.execute(
            insert(world_mark).values(
                id=1, kind="synthetic", pack=pack, seed=seed, built_at=at, finished=False
            )
        )


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
    if database.dialect != "postgresql":
        return
    with database.write() as cx:
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
        with driver.cursor().copy(f"COPY {name} ({listed}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(names))
    listed = ", ".join(f'"{column}"' for column in names)
    statement = f"INSERT INTO {name} ({listed}) VALUES ({marks})"  # noqa: S608 - our own names
    cx.exec_driver_sql(statement, rows)
