"""One database behaves as the other: transactions, durability, and errors in one plain line."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, select, text

from acl_engine.domain.errors import AclError, ConfigError, StoreError
from acl_engine.storage import database as database_module
from acl_engine.storage import engines
from acl_engine.storage.database import (
    Database,
    create_or_upgrade,
    is_synthetic,
    require_synthetic,
)
from acl_engine.storage.schema import versions
from acl_engine.storage.tables import metadata, work_items, world_mark

ITEM = {
    "kind": "ticket",
    "holder": "cs-12",
    "source": "call:1",
    "made_by": "svc-ivr",
    "opened_at": 1,
}


def put(database: Database, key: str = "t-1") -> None:
    with database.write() as cx:
        cx.execute(insert(work_items).values(id=key, **ITEM))


def keys(database: Database) -> list[str]:
    with database.read() as cx:
        return list(cx.scalars(select(work_items.c.id).order_by(work_items.c.id)))


def mark(database: Database, *, kind: str = "synthetic", finished: bool = True) -> None:
    row = {"id": 1, "kind": kind, "pack": "courier", "seed": "s", "built_at": 0}
    with database.write() as cx:
        cx.execute(insert(world_mark).values(finished=finished, **row))


def one_line(error: AclError) -> str:
    for lang in ("zh", "en"):
        line = error.render(lang)  # type: ignore[arg-type]
        assert "\n" not in line
        assert "(" in line, "an error says what to do"
    return error.message.code


def test_schema_is_what_the_tables_say(database: Database) -> None:
    """Migrating an empty database gives exactly `tables.py`."""
    with database.read() as cx:
        context = MigrationContext.configure(cx, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_are_one_line_of_versions() -> None:
    """The version that is checked at open is Alembic's only head."""
    config = Config()
    config.set_main_option("script_location", "acl_engine.storage:migrations")
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [versions()[-1]]
    assert len(list(script.walk_revisions())) == len(versions())


def test_write_is_all_or_nothing(database: Database) -> None:
    """An exception in the middle leaves nothing behind."""
    with pytest.raises(KeyError), database.write() as cx:
        cx.execute(insert(work_items).values(id="t-1", **ITEM))
        raise KeyError
    assert keys(database) == []
    put(database)
    assert keys(database) == ["t-1"]


def test_read_cannot_write(database: Database) -> None:
    """A write in a read transaction is refused by the database itself."""
    with pytest.raises(StoreError) as caught, database.read() as cx:
        cx.execute(insert(work_items).values(id="t-1", **ITEM))
    assert one_line(caught.value) == "store.read-only"
    assert keys(database) == []


def test_read_is_one_snapshot(database: Database) -> None:
    """What others commit in the middle of a read is not seen by it."""
    with database.read() as cx:
        assert cx.execute(select(work_items.c.id)).all() == []
        other = threading.Thread(target=put, args=(database,))
        other.start()
        other.join()
        assert cx.execute(select(work_items.c.id)).all() == []
    assert keys(database) == ["t-1"]


def test_write_inside_a_transaction_is_a_bug(database: Database) -> None:
    """It would wait for itself; it is refused before it waits."""
    for outer in (database.read, database.write):
        with outer(), pytest.raises(RuntimeError), database.write():
            pass
    put(database)


def test_foreign_error_names_no_value(database: Database) -> None:
    """A refused statement tells a code, never the row."""
    put(database, "secret-value")
    with pytest.raises(StoreError) as caught:
        put(database, "secret-value")
    assert one_line(caught.value) == "store.failed"
    assert "secret-value" not in caught.value.render()
    assert caught.value.__cause__ is None


def test_many_writers_lose_nothing(database: Database) -> None:
    """Sixteen threads that read and then write: every increment counts."""
    put(database)

    def increment() -> None:
        for _ in range(5):
            with database.write() as cx:
                row = select(work_items.c.opened_at).with_for_update()
                seen = cx.scalars(row).one()
                cx.execute(work_items.update().values(opened_at=seen + 1))

    threads = [threading.Thread(target=increment) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as cx:
        assert cx.scalars(select(work_items.c.opened_at)).one() == 81


def test_killed_writer_leaves_nothing(database: Database, database_url: str) -> None:
    """A process killed before its commit has written nothing, and holds no lock afterwards."""
    code = f"""
    import sys, time
    from sqlalchemy import insert
    from acl_engine.storage.database import Database
    from acl_engine.storage.tables import work_items
    with Database.open({database_url!r}).write() as cx:
        cx.execute(insert(work_items).values(id="killed", **{ITEM!r}))
        print("written", flush=True)
        time.sleep(60)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "written\n"
    child.kill()
    child.wait()
    child.stdout.close()
    put(database, "after")
    assert keys(database) == ["after"]


def test_locked(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another writer that does not end is named as a lock, after a bounded wait."""
    monkeypatch.setattr(engines, "LOCK_SECONDS", 1)
    impatient = Database.open(
        database._engine.url.render_as_string(hide_password=False)  # its own pool, its own wait
    )
    put(database)

    def rewrite(which: Database) -> None:
        with which.write() as cx:
            cx.execute(work_items.update().values(opened_at=2))

    with database.write() as cx:
        cx.execute(work_items.update().values(opened_at=2))
        started = time.monotonic()
        with ThreadPoolExecutor() as pool, pytest.raises(StoreError) as caught:
            pool.submit(rewrite, impatient).result()
        assert time.monotonic() - started < 5
    impatient.close()
    assert one_line(caught.value) == "store.locked"


def test_writers_of_one_process_take_turns(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite a thread waits for another's write before it takes a connection, and not for ever.

    SQLite's own waiting starves some of many threads: with 32 of them single writes took seconds.
    """
    monkeypatch.setattr(database_module, "LOCK_SECONDS", 0.2)
    with create_or_upgrade(sqlite_url) as database:
        started = time.monotonic()
        with database.write(), ThreadPoolExecutor() as threads:
            waiting = threads.submit(put, database)
            with pytest.raises(StoreError) as caught:
                waiting.result()
        assert time.monotonic() - started < engines.LOCK_SECONDS / 2, "it asked SQLite itself"
        assert one_line(caught.value) == "store.locked"
        put(database)
        assert keys(database) == ["t-1"]


def test_other_schema_version(database_url: str) -> None:
    """Unknown versions are refused at open and by an upgrade; nothing is changed."""
    with Database.open(database_url) as database, database.write() as cx:
        cx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for attempt in (Database.open, create_or_upgrade):
        with pytest.raises(StoreError) as caught:
            attempt(database_url)
        assert one_line(caught.value) == "store.schema-newer"
        assert "9999" in caught.value.render()


def test_database_without_schema(sqlite_url: str) -> None:
    """A database that was never migrated is of another version, with the hint to upgrade it."""
    raw = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    raw.execute("DROP TABLE alembic_version")
    raw.close()
    with pytest.raises(StoreError) as caught:
        Database.open(sqlite_url)
    assert one_line(caught.value) == "store.schema-version"
    with pytest.raises(StoreError) as caught:
        create_or_upgrade(sqlite_url)
    assert one_line(caught.value) == "store.foreign"


def test_upgrade_twice(database_url: str) -> None:
    """Upgrading a current database changes nothing."""
    with Database.open(database_url) as database:
        put(database)
    with create_or_upgrade(database_url) as database:
        assert keys(database) == ["t-1"]


def test_half_built_world(database: Database, database_url: str) -> None:
    """A world whose building was interrupted is not opened, but can be built on."""
    mark(database, finished=False)
    with pytest.raises(StoreError) as caught:
        Database.open(database_url)
    assert one_line(caught.value) == "store.unfinished"
    Database.open(database_url, may_be_unfinished=True).close()


@pytest.mark.parametrize(
    ("row", "synthetic"),
    [
        (None, False),
        ({"kind": "production"}, False),
        ({"finished": False}, False),
        ({}, True),
    ],
)
def test_synthetic_mark(database: Database, row: dict[str, Any] | None, synthetic: bool) -> None:
    """Only a finished synthetic world may have its controls switched off."""
    if row is not None:
        mark(database, **row)
    assert is_synthetic(database) is synthetic
    if synthetic:
        require_synthetic(database)
    else:
        with pytest.raises(ConfigError) as caught:
            require_synthetic(database)
        assert one_line(caught.value) == "store.not-synthetic"


def test_trial_leaves_no_trace(database: Database) -> None:
    """What happens in a trial is seen in it and never reaches the database."""
    put(database, "before")
    with database.trial() as copy:
        put(copy, "inside")
        with pytest.raises(StoreError):
            put(copy, "inside")
        assert keys(copy) == ["before", "inside"]
        with copy.write() as cx, copy.read() as inner:
            assert inner is cx
    assert keys(database) == ["before"]
    put(database, "after")


# --- SQLite alone ------------------------------------------------------------------------------


def test_sqlite_is_durable(sqlite_url: str) -> None:
    """Every connection of the pool has WAL, FULL and foreign keys, read back."""
    database = Database.open(sqlite_url)
    with database.read() as one, database._engine.connect() as two:
        for cx in (one, two):
            found = [
                cx.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
            assert found == ["wal", 2, 1]


def test_sqlite_that_will_not_be_durable(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that does not stick is an error, not a hope."""
    real = sqlite3.connect

    class Lying(sqlite3.Connection):
        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            return super().execute(sql.replace("synchronous=2", "synchronous=1"), *args)

    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: real(*a, factory=Lying, **k))
    with pytest.raises(StoreError) as caught:
        Database.open(sqlite_url)
    assert one_line(caught.value) == "store.not-durable"


def test_sqlite_clone_is_cheap(sqlite_url: str) -> None:
    """A small world is copied in milliseconds (a loose bound: the bench measures)."""
    database = Database.open(sqlite_url)
    for number in range(20):
        put(database, f"t-{number}")
    started = time.perf_counter()
    clone = database.clone_to_memory()
    assert len(keys(clone)) == 20
    assert time.perf_counter() - started < 0.5
    again = clone.clone_to_memory()
    put(again, "only here")
    assert len(keys(again)) == 21
    assert len(keys(clone)) == 20


def test_missing_file_is_not_made(tmp_path: Path) -> None:
    """Opening a database that is not there does not make one."""
    with pytest.raises(StoreError) as caught:
        Database.open(f"sqlite:///{tmp_path / 'no.db'}")
    assert one_line(caught.value) == "store.missing"
    assert list(tmp_path.iterdir()) == []


def test_not_a_database(tmp_path: Path) -> None:
    """A text file is named as what it is not."""
    path = tmp_path / "notes with space.txt"
    path.write_text("hello " * 1000)
    with pytest.raises(StoreError) as caught:
        Database.open(f"sqlite:///{path}")
    assert one_line(caught.value) == "store.not-a-database"


def test_gone_in_the_middle(sqlite_url: str) -> None:
    """A deleted or replaced file is noticed at the next transaction, read or write."""
    database, path = Database.open(sqlite_url), Path(sqlite_url.removeprefix("sqlite:///"))
    kept = path.read_bytes()
    path.unlink()
    for attempt in (keys, put):
        with pytest.raises(StoreError) as caught:
            attempt(database)
        assert one_line(caught.value) == "store.gone"
    (path.parent / "other").write_bytes(kept)  # another file may take the old inode
    shutil.copy(path.parent / "other", path)
    with pytest.raises(StoreError):
        put(database)


def test_read_only_file(sqlite_template: Path) -> None:
    """A file that may not be written is refused at open."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    path = folder / "acl.db"
    shutil.copy(sqlite_template, path)
    path.chmod(0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)  # root may write anything: become nobody
    else:
        folder.chmod(0o555)
    try:
        with pytest.raises(StoreError) as caught:
            Database.open(f"sqlite:///{path}")
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
        shutil.rmtree(folder)
    assert one_line(caught.value) == "store.read-only"


def test_full_disk(sqlite_url: str) -> None:
    """No room left is said so, and nothing is half-written."""
    database = Database.open(sqlite_url)
    with pytest.raises(StoreError) as caught, database.write() as cx:
        cx.exec_driver_sql("PRAGMA max_page_count = 1")
        for number in range(2000):
            cx.execute(insert(work_items).values(id=f"t-{number}", **ITEM))
    assert one_line(caught.value) == "store.full"
    assert keys(database) == []


# --- PostgreSQL alone --------------------------------------------------------------------------


def test_postgres_unreachable() -> None:
    """A server that is not there, in one line without the password."""
    with pytest.raises(StoreError) as caught:
        Database.open("postgresql://ann:hunter2@127.0.0.1:1/acl")
    assert one_line(caught.value) == "store.unreachable"
    assert "hunter2" not in caught.value.render()
    assert "ann@127.0.0.1" in caught.value.render()


@pytest.mark.postgres
def test_postgres_without_that_database(postgres_server: Any) -> None:
    """A database name that the server does not know."""
    with pytest.raises(StoreError) as caught:
        Database.open(postgres_server.get_uri("nowhere"))
    assert one_line(caught.value) == "store.unreachable"


@pytest.mark.postgres
def test_postgres_goes_away(postgres_url: str, postgres_admin: Any) -> None:
    """A connection cut in the middle is a StoreError; the next transaction works again."""
    database = Database.open(postgres_url)
    with pytest.raises(StoreError) as caught, database.write() as cx:
        pid = cx.scalar(text("SELECT pg_backend_pid()"))
        cx.execute(insert(work_items).values(id="t-1", **ITEM))
        postgres_admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
        cx.execute(select(work_items.c.id))
    assert one_line(caught.value) == "store.gone"
    assert keys(database) == []
    database.close()


@pytest.mark.postgres
def test_postgres_that_is_read_only(postgres_url: str, postgres_admin: Any) -> None:
    """A standby, or a server set read-only, is refused at open."""
    name = postgres_url.split("/")[3].split("?")[0]
    postgres_admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(StoreError) as caught:
        Database.open(postgres_url)
    assert one_line(caught.value) == "store.read-only"


@pytest.mark.parametrize("url", ["mysql://x/y", "no url", "sqlite://", "sqlite:///:memory:"])
def test_bad_url(url: str) -> None:
    """A URL that is no database of ours is a configuration error."""
    with pytest.raises(ConfigError) as caught:
        Database.open(url)
    assert one_line(caught.value) == "store.bad-url"
