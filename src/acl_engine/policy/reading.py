"""What a matcher or a row's condition may name, checked before anything is compiled."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.text import Text
from acl_engine.policy.branches import calls
from acl_engine.policy.expression import (
    And,
    Call,
    Expr,
    Literal,
    Name,
    Not,
    Or,
    literals,
    names,
)
from acl_engine.policy.patterns import MAKERS

UNKNOWN_NAME = Text(
    "reading.name",
    "`{name}` 不存在",
    "`{name}` does not exist",
    "最接近的：{near}",
    "closest: {near}",
)
PRIVATE = Text(
    "reading.private",
    "不读取以 `_` 开头的 `{name}`",
    "`{name}` starts with `_`",
    "换一个不以 `_` 开头的属性",
    "name an attribute that does not start with `_`",
)
UNKNOWN_FUNCTION = Text(
    "reading.function",
    "函数 `{name}` 不认识",
    "the function `{name}` is not known",
    "最接近的：{near}；自定义函数用 functions= 传入",
    "closest: {near}; pass your own by functions=",
)
CLOCK = Text(
    "reading.clock",
    "`{name}` 读时钟，判定不读时钟",
    "`{name}` reads the clock, and a decision does not",
    "把时间作为请求的属性传入",
    "pass the time as an attribute of the request",
)
ARGUMENTS = Text(
    "reading.arguments",
    "`{name}` 需要 {expected} 个参数，给了 {found} 个",
    "`{name}` takes {expected} arguments, got {found}",
    "检查括号与逗号",
    "check the brackets and commas",
)
FOREIGN_PATTERN = Text(
    "reading.pattern",
    "`{name}` 的模式必须来自策略的列或字面量",
    "the pattern of `{name}` must be a column of the policy or a literal",
    "请求给出的模式不可信",
    "a pattern that the request brings cannot be trusted",
)
EVAL_COLUMN = Text(
    "reading.eval",
    "eval() 只能读策略的一列",
    "eval() reads one column of the policy and nothing else",
    "写作 eval(p.列名)",
    "write eval(p.column)",
)
CONSTANT = Text(
    "reading.constant",
    "条件里的常量 `{value}` 使它对任何人成立或不成立",
    "the constant `{value}` decides the condition for anyone",
    "写出条件，或删除",
    "write the condition, or delete it",
)
REWRITTEN = Text(
    "reading.rewritten",
    "casbin 会改写文字 `{value}` 里的运算符或 `r.`、`p.`",
    "casbin rewrites an operator, `r.` or `p.` inside of the text `{value}`",
    "把它写进策略的一列，或不用 compat（按原文读取）",
    "put it into a column of the policy; without compat it is read as written",
)
# By textual replacement over the whole matcher, whatever stands there in quotes.
_REWRITES = re.compile(r"&&|\|\||!(?!=)|\b[rp][0-9]*\.|\beval\(")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What one matcher may read."""

    rtype: str
    request: tuple[str, ...]
    ptype: str
    policy: tuple[str, ...]
    roles: Mapping[str, int]
    functions: frozenset[str]  # the embedder's own


def findings(
    tree: Expr, words: Vocabulary, where: Where, *, row: bool = False
) -> Iterator[PolicyError]:
    """Everything in the tree that cannot be read. `row`: a row's condition, for eval()."""
    for path in sorted(names(tree)):
        yield from _name(path, words, where)
    for call in calls(tree):
        yield from _call(call, words, where, row)
    for constant in _constants(tree):
        yield PolicyError(CONSTANT.of(value=constant.value), where)


def rewritten(tree: Expr, where: Where) -> Iterator[PolicyError]:
    """Texts that casbin compares with something else than what is written: refused by `compat`,
    which promises never to allow more than casbin."""
    for literal in literals(tree):
        if isinstance(literal.value, str) and _REWRITES.search(literal.value):
            yield PolicyError(REWRITTEN.of(value=literal.value), where.within(literal.column))


def _name(path: tuple[str, ...], words: Vocabulary, where: Where) -> Iterator[PolicyError]:
    root, *rest = path
    known = [f"{words.rtype}.{field}" for field in words.request]
    known += [f"{words.ptype}.{column}" for column in words.policy]
    full = ".".join(path)
    if ".".join(path[:2]) not in known or (root == words.ptype and len(path) != 2):
        near = ", ".join(get_close_matches(full, known, 3, 0.3)) or ", ".join(known)
        yield PolicyError(UNKNOWN_NAME.of(name=full, near=near), where)
    elif any(part.startswith("_") for part in rest):
        yield PolicyError(PRIVATE.of(name=full), where)


def _call(call: Call, words: Vocabulary, where: Where, row: bool) -> Iterator[PolicyError]:
    name = ".".join(call.function)
    place = where.within(call.column)
    if name in words.roles:
        expected = words.roles[name]
    elif name in MAKERS:
        expected = 2
        if len(call.args) == 2 and not _trusted(call.args[1], words):
            yield PolicyError(FOREIGN_PATTERN.of(name=name), place)
    elif name == "eval" and not row:
        expected = 1
        if call.args and not (
            isinstance(call.args[0], Name) and call.args[0].path[0] == words.ptype
        ):
            yield PolicyError(EVAL_COLUMN.of(), place)
    elif name in words.functions:
        return
    else:
        text = CLOCK if name == "timeMatch" else UNKNOWN_FUNCTION
        known = [*MAKERS, *words.roles, *words.functions, "eval"]
        near = ", ".join(get_close_matches(name, known, 3, 0.4)) or "-"
        yield PolicyError(text.of(name=name, near=near), place)
        return
    if len(call.args) != expected:
        found = len(call.args)
        yield PolicyError(ARGUMENTS.of(name=name, expected=expected, found=found), place)


def _trusted(pattern: Expr, words: Vocabulary) -> bool:
    if isinstance(pattern, Literal):
        return isinstance(pattern.value, str)
    return isinstance(pattern, Name) and pattern.path[0] == words.ptype


def _constants(tree: Expr) -> Iterator[Literal]:
    """Literals that stand where a condition is expected."""
    match tree:
        case Literal():
            yield tree
        case Not(part):
            yield from _constants(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _constants(part)
