"""The durable audit log. Records are written by `group_commit`, with what changes with them.

INVARIANTS
- `append` returns only after the commit that holds the record (SQLite: synchronous=FULL, read back
  on every connection; PostgreSQL: synchronous_commit=on).
- Any failure is AuditUnavailable for every caller of that commit: none is told otherwise. A commit
  that was lost on its way back may stand in the log without a receipt, never the other way round.
- A record that the database refuses (not one that it cannot take now) fails its own caller alone.
- Indexes are dense and given inside the writing transaction: SQLite has one writer, PostgreSQL a
  lock for this log, so that several processes never use one twice.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from acl_engine.domain.accountability import FILED_CHARS, AuditEntry, Receipt
from acl_engine.domain.errors import AclError, AuditUnavailable
from acl_engine.storage.audit_reading import AuditReading, size_of
from acl_engine.storage.database import Database
from acl_engine.storage.failures import driver_errors
from acl_engine.storage.group_commit import NOT_DURABLE, AnyPart, GroupCommit, Row

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


class AuditStore(AuditReading):
    """Implements `domain.ports.SharedLog`. `encode` and `leaf` come from the audit room."""

    def __init__(
        self,
        database: Database,
        encode: Callable[[AuditEntry], bytes],
        leaf: Callable[[bytes], bytes],
        decode: Callable[[bytes, int], AuditEntry],
    ) -> None:
        super().__init__(database, decode)
        self._encode, self._leaf = encode, leaf
        postgres = database.dialect == "postgresql"
        self._commits = GroupCommit(database, insert_postgres if postgres else insert_sqlite)

    def append(self, entry: AuditEntry, part: AnyPart | None = None) -> Receipt:
        """Write one record, and carry out the part that it tells of; both are durable when this
        returns. Raises AuditUnavailable, or what the part is refused with: no record then."""
        try:
            body = self._encode(entry)
        except (AclError, ValueError, TypeError):  # what cannot be written down is not answered
            raise AuditUnavailable(NOT_DURABLE.of()) from None
        leaf = self._leaf(body)
        # The account is there to search by; the body has all of it.
        account = (entry.account or "")[:FILED_CHARS] or None
        index = self._commits.submit((entry.request, entry.at, account, body, leaf), part)
        if part is not None:
            part.result()
        if index is None:
            raise AuditUnavailable(NOT_DURABLE.of())
        return Receipt(index, leaf.hex())


def insert_sqlite(cx: Connection, rows: Sequence[Row]) -> int:
    """Insert in one statement: a driver lets go of the interpreter at each, and with hundreds of
    callers takes long to get it back. The first one's index."""
    first = size_of(cx)
    values = [value for index, row in enumerate(rows, first) for value in (index, *row)]
    raw: Any = cx.connection.dbapi_connection
    with driver_errors(cx):
        raw.execute(_SQLITE_INSERT + ",".join([_SQLITE_ROW] * len(rows)), values)
    return first


def insert_postgres(cx: Connection, rows: Sequence[Row]) -> int:
    """The same in one round trip: what comes after the lock sees all that was committed before."""
    raw: Any = cx.connection.dbapi_connection
    with driver_errors(cx), raw.pipeline():
        raw.execute(_PG_LOCK)
        found = raw.execute(_PG_INSERT, [list(column) for column in zip(*rows, strict=True)])
        return int(found.fetchone()[0])
