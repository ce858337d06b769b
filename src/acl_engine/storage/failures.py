"""Foreign database errors become one-line `StoreError`s, in words an operator can act on.

INVARIANTS
- The database is named by its file, or by user@host/name: never with a password or URL query.
- No text of the driver is passed on: it may quote a value of a row.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, TimeoutError

from acl_engine.domain.errors import StoreError
from acl_engine.domain.text import Text

LOCKED = Text(
    "store.locked",
    "数据库 `{database}` 正被占用",
    "database `{database}` is locked by another writer",
    "稍后重试；若持续出现，查找长时间未提交的写事务",
    "try again; if it stays, look for a writer that does not commit",
)
READ_ONLY = Text(
    "store.read-only",
    "数据库 `{database}` 只读",
    "database `{database}` is read-only",
    "每次查询都要先写审计记录：请授予写权限，旁边的 -wal 与 -shm 文件也要",
    "every look is written down first: give this user write access, to its -wal and -shm files too",
)
SCHEMA = Text(
    "store.schema-version",
    "数据库 `{database}` 的结构版本是 `{found}`，本程序需要 `{wanted}`",
    "database `{database}` has schema version `{found}`, this program needs `{wanted}`",
    "用 `acl database upgrade` 升级（先备份），或换用创建它的程序版本",
    "upgrade it with `acl database upgrade`, after a backup, or run the version that made it",
)
NEWER_SCHEMA = Text(
    "store.schema-newer",
    "数据库 `{database}` 的结构版本 `{found}` 不为本程序所知（需要 `{wanted}`）",
    "database `{database}` has the unknown schema version `{found}` (this program: `{wanted}`)",
    "请使用创建该数据库的程序版本",
    "run the version of the program that made it",
)
FOREIGN = Text(
    "store.foreign",
    "数据库 `{database}` 中已有其他程序的表",
    "database `{database}` already holds another program's tables",
    "请换一个空数据库",
    "name an empty database",
)
MISSING = Text(
    "store.missing",
    "数据库 `{database}` 不存在",
    "no database `{database}`",
    "先用 `acl world build` 建立，或检查路径",
    "build one with `acl world build`, or check the path",
)
GONE = Text(
    "store.gone",
    "数据库 `{database}` 在使用中消失或被替换",
    "database `{database}` went away or was replaced while in use",
    "恢复数据库后重新启动",
    "bring it back, then start again",
)
UNREACHABLE = Text(
    "store.unreachable",
    "无法连接数据库 `{database}`",
    "cannot reach database `{database}`",
    "检查地址、用户、密码以及服务是否运行；SQLite 则检查文件所在的文件夹",
    "check host, user, password and that the server runs; of a SQLite file, its folder",
)
NOT_A_DATABASE = Text(
    "store.not-a-database",
    "`{database}` 不是数据库，或已损坏",
    "`{database}` is not a database, or is damaged",
    "检查路径；若已损坏，请从备份恢复",
    "check the path; if it is damaged, restore a backup",
)
FULL = Text(
    "store.full",
    "数据库 `{database}` 所在磁盘已满",
    "no room left for database `{database}`",
    "清理磁盘空间后重试",
    "free some disk space, then try again",
)
NOT_DURABLE = Text(
    "store.not-durable",
    "数据库 `{database}` 不保证落盘（`{setting}` 为 `{value}`）",
    "database `{database}` does not make writes durable (`{setting}` is `{value}`)",
    "审计要求先落盘后答复：请改回该设置",
    "no answer leaves without a durable record: set it back",
)
UNFINISHED = Text(
    "store.unfinished",
    "数据库 `{database}` 的世界只建了一半",
    "database `{database}` holds a half-built world",
    "删除后重新运行 `acl world build`",
    "delete it and run `acl world build` again",
)
FAILED = Text(
    "store.failed",
    "数据库 `{database}` 拒绝了一条语句（`{code}`）",
    "database `{database}` refused a statement (`{code}`)",
    "这是程序缺陷或数据库被改动：请附上代码报告",
    "a bug, or the database was changed behind the engine: report it with the code",
)
BAD_URL = Text(
    "store.bad-url",
    "数据库地址写法不对",
    "the database URL cannot be read",
    "写作 `sqlite:///文件.db`（文件名里的 `?` 写 `%3F`，`%` 写 `%25`）或 `postgresql://用户@主机/库名`",
    "write `sqlite:///file.db` (`?` in a file's name as `%3F`, `%` as `%25`) or `postgresql://user@host/name`",
)
NO_DRIVER = Text(
    "store.no-driver",
    "缺少数据库驱动 `{driver}`",
    "the database driver `{driver}` is not installed",
    "运行 pip install 'acl-engine[postgres]'",
    "run pip install 'acl-engine[postgres]'",
)

_SQLITE: dict[str, Text] = {
    "SQLITE_BUSY": LOCKED,
    "SQLITE_LOCKED": LOCKED,
    "SQLITE_READONLY_DBMOVED": GONE,
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_PERM": READ_ONLY,
    "SQLITE_NOTADB": NOT_A_DATABASE,
    "SQLITE_CORRUPT": NOT_A_DATABASE,
    "SQLITE_FULL": FULL,
    "SQLITE_CANTOPEN": GONE,
    "SQLITE_IOERR": GONE,
}
# SQLSTATE classes, longest prefix first (PostgreSQL manual, appendix A).
_POSTGRES: dict[str, Text] = {
    "55P03": LOCKED,
    "57014": LOCKED,
    "40P01": LOCKED,
    "40001": LOCKED,
    "25006": READ_ONLY,
    "42501": READ_ONLY,
    "53100": FULL,
    "53300": UNREACHABLE,
    "57P": GONE,
    "08": GONE,
    "28": UNREACHABLE,
    "3D": UNREACHABLE,
}


# SQLite lays its -shm file out in steps of this size. Where it has no room for one it says that it
# cannot open or map a file, not that the disk is full.
_SHM_BYTES = 32 * 1024


def database_name(url: URL) -> str:
    """The database as messages may name it: no password, no query."""
    if url.get_backend_name() == "sqlite":
        return url.database or ":memory:"
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    return plain.render_as_string()


def store_error(error: SQLAlchemyError, database: str, *, opening: bool = False) -> StoreError:
    """The `StoreError` for a foreign one. `opening`: nothing worked yet, so gone = unreachable."""
    text, code = _classify(error)
    if text is GONE and _no_room(database):
        text = FULL
    if opening and text is GONE:
        text = UNREACHABLE
    params = {"code": code} if text is FAILED else {}
    return StoreError(text.of(database=database, **params))


def _no_room(database: str) -> bool:
    """Whether the file's disk is full; of a server's disk nothing is known."""
    try:
        return shutil.disk_usage(Path(database).parent).free < _SHM_BYTES
    except OSError:
        return False


@contextmanager
def driver_errors(cx: Connection) -> Iterator[None]:
    """What the driver itself raises inside, raised as SQLAlchemy does for its own statements: a
    lost connection takes those that wait in the pool with it."""
    dialect, driver = cx.dialect, cx.dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        lost = dialect.is_disconnect(error, cx.connection.dbapi_connection, None)
        if lost:
            cx.engine.dispose()
        raise DBAPIError.instance(
            None, None, error, driver.Error,
            hide_parameters=True, connection_invalidated=lost, dialect=dialect,
        ) from None  # fmt: skip


def _classify(error: SQLAlchemyError) -> tuple[Text, str]:
    if isinstance(error, TimeoutError):
        return LOCKED, "pool"
    if not isinstance(error, DBAPIError):
        return FAILED, type(error).__name__
    code = getattr(error.orig, "sqlite_errorname", None)
    if code is not None:
        return _longest(_SQLITE, code) or FAILED, code
    code = getattr(error.orig, "sqlstate", None)
    if code is None:
        # psycopg gives no SQLSTATE when the connection itself broke.
        lost = error.connection_invalidated or type(error).__name__ == "OperationalError"
        return (GONE if lost else FAILED), type(error.orig).__name__
    return _longest(_POSTGRES, code) or FAILED, code


def _longest(table: dict[str, Text], code: str) -> Text | None:
    hits = [key for key in table if code.startswith(key)]
    return table[max(hits, key=len)] if hits else None
