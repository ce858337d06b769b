"""A matcher's tree as a few branches, each with the equalities by which rows can be looked up.

A matcher is an Or of Ands. In each And, `r.x == p.y` and `g(r.x, p.y)` tell in which column of
the policy to look for which value of the request: that is the key. What is left is the residual,
tested row by row for the rows under the key. A condition on the row alone (`p.act == "*"`) is
tested once, when the policy is loaded; a path pattern lends its literal head as a last key.
"""

from dataclasses import dataclass, replace

from acl_engine.policy.expression import (
    And,
    Binary,
    Call,
    Expr,
    Literal,
    Name,
    Not,
    Or,
    Sequence,
    names,
)
from acl_engine.policy.heads import WITH_HEADS

MAX_BRANCHES = 16


@dataclass(frozen=True, slots=True)
class KeyPart:
    """Column `column` of the row must be the value of `value`, or, with `role`, any name that
    `value` reaches in that role definition (in the domain `domain`, if it has one). `part` is
    the condition as written."""

    part: Expr
    column: int
    value: Expr
    role: str = ""
    domain: Expr | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The patterns in column `column` are matched by `function` with the path `value`."""

    function: str
    column: int
    value: Expr


@dataclass(frozen=True, slots=True)
class Branch:
    """`parts` are the conditions as written; the rest is how they are tested.

    `fixed` read the row alone; `keys` look rows up; `residual` is tested row by row, the pattern
    behind `head` included. `tested_keys` could look rows up, and are in the residual instead.
    """

    parts: tuple[Expr, ...]
    keys: tuple[KeyPart, ...]
    residual: tuple[Expr, ...]
    fixed: tuple[Expr, ...] = ()
    head: Head | None = None
    tested_keys: tuple[KeyPart, ...] = ()

    def demoted(self, key: KeyPart) -> "Branch":
        """The same branch, with one key tested row by row instead."""
        rest = tuple(one for one in self.keys if one is not key)
        tested = (*self.tested_keys, key)
        return replace(self, keys=rest, residual=(*self.residual, key.part), tested_keys=tested)


def branches(
    tree: Expr, ptype: str, columns: tuple[str, ...], roles: frozenset[str]
) -> tuple[Branch, ...]:
    """The branches of a matcher; their union is the matcher."""
    conjunctions = _distributed(tree)
    return tuple(_branch(parts, ptype, columns, roles) for parts in conjunctions)


def _distributed(tree: Expr) -> list[tuple[Expr, ...]]:
    match tree:
        case Or(parts):
            found = [one for part in parts for one in _distributed(part)]
        case And(parts):
            found = [()]
            for part in parts:
                found = [left + right for left in found for right in _distributed(part)]
                if len(found) > MAX_BRANCHES:
                    return [(tree,)]
        case _:
            return [(tree,)]
    return found if len(found) <= MAX_BRANCHES else [(tree,)]


def _branch(
    parts: tuple[Expr, ...], ptype: str, columns: tuple[str, ...], roles: frozenset[str]
) -> Branch:
    keys: list[KeyPart] = []
    residual: list[Expr] = []
    fixed = tuple(part for part in parts if _is_fixed(part, ptype) and reads_rows(part, ptype))
    equal: dict[Expr, Expr] = {}  # p.dom -> r.dom, where both are said to be equal
    for part in parts:
        if pair := _equality(part, ptype):
            equal.setdefault(pair[0], pair[1])
    taken: set[int] = set()
    for part in parts:
        if part in fixed:
            continue
        key = _key(part, ptype, columns, roles, equal)
        if key and key.column not in taken:
            taken.add(key.column)
            keys.append(key)
        else:
            residual.append(part)
    heads = [head for part in residual if (head := _head(part, ptype, columns))]
    return Branch(parts, tuple(keys), tuple(residual), fixed, heads[0] if heads else None)


def _is_fixed(tree: Expr, ptype: str) -> bool:
    """Whether the tree compares columns of the row with literals, and nothing else."""
    match tree:
        case And(parts) | Or(parts):
            return all(_is_fixed(part, ptype) for part in parts)
        case Not(part):
            return _is_fixed(part, ptype)
        case Binary("==" | "!=", left, right):
            return _of_row(left, ptype) and _of_row(right, ptype)
        case Binary("in", left, Sequence(items)):
            return _of_row(left, ptype) and all(_of_row(item, ptype) for item in items)
    return False


def _of_row(tree: Expr, ptype: str) -> bool:
    return isinstance(tree, Literal) or (isinstance(tree, Name) and tree.path[0] == ptype)


def _head(part: Expr, ptype: str, columns: tuple[str, ...]) -> Head | None:
    if not isinstance(part, Call) or part.function[0] not in WITH_HEADS:
        return None
    value, pattern = part.args
    if not _of_request(value, ptype) or not isinstance(pattern, Name):
        return None
    return Head(part.function[0], columns.index(pattern.path[1]), value)


def _equality(part: Expr, ptype: str) -> tuple[Name, Expr] | None:
    if not isinstance(part, Binary) or part.op != "==":
        return None
    for own, other in ((part.left, part.right), (part.right, part.left)):
        if isinstance(own, Name) and own.path[0] == ptype and _of_request(other, ptype):
            return own, other
    return None


def _of_request(tree: Expr, ptype: str) -> bool:
    """A name of the request: what can be looked up as it is."""
    return isinstance(tree, Name) and tree.path[0] != ptype


def _key(
    part: Expr,
    ptype: str,
    columns: tuple[str, ...],
    roles: frozenset[str],
    equal: dict[Expr, Expr],
) -> KeyPart | None:
    """How the rows can be looked up by this condition, if they can."""
    if pair := _equality(part, ptype):
        return KeyPart(part, columns.index(pair[0].path[1]), pair[1])
    if not isinstance(part, Call) or len(part.function) != 1 or part.function[0] not in roles:
        return None
    subject, own, *rest = part.args
    domain = equal.get(rest[0], rest[0]) if rest else None
    row_side = isinstance(own, Name) and own.path[0] == ptype
    if not row_side or not _of_request(subject, ptype):
        return None
    if domain is not None and not _of_request(domain, ptype):
        return None
    assert isinstance(own, Name)
    return KeyPart(part, columns.index(own.path[1]), subject, part.function[0], domain)


def calls(tree: Expr) -> list[Call]:
    """Every call in the tree, outermost first."""
    match tree:
        case Call(_, args):
            return [tree, *(one for part in args for one in calls(part))]
        case Binary(_, left, right):
            return [*calls(left), *calls(right)]
        case Not(part):
            return calls(part)
        case And(parts) | Or(parts):
            return [one for part in parts for one in calls(part)]
    return []


def reads_rows(tree: Expr, ptype: str) -> bool:
    """Whether the tree reads a column of the policy."""
    return any(path[0] == ptype for path in names(tree))
