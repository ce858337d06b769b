"""Group commit without a thread of its own: records, and what changes with them.

A caller hands its record in, and a part if something is to change with it. The first one leads: it
carries out and writes everything that waits in one transaction and wakes the others; then the next
one in the queue leads. One caller commits alone, sixty-four share a commit.

INVARIANTS
- A record and its part are durable together when `submit` returns, or neither is there.
- What fails for itself, and not because the database cannot take it now, fails its own caller
  alone: the others are tried again, each in a transaction of its own.
- Locks of parts are taken first, all at once and in one order; the log's own lock comes last. So
  no two processes wait for each other.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, text

from acl_engine.domain.errors import AuditUnavailable, StoreError
from acl_engine.domain.parts import Part
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database
from acl_engine.storage.failures import FAILED

# Bounds one transaction; the next turn takes the rest.
MOST_IN_A_COMMIT = 512
# Each that is woken wakes so many more, before it goes on.
WOKEN_BY_EACH = 2

NOT_DURABLE = Text(
    "audit.not-durable",
    "审计记录无法持久写入，查询一律拒绝",
    "an audit record could not be made durable, so nothing is answered",
    "检查数据库与磁盘",
    "check the database and its disk",
)

# A record but for its index: request, at, account, body, leaf.
Row = tuple[str, int, str | None, bytes, bytes]
# Writes records in a transaction, and gives the first one's index; the others follow it.
Insert = Callable[[Connection, Sequence[Row]], int]
AnyPart = Part[Any, Any]

_LOCK = text("SELECT pg_advisory_xact_lock(one) FROM unnest(CAST(:keys AS bigint[])) AS one")


@dataclass(slots=True, eq=False)
class _Waiting:
    """A caller's record. `wake` is held until it is written, refused, its turn
    to lead, or the leader has waited long enough; `heirs` are those whom its caller wakes then."""

    row: Row
    part: AnyPart | None
    wake: threading.Lock = field(default_factory=threading.Lock)
    index: int | None = None
    committed: bool = False
    done: bool = False
    heirs: "Sequence[_Waiting]" = ()


class GroupCommit:
    """Commits what the threads of this process hand in. Thread-safe."""

    def __init__(self, database: Database, insert: Insert) -> None:
        self._database, self._insert = database, insert
        self._queue: list[_Waiting] = []
        self._queue_lock = threading.Lock()
        # Under the queue's lock: whether somebody is committing, and who waits for a full queue.
        self._led = False
        self._gathering: _Waiting | None = None
        self._last_group, self._last_seconds, self._began = 1, 0.0, 0.0

    def submit(self, row: Row, part: AnyPart | None) -> int | None:
        """Write a record, and carry out its part; its index, or None: the part was refused, and
        with it the record. Raises AuditUnavailable: neither is there, as far as can be told."""
        mine = _Waiting(row, part)
        if not self._leads(mine):
            mine.wake.acquire()  # until the leader has written it, or hands the lead over
            _wake(mine.heirs)
        if not mine.done:
            self._lead(mine)
        if not mine.committed:
            raise AuditUnavailable(NOT_DURABLE.of())
        return mine.index

    def _leads(self, mine: _Waiting) -> bool:
        """Queue a record; whether its caller has to do the writing, as nobody else does."""
        mine.wake.acquire()
        with self._queue_lock:
            self._queue.append(mine)
            leads, self._led = not self._led, True
            if self._gathering is not None and len(self._queue) >= self._last_group:
                self._gathering.wake.release()
                self._gathering = None
        return leads

    def _lead(self, mine: _Waiting) -> None:
        """Commit what waits until one's own is done; then the next in the queue leads."""
        try:
            while not mine.done:
                self._gather(mine)
                self._commit_waiting(mine)
        finally:
            with self._queue_lock:
                heir = self._queue[0] if self._queue else None
                self._led = heir is not None
            if heir is not None:
                heir.wake.release()

    def _gather(self, mine: _Waiting) -> None:
        """Give the callers of the last commit as long as it took to come back: they share the
        next one. A lone caller never waits."""
        with self._queue_lock:
            if len(self._queue) >= self._last_group:
                return
            self._gathering = mine
        mine.wake.acquire(timeout=self._last_seconds)
        with self._queue_lock:
            self._gathering = None

    def _commit_waiting(self, mine: _Waiting) -> None:
        group: list[_Waiting] = []
        try:
            refused = self._commit(group)
            if refused and len(group) > 1:
                for one in group:
                    self._commit([one])
        finally:
            if not group:  # its turn never came: those who waited are told so
                self._fill(group)
            self._last_group, self._last_seconds = len(group), time.perf_counter() - self._began
            _release(group, mine)

    def _fill(self, group: list[_Waiting]) -> None:
        with self._queue_lock:
            group += self._queue[:MOST_IN_A_COMMIT]
            del self._queue[:MOST_IN_A_COMMIT]
        self._began = time.perf_counter()

    def _commit(self, group: list[_Waiting]) -> bool:
        """Write a group in one transaction, or nothing of it. True: something in it failed for
        itself, so that the others are worth another try.

        An empty group is filled once it is this writer's turn: whoever came while it waited for
        others shares the commit."""
        written = False
        try:
            with self._database.write() as cx:
                if not group:
                    self._fill(group)
                _carry_out(cx, [one.part for one in group if one.part is not None])
                kept = [one for one in group if one.part is None or one.part.refused is None]
                first = self._insert(cx, [one.row for one in kept]) if kept else 0
                written = True
        except StoreError as error:
            return error.message.code == FAILED.code
        except Exception:  # noqa: BLE001 - whatever it is, nobody may be told that it was written
            return not written
        for index, one in enumerate(kept, first):
            one.index = index
        for one in group:
            one.committed = True
        return False


def alone(database: Database, part: AnyPart) -> None:
    """A part without its record, in a transaction of its own: for a log that answers anyway, which
    is replay's. Raises StoreError."""
    with database.write() as cx:
        _carry_out(cx, [part])


def _carry_out(cx: Connection, parts: Sequence[AnyPart]) -> None:
    """All parts of one kind at once, one kind after the other."""
    names = {name for part in parts for name in part.locks}
    # SQLite has one writer.
    if names and cx.dialect.name == "postgresql":
        cx.execute(_LOCK, {"keys": sorted(map(_lock_key, names))})
    kinds: dict[Any, list[AnyPart]] = {}
    for part in parts:
        part.refused = part.after = None
        kinds.setdefault(part.act, []).append(part)
    for act, those in kinds.items():
        act(cx, those)


def _lock_key(name: str) -> int:
    digest = blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _release(group: list[_Waiting], leader: _Waiting) -> None:
    """Everybody has an answer. Waking a thread costs more than its record: the first alone is woken
    here and wakes the next ones, so that a few at a time and not hundreds want the interpreter."""
    others = [one for one in group if one is not leader]
    for place, one in enumerate(others):
        first = place * WOKEN_BY_EACH + 1
        one.heirs = others[first : first + WOKEN_BY_EACH]
    for one in group:
        one.done = True
    _wake(others[:1])


def _wake(callers: Sequence[_Waiting]) -> None:
    for one in callers:
        one.wake.release()
