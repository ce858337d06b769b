"""Facts are kept for as long as nothing was committed, by whoever, and not a decision longer."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from acl_engine.domain.errors import StoreError
from acl_engine.storage import unchanged
from acl_engine.storage.database import Database
from acl_engine.storage.tables import work_items
from acl_engine.storage.unchanged import NotKept

ITEM = {"kind": "ticket", "source": "call:1", "made_by": "svc-ivr", "opened_at": 1}
# The other process: writes a holder's name and ends.
WRITER = """
import sys
from sqlalchemy import update
from acl_engine.storage.database import Database
from acl_engine.storage.tables import work_items
with Database.open(sys.argv[1]) as database, database.write() as cx:
    cx.execute(update(work_items).values(holder=sys.argv[2]))
"""


class Holder:
    """Who holds the one work item; counts how often the database was read for it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads = 0
        with database.write() as cx:
            cx.execute(insert(work_items).values(id="t-1", holder="first", **ITEM))

    def read(self) -> str:
        self.reads += 1
        with self._database.read() as cx:
            return str(cx.scalar(select(work_items.c.holder)))

    def asked(self, *, wait: bool = True) -> str:
        """As a decision does: one look at the state, then the fact."""
        with self._database.unchanged.at_once(wait=wait):
            return self._database.unchanged.recall("holder", self.read)


def give(database: Database, holder: str) -> None:
    with database.write() as cx:
        cx.execute(update(work_items).values(holder=holder))


@pytest.fixture
def other(database_url: str) -> Iterator[Database]:
    """The same database, opened a second time."""
    opened = Database.open(database_url)
    yield opened
    opened.close()


@pytest.fixture
def holder(database: Database) -> Holder:
    return Holder(database)


def test_what_was_read_is_kept_while_nothing_is_committed(holder: Holder) -> None:
    """Ten decisions read once."""
    assert [holder.asked() for _ in range(10)] == ["first"] * 10
    assert holder.reads == 1


def test_an_own_write_counts_at_the_next_decision(holder: Holder, database: Database) -> None:
    """A commit by the same process, on another connection, ends what was kept."""
    assert holder.asked() == "first"
    give(database, "second")
    assert holder.asked() == "second"


def test_another_process_counts_at_the_next_decision(holder: Holder, database_url: str) -> None:
    """A commit by another process, in between two decisions of this one, is seen by the second."""
    assert holder.asked() == "first"
    subprocess.run([sys.executable, "-c", WRITER, database_url, "second"], check=True)
    assert holder.asked() == "second"


def test_every_one_of_many_commits_is_seen(holder: Holder, other: Database) -> None:
    """No commit passes unseen, also not the last of several."""
    for number in range(50):
        give(other, f"h-{number}")
        assert holder.asked() == f"h-{number}"
        assert holder.asked() == f"h-{number}"
    assert holder.reads == 50


def test_a_write_in_progress_is_seen_when_it_is_done(holder: Holder, other: Database) -> None:
    """What was read while another's transaction was open is not kept beyond its commit."""
    with other.write() as cx:
        cx.execute(update(work_items).values(holder="second"))
        assert holder.asked() == "first"
    assert holder.asked() == "second"


def test_a_commit_between_the_state_and_the_read_is_no_trap(
    holder: Holder, database: Database, other: Database
) -> None:
    """What is read after another's commit is not kept as if it were of before a later one."""
    with database.unchanged.at_once():
        give(other, "second")
        assert database.unchanged.recall("holder", holder.read) == "second"
    give(other, "third")
    assert holder.asked() == "third"


def test_a_decision_reads_one_snapshot(holder: Holder, database: Database, other: Database) -> None:
    """Two facts of one decision are of one state, whoever commits in between."""
    with database.unchanged.at_once():
        assert holder.read() == "first"
        give(other, "second")
        assert holder.read() == "first"
    assert holder.read() == "second"


def test_a_decision_cannot_write(holder: Holder, database: Database) -> None:
    """A write inside of a decision is refused, not lost."""
    with database.unchanged.at_once(), pytest.raises(RuntimeError):
        give(database, "second")
    assert holder.asked() == "first"


def test_nothing_is_kept_inside_a_transaction(holder: Holder, database: Database) -> None:
    """Who reads inside a transaction sees what that sees."""
    assert holder.asked() == "first"
    with database.read():
        assert holder.asked() == "first"
    assert holder.reads == 2


def test_nothing_is_kept_of_a_copy(holder: Holder, database: Database) -> None:
    """A trial changes under its own hands: it is read each time."""
    with database.trial() as trial:
        for name in ("second", "third"):
            give(trial, name)
            with trial.unchanged.at_once():
                read = trial.unchanged.recall("holder", lambda: Holder.read(_over(trial)))
            assert read == name


def _over(database: Database) -> Holder:
    made = Holder.__new__(Holder)
    made._database, made.reads = database, 0
    return made


def test_nothing_is_kept_outside_of_a_decision(holder: Holder, database: Database) -> None:
    """A look reads as ever: only who began with the state may use what is kept."""
    holder.asked()
    assert database.unchanged.recall("holder", holder.read) == "first"
    assert holder.reads == 2


def test_without_a_wait_only_what_is_kept(holder: Holder, database: Database) -> None:
    """SQLite answers from what it knows; PostgreSQL would have to be asked, so it never does."""
    with pytest.raises(NotKept):
        holder.asked(wait=False)
    holder.asked()
    if database.dialect == "postgresql":
        with pytest.raises(NotKept):
            holder.asked(wait=False)
        return
    assert holder.asked(wait=False) == "first"
    assert holder.reads == 1
    give(database, "second")
    with pytest.raises(NotKept):
        holder.asked(wait=False)
    assert holder.asked() == "second"


def test_what_is_kept_is_bounded(
    holder: Holder, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Questions without end hold no memory without end."""
    monkeypatch.setattr(unchanged, "MOST_KEPT", 10)
    with database.unchanged.at_once():
        for number in range(100):
            database.unchanged.recall(number, lambda: number)  # noqa: B023 - called at once
    assert len(database.unchanged._kept[1]) <= 10


def test_threads_see_every_commit(holder: Holder, other: Database) -> None:
    """Many at once, each after a commit that it knows of: none is told what was before."""

    def seen(number: int) -> bool:
        return int(holder.asked()) >= number

    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            give(other, f"{number}")
            assert all(pool.map(seen, [number] * 16))


def test_a_file_that_was_replaced_is_no_longer_answered_from(
    holder: Holder, database: Database, tmp_path: Path
) -> None:
    """What is kept of a database that is gone is not told."""
    if database.dialect == "postgresql":
        pytest.skip("a server's database is no file")
    holder.asked()
    Path(database.path).rename(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        holder.asked()


def test_a_state_that_cannot_be_told_is_no_state(holder: Holder, database: Database) -> None:
    """The connection that is asked breaks: facts are read anew, and soon kept again."""
    holder.asked()
    state: Any = database.unchanged._state
    if database.dialect == "sqlite":
        state.close()
    else:
        with database.read() as cx:
            pid = {"pid": state._raw.info.backend_pid}
            cx.execute(text("SELECT pg_terminate_backend(:pid)"), pid)
    give(database, "second")
    assert holder.asked() == "second"
    assert holder.asked() == "second"
    before = holder.reads
    assert holder.asked() == "second"
    assert holder.reads == before


def test_of_two_writes_in_progress_each_is_seen(holder: Holder, database_url: str) -> None:
    """Begun one after the other and done in the other order, with a look in between each."""
    if holder._database.dialect == "sqlite":
        pytest.skip("SQLite has one writer")
    with ExitStack() as open_ones:
        one, two = (open_ones.enter_context(Database.open(database_url)) for _ in range(2))
        with one.write() as early:
            early.execute(insert(work_items).values(id="t-0", holder="early", **ITEM))
            assert holder.asked() == "first"
            with two.write() as late:
                late.execute(update(work_items).values(holder="second"))
                assert holder.asked() == "first"
            assert holder.asked() == "second"
            early.execute(update(work_items).values(holder="third"))
            assert holder.asked() == "second"
        assert holder.asked() == "third"


def test_a_long_look_a_checkpoint_and_a_write_given_up(
    holder: Holder, database: Database, other: Database
) -> None:
    """A reader that stays keeps its own snapshot and nobody else's; neither does what happens to
    the log of changes hide a commit, nor does a write that is given up count."""
    with closing(other._engine.connect()) as reader:
        reader.execute(text("SELECT holder FROM work_items")).all()
        give(database, "second")
        assert holder.asked() == "second"
        give(database, "third")
        assert holder.asked() == "third"
    if database.dialect == "sqlite":
        other.forget("work_items")  # the log of changes is put away and begun anew
        assert holder.asked() == "third"
        give(other, "fourth")
        other.forget("work_items")
        assert holder.asked() == "fourth"
    before = holder.asked()
    with pytest.raises(ZeroDivisionError), other.write() as cx:
        cx.execute(update(work_items).values(holder="never"))
        assert holder.asked() == before
        raise ZeroDivisionError
    assert holder.asked() == before
