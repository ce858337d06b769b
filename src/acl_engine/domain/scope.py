"""A row filter over a resource's attributes: what a subject may reach, before any row is read.

`decision` makes it, storage turns it into SQL WHERE, and `holds` says the same in Python. The two
must agree row by row, so the meaning is fixed here:

INVARIANTS
- Two-valued: a row either is in the scope or is not. There is no unknown.
- `Compare` with `==` / `!=` treats None as a value of its own (`None == None`; SQL: IS [NOT]
  DISTINCT FROM). The orderings `<`, `<=`, `>`, `>=` are false when either side is None or the two
  are of different kinds. Text compares by code point, case matters, nothing is a wildcard.
- `Member` is false for None unless None is listed. An empty `Member` is false, an empty `And` is
  true, an empty `Or` is false.
- `Prefix` is a plain text prefix: `%` and `_` are characters. False for None.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from acl_engine.domain.facts import Value

Scalar = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Always:
    """All rows, or none."""

    value: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """`attribute op constant`, op one of == != < <= > >=."""

    attribute: str
    op: str
    constant: Scalar


@dataclass(frozen=True, slots=True)
class CompareAttributes:
    """`left op right`, both attributes of the row."""

    left: str
    op: str
    right: str


@dataclass(frozen=True, slots=True)
class Member:
    """The attribute's value is one of `values`."""

    attribute: str
    values: frozenset[Scalar]


@dataclass(frozen=True, slots=True)
class Prefix:
    """The attribute, a text, starts with `prefix`."""

    attribute: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Not:
    part: "Scope"


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Scope", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Scope", ...]


Scope = Always | Compare | CompareAttributes | Member | Prefix | Not | And | Or

EVERYTHING = Always(True)
NOTHING = Always(False)


def all_of(*parts: Scope) -> Scope:
    """The conjunction, flattened and without what adds nothing."""
    kept: list[Scope] = []
    for part in parts:
        if part == NOTHING:
            return NOTHING
        if part == EVERYTHING:
            continue
        kept.extend(part.parts if isinstance(part, And) else (part,))
    kept = list(dict.fromkeys(kept))
    if not kept:
        return EVERYTHING
    return kept[0] if len(kept) == 1 else And(tuple(kept))


def any_of(*parts: Scope) -> Scope:
    """The disjunction, flattened and without what adds nothing."""
    kept: list[Scope] = []
    for part in parts:
        if part == EVERYTHING:
            return EVERYTHING
        if part == NOTHING:
            continue
        kept.extend(part.parts if isinstance(part, Or) else (part,))
    kept = list(dict.fromkeys(kept))
    if not kept:
        return NOTHING
    return kept[0] if len(kept) == 1 else Or(tuple(kept))


def negate(part: Scope) -> Scope:
    """The complement. Sound because the meaning is two-valued."""
    if isinstance(part, Always):
        return Always(not part.value)
    return part.part if isinstance(part, Not) else Not(part)


def compare(left: Value, op: str, right: Value) -> bool:
    """The meaning of every comparison in a scope; see the invariants above."""
    if op == "==":
        return left == right and (type(left) is type(right) or _numbers(left, right))
    if op == "!=":
        return not compare(left, "==", right)
    if isinstance(left, str) and isinstance(right, str):
        return _ordered(left, op, right)
    if isinstance(left, int) and isinstance(right, int):
        return _ordered(left, op, right)
    return False


def _numbers(left: Value, right: Value) -> bool:
    return isinstance(left, int) and isinstance(right, int)


def _ordered(left: str | int, op: str, right: str | int) -> bool:
    sign = (left > right) - (left < right)  # type: ignore[operator]  # same kind, checked above
    return {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[op]


def holds(scope: Scope, row: Mapping[str, Value]) -> bool:
    """Whether a row of attributes is in the scope. A missing attribute raises KeyError: deny."""
    match scope:
        case Always(every):
            return every
        case Compare(attribute, op, constant):
            return compare(row[attribute], op, constant)
        case CompareAttributes(left, op, right):
            return compare(row[left], op, row[right])
        case Member(attribute, values):
            value = row[attribute]
            return any(compare(value, "==", one) for one in values)
        case Prefix(attribute, prefix):
            text = row[attribute]
            return isinstance(text, str) and text.startswith(prefix)
        case Not(part):
            return not holds(part, row)
        case And(parts):
            return all(holds(part, row) for part in parts)
        case Or(parts):
            return any(holds(part, row) for part in parts)
