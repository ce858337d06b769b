"""A matcher's tree as a few branches, each with the equalities by which rows can be looked up.

A matcher is an Or of Ands. In each And, `r.x == p.y` and `g(r.x, p.y)` tell in which column of
the policy to look for which value of the request: that is the key. What is left is the residual,
tested row by row for the rows under the key.
"""

from dataclasses import dataclass

from acl_engine.policy.expression import And, Binary, Call, Expr, Name, Not, Or, names

MAX_BRANCHES = 16


@dataclass(frozen=True, slots=True)
class KeyPart:
    """Column `column` of the row must be the value of `value`, or, with `role`, any name that
    `value` reaches in that role definition (in the domain `domain`, if it has one)."""

    column: int
    value: Expr
    role: str = ""
    domain: Expr | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """`parts` are the conditions as written; `keys` and `residual` are how they are tested."""

    parts: tuple[Expr, ...]
    keys: tuple[KeyPart, ...]
    residual: tuple[Expr, ...]


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
    equal: dict[Expr, Expr] = {}  # p.dom -> r.dom, where both are said to be equal
    for part in parts:
        if pair := _equality(part, ptype):
            equal.setdefault(pair[0], pair[1])
    taken: set[int] = set()
    for part in parts:
        key = _key(part, ptype, columns, roles, equal)
        if key and key.column not in taken:
            taken.add(key.column)
            keys.append(key)
        else:
            residual.append(part)
    return Branch(parts, tuple(keys), tuple(residual))


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
    if pair := _equality(part, ptype):
        return KeyPart(columns.index(pair[0].path[1]), pair[1])
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
    return KeyPart(columns.index(own.path[1]), subject, part.function[0], domain)


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
