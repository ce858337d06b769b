"""Comparisons with one attribute of an unknown record, as Python makes them when it is known.

Each gives the rows for which the comparison is true, and those at which Python would raise.

INVARIANTS
- Exact for every value that an attribute of the kind, or None, can have.
- What a `domain.scope` cannot say exactly is `Unsaid`; it is never approximated.
"""

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from acl_engine.domain import scope as s

Kind = Literal["text", "int", "bool"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """An operand that differs from record to record."""

    name: str
    kind: Kind

    @property
    def absent(self) -> s.Scope:
        return s.Compare(self.name, "==", None)


@dataclass(frozen=True, slots=True)
class Truth:
    """The rows for which a condition is true, and those at which it raises."""

    yes: s.Scope
    doubt: s.Scope = s.NOTHING


class Unsaid(Exception):
    """A comparison that no row filter says exactly. `args[0]`: why."""


ALWAYS, NEVER, DOUBT = Truth(s.EVERYTHING), Truth(s.NOTHING), Truth(s.NOTHING, s.EVERYTHING)
FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# Built-in values that compare as Python says, and never equal a text, a number or a flag.
_APART = (list, tuple, set, frozenset, dict, bytes, bytearray)


class _NotScalar:
    """What is neither text, number, flag nor None."""


NOT_SCALAR = _NotScalar()


def scalar(value: object) -> Any:
    """The value as a scope's constant, or NOT_SCALAR. A text of an Enum is its plain text."""
    if value is None or isinstance(value, bool) or type(value) in (str, int):
        return value
    if isinstance(value, Enum) and isinstance(value, str | int):
        return scalar(value.value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return NOT_SCALAR


def flag(side: Any) -> Truth:
    """A value where a condition is expected: it must be true or false."""
    if not isinstance(side, Attribute):
        return (ALWAYS if side else NEVER) if isinstance(side, bool) else DOUBT
    if side.kind != "bool":
        return DOUBT
    return Truth(s.Compare(side.name, "==", True), side.absent)


def compared(left: Any, op: str, right: Any) -> Truth:
    """`left op right`, where either may be an attribute."""
    if not isinstance(left, Attribute) and isinstance(right, Attribute):
        left, op, right = right, FLIPPED[op], left
    if not isinstance(left, Attribute):
        return _constants(left, op, right)
    if isinstance(right, Attribute):
        return _attributes(left, op, right)
    if op in ("==", "!="):
        same = _equals(left, right)
        return Truth(same if op == "==" else s.negate(same))
    return _ordered(left, op, right)


def member(needle: Any, values: Any) -> Truth:
    """`needle in values`."""
    if isinstance(values, Attribute):
        if values.kind == "text":
            raise Unsaid("it searches inside of a text")
        return DOUBT
    if values is None or isinstance(values, int | float):
        return DOUBT
    if not isinstance(values, list | tuple | set | frozenset | dict):
        raise Unsaid(f"a list of type {type(values).__name__}")
    scalars = [scalar(one) for one in values]
    if isinstance(needle, Attribute) and NOT_SCALAR not in scalars:
        return Truth(listed(needle, scalars))
    return Truth(s.any_of(*(compared(needle, "==", one).yes for one in values)))


def listed(attribute: Attribute, values: Iterable[Any]) -> s.Scope:
    """The attribute is one of the values."""
    scalars = frozenset(map(scalar, values))
    if NOT_SCALAR in scalars:
        raise Unsaid("a name that is not a text")
    return s.Member(attribute.name, scalars) if scalars else s.NOTHING


def _constants(left: Any, op: str, right: Any) -> Truth:
    """Two values that are the same for every record of the type."""
    for side in (left, right):
        if scalar(side) is NOT_SCALAR and not isinstance(side, (*_APART, float)):
            raise Unsaid(f"a value of type {type(side).__name__}")
    try:
        return ALWAYS if _OPERATORS[op](left, right) else NEVER
    except TypeError:
        return DOUBT


def _attributes(left: Attribute, op: str, right: Attribute) -> Truth:
    pair = s.CompareAttributes(left.name, op, right.name)
    if op in ("==", "!="):
        return Truth(pair)
    if (left.kind == "text") != (right.kind == "text"):
        return DOUBT
    return Truth(pair, s.any_of(left.absent, right.absent))


def _equals(left: Attribute, constant: Any) -> s.Scope:
    value = scalar(constant)
    if value is not NOT_SCALAR:
        return s.Compare(left.name, "==", value)
    if isinstance(constant, (*_APART, float)):
        return s.NOTHING
    raise Unsaid(f"a value of type {type(constant).__name__}")


def _ordered(left: Attribute, op: str, constant: Any) -> Truth:
    if isinstance(constant, float) and not constant.is_integer():
        return _beside_float(left, op, constant)
    value = scalar(constant)
    if value is NOT_SCALAR:
        if isinstance(constant, _APART):
            return DOUBT
        raise Unsaid(f"a value of type {type(constant).__name__}")
    if value is None or (left.kind == "text") != isinstance(value, str):
        return DOUBT
    return Truth(s.Compare(left.name, op, value), left.absent)


def _beside_float(left: Attribute, op: str, constant: float) -> Truth:
    """A whole number is below 2.5 where it is below 3, and above it where it is above 2."""
    if left.kind == "text":
        return DOUBT
    if not math.isfinite(constant):
        raise Unsaid("a number without end")
    whole = math.ceil(constant) if op in ("<", ">=") else math.floor(constant)
    return Truth(s.Compare(left.name, op, whole), left.absent)
