"""What a world holds, counted: no record is named."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Column, Connection, func, select

from acl_engine.storage.database import Database
from acl_engine.storage.tables import accounts, customers, records, units, waybills, world_mark


@dataclass(frozen=True, slots=True)
class Mark:
    """What the database says of itself. `built_at`: the world's now, epoch seconds UTC."""

    kind: str
    pack: str
    seed: str
    built_at: int
    finished: bool


@dataclass(frozen=True, slots=True)
class Census:
    """Counts by the words of the tables. `mark` is None for a database of real people."""

    mark: Mark | None
    units: Mapping[str, int]
    accounts: Mapping[str, int]
    waybills: Mapping[str, int]
    customers: int
    records: Mapping[str, Mapping[str, int]]  # type -> stage -> how many


def census(database: Database) -> Census:
    """Count units by kind, accounts by role, waybills by stage. Raises StoreError."""
    with database.read() as cx:
        row = cx.execute(select(world_mark)).first()
        mark = None
        if row is not None:
            mark = Mark(row.kind, row.pack, row.seed, row.built_at, row.finished)
        return Census(
            mark,
            _count(cx, units.c.kind),
            _count(cx, accounts.c.role),
            _count(cx, waybills.c.stage),
            cx.execute(select(func.count()).select_from(customers)).scalar_one(),
            _records(cx),
        )


def _records(cx: Connection) -> dict[str, dict[str, int]]:
    query = select(records.c.type, records.c.stage, func.count())
    found: dict[str, dict[str, int]] = {}
    for type_, stage, many in cx.execute(query.group_by(records.c.type, records.c.stage)):
        found.setdefault(type_, {})[stage] = many
    return found


def _count(cx: Connection, column: Column[str]) -> dict[str, int]:
    query = select(column, func.count()).group_by(column).order_by(column)
    return {row[0]: row[1] for row in cx.execute(query)}
