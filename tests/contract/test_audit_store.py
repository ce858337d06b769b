"""The durable audit log, on both databases."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from acl_engine.audit import record
from acl_engine.domain.accountability import AuditEntry, Receipt
from acl_engine.domain.errors import AuditUnavailable
from acl_engine.storage import group_commit
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database


def entry(
    request: str, at: int = 1_000, account: str | None = "cs-12", **more: object
) -> AuditEntry:
    """A record of a look; `more` overrides any field."""
    fields: dict[str, object] = {
        "kind": "outcome",
        "action": "read",
        "resource": "waybill",
        "person": "p-12",
        "role": "cs_agent",
        "unit": "ba-xixiang",
        "device": "pc-12",
        "session": "s-1",
        "effect": "allow",
        "line": "10",
    }
    return AuditEntry(request=request, at=at, account=account, **(fields | more))  # type: ignore[arg-type]


def store_of(database: Database) -> AuditStore:
    return AuditStore(database, record.encode, record.leaf_hash, record.decode)


def test_append_reads_back(database: Database) -> None:
    """What was appended is there, in order, under dense indexes and its RFC 6962 leaf."""
    store = store_of(database)
    receipts = [store.append(entry(f"r{i}")) for i in range(3)]
    assert [r.index for r in receipts] == [0, 1, 2]
    rows = list(store.raw())
    assert [row[0] for row in rows] == [0, 1, 2]
    assert [record.leaf_hash(row[1]).hex() for row in rows] == [r.leaf for r in receipts]
    assert [e.request for _, e in store.entries(1)] == ["r1", "r2"]


def test_equal_records_are_both_kept(database: Database) -> None:
    """Two records with the same bytes are two records: neither is lost, neither is refused."""
    store = store_of(database)
    assert store.append(entry("same")).index == 0
    assert store.append(entry("same")).index == 1


def test_searches(database: Database) -> None:
    """Records are found by request and by account and time."""
    store = store_of(database)
    for i in range(6):
        store.append(entry(f"r{i // 2}", at=i * 10, account="a" if i % 2 else "b"))
    assert [e.at for e in store.of_request("r1")] == [20, 30]
    assert store.indexes_of("r1") == [2, 3]
    assert [e.at for e in store.of_account("a", since=20, until=50)] == [30]
    found = store.at(4)
    assert found is not None
    assert found[1].at == 40
    assert store.at(99) is None


def _together(count: int, act: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=act, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_callers_get_their_own_record(database: Database) -> None:
    """Sixty-four callers at once: every receipt names that caller's own record."""
    store, receipts = store_of(database), dict[str, Receipt]()

    def act(i: int) -> None:
        for j in range(5):
            receipts[f"{i}-{j}"] = store.append(entry(f"{i}-{j}"))

    _together(64, act)
    by_index = {index: e.request for index, e in store.entries()}
    assert sorted(by_index) == list(range(320))
    assert {r.index: name for name, r in receipts.items()} == by_index


def test_more_callers_than_a_commit_holds(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where callers are more than one transaction takes, each gets a turn: nobody waits for ever,
    and no commit holds more."""
    monkeypatch.setattr(group_commit, "MOST_IN_A_COMMIT", 5)
    store, receipts = store_of(database), list[int]()

    def act(i: int) -> None:
        for j in range(5):
            receipts.append(store.append(entry(f"{i}-{j}")).index)

    _together(32, act)
    assert sorted(receipts) == list(range(160))


def test_records_without_an_account(database: Database) -> None:
    """Who is unknown is recorded too: alone, and beside others."""
    store = store_of(database)
    store.append(entry("nobody", account=None))

    def act(i: int) -> None:
        store.append(entry(str(i), account=None if i % 2 else f"a-{i}"))

    _together(8, act)
    assert [e.account for _, e in store.entries()].count(None) == 5
    assert len(store.of_account("a-2")) == 1


def test_several_writers_never_share_an_index(database: Database, database_url: str) -> None:
    """Two processes' worth of stores on one database: indexes stay dense, none used twice."""
    with Database.open(database_url) as second:
        stores = [store_of(database), store_of(second)]

        def act(i: int) -> None:
            for j in range(10):
                stores[i % 2].append(entry(f"{i}-{j}"))

        _together(8, act)
    assert [row[0] for row in stores[0].raw()] == list(range(80))


def test_refused_record_fails_its_own_caller_alone(database: Database) -> None:
    """A record that the database cannot hold does not take its neighbours' commits with it."""
    store, lost, kept = store_of(database), list[str](), list[str]()
    bad = "\x00" if database.dialect == "postgresql" else "\ud800"

    def act(i: int) -> None:
        name = f"{i}{bad}" if i % 4 == 0 else str(i)
        try:
            store.append(entry(name))
            kept.append(name)
        except AuditUnavailable:
            lost.append(name)

    _together(16, act)
    assert len(lost) == 4
    assert sorted(e.request for _, e in store.entries()) == sorted(kept)


def test_database_without_the_table_is_unavailable(database: Database) -> None:
    """A log that is gone refuses: no receipt is made up."""
    store = store_of(database)
    store.append(entry("before"))
    with database.write() as cx:
        cx.execute(text("ALTER TABLE audit_records RENAME TO elsewhere"))
    with pytest.raises(AuditUnavailable):
        store.append(entry("after"))


def test_memory_copies_leave_no_thread_behind(sqlite_url: str) -> None:
    """Replay opens hundreds of copies: each writes and is closed without a thread of its own."""
    before = threading.active_count()
    with Database.open(sqlite_url) as database:
        for i in range(50):
            with database.clone_to_memory() as copy:
                assert store_of(copy).append(entry(str(i))).index == 0
    assert threading.active_count() == before


def test_too_large_record_is_refused_before_it_is_written(database: Database) -> None:
    """C2SP tiles hold entries of up to 65,535 bytes; a longer one is no record and no answer."""
    store = store_of(database)
    with pytest.raises(AuditUnavailable):
        store.append(entry("big", subjects=("x" * 64,) * 2000))
    assert list(store.raw()) == []
