"""UNSAFE: faults and tampering, as they happen behind the engine. Replay alone may import this.

INVARIANTS
- Each of these refuses a database without the mark of a synthetic world.
- Nothing here is reached by a request: it is what a broken disk or a person with the database does.
"""

import resource
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import delete, event, insert, text, update
from sqlalchemy.sql.elements import ColumnElement

from acl_engine.domain.accountability import Stored
from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database, require_synthetic
from acl_engine.storage.tables import audit_checkpoints, audit_nodes, audit_records, metadata

Value = str | int | bool | None
# The shared-memory file of a SQLite database in WAL mode is this long; a limit must leave it be.
_SHM_BYTES = 32_768
# Nobody in a replay waits ten seconds for a lock that is never given back.
_IMPATIENT_MS = 100

NO_SUCH_COLUMN = Text(
    "unsafe.no-column",
    "没有 `{table}.{column}`",
    "there is no `{table}.{column}`",
    "见 `acl schema` 或 storage/tables.py",
    "see storage/tables.py",
)


def copy_on_disk(database: Database, path: Path) -> Database:
    """A copy in a file of its own, whose writers give up soon."""
    require_synthetic(database)
    copy = database.clone_to_file(path)
    copy.close()
    event.listen(copy._engine, "connect", _impatient)
    return copy


def _impatient(raw: sqlite3.Connection, _: object) -> None:
    raw.execute(f"PRAGMA busy_timeout={_IMPATIENT_MS}")


def fill_disk(database: Database) -> None:
    """From now on no file of this process grows: as a full disk, until the process ends.

    Called in a child process. The log of SQLite is first written to where the limit then is.
    """
    require_synthetic(database)
    path = Path(f"{database.path}-wal")
    while not path.exists() or path.stat().st_size < _SHM_BYTES:
        with database.write() as cx:
            cx.exec_driver_sql("PRAGMA user_version=1")
            cx.exec_driver_sql("PRAGMA user_version=0")
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))


def stop_audit(database: Database) -> None:
    """The audit store refuses every record until `start_audit`."""
    require_synthetic(database)
    with database.write() as cx:
        cx.execute(
            text(
                "CREATE TRIGGER audit_down BEFORE INSERT ON audit_records "
                "BEGIN SELECT RAISE(ABORT, 'the audit store is down'); END"
            )
        )


def start_audit(database: Database) -> None:
    with database.write() as cx:
        cx.execute(text("DROP TRIGGER IF EXISTS audit_down"))


def hold_lock(database: Database) -> sqlite3.Connection:
    """Somebody else's transaction that never ends; closing the connection ends it."""
    require_synthetic(database)
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def change_rows(
    database: Database, table: str, where: Mapping[str, Value], to: Mapping[str, Value]
) -> int:
    """Change columns of the rows that have these values. How many. Raises InputError."""
    require_synthetic(database)
    values = {name: value for name, value in to.items() if _column(table, name) is not None}
    with database.write() as cx:
        found = cx.execute(update(metadata.tables[table]).where(*_equal(table, where)), values)
        return int(found.rowcount)


def delete_rows(database: Database, table: str, where: Mapping[str, Value]) -> int:
    """Delete the rows that have these values. How many. Raises InputError."""
    require_synthetic(database)
    with database.write() as cx:
        cx.exec_driver_sql("PRAGMA defer_foreign_keys=1")
        return int(cx.execute(delete(metadata.tables[table]).where(*_equal(table, where))).rowcount)


def replace_log(database: Database, rows: Sequence[Stored]) -> None:
    """The audit log holds these records and no others; subtree roots are forgotten."""
    require_synthetic(database)
    with database.write() as cx:
        cx.execute(delete(audit_nodes))
        cx.execute(delete(audit_records))
        if rows:
            columns = ("index", *Stored._fields[1:])
            values = [dict(zip(columns, row, strict=True)) for row in rows]
            cx.execute(insert(audit_records), values)


def replace_checkpoints(database: Database, notes: Sequence[tuple[int, str]]) -> None:
    """The database holds these checkpoints (size and note) and no others."""
    require_synthetic(database)
    with database.write() as cx:
        cx.execute(delete(audit_checkpoints))
        for size, note in notes:
            cx.execute(insert(audit_checkpoints).values(size=size, at=0, note=note))


def _equal(table: str, where: Mapping[str, Value]) -> list[ColumnElement[bool]]:
    return [_column(table, name) == value for name, value in where.items()]


def _column(table: str, name: str) -> ColumnElement[object]:
    found = metadata.tables.get(table)
    if found is None or name not in found.columns:
        raise InputError(NO_SUCH_COLUMN.of(table=table, column=name))
    return found.columns[name]
