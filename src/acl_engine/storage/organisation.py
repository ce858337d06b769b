"""Organisation units in the database: the adapter behind `domain.organisation.Organisation`."""

from collections.abc import Sequence

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from acl_engine.domain.errors import InputError
from acl_engine.domain.organisation import Unit
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database
from acl_engine.storage.tables import units

UNIT_TAKEN = Text(
    "unit-taken",
    "单位 `{unit}` 已存在，或其上级不存在，未作任何修改",
    "unit `{unit}` exists already, or what is above it does not: nothing was changed",
    "再看一遍 `acl unit list`",
    "look at `acl unit list` again",
)


class SqlOrganisation:
    """Implements `domain.organisation.Organisation` on either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def units(self) -> tuple[Unit, ...]:
        with self._database.read() as cx:
            rows = cx.execute(select(units).order_by(units.c.id)).all()
        return tuple(
            Unit(
                id=row.id,
                parent=row.parent,
                kind=row.kind,
                name_zh=row.name_zh,
                name_en=row.name_en,
                city=row.city,
                district=row.district,
                franchise=row.franchise,
            )
            for row in rows
        )

    def add(self, new: Sequence[Unit]) -> None:
        with self._database.write() as cx:
            there = cx.execute(select(units.c.id, units.c.path)).all()
            paths = {row.id: row.path for row in there}
            for one in new:
                above = "/" if one.parent is None else paths.get(one.parent)
                if above is None or one.id in paths:
                    raise InputError(UNIT_TAKEN.of(unit=one.id))
                paths[one.id] = f"{above}{one.id}/"
                row = {
                    "id": one.id,
                    "parent": one.parent,
                    "kind": one.kind,
                    "path": paths[one.id],
                    "name_zh": one.name_zh,
                    "name_en": one.name_en,
                    "city": one.city,
                    "district": one.district,
                    "franchise": one.franchise,
                }
                try:
                    cx.execute(insert(units).values(row))
                except IntegrityError:
                    raise InputError(UNIT_TAKEN.of(unit=one.id)) from None
