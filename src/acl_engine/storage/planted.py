"""Planted marks, kept. Implements `domain.tracing.PlantedMarks`."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, insert, select

from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text
from acl_engine.domain.tracing import PlantedMark
from acl_engine.storage.database import Database
from acl_engine.storage.tables import planted_marks

# Fewer than any driver's limit of bound values.
_CHUNK = 500

PLANTED = Text(
    "leak.planted",
    "其中有已登记的记录，未登记任何一条",
    "one of these is planted already; none was planted",
    "去掉重复的再登记",
    "leave it out and plant the rest",
)


class PlantedMarkStore:
    """Marks of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def plant(self, marks: Sequence[PlantedMark]) -> None:
        """Keep them, all or none. Raises InputError for a digest that is planted already."""
        with self._database.write() as cx:
            plant(cx, marks)

    def among(self, digests: Collection[str]) -> tuple[PlantedMark, ...]:
        """The marks that stand in a leaked list, by digest."""
        with self._database.read() as cx:
            return tuple(_among(cx, digests))

    def honey(self) -> frozenset[str]:
        """The digests of all honey rows."""
        query = select(planted_marks.c.digest).where(planted_marks.c.kind == "honey")
        with self._database.read() as cx:
            return frozenset(cx.execute(query).scalars())


def plant(cx: Connection, marks: Sequence[PlantedMark]) -> None:
    """Keep marks within a transaction. Raises InputError for a digest that is planted already."""
    wanted = {mark.digest for mark in marks}
    if len(wanted) < len(marks) or _among(cx, wanted):
        raise InputError(PLANTED.of())
    if marks:
        cx.execute(insert(planted_marks), [asdict(mark) for mark in marks])


def _among(cx: Connection, digests: Collection[str]) -> list[PlantedMark]:
    wanted, found = sorted(digests), list[PlantedMark]()
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        query = select(planted_marks).where(planted_marks.c.digest.in_(part))
        rows = cx.execute(query.order_by(planted_marks.c.digest)).mappings()
        found += [PlantedMark(**row) for row in rows]
    return found
