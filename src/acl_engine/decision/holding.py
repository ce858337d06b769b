"""A relation's tree made ready for use: `kleene.truth` of one tree as nested functions.

A policy is read once and asked a million times: which kind each node is of is found out here, at
its first reading, and not at each question. A property test compares the two on random trees and
facts; `kleene` says what is true.
"""

from collections.abc import Callable, Mapping

from acl_engine.decision.kleene import Unreadable, same_kind
from acl_engine.domain import scope as s
from acl_engine.domain.facts import Value
from acl_engine.policy.expression import And, Binary, Call, Expr, Literal, Name, Not, Or

_Facts = Mapping[str, Value]
Holds = Callable[[_Facts, _Facts | None], bool | None]
_Reads = Callable[[_Facts, _Facts | None], Value]


def holding(tree: Expr) -> Holds:
    """Whether the tree holds, as a function of subject and resource (None: nothing is known of it).

    Raises Unreadable.
    """
    match tree:
        case Literal(constant) if isinstance(constant, bool):
            return lambda subject, resource: constant
        case Not(part):
            return _negated(holding(part))
        case And(parts):
            return _joined(tuple(map(holding, parts)), ends=False)
        case Or(parts):
            return _joined(tuple(map(holding, parts)), ends=True)
        case Name():
            return _flag(_reading(tree))
        case Binary("in", left, right):
            return _member(_reading(left), _reading(right))
        case Binary(op, left, right) if Literal(None) in (left, right):
            return _against_nothing(op, left, right)
        case Binary(op, left, right):
            return _compared(op, _reading(left), _reading(right))
        case Call(("startsWith",), (left, right)):
            return _prefixed(_reading(left), _reading(right))
    raise Unreadable(type(tree).__name__)


def _negated(inner: Holds) -> Holds:
    def holds(subject: _Facts, resource: _Facts | None) -> bool | None:
        found = inner(subject, resource)
        return None if found is None else not found

    return holds


def _joined(parts: tuple[Holds, ...], *, ends: bool) -> Holds:
    """And (one that is false ends it) and or (one that is true)."""

    def holds(subject: _Facts, resource: _Facts | None) -> bool | None:
        unknown = False
        for part in parts:
            found = part(subject, resource)
            if found is ends:
                return ends
            unknown = unknown or found is None
        return None if unknown else not ends

    return holds


def _flag(reads: _Reads) -> Holds:
    def holds(subject: _Facts, resource: _Facts | None) -> bool | None:
        value = reads(subject, resource)
        return value if isinstance(value, bool) else None

    return holds


def _member(left: _Reads, right: _Reads) -> Holds:
    def holds(subject: _Facts, resource: _Facts | None) -> bool | None:
        needle, values = left(subject, resource), right(subject, resource)
        if needle is None or not isinstance(values, frozenset):
            return None
        return needle in values

    return holds


def _against_nothing(op: str, left: Expr, right: Expr) -> Holds:
    about = any(isinstance(side, Name) and side.path[0] == "res" for side in (left, right))
    one, two, meant = _reading(left), _reading(right), op in ("==", "!=")

    def holds(subject: _Facts, resource: _Facts | None) -> bool | None:
        if not meant or (about and resource is None):
            return None
        return s.compare(one(subject, resource), op, two(subject, resource))

    return holds


def _compared(op: str, left: _Reads, right: _Reads) -> Holds:
    ordered = op not in ("==", "!=")

    def holds(subject: _Facts, resource: _Facts | None) -> bool | None:
        one, two = left(subject, resource), right(subject, resource)
        if one is None or two is None or (ordered and not same_kind(one, two)):
            return None
        return s.compare(one, op, two)

    return holds


def _prefixed(left: _Reads, right: _Reads) -> Holds:
    def holds(subject: _Facts, resource: _Facts | None) -> bool | None:
        text, prefix = left(subject, resource), right(subject, resource)
        if not isinstance(text, str) or not isinstance(prefix, str) or not prefix:
            return None
        return text.startswith(prefix)

    return holds


def _reading(tree: Expr) -> _Reads:
    match tree:
        case Literal(value) if not isinstance(value, float):
            return lambda subject, resource: value
        case Name(("sub", attribute)):
            return lambda subject, resource: subject.get(attribute)
        case Name(("res", attribute)):
            return lambda subject, resource: None if resource is None else resource.get(attribute)
    raise Unreadable(type(tree).__name__)
