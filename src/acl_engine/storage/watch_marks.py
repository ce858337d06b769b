"""When the watch that acts on alerts was last at work, so that its absence is noticed."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from acl_engine.storage.database import Database
from acl_engine.storage.tables_audit import watch_marks

_NAME = "reactions"


class WatchMarks:
    """One mark for all watches of a database. Times are epoch milliseconds of the machine."""

    def __init__(self, database: Database) -> None:
        self._database = database
        dialect: Any = postgresql if database.dialect == "postgresql" else sqlite
        new = dialect.insert(watch_marks)
        self._put = new.on_conflict_do_update(
            index_elements=[watch_marks.c.name], set_={"at": new.excluded.at}
        )

    def put(self, at_ms: int) -> None:
        """A watch has read all that there is, now."""
        with self._database.write() as cx:
            cx.execute(self._put, {"name": _NAME, "at": at_ms})

    def last(self) -> int | None:
        """None where no watch ever was."""
        with self._database.read() as cx:
            return cx.scalar(select(watch_marks.c.at).where(watch_marks.c.name == _NAME))
