"""Statements that run at every look: compiled once, run by the driver itself.

For a row that is found by its key, SQLAlchemy's own work at each run (which statement this is, a
context, a result and its rows) takes several times as long as the database's.

INVARIANTS
- Text, types and constants are SQLAlchemy's. A value reaches the driver as a bound one only.
- It runs inside the transaction of the connection that is given; its errors leave as SQLAlchemy's.
- Nothing is known by the text: of two statements that differ in a constant alone, each has its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, SelectBase, Update
from sqlalchemy.util import LRUCache

from acl_engine.storage.failures import driver_errors

_Process = Callable[[Any], Any]
Statement = SelectBase | Insert | Update | Delete
# By dialect, statement and constants: stores are made anew for each replayed scenario.
_COMPILED: Any = LRUCache(500)


class Prepared:
    """A statement whose only open values are named ones (`bindparam`); a list is one value (see
    `listed`). Safe to share between threads and databases."""

    def __init__(self, statement: Statement | Mapping[str, Statement]) -> None:
        """`statement`: one for both databases, or by the name of each."""
        self._statement = statement
        self._ready: dict[str, _Ready] = {}

    def all(self, cx: Connection, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Its rows, each by the names of its columns; `values` may hold more than is asked for.

        Raises SQLAlchemy's error for one of the driver, KeyError for a value that is not there.
        """
        ready = self._of(cx.dialect)
        raw: Any = cx.connection.dbapi_connection
        with driver_errors(cx):
            found = raw.execute(ready.text, ready.bound(values)).fetchall()
        return [ready.row(one) for one in found]

    def first(self, cx: Connection, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Its first row, or None."""
        found = self.all(cx, values)
        return found[0] if found else None

    def each(self, cx: Connection, rows: Iterable[Mapping[str, Any]]) -> Sequence[int]:
        """Run it for each of `rows`; how many rows of the table each changed. Raises as `all`."""
        ready = self._of(cx.dialect)
        raw: Any = cx.connection.dbapi_connection
        with driver_errors(cx), _in_one_go(cx):
            done = [raw.execute(ready.text, ready.bound(values)) for values in rows]
        return [one.rowcount for one in done]

    def many(self, cx: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run it for each of `rows`, whatever it changes. Raises as `all`."""
        ready = self._of(cx.dialect)
        raw: Any = cx.connection.dbapi_connection
        with driver_errors(cx):
            raw.cursor().executemany(ready.text, [ready.bound(values) for values in rows])

    def _of(self, dialect: Dialect) -> "_Ready":
        ready = self._ready.get(dialect.name)
        if ready is None:
            given = self._statement
            statement = given[dialect.name] if isinstance(given, Mapping) else given
            ready = self._ready[dialect.name] = _prepare(statement, dialect)
        return ready


def _in_one_go(cx: Connection) -> AbstractContextManager[Any]:
    """What is run inside takes one round trip to a server."""
    raw: Any = cx.connection.dbapi_connection
    return raw.pipeline() if cx.dialect.name == "postgresql" else nullcontext()


@dataclass(frozen=True, slots=True)
class _Bound:
    """One place in the text: a named value, which `process` makes the driver's, or a constant."""

    place: str
    name: str | None
    constant: Any
    process: _Process | None


@dataclass(frozen=True, slots=True)
class _Ready:
    text: str
    places: tuple[_Bound, ...]
    by_position: bool
    columns: tuple[str, ...]
    processes: tuple[tuple[str, _Process], ...]

    def bound(self, values: Mapping[str, Any]) -> Any:
        given = [
            one.constant
            if one.name is None
            else values[one.name]
            if one.process is None
            else one.process(values[one.name])
            for one in self.places
        ]
        if self.by_position:
            return given
        return {one.place: value for one, value in zip(self.places, given, strict=True)}

    def row(self, found: tuple[Any, ...]) -> dict[str, Any]:
        row = dict(zip(self.columns, found, strict=True))
        for name, process in self.processes:
            row[name] = process(row[name])
        return row


def _prepare(statement: Statement, dialect: Dialect) -> _Ready:
    told = statement._generate_cache_key()
    assert told is not None
    key = dialect.name, told.key, tuple((type(one.value), one.value) for one in told.bindparams)
    known: _Ready | None = _COMPILED.get(key)
    if known is None:
        known = _COMPILED[key] = _compile(statement, dialect)
    return known


def _compile(statement: Statement, dialect: Dialect) -> _Ready:
    made: Any = statement.compile(dialect=dialect)
    if made.post_compile_params or made.literal_execute_params:
        raise ValueError("a list has no fixed number of places")
    columns = list(statement.exported_columns)
    if len({one.key for one in columns}) != len(columns):
        raise ValueError("two columns have one name")
    processes = ((str(one.key), _from_driver(one.type, dialect)) for one in columns)
    return _Ready(
        made.string,
        tuple(
            _bound(made, place, dialect) for place in made.positiontup or made.bind_names.values()
        ),
        bool(made.positional),
        tuple(str(one.key) for one in columns),
        tuple((name, process) for name, process in processes if process is not None),
    )


def _bound(made: Any, place: str, dialect: Dialect) -> _Bound:
    given = made.binds[place]
    process = given.type.dialect_impl(dialect).bind_processor(dialect)
    if given.required:
        return _Bound(place, given.key, None, process)
    constant = given.effective_value
    return _Bound(place, None, constant if process is None else process(constant), None)


def _from_driver(kind: Any, dialect: Dialect) -> _Process | None:
    found: _Process | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return found
