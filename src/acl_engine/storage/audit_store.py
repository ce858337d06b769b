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
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from acl_engine.domain.accountability import FILED_CHARS, AuditEntry, Receipt
from acl_engine.domain.errors import AclError, AuditUnavailable, StoreError
from acl_engine.domain.text import Text
from acl_engine.storage.audit_reading import AuditReading, size_of
from acl_engine.storage.database import Database
from acl_engine.storage.failures import FAILED

# Bounds one transaction; the next turn takes the rest.
MOST_IN_A_COMMIT = 512
# Any fixed number: "acl_audit" to PostgreSQL's advisory locks.
_PG_LOCK = 0x61636C5F61756469

# A leader waits so long, at most, for those who shared the last commit.
GATHER_SECONDS, GATHER_TURNS = 0.0002, 5

_COLUMNS = 'INSERT INTO audit_records ("index", request, at, account, body, leaf) '
_SQLITE_INSERT, _SQLITE_ROW = _COLUMNS + "VALUES ", "(?,?,?,?,?,?)"
_PG_INSERT = _COLUMNS + (  # noqa: S608 - constants alone; every value is bound
    "SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::bytea[],"
    " %s::bytea[])"
)

NOT_DURABLE = Text(
    "audit.not-durable",
    "审计记录无法持久写入，查询一律拒绝",
    "an audit record could not be made durable, so nothing is answered",
    "检查数据库与磁盘",
    "check the database and its disk",
)


@dataclass(slots=True)
class _Waiting:
    """A caller's record. `wake` is held until it is written, refused, or its turn to lead."""

    entry: AuditEntry
    body: bytes
    leaf: bytes
    wake: threading.Lock = field(default_factory=threading.Lock)
    receipt: Receipt | None = None
    done: bool = False


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
        self._encode, self._leaf = encode, leaf
        self._queue: list[_Waiting] = []
        self._queue_lock = threading.Lock()
        self._led = False  # whether somebody is committing; under the queue's lock
        self._last_group = 1

    def append(self, entry: AuditEntry) -> Receipt:
        """Write one record; it is durable when this returns. Raises AuditUnavailable."""
        try:
            body = self._encode(entry)
        except (AclError, ValueError, TypeError):  # what cannot be written down is not answered
            raise AuditUnavailable(NOT_DURABLE.of()) from None
        mine = _Waiting(entry, body, self._leaf(body))
        if not self._leads(mine):
            mine.wake.acquire()  # until the leader has written it, or hands the lead over
        if not mine.done:
            self._lead(mine)
        if mine.receipt is None:
            raise AuditUnavailable(NOT_DURABLE.of())
        return mine.receipt

    def _leads(self, mine: _Waiting) -> bool:
        """Queue a record; whether its caller has to do the writing, as nobody else does."""
        mine.wake.acquire()
        with self._queue_lock:
            self._queue.append(mine)
            leads, self._led = not self._led, True
        return leads

    def _lead(self, mine: _Waiting) -> None:
        """Commit what waits until one's own is done; then the next in the queue leads."""
        try:
            while not mine.done:
                self._gather()
                self._commit_waiting()
        finally:
            with self._queue_lock:
                heir = self._queue[0] if self._queue else None
                self._led = heir is not None
            if heir is not None:
                heir.wake.release()

    def _gather(self) -> None:
        """Give the callers of the last commit a moment to come back: they share the next one.

        A lone caller never waits.
        """
        for _ in range(GATHER_TURNS):
            if self._last_group == 1 or len(self._queue) >= self._last_group:
                return
            time.sleep(GATHER_SECONDS)

    def _commit_waiting(self) -> None:
        with self._queue_lock:
            group, self._queue = self._queue[:MOST_IN_A_COMMIT], self._queue[MOST_IN_A_COMMIT:]
        self._last_group = len(group)
        try:
            refused = self._commit(group)
            if refused and len(group) > 1:
                for one in group:
                    self._commit([one])
        finally:
            for one in group:
                one.done = True
                if one.wake.locked():
                    one.wake.release()

    def _commit(self, group: list[_Waiting]) -> bool:
        """Write a group in one transaction; without receipts it failed. True: a record in it was
        refused for itself, so that the others are worth another try."""
        try:
            with self._database.write() as cx:
                first = _next_index(cx)
                _insert(cx, [_row(first + i, one) for i, one in enumerate(group)])
        except StoreError as error:
            return error.message.code == FAILED.code
        except Exception:  # noqa: BLE001 - whatever it is, nobody may be told that it was written
            return False
        for i, one in enumerate(group):
            one.receipt = Receipt(first + i, one.leaf.hex())
        return False


def _next_index(cx: Connection) -> int:
    if cx.dialect.name == "postgresql":
        cx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PG_LOCK})
    return size_of(cx)


def _row(index: int, one: _Waiting) -> tuple[object, ...]:
    # The account is there to search by; the body has all of it.
    account = (one.entry.account or "")[:FILED_CHARS] or None
    return index, one.entry.request, one.entry.at, account, one.body, one.leaf


def _insert(cx: Connection, rows: list[tuple[object, ...]]) -> None:
    """All rows in one statement: a driver lets go of the interpreter at each, and with hundreds
    of callers takes long to get it back."""
    if cx.dialect.name == "postgresql":
        columns = [list(column) for column in zip(*rows, strict=True)]
        cx.exec_driver_sql(_PG_INSERT, tuple(columns))
    else:
        values = tuple(value for row in rows for value in row)
        cx.exec_driver_sql(_SQLITE_INSERT + ",".join([_SQLITE_ROW] * len(rows)), values)
