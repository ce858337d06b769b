"""The comparisons of a policy, over whole columns: true, false or unknown for each line.

INVARIANT: for every line the answer is that of `decision.kleene.truth`; a test compares them.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from acl_engine.analysis.backtest.columns import (
    FALSE,
    NO_INT,
    NO_WORD,
    UNKNOWN,
    Array,
)
from acl_engine.analysis.backtest.past import Lines, Past
from acl_engine.decision import kleene
from acl_engine.domain import scope as s
from acl_engine.policy.expression import And, Binary, Call, Expr, Literal, Name, Not, Or

_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_NONE = Literal(None)


def leaves(tree: Expr) -> Iterator[Expr]:
    """The comparisons of a tree, from left to right."""
    match tree:
        case Not(part):
            yield from leaves(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield tree


def truth(leaf: Expr, past: Past, lines: Lines) -> Array:
    """FALSE, TRUE or UNKNOWN for each line."""
    match leaf:
        case Literal(bool() as constant):
            return np.full(len(lines), int(constant), dtype=np.int8)
        case Name():
            kind, values = operand(leaf, past, lines)
            return values if kind == "bool" else _unknown(lines)
        case Binary("in", left, Name(("sub", name))):
            kind, values = operand(left, past, lines)
            known = past.member(name, values if kind == "text" else _no_words(lines), lines)
            other = kind != "text"  # a set holds texts: anything else that is known is not in it
            return np.where(is_known(kind, values), FALSE, UNKNOWN) if other else known
        case Binary(op, left, right) if op in _ORDER:
            return _compared(op, left, right, past, lines)
        case Call(("startsWith",), (left, right)):
            return _starts(left, right, past, lines)
    raise kleene.Unreadable(type(leaf).__name__)


def operand(tree: Expr, past: Past, lines: Lines) -> tuple[str, Array]:
    """The kind and the column of one side of a comparison."""
    match tree:
        case Literal(bool() as flag):
            return "bool", np.full(len(lines), int(flag), dtype=np.int8)
        case Literal(int() as number):
            return "int", np.full(len(lines), number, dtype=np.int64)
        case Literal(str() as text):
            return "text", np.full(len(lines), past.words.add(text))
        case Literal(None):
            return "text", _no_words(lines)
        case Name(("sub", name)):
            return past.subject_kinds.get(name, "text"), past.of_subject(name, lines)
        case Name(("res", name)):
            return past.record_kinds.get(name, "text"), past.of_record(name, lines)
    raise kleene.Unreadable(type(tree).__name__)


def _compared(op: str, left: Expr, right: Expr, past: Past, lines: Lines) -> Array:
    (one_kind, one), (two_kind, two) = (operand(side, past, lines) for side in (left, right))
    one_known, two_known = is_known(one_kind, one), is_known(two_kind, two)
    if _NONE in (left, right):
        return _with_none(op, (left, one_known), (right, two_known), lines)
    known = one_known & two_known
    texts = {one_kind, two_kind} & {"text", "set"}
    if len({one_kind, two_kind}) == 2 and texts:
        # A text and a number are two; which is the larger nobody can say.
        if op not in ("==", "!="):
            return _unknown(lines)
        return np.where(known, int(op == "!="), UNKNOWN).astype(np.int8)
    if texts and op not in ("==", "!="):
        return _by_pair(lambda a, b: s.compare(a, op, b), one, two, known, past)
    return np.where(known, _ORDER[op](one, two), UNKNOWN).astype(np.int8)


def _with_none(op: str, one: tuple[Expr, Array], two: tuple[Expr, Array], lines: Lines) -> Array:
    """A comparison with the literal None asks whether a fact is there at all."""
    if op not in ("==", "!="):
        return _unknown(lines)
    same = one[1] == two[1]  # of a fact and None: neither is known
    answer = same if op == "==" else ~same
    reads_record = any(isinstance(tree, Name) and tree.path[0] == "res" for tree, _ in (one, two))
    told = (lines.record >= 0) if reads_record else np.ones(len(lines), dtype=bool)
    return np.where(told, answer, UNKNOWN).astype(np.int8)


def _starts(left: Expr, right: Expr, past: Past, lines: Lines) -> Array:
    (one_kind, text), (two_kind, prefix) = (operand(side, past, lines) for side in (left, right))
    if (one_kind, two_kind) != ("text", "text"):
        return _unknown(lines)
    known = (text != NO_WORD) & (prefix != NO_WORD) & (prefix != past.words.add(""))
    return _by_pair(str.startswith, text, prefix, known, past)


def _by_pair(
    answer: Callable[[str, str], bool], one: Array, two: Array, known: Array, past: Past
) -> Array:
    """Asks once for each different pair of texts: there are few paths and few units."""
    found = np.full(len(one), UNKNOWN, dtype=np.int8)
    places = np.flatnonzero(known)
    pairs, inverse = np.unique(one[places] << 32 | two[places], return_inverse=True)
    texts = past.words.texts
    answers = [answer(texts[pair >> 32], texts[pair & 0xFFFFFFFF]) for pair in pairs.tolist()]
    found[places] = np.array(answers, dtype=np.int8)[inverse] if answers else found[places]
    return found


def is_known(kind: str, values: Array) -> Array:
    """Where a column holds a value, as bools."""
    missing = {"int": NO_INT, "bool": UNKNOWN}.get(kind, NO_WORD)
    return values != missing


def _no_words(lines: Lines) -> Array:
    return np.full(len(lines), NO_WORD, dtype=np.int64)


def _unknown(lines: Lines) -> Array:
    return np.full(len(lines), UNKNOWN, dtype=np.int8)
