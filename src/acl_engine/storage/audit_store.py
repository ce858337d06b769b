"""The durable audit log: group commit without a thread of its own.

A caller hands its record in. The first one leads: it writes everything that waits in one
transaction and wakes the others; then the next one in the queue leads. One caller commits alone,
sixty-four share a commit.

INVARIANTS
- `append` returns only after the commit that holds the record (SQLite: synchronous=FULL, read back
  on every connection; PostgreSQL: synchronous_commit=on).
- Any failure is AuditUnavailable for every caller of that commit: none is told otherwise. A commit
  that was lost on its way back may stand in the log without a receipt, never the other way round.
- A record that the database refuses (not one that it cannot take now) fails its own caller alone.
- Indexes are dense and given inside the writing transaction: SQLite has one writer, PostgreSQL a
  lock for this log, so that several processes never use one twice.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from acl_engine.domain.accountability import FILED_CHARS, AuditEntry, Receipt
from acl_engine.domain.errors import AclError, AuditUnavailable, StoreError
from acl_engine.domain.text import Text
from acl_engine.storage.audit_reading import AuditReading, size_of
from acl_engine.storage.database import Database
from acl_engine.storage.failures import FAILED, driver_errors

# Bounds one transaction; the next turn takes the rest.
MOST_IN_A_COMMIT = 512
# Each that is woken wakes so many more, before it goes on.
WOKEN_BY_EACH = 2

_SQLITE_INSERT = 'INSERT INTO audit_records ("index", request, at, account, body, leaf) VALUES '
_SQLITE_ROW = "(?,?,?,?,?,?)"
# Any fixed number: "acl_audit" to PostgreSQL's advisory locks.
_PG_LOCK = f"SELECT pg_advisory_xact_lock({0x61636C5F61756469})"
_PG_INSERT = (
    'WITH log AS (SELECT coalesce(max("index") + 1, 0) AS size FROM audit_records), put AS ('
    'INSERT INTO audit_records ("index", request, at, account, body, leaf)'
    " SELECT size + place - 1, request, at, account, body, leaf FROM log, unnest("
    "%b::text[], %b::bigint[], %b::text[], %b::bytea[], %b::bytea[]"
    ") WITH ORDINALITY AS new(request, at, account, body, leaf, place)) SELECT size FROM log"
)

NOT_DURABLE = Text(
    "audit.not-durable",
    "审计记录无法持久写入，查询一律拒绝",
    "an audit record could not be made durable, so nothing is answered",
    "检查数据库与磁盘",
    "check the database and its disk",
)

# A record but for its index: request, at, account, body, leaf.
Row = tuple[str, int, str | None, bytes, bytes]


@dataclass(slots=True, eq=False)
class _Waiting:
    """A caller's record. `wake` is held until it is written, refused, its turn
    to lead, or the leader has waited long enough; `heirs` are those whom its caller wakes then."""

    row: Row
    wake: threading.Lock = field(default_factory=threading.Lock)
    index: int | None = None
    done: bool = False
    heirs: "Sequence[_Waiting]" = ()


class AuditStore(AuditReading):
    """Implements `domain.ports.AuditLog`. `encode` and `leaf` come from the audit room."""

    def __init__(
        self,
        database: Database,
        encode: Callable[[AuditEntry], bytes],
        leaf: Callable[[bytes], bytes],
        decode: Callable[[bytes, int], AuditEntry],
    ) -> None:
        super().__init__(database, decode)
        self._postgres = database.dialect == "postgresql"
        self._encode, self._leaf = encode, leaf
        self._queue: list[_Waiting] = []
        self._queue_lock = threading.Lock()
        # Under the queue's lock: whether somebody is committing, and who waits for a full queue.
        self._led = False
        self._gathering: _Waiting | None = None
        self._last_group, self._last_seconds, self._began = 1, 0.0, 0.0

    def append(self, entry: AuditEntry) -> Receipt:
        """Write one record; it is durable when this returns. Raises AuditUnavailable."""
        try:
            body = self._encode(entry)
        except (AclError, ValueError, TypeError):  # what cannot be written down is not answered
            raise AuditUnavailable(NOT_DURABLE.of()) from None
        leaf = self._leaf(body)
        # The account is there to search by; the body has all of it.
        account = (entry.account or "")[:FILED_CHARS] or None
        mine = _Waiting((entry.request, entry.at, account, body, leaf))
        if not self._leads(mine):
            mine.wake.acquire()  # until the leader has written it, or hands the lead over
            _wake(mine.heirs)
        if not mine.done:
            self._lead(mine)
        if mine.index is None:
            raise AuditUnavailable(NOT_DURABLE.of())
        return Receipt(mine.index, leaf.hex())

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
        """Write a group in one transaction; without indexes it failed. True: a record in it was
        refused for itself, so that the others are worth another try.

        An empty group is filled once it is this writer's turn: whoever came while it waited for
        others shares the commit."""
        try:
            with self._database.write() as cx:
                if not group:
                    self._fill(group)
                rows = [one.row for one in group]
                first = (insert_postgres if self._postgres else insert_sqlite)(cx, rows)
        except StoreError as error:
            return error.message.code == FAILED.code
        except Exception:  # noqa: BLE001 - whatever it is, nobody may be told that it was written
            return False
        for index, one in enumerate(group, first):
            one.index = index
        return False


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


def insert_sqlite(cx: Connection, rows: Sequence[Row]) -> int:
    """Insert in one statement: a driver lets go of the interpreter at each, and with hundreds of
    callers takes long to get it back. The first one's index."""
    first = size_of(cx)
    values = [value for index, row in enumerate(rows, first) for value in (index, *row)]
    cx.exec_driver_sql(_SQLITE_INSERT + ",".join([_SQLITE_ROW] * len(rows)), tuple(values))
    return first


def insert_postgres(cx: Connection, rows: Sequence[Row]) -> int:
    """The same in one round trip: what comes after the lock sees all that was committed before."""
    raw: Any = cx.connection.dbapi_connection
    with driver_errors(cx), raw.pipeline():
        raw.execute(_PG_LOCK)
        found = raw.execute(_PG_INSERT, [list(column) for column in zip(*rows, strict=True)])
        return int(found.fetchone()[0])
