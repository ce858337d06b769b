"""The root key of a database: wrapped by the master key, so that the master key can change.

INVARIANTS
- One row at most. A database without one, from before there was any, has its master key as root.
- Only a database that nothing is keyed in yet is given a new root.
- Changing the master key is one transaction: root and data keys open under the old or the new one.
"""

import time
from collections.abc import Callable

from sqlalchemy import Connection, Table, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from acl_engine.storage.database import Database
from acl_engine.storage.tables import accounts, audit_records
from acl_engine.storage.tables_keys import data_keys, root_keys
from acl_engine.storage.vault import context_of

ONLY = 1
# What is there only once a root has been used.
_KEYED = (data_keys, audit_records, accounts)
_HELD = select(data_keys.c.generation, data_keys.c.wrapped).order_by(data_keys.c.generation)


def wrapped_root(database: Database, fresh: bytes) -> bytes | None:
    """The wrapped root. `fresh` becomes it where nothing is keyed yet, whoever of several
    processes is first; None: the database is older than its root, which is the master key."""
    with database.read() as cx:
        found: bytes | None = cx.scalar(select(root_keys.c.wrapped))
        if found is not None or any(_any(cx, one) for one in _KEYED):
            return found
    with database.write() as cx:
        make = postgresql.insert if cx.dialect.name == "postgresql" else sqlite.insert
        cx.execute(make(root_keys).values(**_row(fresh)).on_conflict_do_nothing())
        return bytes(cx.scalars(select(root_keys.c.wrapped)).one())


def change(
    database: Database,
    wrapped: bytes,
    rewrap: Callable[[bytes, str], bytes],
    first: Callable[[str], bytes],
) -> int:
    """Put the root as `wrapped` and every data key as `rewrap(wrapped, context)` gives it, all or
    nothing; how many data keys. What `rewrap` raises leaves everything as it was.

    Where there is no data key yet, `first(context)` is one: whoever runs with the old master key
    would make it under that, and nobody who comes later could open it.
    """
    with database.write() as cx:
        if cx.dialect.name == "postgresql":  # a data key that is being made is waited for
            cx.execute(text(f"LOCK TABLE {data_keys.name} IN EXCLUSIVE MODE"))
        rows = cx.execute(_HELD.with_for_update()).all()
        for generation, old in rows:
            new = rewrap(bytes(old), context_of(generation))
            one = data_keys.c.generation == generation
            cx.execute(update(data_keys).where(one).values(wrapped=new))
        if not rows:
            made = {"generation": 1, "wrapped": first(context_of(1)), "made_at": int(time.time())}
            cx.execute(insert(data_keys).values(made))
        cx.execute(delete(root_keys))
        cx.execute(insert(root_keys).values(**_row(wrapped)))
    database.forget(data_keys.name, root_keys.name)
    return max(1, len(rows))


def tried(database: Database, rewrap: Callable[[bytes, str], bytes]) -> int:
    """What `change` would do to the data keys, tried and not written; how many."""
    with database.read() as cx:
        held = cx.execute(_HELD).all()
    return max(1, sum(1 for row in held if rewrap(bytes(row[1]), context_of(row[0]))))


def _row(wrapped: bytes) -> dict[str, object]:
    return {"id": ONLY, "wrapped": wrapped, "wrapped_at": int(time.time())}


def _any(cx: Connection, table: Table) -> bool:
    return cx.execute(select(table).limit(1)).first() is not None
