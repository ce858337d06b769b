"""From tree to Python: the source of a condition, written from the tree and from nothing else.

INVARIANTS
- No text of a policy reaches the source but as `repr` of a literal or as a name checked against
  the model's own fields.
- What stands where a condition is expected must be a bool; anything else is Refused, not truthy.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

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
)
from acl_engine.policy.patterns import MAKERS, Refused
from acl_engine.policy.reading import Vocabulary

MAX_TEXT = 100_000
# Beyond it, whole numbers of Python grow with every step; no policy counts so far.
MAX_NUMBER = 2**63


def attribute(value: object, name: str) -> object:
    """`value.name`, or `value["name"]` for a mapping; Refused if there is none."""
    if isinstance(value, Mapping):
        if name in value:
            return value[name]
        raise Refused(f"no attribute `{name}`")
    try:
        return getattr(value, name)
    except AttributeError:
        raise Refused(f"no attribute `{name}`") from None


def flag(value: object) -> bool:
    if value is True or value is False:
        return value
    raise Refused("a condition that is not true or false")


def _number(value: object) -> float:
    if not isinstance(value, (int, float)):
        raise Refused("not a number")
    if not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise Refused("too large a number")
    return value


def plus(left: object, right: object) -> object:
    if isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > MAX_TEXT:
            raise Refused("too long")
        return left + right
    return _number(left) + _number(right)


def _numeric(function: Callable[[Any, Any], Any]) -> Callable[[object, object], object]:
    def of(left: object, right: object) -> object:
        return function(_number(left), _number(right))

    return of


ENVIRONMENT: Mapping[str, object] = {
    "__builtins__": {},
    "attribute": attribute,
    "flag": flag,
    "plus": plus,
    "minus": _numeric(operator.sub),
    "times": _numeric(operator.mul),
    "over": _numeric(operator.truediv),
    "modulo": _numeric(operator.mod),
}
_ARITHMETIC = {"+": "plus", "-": "minus", "*": "times", "/": "over", "%": "modulo"}
_BOOLEAN = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})


def value(tree: Expr, words: Vocabulary) -> str:
    """The source of a value."""
    match tree:
        case Literal(constant):
            return repr(constant)
        case Name(path):
            return _name(path, words)
        case Sequence(items):
            return "(" + "".join(f"{value(item, words)}, " for item in items) + ")"
        case Binary(op, left, right) if op in _ARITHMETIC:
            return f"{_ARITHMETIC[op]}({value(left, words)}, {value(right, words)})"
        case Call(function, args):
            return _call(function[0], args, words)
    return condition(tree, words)


def condition(tree: Expr, words: Vocabulary) -> str:
    """The source of what must be true or false."""
    match tree:
        case Binary(op, left, right) if op in _BOOLEAN:
            return f"({value(left, words)} {op} {value(right, words)})"
        case Not(part):
            return f"(not {condition(part, words)})"
        case And(parts):
            return "(" + " and ".join(condition(part, words) for part in parts) + ")"
        case Or(parts):
            return "(" + " or ".join(condition(part, words) for part in parts) + ")"
        case Call((name,), _) if name in MAKERS or name in words.roles or name == "eval":
            return value(tree, words)
    return f"flag({value(tree, words)})"


def _name(path: tuple[str, ...], words: Vocabulary) -> str:
    root, field, *rest = path
    if root == words.ptype:
        return f"row[{words.policy.index(field)}]"
    source = f"r_{field}"
    for name in rest:
        source = f"attribute({source}, {name!r})"
    return source


def _call(name: str, args: tuple[Expr, ...], words: Vocabulary) -> str:
    if name in MAKERS:
        return f"test_{name}[{value(args[1], words)}]({value(args[0], words)})"
    given = ", ".join(value(one, words) for one in args)
    if name in words.roles:
        return f"reaches_{name}({given})"
    if name == "eval":
        request = ", ".join(f"r_{field}" for field in words.request)
        return f"when[{given}]({request}, row)"
    return f"own_{name}({given})"
