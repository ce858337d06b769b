"""A copy of a SQLite database while it is in use: SQLite's own online backup.

PostgreSQL has its own tools (pg_dump, base backups), which this does not replace.
"""

import os
import sqlite3
from pathlib import Path

from acl_engine.domain.errors import InputError, StoreError
from acl_engine.domain.text import Text
from acl_engine.storage.engines import file_uri, parse_url
from acl_engine.storage.failures import FAILED, MISSING, database_name

EXISTS = Text(
    "backup.exists",
    "文件 `{file}` 已存在",
    "the file `{file}` exists already",
    "换一个文件名：备份不覆盖任何文件",
    "take another name: a backup overwrites nothing",
)
NOT_SQLITE = Text(
    "backup.not-sqlite",
    "`{database}` 不是 SQLite 数据库",
    "`{database}` is no SQLite database",
    "PostgreSQL 用 pg_dump 备份",
    "PostgreSQL is backed up with pg_dump",
)
# A step of so many pages at a time lets writers in between.
_PAGES = 2000


def backup(url: str, file: Path) -> int:
    """Copy a consistent state to a new file, readable by its owner alone; its size in bytes.

    Raises InputError (the file exists, no SQLite) or StoreError.
    """
    parsed = parse_url(url)
    name = database_name(parsed)
    if parsed.get_backend_name() != "sqlite":
        raise InputError(NOT_SQLITE.of(database=name))
    path = Path(parsed.database or "").absolute()
    if not path.is_file():
        raise StoreError(MISSING.of(database=name))
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise InputError(EXISTS.of(file=file.name)) from None
    except OSError as failure:
        raise StoreError(FAILED.of(database=file.name, code=failure.strerror or "?")) from None
    try:
        _copy(path, file)
    except sqlite3.Error as failure:
        file.unlink(missing_ok=True)
        code = getattr(failure, "sqlite_errorname", "") or type(failure).__name__
        raise StoreError(FAILED.of(database=name, code=code)) from None
    return file.stat().st_size


def _copy(path: Path, file: Path) -> None:
    source = sqlite3.connect(file_uri(path, "ro"), uri=True)
    target = sqlite3.connect(file)
    try:
        source.backup(target, pages=_PAGES)
    finally:
        target.close()
        source.close()
