"""Changing data keys while the engine runs, and sealing what was stored before sealing.

INVARIANTS
- A step is a short transaction of its own; one that was stopped goes on where it stopped.
- A data key is destroyed only when no record key is wrapped by it and nobody can be wrapping one:
  who seals holds the newest row, so destroying waits for every seal that began before the rotation.
- Payloads are not touched by a rotation: their own keys are wrapped anew.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Connection, Table, and_, bindparam, delete, func, select, update

from acl_engine.domain.keeping import Generation, RecordKey
from acl_engine.storage.database import Database
from acl_engine.storage.payload import unpack_fields
from acl_engine.storage.sealing import rewrap
from acl_engine.storage.tables import metadata
from acl_engine.storage.tables_keys import data_keys, record_keys
from acl_engine.storage.vault import CLEAR, Vault

# Record keys in one transaction: a writer beside waits some 20 ms.
BATCH = 500
_K = record_keys.c


class KeyRotation:
    """Over one database and its vault."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def generations(self) -> tuple[Generation, ...]:
        """Every data key, oldest first."""
        wrapped = select(func.count()).where(_K.generation == data_keys.c.generation)
        query = select(data_keys.c.generation, data_keys.c.made_at, wrapped.scalar_subquery())
        with self._database.read() as cx:
            return tuple(
                Generation(*map(int, row))
                for row in cx.execute(query.order_by(data_keys.c.generation))
            )

    def begin(self) -> int:
        """Make a new data key; from now on it wraps every new record key. Its number."""
        with self._database.write() as cx:
            number = self._vault.newest(cx)[0] + 1
            self._vault.add_generation(cx, number)
            return number

    def left(self) -> int:
        """Record keys that an older data key wraps."""
        with self._database.read() as cx:
            newest = select(func.max(data_keys.c.generation)).scalar_subquery()
            return int(cx.scalars(select(func.count()).where(_K.generation < newest)).one())

    def rewrap(self) -> Iterator[int]:
        """Wrap them anew, a batch at a time; yields how many were done."""
        while done := self._batch():
            yield done

    def destroy_old(self) -> tuple[int, ...]:
        """Destroy every older data key that wraps nothing; their numbers."""
        with self._database.write() as cx:
            held = select(data_keys.c.generation).order_by(data_keys.c.generation)
            *older, _ = cx.scalars(held.with_for_update()).all() or [0]
            used = set(cx.scalars(select(_K.generation).where(_K.generation.in_(older)).distinct()))
            gone = tuple(one for one in older if one not in used)
            cx.execute(delete(data_keys).where(data_keys.c.generation.in_(gone)))
        self._database.forget(data_keys.name, record_keys.name)
        return gone

    def unsealed(self) -> int:
        """Payloads that were stored before sealing."""
        with self._database.read() as cx:
            return sum(cx.scalars(select(func.count()).where(_clear(t))).one() for t in _stores())

    def seal(self) -> Iterator[int]:
        """Seal them, a batch at a time; yields how many were done."""
        for table in _stores():
            while done := self._seal(table):
                yield done
        self._database.forget(*(table.name for table in _stores()))

    def _batch(self) -> int:
        with self._database.write() as cx:
            newest, new = self._vault.newest(cx)
            rows = cx.execute(
                select(record_keys)
                .where(_K.generation < newest)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            ).all()
            changes = []
            for row in rows:
                key = RecordKey(row.store, row.row, row.generation, row.suite, row.wrapped)
                fresh = rewrap(self._vault.data_key(cx, key.generation), new, key, newest)
                changes.append({"s": key.store, "r": key.row, "w": fresh.wrapped})
            if changes:
                which = and_(_K.store == bindparam("s"), _K.row == bindparam("r"))
                values = {"wrapped": bindparam("w"), "generation": newest}
                cx.execute(update(record_keys).where(which).values(values), changes)
            return len(changes)

    def _seal(self, table: Table) -> int:
        own = _own_key(table)
        with self._database.write() as cx:
            rows = cx.execute(
                select(own, table.c.payload).where(_clear(table)).limit(BATCH).with_for_update()
            ).all()
            for row, payload in rows:
                self._replace(cx, table, own, row, payload)
            return len(rows)

    def _replace(
        self, cx: Connection, table: Table, own: Column[Any], row: object, payload: bytes
    ) -> None:
        sealed = self._vault.put(cx, table.name, row, unpack_fields(payload))
        cx.execute(update(table).where(own == row).values(payload=sealed))


def _stores() -> tuple[Table, ...]:
    """Every table that has a payload."""
    return tuple(table for table in metadata.sorted_tables if "payload" in table.c)


def _own_key(table: Table) -> Column[Any]:
    (own,) = table.primary_key.columns
    return own


def _clear(table: Table) -> Any:
    """Payloads that begin as a JSON object does. A sealed one may by chance: it has a key."""
    begins = func.substr(table.c.payload, 1, 1) == CLEAR
    keyed = select(_K.row).where(_K.store == table.name)
    return and_(begins, _own_key(table).cast(_K.row.type).not_in(keyed))
