"""Shifts as the roster desk's system sends them: the gainer's own word never makes one."""

from sqlalchemy import insert

from acl_engine.storage.database import Database
from acl_engine.storage.tables import shifts


def record_shift(
    database: Database, *, person: str, unit: str, starts: int, ends: int, made_by: str
) -> None:
    """Keep one shift (epoch seconds). One that `person` made counts for nothing when it is read.

    Raises StoreError."""
    with database.write() as cx:
        cx.execute(
            insert(shifts).values(
                person=person, unit=unit, starts_at=starts, ends_at=ends, made_by=made_by
            )
        )
