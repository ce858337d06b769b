"""Lists as one value each, so that a statement is the same however long they are.

SQLite takes a list as a JSON array, PostgreSQL as an array of its own. What SQLAlchemy expands is
another statement for each length, and pairs expanded SQLite looks for in every row of the table.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    FromClause,
    String,
    any_,
    bindparam,
    func,
    literal_column,
    select,
)

from acl_engine.storage.prepared import Statement


class Lists(NamedTuple):
    """How one database takes lists of texts."""

    # Whether a column is one of the texts of a named list.
    has: Callable[[Any, str], ColumnElement[bool]]
    # A row for each of the pairs that `paired` gave, with the columns `first` and `second`.
    pairs: Callable[[], FromClause]


def paired(pairs: Collection[tuple[str, str]]) -> Mapping[str, Any]:
    """The values for `Lists.pairs`."""
    return {
        "pairs": [*map(list, pairs)],
        "firsts": [first for first, _ in pairs],
        "seconds": [second for _, second in pairs],
    }


def on_both(make: Callable[[Lists], Statement]) -> Mapping[str, Statement]:
    """A statement with lists, for each database."""
    return {dialect: make(lists) for dialect, lists in _LISTS.items()}


def _json(name: str) -> Any:
    """A row for each value of a list."""
    return func.json_each(bindparam(name, type_=JSON())).table_valued("value").c.value


def _in_json(column: Any, name: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.in_(select(_json(name)))
    return found


def _json_pairs() -> FromClause:
    one = _json("pairs")
    first, second = (func.json_extract(one, literal_column(f"'$[{at}]'")) for at in (0, 1))
    return select(first.label("first"), second.label("second")).subquery("pairs")


def _array(name: str) -> Any:
    return bindparam(name, type_=ARRAY(String()))


def _in_array(column: Any, name: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column == any_(_array(name))
    return found


def _array_pairs() -> FromClause:
    rows = func.unnest(_array("firsts"), _array("seconds")).table_valued("first", "second")
    return rows.render_derived(name="pairs")


_LISTS = {"sqlite": Lists(_in_json, _json_pairs), "postgresql": Lists(_in_array, _array_pairs)}
