"""Goals and selections: small predicates over what attackers know and do.

    or   := and ("or" and)*        and := not ("and" not)*        not := "not" not | atom
    atom := name "(" arg ("," arg)* ")" | "(" or ")"              arg := word ("->" word)?

Goals: `knows(who, param.fact)`, `knows(who, param.phone -> param.address)`: the address, and that
it belongs to that phone; `knows_many(who, fact, n)`: of at least n records;
`acts(who, action, object)`: an action of the engine on a param's record, `login` or an
administrator's act on an account or device, `tamper` on a table, an HTTP method on a path,
`callback` to the person bound for a parcel, `hears_off` (or another word) of a parcel's contact;
`undetected(7d)`: nothing has noticed it that long after the first step; `untraced(who)`: neither
the codes on photographed screens nor a list that turned up lead to that actor's account. `who` is
an actor, or `attackers`: all of them together.
Selections (`where`): `named(x)` in the seed, `served_by(actor)`: their unit delivers it,
`stage(S)`, `assignee(actor)`, `waybill(NUMBER)`, `bound_for(unit)`, `lies_at(unit)`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from acl_engine.domain.errors import ScenarioError, Where
from acl_engine.domain.text import Text

UNREADABLE = Text(
    "scenario.predicate",
    "条件读不懂：`{what}`",
    "the condition cannot be read at `{what}`",
    "例：knows(buyer, victim.phone -> victim.address)",
    "for example: knows(buyer, victim.phone -> victim.address)",
)
_TOKEN = re.compile(r"\s*(->|[(),]|[A-Za-z0-9_.:/-]*[A-Za-z0-9_/])")


@dataclass(frozen=True, slots=True)
class Atom:
    """`args` are words; `a -> b` is kept as one argument of two words."""

    name: str
    args: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Predicate"


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Predicate", ...]


Predicate = Atom | Not | And | Or

# name -> number of arguments
UNTRACED = "untraced"
GOALS = {"knows": 2, "knows_many": 3, "acts": 3, "undetected": 1, UNTRACED: 1}
_SELECTED_BY = ("named", "served_by", "stage", "assignee", "waybill", "bound_for", "lies_at")
SELECTIONS = dict.fromkeys(_SELECTED_BY, 1)
ATOMS = GOALS | SELECTIONS
# Everyone in a scenario together.
ATTACKERS = "attackers"


def parse(text: str, where: Where) -> Predicate:
    """The tree of a condition. Raises ScenarioError naming what cannot be read."""
    return _Parser(text, where).whole()


def atoms(tree: Predicate) -> Iterator[Atom]:
    match tree:
        case Atom():
            yield tree
        case Not(part):
            yield from atoms(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from atoms(part)


class _Parser:
    def __init__(self, text: str, where: Where) -> None:
        self._where = where
        self._tokens: list[str] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._error(text[at : at + 20].strip())
            self._tokens.append(found[1])
            at = found.end()
        self._at = 0

    def whole(self) -> Predicate:
        tree = self._or()
        if self._at < len(self._tokens):
            raise self._error(self._tokens[self._at])
        return tree

    def _error(self, what: str) -> ScenarioError:
        return ScenarioError(UNREADABLE.of(what=what), self._where)

    def _take(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == word:
            self._at += 1
            return True
        return False

    def _word(self) -> str:
        if self._at >= len(self._tokens):
            raise self._error("end")
        self._at += 1
        return self._tokens[self._at - 1]

    def _or(self) -> Predicate:
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Predicate:
        parts = [self._not()]
        while self._take("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _not(self) -> Predicate:
        if self._take("not"):
            return Not(self._not())
        if self._take("("):
            tree = self._or()
            if not self._take(")"):
                raise self._error("(")
            return tree
        return self._atom()

    def _atom(self) -> Predicate:
        name = self._word()
        if name not in ATOMS or not self._take("("):
            raise self._error(name)
        args: list[tuple[str, ...]] = []
        while True:
            word = self._word()
            args.append((word, self._word()) if self._take("->") else (word,))
            if self._take(")"):
                break
            if not self._take(","):
                raise self._error(word)
        if len(args) != ATOMS[name]:
            raise self._error(name)
        return Atom(name, tuple(args))
