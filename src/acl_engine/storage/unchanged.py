"""Facts that are kept for as long as the database provably stays as it was when they were read.

A decision reads the same few rows again and again. Each one begins by asking the database whether
anything at all was committed since (`at_once`): a page of memory on SQLite, one answer of the
server on PostgreSQL. If nothing was, what was read before is what would be read now.

INVARIANTS
- What is kept was read after the state it is kept under was asked for: a commit in between, by
  whichever process, makes the next state another one. So a right that is taken away is gone at the
  next decision, as it is without any of this.
- Inside a transaction, over a copy, and wherever the state cannot be told, nothing is kept or used.
- A fact that depends on the time has the time in its key.
"""

import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol, TypeVar

# Kept facts are small; with the time in their keys, most are of no use a second later.
MOST_KEPT = 4096
_NO_MOMENT = nullcontext()  # where nothing is read, there is no snapshot
_T = TypeVar("_T")
# What is known of one state. Whoever holds it may go on with it: it is no older than its look.
Kept = dict[Hashable, Any]


class NotKept(Exception):
    """Whoever would not wait for the database has to."""


class State(Protocol):
    """What the database is now: equal twice only if nothing was committed in between."""

    def now(self) -> Hashable:
        """Raises an error of the driver where it cannot tell."""

    def close(self) -> None: ...


class Stated(Protocol):
    """What is asked of a database here; `storage.database` says what each is."""

    @property
    def tells_its_state(self) -> bool: ...
    @property
    def path(self) -> str: ...
    def state(self) -> State: ...
    def moment(self) -> AbstractContextManager[None]: ...
    def refuse_replaced_file(self) -> None: ...


class WhileUnchanged:
    """The facts kept of one database. Thread-safe."""

    def __init__(self, database: Stated) -> None:
        self._database = database
        self._state: State | None = None
        # One look at a time: what SQLite tells is told to one connection.
        self._looking = threading.Lock()
        self._kept: tuple[Hashable, Kept] = (None, {})
        self._local = threading.local()

    @property
    def looks_without_wait(self) -> bool:
        """Whether `look` can do without a wait: a file's state is a page of memory."""
        return bool(self._database.path)

    def look(self, *, wait: bool = True) -> Kept | None:
        """What is kept of the state that is now; None where there is no telling. Raises StoreError.

        `wait` False: NotKept where it would take one, or cannot be told.
        """
        found = self._look(wait)
        if found is None and not wait:
            raise NotKept
        return found

    @contextmanager
    def at_once(self, *, wait: bool = True) -> Iterator[None]:
        """What this thread recalls inside is of one state; what it reads is one snapshot, no older.

        `wait` False: only what is kept, on a database that tells its state without a wait; `recall`
        raises NotKept for anything else.
        """
        with self.using(self.look(wait=wait), wait=wait):
            yield

    @contextmanager
    def using(self, kept: Kept | None, *, wait: bool) -> Iterator[None]:
        """The same with what an earlier `look` gave, on whichever thread: for whoever had asked
        before that look began."""
        before = getattr(self._local, "facts", None), getattr(self._local, "wait", True)
        self._local.facts, self._local.wait = kept, wait
        try:
            with self._database.moment() if wait else _NO_MOMENT:
                yield
        finally:
            self._local.facts, self._local.wait = before

    def refuse_wait(self) -> None:
        """Raises NotKept on a thread that must not wait: it would have to, for a transaction."""
        if not getattr(self._local, "wait", True):
            raise NotKept

    def recall(self, key: Hashable, read: Callable[[], _T]) -> _T:
        """What `read` gave while the database was as it is now; outside of `at_once`, `read`."""
        facts: Kept | None = getattr(self._local, "facts", None)
        if facts is None:
            return read()
        try:
            known: _T = facts[key]
        except KeyError:
            if not self._local.wait:
                raise NotKept from None
            known = read()
            if len(facts) >= MOST_KEPT:
                facts.clear()
            facts[key] = known
        return known

    def close(self) -> None:
        with self._looking:
            self._give_up()

    def _look(self, wait: bool) -> Kept | None:
        """What is kept of the state that is now; None where there is no telling."""
        if not self._database.tells_its_state or (not wait and not self._database.path):
            return None
        self._database.refuse_replaced_file()
        if not self._looking.acquire(blocking=wait):
            return None
        try:
            if self._state is None:
                if not wait:
                    return None
                self._state = self._database.state()
            now = self._state.now()
            if self._kept[0] != now:
                self._kept = (now, {})
            return self._kept[1]
        except Exception:  # noqa: BLE001 - no telling; the read that follows says what is wrong
            self._give_up()
            return None
        finally:
            self._looking.release()

    def _give_up(self) -> None:
        # Another connection tells of the same state by another number, or of another by the same.
        if self._state is not None:
            self._state.close()
        self._state, self._kept = None, (None, {})


class SqliteState:
    """`PRAGMA data_version`: another number after any commit by any other connection, in whichever
    process. On a connection of its own, which writes nothing, that is every commit."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        raw.execute("PRAGMA busy_timeout=0")
        raw.execute("PRAGMA query_only=1")
        self._raw = raw

    def now(self) -> Hashable:
        found: int = self._raw.execute("PRAGMA data_version").fetchone()[0]
        return found

    def close(self) -> None:
        self._raw.close()


class PostgresState:
    """`pg_current_snapshot()`: which transactions are done, and so what anybody can see. One that
    changes anything has a number, and is in another list once it is done."""

    def __init__(self, raw: Any) -> None:
        raw.autocommit = True
        self._raw = raw

    def now(self) -> Hashable:
        found: str = self._raw.execute("SELECT pg_current_snapshot()::text").fetchone()[0]
        return found

    def close(self) -> None:
        self._raw.close()
