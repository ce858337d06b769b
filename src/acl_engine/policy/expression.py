"""The expression tree: one parser for matchers, relations and row conditions, with positions.

casbin rewrites a matcher by textual replacement and hands it to an evaluator; here it is parsed
once, by a grammar of its own, and everything else reads the tree: decide, scope, explain.

    or      := and ("||" and)*          relations also write `|`
    and     := not ("&&" not)*          relations also write `&`
    not     := "!" not | compare
    compare := sum (("=="|"!="|"<"|"<="|">"|">="|"in") sum)?
    sum     := term (("+"|"-") term)*
    term    := unary (("*"|"/"|"%") unary)*
    primary := literal | name ("." name)* ("(" args ")")? | "(" or ("," or)* ")" | "[" args "]"

INVARIANTS
- What is not in the grammar is refused by name and column; nothing is guessed.
- Depth, chains, paths and length are bounded, so that a hostile policy cannot exhaust the stack.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.text import Text

MAX_LENGTH = 10_000
# Each level writes at most five brackets of Python, whose own parser takes 200.
MAX_DEPTH = 32
MAX_PATH = 8

UNREADABLE = Text(
    "expression.unreadable",
    "表达式读不懂：`{what}`",
    "the expression cannot be read at `{what}`",
    "可用：== != < <= > >= in && || ! ( ) 函数调用与字面量",
    "allowed: == != < <= > >= in && || ! ( ), calls and literals",
)
ESCAPE = Text(
    "expression.escape",
    "`{what}` 在 casbin 里是另一个字符",
    "to casbin `{what}` is another character",
    "要写反斜杠请写 `\\\\`",
    "for a backslash write `\\\\`",
)
TOO_LARGE = Text(
    "expression.too-large",
    "表达式过长或嵌套过深",
    "the expression is too long or nested too deeply",
    "请拆成多行策略",
    "split it into several rows",
)


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | int | float | bool | None
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted name: `r.sub.role` is ("r", "sub", "role")."""

    path: tuple[str, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    function: tuple[str, ...]
    args: tuple["Expr", ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple["Expr", ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """op one of == != < <= > >= in + - * / %."""

    op: str
    left: "Expr"
    right: "Expr"
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    part: "Expr"
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Expr", ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Expr", ...]
    column: int = field(default=0, compare=False)


Expr = Literal | Name | Call | Sequence | Binary | Not | And | Or

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>\d+(?:\.\d+)?)
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<name>[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<op>&&|\|\||==|!=|<=|>=|[<>!()\[\],+\-*/%&|])
    )""",
    re.VERBOSE,
)
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "None": None, "nil": None}
_ESCAPE = re.compile(r"\\(.)")
# After a backslash these make one character in Python, which reads a matcher for casbin: `\b` is a
# backspace there. Any other pair but an escaped quote or backslash is left as written: `\d`.
_OTHER_CHARACTERS = frozenset("abfnrtvxuUN01234567")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


def parse(text: str, where: Where, *, relation: bool = False) -> Expr:
    """The tree of `text`. `relation` also reads the single `&` and `|` of the relation column.

    Raises PolicyError with the column of the first thing that cannot be read.
    """
    if len(text) > MAX_LENGTH:
        raise PolicyError(TOO_LARGE.of(), where)
    return _Parser(tuple(_tokens(text, where)), where, relation).whole()


def _tokens(text: str, where: Where) -> Iterator[_Token]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            column = at + len(text[at:]) - len(text[at:].lstrip()) + 1
            raise _unreadable(text[column - 1 :][:20], where, column)
        kind = str(found.lastgroup)
        yield _Token(kind, found[kind], found.start(kind) + 1)
        at = found.end()


def _unreadable(what: str, where: Where, column: int) -> PolicyError:
    return PolicyError(UNREADABLE.of(what=what), where.within(column))


class _Parser:
    def __init__(self, tokens: tuple[_Token, ...], where: Where, relation: bool) -> None:
        self._tokens = tokens
        self._where = where
        self._at = 0
        self._depth = 0
        self._or = {"||", "|"} if relation else {"||"}
        self._and = {"&&", "&"} if relation else {"&&"}

    def whole(self) -> Expr:
        tree = self._disjunction()
        if self._at < len(self._tokens):
            raise self._refuse()
        return tree

    def _refuse(self) -> PolicyError:
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            return _unreadable(token.text, self._where, token.column)
        end = self._tokens[-1].column + len(self._tokens[-1].text) if self._tokens else 1
        return _unreadable("end of line", self._where, end)

    def _peek(self) -> str:
        # A quoted "in" or "&&" is a value, never an operator.
        if self._at < len(self._tokens) and self._tokens[self._at].kind != "text":
            return self._tokens[self._at].text
        return ""

    def _take(self, *texts: str) -> _Token | None:
        if self._peek() in texts:
            self._at += 1
            return self._tokens[self._at - 1]
        return None

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._refuse()

    def _bounded(self, size: int, limit: int = MAX_DEPTH) -> None:
        if size > limit:
            raise PolicyError(TOO_LARGE.of(), self._where)

    def _disjunction(self) -> Expr:
        self._depth += 1
        self._bounded(self._depth)
        parts = [self._conjunction()]
        while self._take(*self._or):
            parts.append(self._conjunction())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Or(tuple(parts), parts[0].column)

    def _conjunction(self) -> Expr:
        parts = [self._negation()]
        while self._take(*self._and):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else And(tuple(parts), parts[0].column)

    def _negation(self) -> Expr:
        marks: list[_Token] = []
        while mark := self._take("!"):
            marks.append(mark)
            self._bounded(len(marks))
        tree = self._comparison()
        for mark in reversed(marks):
            tree = Not(tree, mark.column)
        return tree

    def _comparison(self) -> Expr:
        left = self._sum()
        if op := self._take("==", "!=", "<", "<=", ">", ">=", "in"):
            return Binary(op.text, left, self._sum(), op.column)
        return left

    def _sum(self) -> Expr:
        return self._chain(self._term, "+", "-")

    def _term(self) -> Expr:
        return self._chain(self._primary, "*", "/", "%")

    def _chain(self, operand: Callable[[], Expr], *ops: str) -> Expr:
        tree, links = operand(), 0
        while op := self._take(*ops):
            tree = Binary(op.text, tree, operand(), op.column)
            links += 1
            self._bounded(self._depth + links)  # to the left, a chain is as deep as it is long
        return tree

    def _primary(self) -> Expr:
        if self._at >= len(self._tokens):
            raise self._refuse()
        token = self._tokens[self._at]
        if token.kind == "text":
            self._at += 1
            return self._literal(token)
        if token.kind == "number":
            self._at += 1
            number = float(token.text) if "." in token.text else int(token.text)
            return Literal(number, token.column)
        if token.kind == "name" and token.text != "in":
            self._at += 1
            return self._named(token)
        if self._take("-"):
            self._depth += 1
            self._bounded(self._depth)
            negative = Binary("-", Literal(0, token.column), self._primary(), token.column)
            self._depth -= 1
            return negative
        if self._take("("):
            return self._bracket(token)
        if self._take("["):
            return Sequence(self._list("]"), token.column)
        raise self._refuse()

    def _literal(self, token: _Token) -> Literal:
        for pair in _ESCAPE.finditer(token.text):
            if pair[1] in _OTHER_CHARACTERS:
                place = self._where.within(token.column + pair.start())
                raise PolicyError(ESCAPE.of(what=pair[0]), place)
        kept = _ESCAPE.sub(lambda pair: pair[pair[1] in "\\\"'"], token.text[1:-1])
        return Literal(kept, token.column)

    def _named(self, token: _Token) -> Expr:
        if token.text in _CONSTANTS:
            return Literal(_CONSTANTS[token.text], token.column)
        path = tuple(token.text.split("."))
        self._bounded(len(path), MAX_PATH)
        if self._take("("):
            return Call(path, self._list(")"), token.column)
        return Name(path, token.column)

    def _bracket(self, token: _Token) -> Expr:
        items = self._list(")")
        if len(items) == 1 and self._tokens[self._at - 2].text != ",":
            return items[0]
        return Sequence(items, token.column)

    def _list(self, end: str) -> tuple[Expr, ...]:
        items: list[Expr] = []
        while not self._take(end):
            items.append(self._disjunction())
            if not self._take(","):
                self._expect(end)
                break
        return tuple(items)


def names(tree: Expr) -> frozenset[tuple[str, ...]]:
    """Every dotted name that the tree reads."""
    match tree:
        case Name(path):
            return frozenset({path})
        case Call(_, args):
            return frozenset().union(*map(names, args))
        case Sequence(items):
            return frozenset().union(*map(names, items))
        case Binary(_, left, right):
            return names(left) | names(right)
        case Not(part):
            return names(part)
        case And(parts) | Or(parts):
            return frozenset().union(*map(names, parts))
        case Literal():
            return frozenset()


def literals(tree: Expr) -> Iterator[Literal]:
    """Every literal of the tree, from left to right."""
    match tree:
        case Literal():
            yield tree
        case Call(_, parts) | Sequence(parts) | And(parts) | Or(parts):
            for part in parts:
                yield from literals(part)
        case Binary(_, left, right):
            yield from literals(left)
            yield from literals(right)
        case Not(part):
            yield from literals(part)
