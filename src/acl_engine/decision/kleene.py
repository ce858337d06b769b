"""Three-valued reading of a relation's tree: true, false, or unknown.

A fact that is missing or None makes a comparison unknown, unless it is compared with the literal
`None`. An allow row applies only where its condition is certainly true, a deny row wherever it is
not certainly false: any doubt denies.

INVARIANTS
- `truth` (decide) and `scope` (row filter) read the same tree by the same rules; a property test
  compares them row by row.
- Two unknown values are never equal: a waybill without a tenant is not "of the same tenant" as a
  person without one.
"""

from collections.abc import Mapping

from acl_engine.domain import scope as s
from acl_engine.domain.facts import Value
from acl_engine.policy.expression import And, Binary, Call, Expr, Literal, Name, Not, Or

_FLIP = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class Unreadable(Exception):
    """A tree that the pack's grammar does not have; the loader refuses it before it gets here."""


def truth(
    tree: Expr, subject: Mapping[str, Value], resource: Mapping[str, Value] | None
) -> bool | None:
    """True, False, or None for unknown. `resource` None: nothing is known about the record."""
    match tree:
        case Literal(constant) if isinstance(constant, bool):
            return constant
        case Not(part):
            inner = truth(part, subject, resource)
            return None if inner is None else not inner
        case And(parts):
            found = [truth(part, subject, resource) for part in parts]
            return False if False in found else (None if None in found else True)
        case Or(parts):
            found = [truth(part, subject, resource) for part in parts]
            return True if True in found else (None if None in found else False)
        case Name():
            value = _value(tree, subject, resource)
            return value if isinstance(value, bool) else None
        case Binary("in", left, right):
            needle, values = (_value(side, subject, resource) for side in (left, right))
            if needle is None or not isinstance(values, frozenset):
                return None
            return needle in values
        case Binary(op, left, right):
            return _compared(op, left, right, subject, resource)
        case Call(("startsWith",), (left, right)):
            text, prefix = (_value(side, subject, resource) for side in (left, right))
            if not isinstance(text, str) or not isinstance(prefix, str) or not prefix:
                return None
            return text.startswith(prefix)
    raise Unreadable(type(tree).__name__)


def _compared(
    op: str,
    left: Expr,
    right: Expr,
    subject: Mapping[str, Value],
    resource: Mapping[str, Value] | None,
) -> bool | None:
    one, two = _value(left, subject, resource), _value(right, subject, resource)
    if Literal(None) in (left, right):
        known = resource is not None or not any(
            isinstance(side, Name) and side.path[0] == "res" for side in (left, right)
        )
        return s.compare(one, op, two) if known and op in ("==", "!=") else None
    if one is None or two is None:
        return None
    if op not in ("==", "!=") and not same_kind(one, two):
        return None
    return s.compare(one, op, two)


def same_kind(one: Value, two: Value) -> bool:
    both_numbers = isinstance(one, int) and isinstance(two, int)
    return both_numbers or (isinstance(one, str) and isinstance(two, str))


def _value(tree: Expr, subject: Mapping[str, Value], resource: Mapping[str, Value] | None) -> Value:
    match tree:
        case Literal(value) if not isinstance(value, float):
            return value
        case Name(("sub", attribute)):
            return subject.get(attribute)
        case Name(("res", attribute)):
            return None if resource is None else resource.get(attribute)
    raise Unreadable(type(tree).__name__)


def scope(tree: Expr, subject: Mapping[str, Value], *, want: bool) -> s.Scope:
    """The rows for which the tree is certainly `want`, with the subject's facts put in."""
    match tree:
        case Literal(value) if isinstance(value, bool):
            return s.Always(value is want)
        case Not(part):
            return scope(part, subject, want=not want)
        case And(parts):
            join = s.all_of if want else s.any_of
            return join(*(scope(part, subject, want=want) for part in parts))
        case Or(parts):
            join = s.any_of if want else s.all_of
            return join(*(scope(part, subject, want=want) for part in parts))
        case Name(("res", attribute)):
            return s.Compare(attribute, "==", want)
        case Name():
            return s.Always(truth(tree, subject, None) is want)
        case Binary("in", left, right):
            return _member_scope(left, _value(right, subject, None), subject, want)
        case Binary(op, left, right):
            return _compare_scope(op, left, right, subject, want)
        case Call(("startsWith",), (left, right)):
            return _prefix_scope(left, right, subject, want)
    raise Unreadable(type(tree).__name__)


def _is_resource(tree: Expr) -> bool:
    return isinstance(tree, Name) and tree.path[0] == "res"


def _present(attribute: str) -> s.Scope:
    return s.Compare(attribute, "!=", None)


def _member_scope(left: Expr, values: Value, subject: Mapping[str, Value], want: bool) -> s.Scope:
    if not isinstance(values, frozenset):
        return s.NOTHING
    if isinstance(left, Name) and left.path[0] == "res":
        member = s.Member(left.path[1], frozenset(values)) if values else s.NOTHING
        return member if want else s.all_of(s.negate(member), _present(left.path[1]))
    needle = _value(left, subject, None)
    return s.Always(needle is not None and (needle in values) is want)


def _compare_scope(
    op: str, left: Expr, right: Expr, subject: Mapping[str, Value], want: bool
) -> s.Scope:
    if not (_is_resource(left) or _is_resource(right)):
        return s.Always(_compared(op, left, right, subject, None) is want)
    if not _is_resource(left):
        left, right, op = right, left, _FLIP[op]
    if not want:
        op = _OPPOSITE[op]
    assert isinstance(left, Name)
    attribute = left.path[1]
    if isinstance(right, Name) and right.path[0] == "res":
        other = right.path[1]
        pair = s.CompareAttributes(attribute, op, other)
        return s.all_of(pair, _present(attribute), _present(other))
    constant = _value(right, subject, None)
    if right == Literal(None):
        return s.Compare(attribute, op, None) if op in ("==", "!=") else s.NOTHING
    if constant is None or isinstance(constant, frozenset):
        return s.NOTHING
    one = s.Compare(attribute, op, constant)
    return s.all_of(one, _present(attribute)) if op == "!=" else one


def _prefix_scope(left: Expr, right: Expr, subject: Mapping[str, Value], want: bool) -> s.Scope:
    prefix = _value(right, subject, None)
    if not _is_resource(left):
        return s.Always(truth(Call(("startsWith",), (left, right)), subject, None) is want)
    if _is_resource(right) or not isinstance(prefix, str) or not prefix:
        return s.NOTHING
    assert isinstance(left, Name)
    attribute = left.path[1]
    starts = s.Prefix(attribute, prefix)
    return starts if want else s.all_of(s.negate(starts), _present(attribute))
