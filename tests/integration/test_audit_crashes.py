"""No receipt without its record, whatever breaks: kill, full disk, failing sync, lock, stop.

kill -9 and injected errors are not a power cut: what a lying disk does is not proven here.
"""

import contextlib
import os
import random
import resource
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from bench._postgres import own_server
from sqlalchemy import text

from acl_engine.audit.record import leaf_hash
from acl_engine.domain.errors import AuditUnavailable
from acl_engine.storage import engines
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database, create_or_upgrade
from tests.contract.test_audit_store import entry, store_of
from tests.killing import Doomed, write

# Of the log alone; of the whole engine see `tests/attacks/test_killed_while_looking.py`.
KILLS = 20


def assert_holds(store: AuditStore, receipts: list[str]) -> None:
    """Every receipt's record is there under its index, and the log is dense and unbroken."""
    rows = list(store.raw())
    assert [index for index, _, _ in rows] == list(range(len(rows)))
    assert all(leaf_hash(body) == leaf for _, body, leaf in rows)
    for line in receipts:
        index, leaf, request = line.split()
        _, body, found = rows[int(index)]
        assert found.hex() == leaf
        assert f'"{request}"'.encode() in body


@pytest.mark.slow
def test_kill_9_at_random_points(sqlite_url: str) -> None:
    """Killed again and again in the middle of writing: every receipt has its record."""
    rng, receipts = random.Random(5), list[str]()
    for number in range(KILLS):
        callers = rng.choice([1, 4, 16])
        receipts += Doomed(write, sqlite_url, f"k{number}", callers).kill(rng)
    assert len(receipts) >= KILLS
    with Database.open(sqlite_url) as database:
        assert_holds(store_of(database), receipts)
        assert store_of(database).append(entry("after")).index >= len(receipts)


@pytest.mark.slow
def test_two_processes_on_one_file_one_killed(sqlite_url: str) -> None:
    """A second process goes on while the first is killed; no index is used twice."""
    rng = random.Random(6)
    first, second = Doomed(write, sqlite_url, "a", 4), Doomed(write, sqlite_url, "b", 4)
    receipts = first.kill(rng) + second.kill(rng)
    with Database.open(sqlite_url) as database:
        assert_holds(store_of(database), receipts)


def fill(store: AuditStore) -> int:
    """Append until it is refused; how many receipts there were."""
    for number in range(100_000):
        try:
            store.append(entry(f"r{number}"))
        except AuditUnavailable:
            return number
    pytest.fail("nothing stopped the writer")


def recovers(store: AuditStore, receipts: int, mend: Callable[[], object]) -> None:
    """Refused while broken, not lost; goes on at the next index when mended."""
    with pytest.raises(AuditUnavailable):
        store.append(entry("still broken"))
    assert len(list(store.raw())) == receipts
    mend()
    assert store.append(entry("mended")).index == receipts


def test_full_database(sqlite_url: str) -> None:
    """A full database refuses the look and keeps every record that it gave a receipt for."""
    with Database.open(sqlite_url) as database:
        store = store_of(database)

        def most(more: int) -> None:
            with database.write() as cx:  # on the connection that writes from now on
                pages = int(cx.execute(text("PRAGMA page_count")).scalar_one())
                cx.execute(text(f"PRAGMA max_page_count={pages + more}"))

        most(20)
        receipts = fill(store)
        assert receipts > 10

        recovers(store, receipts, lambda: most(10_000))


def test_file_size_limit(sqlite_url: str) -> None:
    """A disk quota in the middle of a write: refused, and what had a receipt is there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with Database.open(sqlite_url) as database:
        store = store_of(database)
        limit = path.stat().st_size + 200_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            receipts = fill(store)
            assert receipts > 10
            recovers(
                store, receipts, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            )
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class FailingSync:
    """A connection whose COMMIT fails while `broken`: what a failing fsync looks like from above.

    `test_failing_fsync.py` fails the call itself, where there is a compiler.
    """

    broken = False


def test_failing_sync(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that the disk does not confirm gives no receipt to anybody who waited for it."""

    class Connection(sqlite3.Connection):
        def commit(self) -> None:
            if FailingSync.broken and self.in_transaction:
                self.rollback()
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
                raise error
            super().commit()

    connect = sqlite3.connect
    monkeypatch.setattr(
        engines.sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=Connection)
    )
    with Database.open(sqlite_url) as database:
        store = store_of(database)
        store.append(entry("before"))
        FailingSync.broken = True
        try:
            recovers(store, 1, lambda: setattr(FailingSync, "broken", False))
        finally:
            FailingSync.broken = False


def test_locked_database(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that does not let go: refused after the busy timeout, and on when it lets go."""
    path = sqlite_url.removeprefix("sqlite:///")
    monkeypatch.setattr(engines, "LOCK_SECONDS", 0)
    with Database.open(sqlite_url) as database, contextlib.closing(sqlite3.connect(path)) as other:
        store = store_of(database)
        store.append(entry("before"))
        other.execute("BEGIN IMMEDIATE")
        recovers(store, 1, other.rollback)


def test_deleted_file(sqlite_url: str) -> None:
    """A database whose file is gone gives no receipts, though SQLite would go on writing to it."""
    with Database.open(sqlite_url) as database:
        store = store_of(database)
        store.append(entry("before"))
        Path(sqlite_url.removeprefix("sqlite:///")).unlink()
        with pytest.raises(AuditUnavailable):
            store.append(entry("after"))


@pytest.mark.postgres
def test_postgres_killed_backends(postgres_url: str, postgres_admin: object) -> None:
    """Every connection ended by the server in the middle: refused or kept, never in between."""
    process = Doomed(write, postgres_url, "p", 8)
    process.first()
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with Database.open(postgres_url) as database, database.read() as cx:
        cx.execute(text(end))
    receipts = process.kill(random.Random(7))
    with Database.open(postgres_url) as database:
        assert_holds(store_of(database), receipts)


@pytest.mark.postgres
@pytest.mark.slow
def test_postgres_stopped_in_the_middle() -> None:
    """The server stopped at once (as by a crash) under load; after recovery every receipt holds."""
    folder = tempfile.mkdtemp(prefix="acl-pg-stop-", dir="/tmp")
    try:
        server = own_server(folder)
        url = server.get_uri()
        create_or_upgrade(url).close()
        process = Doomed(write, url, "s", 8)
        process.first()
        pid = int((Path(folder) / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)  # PostgreSQL's immediate shutdown: no checkpoint, no goodbye
        receipts = process.kill(random.Random(8))
        _gone(pid)
        server = own_server(folder)
        server.ensure_postgres_running()
        with Database.open(server.get_uri()) as database:
            assert receipts
            assert_holds(store_of(database), receipts)
        server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _gone(pid: int) -> None:
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        time.sleep(0.05)
