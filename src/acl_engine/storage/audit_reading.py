"""Reading the audit log: by request, by account, record by record, page by page.

INVARIANT: what retention has emptied is in no answer; `rows` and `pages` alone show it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, cast

from sqlalchemy import Connection, func, select, update

from acl_engine.domain.accountability import FILED_CHARS, AuditEntry, Stored
from acl_engine.storage.database import Database
from acl_engine.storage.failures import driver_errors
from acl_engine.storage.prepared import Prepared
from acl_engine.storage.tables import audit_records

# Written for SQLite; PostgreSQL's driver has another sign for a parameter.
_STORED = (
    'SELECT "index", body, leaf, request, at, account FROM audit_records'
    ' WHERE "index" >= ? ORDER BY "index" LIMIT ?'
)
_BODIES = (
    'SELECT "index", body FROM audit_records'
    ' WHERE "index" >= ? AND "index" < ? ORDER BY "index" LIMIT ?'
)
_LAST = Prepared(select(func.max(audit_records.c.index).label("last")))
_PAGE = 10_000


class AuditReading:
    """Over one database. `decode` comes from the audit room."""

    def __init__(self, database: Database, decode: Callable[[bytes, int], AuditEntry]) -> None:
        self._database, self._decode = database, decode

    def of_request(self, request: str) -> list[AuditEntry]:
        """The records of one request id, in order."""
        query = select(audit_records).where(audit_records.c.request == request)
        with self._database.read() as cx:
            rows = cx.execute(query.order_by(audit_records.c.index)).mappings().all()
        return [self._decode(bytes(row["body"]), int(row["index"])) for row in rows]

    def of_account(self, account: str, since: int = 0, until: int = 2**62) -> list[AuditEntry]:
        """The records of one account with `since` <= at < `until` (epoch ms), in order."""
        c = audit_records.c
        filed = account[:FILED_CHARS]
        query = select(c.index, c.body).where(c.account == filed, c.at >= since, c.at < until)
        with self._database.read() as cx:
            rows = cx.execute(query.order_by(c.index)).all()
        found = [self._decode(bytes(row[1]), int(row[0])) for row in rows]
        return [entry for entry in found if entry.account == account]

    def last_of(self, account: str) -> AuditEntry | None:
        """The latest record of one account: it says who was behind it."""
        c = audit_records.c
        query = select(c.index, c.body).where(c.account == account[:FILED_CHARS])
        with self._database.read() as cx:
            row = cx.execute(query.order_by(c.index.desc()).limit(1)).first()
        return None if row is None else self._decode(bytes(row[1]), int(row[0]))

    def at(self, index: int) -> tuple[bytes, AuditEntry] | None:
        """One record's bytes and entry."""
        query = select(audit_records.c.body).where(audit_records.c.index == index)
        with self._database.read() as cx:
            body = cx.execute(query).scalar()
        return (bytes(body), self._decode(bytes(body), index)) if body else None

    def indexes_of(self, request: str) -> list[int]:
        """The indexes of one request's records."""
        query = select(audit_records.c.index).where(audit_records.c.request == request)
        with self._database.read() as cx:
            return sorted(int(index) for index in cx.execute(query).scalars())

    def first_since(self, at: int) -> int:
        """An index from which on records are of `at` (epoch ms) or later, but for clock jitter.

        Found by halving: times follow the indexes, and there is no index by time.
        """
        with self._database.read() as cx:
            low, high = 0, size_of(cx)
            while low < high:
                middle = (low + high) // 2
                query = select(audit_records.c.at).where(audit_records.c.index >= middle)
                found = cx.execute(query.order_by(audit_records.c.index).limit(1)).scalar()
                if found is not None and found < at:
                    low = middle + 1
                else:
                    high = middle
        return low

    def first_whole(self) -> int:
        """The first index that retention has not emptied."""
        c = audit_records.c
        with self._database.read() as cx:
            found = cx.execute(select(func.min(c.index)).where(func.length(c.body) > 0)).scalar()
            return size_of(cx) if found is None else int(found)

    def entries(self, start: int = 0) -> Iterator[tuple[int, AuditEntry]]:
        """Every record from an index on, in order, a page at a time."""
        for index, body, _ in self.raw(start):
            yield index, self._decode(body, index)

    def raw(self, start: int = 0, page: int = 1000) -> Iterator[tuple[int, bytes, bytes]]:
        """Index, bytes and stored leaf hash of every record from `start` on that has its bytes."""
        for stored in self.rows(start, page):
            if stored.body:
                yield stored[:3]

    def rows(self, start: int = 0, page: int = 1000) -> Iterator[Stored]:
        """Everything that is stored from `start` on, also what retention has emptied."""
        for found in self.pages(start, page):
            for index, body, leaf, request, at, account in found:
                # SQLite lets a tamperer put any type into any column.
                yield Stored(index, _bytes(body), _bytes(leaf), request, at, account)

    def pages(self, start: int = 0, page: int = _PAGE) -> Iterator[Sequence[Stored]]:
        """The same a page at a time, as the driver gives it: what reads every byte reads these."""
        while True:
            with self._database.read() as cx:
                found = cast(list[Stored], _plain(cx, _STORED, (start, page)))
            if found:
                yield found
            if len(found) < page:
                return
            start = int(found[-1][0]) + 1

    def bodies(self, start: int = 0, end: int = 2**62) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of every record with `start` <= index < `end` that has its bytes."""
        while start < end:
            with self._database.read() as cx:
                found = _plain(cx, _BODIES, (start, end, _PAGE))
            for index, body in found:
                if body:
                    yield index, _bytes(body)
            if len(found) < _PAGE:
                return
            start = int(found[-1][0]) + 1

    def size(self) -> int:
        """How many records the log has."""
        with self._database.read() as cx:
            return size_of(cx)

    def empty(self, until: int, batch: int = 5_000) -> Iterator[int]:
        """Empty the records below `until`; their hashes stay. Yields how many are done so far.

        Each batch is a transaction; what was done stays done. `log_retention` decides whether.
        """
        c, done = audit_records.c, 0
        query = select(func.min(c.index)).where(c.index < until, func.length(c.body) > 0)
        while True:
            with self._database.write() as cx:
                first = cx.execute(query).scalar()
                if first is None:
                    return
                part = (c.index >= first) & (c.index < min(until, first + batch))
                change = (
                    update(audit_records).where(part).values(body=b"", request="", account=None)
                )
                done += cx.execute(change).rowcount
            yield done


def latest_at(database: Database) -> int:
    """The time of the last record, epoch milliseconds; 0 before there is one."""
    query = select(audit_records.c.at).order_by(audit_records.c.index.desc()).limit(1)
    with database.read() as cx:
        return int(cx.execute(query).scalar() or 0)


def size_of(cx: Connection) -> int:
    """How many records the log has."""
    found = _LAST.first(cx, {})
    return 0 if found is None or found["last"] is None else int(found["last"]) + 1


def _plain(cx: Connection, query: str, values: tuple[int, ...]) -> list[tuple[Any, ...]]:
    """Rows as the driver's own tuples: the collector of garbage has nothing to look at in them,
    which is half of the time that reading a whole log takes."""
    if cx.dialect.name == "postgresql":
        query = query.replace("?", "%s")
    with driver_errors(cx), closing(cx.connection.cursor()) as cursor:
        cursor.execute(query, values)
        return cast(list[tuple[Any, ...]], cursor.fetchall())


def _bytes(value: object) -> bytes:
    """What stands in a column. SQLite lets a tamperer put any type there: verify must name it."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
