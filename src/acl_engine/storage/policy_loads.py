"""The adapter behind `domain.running.PolicyLoads`.

INVARIANTS
- The newest row is what runs. A row is added only if nothing was added since it was decided.
- A rollback order is used once: the database refuses it a second time.
"""

from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from acl_engine.domain.running import Running
from acl_engine.storage.database import Database
from acl_engine.storage.tables import policy_loads

# Any fixed number: "aclp" to PostgreSQL's advisory locks.
_PG_LOCK = 0x61636C70


class SqlPolicyLoads:
    """What was loaded over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def running(self) -> Running | None:
        with self._database.read() as cx:
            return _running(cx)

    def record(self, before: Running | None, now: Running, order: str | None, at: int) -> bool:
        row = {
            "at": at,
            "pack": now.pack,
            "sequence": now.sequence,
            "digest": now.digest,
            "rollback_order": order,
        }
        try:
            with self._database.write() as cx:
                if self._database.dialect == "postgresql":
                    cx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PG_LOCK})
                if _running(cx) != before:
                    return False
                cx.execute(insert(policy_loads).values(row))
        except IntegrityError:
            return False
        return True


def _running(cx: Connection) -> Running | None:
    loads = policy_loads.c
    last = cx.execute(select(policy_loads).order_by(loads.id.desc()).limit(1)).first()
    if last is None:
        return None
    highest = cx.execute(select(func.max(loads.sequence))).scalar_one()
    orders = cx.execute(select(loads.rollback_order).where(loads.rollback_order.is_not(None)))
    return Running(last.pack, last.sequence, last.digest, int(highest), frozenset(orders.scalars()))
