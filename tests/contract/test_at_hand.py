"""Connections that are kept at hand are as good as new ones, on both databases."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

from acl_engine.domain.errors import StoreError
from acl_engine.storage.at_hand import MOST_READING, MOST_WRITING
from acl_engine.storage.database import Database
from acl_engine.storage.tables import challenges

_COUNT = select(func.count()).select_from(challenges)


def driver(cx: Any) -> Any:
    return cx.connection.dbapi_connection


def put(database: Database, nonce: str) -> None:
    with database.write() as cx:
        cx.execute(insert(challenges).values(nonce=nonce, device="d", expires_at=0))


def count(database: Database) -> int:
    with database.read() as cx:
        return int(cx.execute(_COUNT).scalar_one())


def test_the_same_connection_sees_what_is_new(database: Database, database_url: str) -> None:
    """A kept connection begins a new snapshot each time: nothing that was read stays read."""
    with Database.open(database_url) as other:
        seen = set()
        for number in range(5):
            put(other, f"n-{number}")
            with database.read() as cx:
                seen.add(id(driver(cx)))
                assert cx.execute(_COUNT).scalar_one() == number + 1
        assert len(seen) == 1


def test_one_thread_has_a_connection_at_a_time(database: Database) -> None:
    """Forty at once have forty; then no more are kept than there is use for."""
    together, held = threading.Barrier(40), list[Any]()

    def read(_: int) -> None:
        with database.read() as cx:
            held.append(driver(cx))
            together.wait(30)

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(read, range(40)))
    assert len({id(one) for one in held}) == 40
    kept = database._engine.pool.checkedout()  # type: ignore[attr-defined]
    assert 0 < kept <= MOST_READING[database.dialect] + MOST_WRITING


def test_a_reader_never_becomes_a_writer(database: Database) -> None:
    """What was kept for reading refuses to write, after any number of writes in between."""
    for number in range(3):
        put(database, f"n-{number}")
        with pytest.raises(StoreError), database.read() as cx:
            cx.execute(insert(challenges).values(nonce="x", device="d", expires_at=0))
        assert count(database) == number + 1


def test_what_an_error_came_through_is_not_kept(database: Database) -> None:
    """Its transaction is over, and the next one is clean."""
    put(database, "n-1")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), database.write() as cx:
            cx.execute(insert(challenges).values(nonce="x", device="d", expires_at=0))
            raise ZeroDivisionError
    put(database, "n-2")
    assert count(database) == 2


def test_what_was_set_on_one_is_gone_with_it(database: Database) -> None:
    """An option of one transaction is none of the next."""
    with database.read() as cx:
        before = cx.get_execution_options()
        cx.execution_options(yield_per=1)
    with database.read() as cx:
        assert cx.get_execution_options() == before


def test_closing_closes_all(sqlite_url: str) -> None:
    """Nothing that was kept holds the file open."""
    database = Database.open(sqlite_url)
    file = Path(database.path)
    put(database, "n-1")
    assert count(database) == 1
    database.close()
    held = [os.path.realpath(f"/proc/self/fd/{one}") for one in os.listdir("/proc/self/fd")]
    assert not [one for one in held if one.startswith(str(file.resolve()))]


@pytest.mark.postgres
def test_where_one_is_lost_so_are_all(postgres_url: str, postgres_admin: Any) -> None:
    """A server that was away costs those who are at it then, and nobody after them."""
    with Database.open(postgres_url) as database:
        put(database, "n-1")
        with database.read() as one, ThreadPoolExecutor() as pool:
            assert pool.submit(count, database).result() == 1
            assert one.execute(_COUNT).scalar_one() == 1
        postgres_admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND pid <> pg_backend_pid()",
            (database._engine.url.database,),
        )
        with pytest.raises(StoreError) as caught:
            count(database)
        assert caught.value.message.code == "store.gone"
        for number in range(2, 6):
            put(database, f"n-{number}")
            assert count(database) == number
            with database.read() as cx:
                assert cx.execute(text("SELECT 1")).scalar() == 1
