"""One condition with the record unknown: for which rows is it true, and for which is it in doubt.

The subject, the action and the policy's row are known, the record is not. What reads the record
becomes a `domain.scope`; what does not is computed by the very code that decides.

INVARIANTS
- Exact: a row is in `yes` if and only if `decide` finds the condition true for it, and in `doubt`
  if and only if `decide` would raise at it (an ordering against None, a flag that is none).
- Read from left to right as `decide` does: what is not reached is not in doubt.
- What a row filter cannot say is refused by name, with its place in the policy. Nothing is widened.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from acl_engine.decision import leaves
from acl_engine.decision.leaves import ALWAYS, DOUBT, NEVER, Attribute, Kind, Truth, Unsaid
from acl_engine.domain import scope as s
from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.text import Text
from acl_engine.policy import code
from acl_engine.policy.branches import KeyPart
from acl_engine.policy.expression import (
    And,
    Binary,
    Call,
    Expr,
    Name,
    Not,
    Or,
    Sequence,
    names,
    parse,
)
from acl_engine.policy.index import Index, Row
from acl_engine.policy.written import written

UNSAYABLE = Text(
    "partial.unsayable",
    "条件 `{what}` 无法作为行范围：{why}",
    "the condition `{what}` cannot be said as a row filter: {why}",
    "逐条判定（decide），或把条件改写为 ==、!=、<、in 与 && || !",
    "decide record by record, or write it with ==, !=, <, in and && || !",
)
UNKNOWN_ATTRIBUTE = Text(
    "partial.attribute",
    "策略读取 `{name}`，而这类记录没有属性 `{attribute}`",
    "the policy reads `{name}`, and these records have no attribute `{attribute}`",
    "已映射的属性：{known}",
    "mapped attributes: {known}",
)
NO_TEXT = Text(
    "partial.no-text",
    "策略把 `{name}` 当作一段文字比较，而没有指明它是这类记录的哪个属性",
    "the policy compares `{name}` as a text, and no attribute of the records is named for it",
    "登记这类记录时写明 text=",
    "say text= where the records are registered",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Stands in a request for every record of one type.

    `kinds` are the attributes that differ from record to record, `constants` those that are the
    same for all. `text` names the attribute that is meant where the policy compares the record
    itself (`r.obj == p.obj`); None: such a policy is refused.
    """

    kinds: Mapping[str, Kind]
    constants: Mapping[str, s.Scalar] = field(default_factory=lambda: MappingProxyType({}))
    text: str | None = None


class _Raised(Exception):
    """`decide` would raise at a value that does not depend on the record."""


class Trees:
    """What is made once of an index's conditions: bounded by the policy, whoever asks."""

    def __init__(self, index: Index, unknown: str) -> None:
        self._index = index
        self._own = (index.words.rtype, unknown)
        self._parsed: dict[str, Expr] = {}
        self._mentions: dict[Expr, bool] = {}
        self._runs: dict[tuple[Expr, Callable[..., str]], Callable[..., Any]] = {}

    def mentions(self, tree: Expr, row: Row) -> bool:
        """Whether the tree, or a row's condition that it evaluates, reads the record."""
        known = self._mentions.get(tree)
        if known is None:
            known = any(path[:2] == self._own for path in names(tree))
            self._mentions[tree] = known
        return known or any(self.mentions(one, ()) for one in self.evaluated(tree, row))

    def evaluated(self, tree: Expr, row: Row) -> list[Expr]:
        """The row conditions that a tree evaluates."""
        match tree:
            case Call(("eval",), (Name(path),)) if row:
                text = row[self._index.words.policy.index(path[1])]
                if text not in self._parsed:
                    self._parsed[text] = parse(text, Where("-"))
                return [self._parsed[text]]
            case Not(part):
                return self.evaluated(part, row)
            case And(parts) | Or(parts):
                return [one for part in parts for one in self.evaluated(part, row)]
        return []

    def run(self, tree: Expr, source: Callable[..., str]) -> Callable[..., Any]:
        """The tree as a function of the request and a row: `source` is code.value or .condition."""
        known = self._runs.get((tree, source))
        if known is None:
            words = self._index.words
            given = ", ".join([*(f"r_{name}" for name in words.request), "row"])
            made = f"lambda {given}: {source(tree, words)}"
            known = eval(made, dict(self._index.env))  # noqa: S307 - written from the tree alone
            self._runs[tree, source] = known
        return known


class Reader:
    """Reads conditions for one request, in which one field is every record of a type."""

    def __init__(
        self, index: Index, trees: Trees, request: tuple[Any, ...], rows: Rows, file: str
    ) -> None:
        self._index = index
        self._trees = trees
        self._request = request
        self._rows = rows
        self._file = file

    def all(self, trees: Iterable[Expr], row: Row, line: int) -> Truth:
        """The conditions one after the other, as `and` reads them."""
        found = ALWAYS
        for tree in trees:
            if found.yes == s.NOTHING:
                break
            one = self.condition(tree, row, line)
            doubt = s.any_of(found.doubt, s.all_of(found.yes, one.doubt))
            found = Truth(s.all_of(found.yes, one.yes), doubt)
        return found

    def condition(self, tree: Expr, row: Row, line: int) -> Truth:
        """For which records the condition is true. Raises PolicyError for what cannot be said."""
        if not self._trees.mentions(tree, row):
            return self._computed(tree, row)
        try:
            return self._read(tree, row, line)
        except _Raised:
            return DOUBT
        except Unsaid as unsaid:
            raise self._refusal(tree, line, str(unsaid.args[0])) from None

    def operand(self, tree: Expr, row: Row, line: int) -> Any:
        """An `Attribute`, or the known value."""
        if not self._trees.mentions(tree, row):
            try:
                return self._run(tree, row, code.value)
            except Exception:  # noqa: BLE001 - the embedder's objects may raise anything
                raise _Raised from None
        if isinstance(tree, Sequence):
            return [self.operand(item, row, line) for item in tree.items]
        if not isinstance(tree, Name):
            raise Unsaid("it computes with the record")
        if len(tree.path) > 3:
            raise Unsaid("it reads through another record")
        name = ".".join(tree.path)
        if len(tree.path) == 3:
            return self._attribute(tree.path[2], name, line)
        if self._rows.text is None:
            raise PolicyError(NO_TEXT.of(name=name), Where(self._file, line))
        return self._attribute(self._rows.text, name, line)

    def reaches(self, name: str, who: Any, role: Any, domain: Any = None) -> s.Scope:
        """The records for which `who` reaches `role` in the role definition `name`; exactly one
        of the three may be an attribute. Raises Unsaid."""
        unknown = [one for one in (who, role, domain) if isinstance(one, Attribute)]
        if len(unknown) != 1 or unknown[0].kind != "text":
            raise Unsaid("a role of two unknowns, or of one that is not a text")
        table: Mapping[Any, tuple[str, ...]] = self._index.reach[name]
        if who is unknown[0]:
            return leaves.listed(who, {role, *_members(table, role, domain)})
        if role is unknown[0]:
            key = who if domain is None else (who, str(domain))
            return leaves.listed(role, table.get(key, (who,)))
        if role == who:
            return s.EVERYTHING
        return leaves.listed(domain, {k[1] for k, r in table.items() if k[0] == who and role in r})

    def known(self, tree: Expr) -> Any:
        """A value of the request that does not read the record; raises what `decide` meets."""
        return self._run(tree, (), code.value)

    def under(self, part: KeyPart, cell: str, line: int) -> s.Scope:
        """The records for which the search looks under `cell` in a column of the policy."""
        try:
            value = self.operand(part.value, (), line)
            if not part.role:
                return leaves.compared(value, "==", cell).yes
            return self._under_role(part, value, cell, line)
        except _Raised:
            return s.NOTHING
        except Unsaid as unsaid:
            raise self._refusal(part.value, line, str(unsaid.args[0])) from None

    def _under_role(self, part: KeyPart, value: Any, cell: str, line: int) -> s.Scope:
        table: Mapping[Any, tuple[str, ...]] = self._index.reach[part.role]
        if part.domain is None:
            if isinstance(value, Attribute):
                return self.reaches(part.role, value, cell)
            return s.Always(cell in table.get(value, (value,)))
        domain = self.operand(part.domain, (), line)
        if not isinstance(domain, Attribute):
            domain = str(domain)
        elif (value, "None") in table:
            raise Unsaid("a domain named `None`")
        if isinstance(value, Attribute) or isinstance(domain, Attribute):
            return self.reaches(part.role, value, cell, domain)
        return s.Always(cell in table.get((value, domain), (value,)))

    def _read(self, tree: Expr, row: Row, line: int) -> Truth:
        match tree:
            case Not(part):
                one = self.condition(part, row, line)
                return Truth(s.all_of(s.negate(one.yes), s.negate(one.doubt)), one.doubt)
            case And(parts):
                return self.all(parts, row, line)
            case Or(parts):
                return self._either(parts, row, line)
            case Binary(op, left, right) if op == "in" or op in leaves.FLIPPED:
                one_side, other = (self.operand(side, row, line) for side in (left, right))
                if op == "in":
                    return leaves.member(one_side, other)
                return leaves.compared(one_side, op, other)
            case Name():
                return leaves.flag(self.operand(tree, row, line))
            case Call(("eval",), _):
                return self.condition(self._trees.evaluated(tree, row)[0], row, line)
            case Call((name,), args) if name in self._index.words.roles:
                return Truth(self.reaches(name, *(self.operand(one, row, line) for one in args)))
        raise Unsaid("it computes with the record")

    def _either(self, parts: tuple[Expr, ...], row: Row, line: int) -> Truth:
        found = NEVER
        for part in parts:
            one = self.condition(part, row, line)
            left = s.all_of(s.negate(found.yes), s.negate(found.doubt))  # what is still open
            yes = one.yes if found.doubt == s.NOTHING else s.all_of(left, one.yes)
            doubt = s.any_of(found.doubt, s.all_of(left, one.doubt))
            found = Truth(s.any_of(found.yes, yes), doubt)
        return found

    def _attribute(self, attribute: str, name: str, line: int) -> Any:
        if attribute in self._rows.constants:
            return self._rows.constants[attribute]
        if attribute in self._rows.kinds:
            return Attribute(attribute, self._rows.kinds[attribute])
        known = ", ".join(sorted({*self._rows.kinds, *self._rows.constants}))
        message = UNKNOWN_ATTRIBUTE.of(name=name, attribute=attribute, known=known)
        raise PolicyError(message, Where(self._file, line))

    def _refusal(self, tree: Expr, line: int, why: str) -> PolicyError:
        return PolicyError(UNSAYABLE.of(what=written(tree), why=why), Where(self._file, line))

    def _computed(self, tree: Expr, row: Row) -> Truth:
        try:
            return ALWAYS if self._run(tree, row, code.condition) else NEVER
        except Exception:  # noqa: BLE001 - whatever it is, `decide` would be in doubt at it too
            return DOUBT

    def _run(self, tree: Expr, row: Row, source: Callable[..., str]) -> Any:
        return self._trees.run(tree, source)(*self._request, row)


def _members(table: Mapping[Any, tuple[str, ...]], role: Any, domain: Any) -> set[str]:
    """Every name that reaches a role, in a domain if there is one."""
    found: set[str] = set()
    for key, reached in table.items():
        if role in reached:
            name, where = (key, None) if isinstance(key, str) else key
            if where == (None if domain is None else str(domain)):
                found.add(name)
    return found
