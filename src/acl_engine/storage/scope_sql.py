"""A `domain.scope` as an SQL condition: the same rows, or an error, never more.

INVARIANTS
- The condition selects exactly the rows for which `domain.scope.holds` is true, on SQLite and on
  PostgreSQL, NULLs included.
- What cannot be said exactly (an unknown attribute, a column type whose comparison differs, a
  text with NUL, another dialect) raises StoreError.

How two values come out of SQL's three: `Not` is pushed down to the leaves, so that only And and Or
stand above them. There a NULL leaf counts as false. A leaf therefore needs to be exact only where
it is true: plainly `column = value` when it stands as written (an index serves it), and with its
NULL case spelled out when it is negated.

Works for Core columns and for mapped classes (attribute -> InstrumentedAttribute). Text compares by
code point: `COLLATE "C"` on PostgreSQL, BINARY on a UTF-8 SQLite database. Equality of text is by
bytes on both (a column with another declared collation gets that collation replaced).
"""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, cast, false, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from acl_engine.domain.errors import StoreError
from acl_engine.domain.scope import (
    Always,
    And,
    Compare,
    CompareAttributes,
    Member,
    Not,
    Or,
    Prefix,
    Scalar,
    Scope,
    compare,
)
from acl_engine.domain.text import Text
from acl_engine.storage.column_kinds import kind_of

UNSAYABLE = Text(
    "scope.unsayable",
    "行范围条件无法准确写成 SQL：`{what}`（属性 `{attribute}`）",
    "a row filter that SQL cannot say exactly: `{what}` (attribute `{attribute}`)",
    "改写策略条件，或把该属性映射到普通的文本、整数或布尔列",
    "rewrite the policy's condition, or map the attribute to a plain text, int or bool column",
)

Columns = Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any] | Scalar]

_CODE_POINT_ORDER = {"sqlite": "BINARY", "postgresql": "C"}
_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
# SQLite binds at most 32,766 values in one statement; a wider list is no list of tickets.
MAX_MEMBERS = 10_000


def condition(scope: Scope, columns: Columns, dialect: str) -> ColumnElement[bool]:
    """The WHERE condition of a scope.

    `columns` maps each attribute to a column, a mapped attribute, or a constant (the same for
    every row). `dialect` is `sqlite` or `postgresql`. Raises StoreError.
    """
    if dialect not in _CODE_POINT_ORDER:
        raise _unsayable(dialect, "dialect")
    return Writer(columns, dialect).write(scope, True)


def _unsayable(what: str, attribute: str) -> StoreError:
    return StoreError(UNSAYABLE.of(what=what, attribute=attribute))


@dataclass(frozen=True, slots=True)
class _Side:
    """One operand: a column of a known kind, or a constant."""

    column: ColumnElement[Any] | None
    kind: str  # text | int | bool | null
    value: Scalar = None


class Writer:
    """Writes one condition. What depends on the dialect stands in three methods, so that it can
    also be left to the moment at which the statement is compiled: see `mapped_rows`."""

    def __init__(self, columns: Columns, dialect: str) -> None:
        self._columns = columns
        self._dialect = dialect

    def write(self, scope: Scope, wanted: bool) -> ColumnElement[bool]:
        """The condition for: the scope's value is `wanted`."""
        match scope:
            case Always(value):
                return true() if value is wanted else false()
            case Not(part):
                return self.write(part, not wanted)
            case And(parts) | Or(parts):
                written = [self.write(part, wanted) for part in parts]
                if isinstance(scope, And) is wanted:
                    return and_(true(), *written)
                return or_(false(), *written)
            case Compare(attribute, op, constant):
                right = self._constant(constant, attribute)
                return self._compare(self._side(attribute), op, right, wanted)
            case CompareAttributes(left, op, other):
                return self._compare(self._side(left), op, self._side(other), wanted)
            case Member(attribute, values):
                return self._member(attribute, values, wanted)
            case Prefix(attribute, prefix):
                return self._prefix(attribute, prefix, wanted)
        raise _unsayable(type(scope).__name__, "scope")

    # --- operands ------------------------------------------------------------------------------

    def _side(self, attribute: str) -> _Side:
        if attribute not in self._columns:
            raise _unsayable("unmapped", attribute)
        mapped = self._columns[attribute]
        if mapped is None or isinstance(mapped, str | int):
            return self._constant(mapped, attribute)
        plain: Any = mapped
        declared = self.declared(plain)
        kind = kind_of(declared)
        if kind is None:
            raise _unsayable(type(declared).__name__, attribute)
        if kind == "text":
            plain = self.same_text(plain, declared.collation)
        return _Side(plain, kind)

    def _constant(self, value: Scalar, attribute: str) -> _Side:
        if isinstance(value, str):
            if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
                raise _unsayable("NUL or surrogate", attribute)
            return _Side(None, "text", value)
        if isinstance(value, bool):
            return _Side(None, "bool", value)
        if isinstance(value, int):
            if not -(2**63) <= value < 2**63:
                raise _unsayable("integer beyond 64 bits", attribute)
            return _Side(None, "int", value)
        if value is None:
            return _Side(None, "null")
        raise _unsayable(type(value).__name__, attribute)

    # --- what depends on the dialect -----------------------------------------------------------

    def declared(self, column: Any) -> Any:
        """The type of a column in this dialect."""
        kind = getattr(column, "type", None)
        return getattr(kind, "_variant_mapping", {}).get(self._dialect, kind)

    def same_text(self, column: Any, collation: str | None) -> Any:
        """The column, compared for equality by code points."""
        order = _CODE_POINT_ORDER[self._dialect]
        return column if collation in (None, order) else column.collate(order)

    def by_code_point(self, column: Any) -> Any:
        """The column, ordered by code points."""
        return column.collate(_CODE_POINT_ORDER[self._dialect])

    # --- leaves --------------------------------------------------------------------------------

    def _compare(self, left: _Side, op: str, right: _Side, wanted: bool) -> ColumnElement[bool]:
        if op not in _FLIPPED:
            raise _unsayable(op, "operator")
        if left.column is None and right.column is None:
            return true() if compare(left.value, op, right.value) is wanted else false()
        if left.column is None:
            left, op, right = right, _FLIPPED[op], left
        if op in ("==", "!="):
            same = (op == "==") is wanted
            return self._equal(left, right) if same else self._differ(left, right)
        return self._ordered(left, op, right, wanted)

    def _equal(self, left: _Side, right: _Side) -> ColumnElement[bool]:
        a, b = _column(left), right.column
        if not _comparable(left, right):
            # None equals None whatever the kinds; nothing else of two kinds is equal.
            both = [side.is_(None) for side in (a, b) if side is not None]
            return and_(*both) if right.kind == "null" or b is not None else false()
        if b is None:
            value = _fitted(left, right)
            return false() if value is None else _true_where(a == value)
        return _true_where(_number(left).is_not_distinct_from(_number(right)))

    def _differ(self, left: _Side, right: _Side) -> ColumnElement[bool]:
        a, b = _column(left), right.column
        if not _comparable(left, right):
            either = [side.is_not(None) for side in (a, b) if side is not None]
            return or_(*either) if right.kind == "null" or b is not None else true()
        if b is None:
            value = _fitted(left, right)
            return true() if value is None else _true_where(a.is_distinct_from(value))
        return _true_where(_number(left).is_distinct_from(_number(right)))

    def _ordered(self, left: _Side, op: str, right: _Side, wanted: bool) -> ColumnElement[bool]:
        if not _comparable(left, right):
            return false() if wanted else true()
        a, b = self._sortable(left), self._sortable(right)
        if wanted:
            return _order(a, op, b)
        nulls = [side.column.is_(None) for side in (left, right) if side.column is not None]
        return or_(_order(a, _OPPOSITE[op], b), *nulls)

    def _sortable(self, side: _Side) -> Any:
        if side.kind != "text":
            return int(side.value or 0) if side.column is None else _number(side)
        if side.column is None:
            return side.value
        return self.by_code_point(side.column)

    def _member(
        self, attribute: str, values: frozenset[Scalar], wanted: bool
    ) -> ColumnElement[bool]:
        side = self._side(attribute)
        if side.column is None:
            found = any(compare(side.value, "==", one) for one in values)
            return true() if found is wanted else false()
        constants = [self._constant(one, attribute) for one in values]
        if len(constants) > MAX_MEMBERS:
            raise _unsayable(f"list of {len(constants)}", attribute)
        fitted = (_fitted(side, one) for one in constants if _comparable(side, one))
        listed = sorted({one for one in fitted if one is not None})
        null_listed = None in values
        if wanted:
            chosen: list[Any] = [side.column.in_(listed)] if len(listed) > 1 else []
            chosen += [side.column == listed[0]] if len(listed) == 1 else []
            return or_(false(), *chosen, *([side.column.is_(None)] if null_listed else []))
        outside = [side.column.not_in(listed)] if listed else []
        if null_listed:
            return and_(side.column.is_not(None), *outside)
        return or_(side.column.is_(None), *outside) if listed else true()

    def _prefix(self, attribute: str, prefix: str, wanted: bool) -> ColumnElement[bool]:
        side = self._side(attribute)
        self._constant(prefix, attribute)
        if side.column is None:
            text = side.value
            found = isinstance(text, str) and text.startswith(prefix)
            return true() if found is wanted else false()
        if side.kind != "text":
            return false() if wanted else true()
        column, above = self._sortable(side), _next_text(prefix)
        if wanted:
            return and_(column >= prefix, *([column < above] if above is not None else []))
        outside = [column >= above] if above is not None else []
        return or_(side.column.is_(None), column < prefix, *outside)


def _column(side: _Side) -> ColumnElement[Any]:
    assert side.column is not None
    return side.column


def _true_where(expression: Any) -> ColumnElement[bool]:
    """SQLAlchemy types operators loosely; this one is a condition."""
    condition_: ColumnElement[bool] = expression
    return condition_


def _comparable(left: _Side, right: _Side) -> bool:
    if "null" in (left.kind, right.kind):
        return False
    return (left.kind == "text") == (right.kind == "text")


def _fitted(side: _Side, constant: _Side) -> str | int | bool | None:
    """The constant in the column's own kind (True is 1); None: no row can equal it."""
    value = constant.value
    if side.kind == "bool" and not isinstance(value, bool):
        return bool(value) if value in (0, 1) else None
    if side.kind == "int" and isinstance(value, bool):
        return int(value)
    return value


def _number(side: _Side) -> Any:
    return cast(_column(side), Integer) if side.kind == "bool" else side.column


def _order(left: Any, op: str, right: Any) -> ColumnElement[bool]:
    return _true_where(_ORDERS[op](left, right))


def _next_text(prefix: str) -> str | None:
    """The smallest text above everything that starts with `prefix`; None: there is none."""
    for end in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[end]) + 1
        if point == 0xD800:
            point = 0xE000  # surrogates are not characters
        if point <= 0x10FFFF:
            return prefix[:end] + chr(point)
    return None
