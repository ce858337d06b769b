"""Why a casbin policy decided so: the row and the role links of an allow, the nearest miss of a no.

INVARIANTS
- The rows and links of an explained decision, alone, decide the same again.
- What is said to be lacking is every condition of the nearest row that does not hold, and no other.
- Deterministic: the fewest conditions lacking, then the first row of the file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acl_engine.decision.explanation import Explanation, Fact, Reading
from acl_engine.decision.snapshot import DOUBT, Snapshot, rule_id
from acl_engine.domain.decision import Decision
from acl_engine.domain.errors import Where
from acl_engine.domain.text import Message, Text
from acl_engine.policy import code
from acl_engine.policy.branches import Branch, calls
from acl_engine.policy.expression import And, Call, Expr, Name, names, parse
from acl_engine.policy.index import Index, Row
from acl_engine.policy.written import written

ROW_ALLOWS = Text("why.row-allows", "`{rule}` 允许：{row}", "`{rule}` allows it: {row}")
ROW_FORBIDS = Text("why.row-forbids", "`{rule}` 禁止：{row}", "`{rule}` forbids it: {row}")
ROW_MISSES = Text(
    "why.row-misses",
    "最接近的是 `{rule}`：{row}；还缺 {count} 项",
    "`{rule}` comes closest: {row}; {count} lacking",
)
ROW_DOUBTS = Text(
    "why.row-doubts", "`{rule}` 无法判定：{row}", "`{rule}` could not be decided: {row}"
)
LACKS = Text("why.lacks", "缺：{text}（{values}）", "lacking: {text} ({values})")
NOTHING_NEAR = Text(
    "why.nothing-near", "策略没有允许任何事的行", "no row of the policy allows anything"
)


@dataclass(frozen=True, slots=True)
class _Condition:
    """One condition of a row: its tree, its text, and whether it holds (None: it raises)."""

    tree: Expr
    text: str
    holds: bool | None


def why(
    snapshot: Snapshot, matcher: str, request: tuple[Any, ...], decision: Decision
) -> Explanation:
    """Explain a decision of one matcher on `request`."""
    asked = _Asked(snapshot, snapshot.indexes[matcher], request)
    rank = next((at for at in range(len(asked.index.rows)) if asked.id(at) in decision.rules), None)
    if rank is not None:
        return Explanation(decision, (asked.deciding(rank),))
    if decision.allowed:
        return Explanation(decision, ())
    doubtful = asked.doubtful() if decision.reason.code == DOUBT.code else ()
    return Explanation(decision, doubtful or asked.nearest())


class _Asked:
    """One request to one index."""

    def __init__(self, snapshot: Snapshot, index: Index, request: tuple[Any, ...]) -> None:
        self.index = index
        self._snapshot = snapshot
        self._request = request
        self._tests: dict[Expr, Callable[..., Any]] = {}

    def id(self, rank: int) -> str:
        return rule_id(self.index, self._snapshot.file, rank)

    def deciding(self, rank: int) -> Reading:
        """The row that decided, with the values and the role links that made it match."""
        row = self.index.rows[rank]
        said = (ROW_ALLOWS if self.index.allows[rank] else ROW_FORBIDS).of(**self._named(rank))
        for branch in self.index.branches:
            found = list(self._conditions(branch, row))
            if all(one.holds for one in found):
                facts = [fact for one in found for fact in self._facts(one, row)]
                return Reading(self.id(rank), said, tuple(dict.fromkeys(facts)))
        return Reading(self.id(rank), said, ())

    def nearest(self) -> tuple[Reading, ...]:
        """The allow row of which the fewest conditions are lacking."""
        best: tuple[int, int] | None = None
        kept: list[_Condition] = []
        for branch in self.index.branches:
            for rank, row in enumerate(self.index.rows):
                if not self.index.allows[rank]:
                    continue
                missing = [one for one in self._conditions(branch, row) if not one.holds]
                if best is None or (len(missing), rank) < best:
                    best, kept = (len(missing), rank), missing
        if best is None:
            return (Reading("", NOTHING_NEAR.of(), ()),)
        rank = best[1]
        said = ROW_MISSES.of(**self._named(rank), count=len(kept))
        lacking = tuple(self._lacking(one, self.index.rows[rank]) for one in kept)
        return (Reading(self.id(rank), said, (), lacking),)

    def doubtful(self) -> tuple[Reading, ...]:
        """The first row at which a condition could not be computed, and that condition."""
        for branch in self.index.branches:
            for rank, row in enumerate(self.index.rows):
                for one in self._conditions(branch, row):
                    if one.holds is None:
                        said = ROW_DOUBTS.of(**self._named(rank))
                        return (Reading(self.id(rank), said, (), (self._lacking(one, row),)),)
                    if not one.holds:
                        break
        return ()

    def _named(self, rank: int) -> dict[str, str]:
        cells = ", ".join((self.index.words.ptype, *self.index.rows[rank]))
        return {"rule": self.id(rank), "row": cells}

    # --- conditions ----------------------------------------------------------------------------

    def _conditions(self, branch: Branch, row: Row) -> Iterator[_Condition]:
        for part in branch.parts:
            for tree in self._parts(part, row):
                yield _Condition(tree, written(tree), self._holds(tree, row))

    def _parts(self, part: Expr, row: Row) -> tuple[Expr, ...]:
        """A row's own condition, evaluated by eval(), is told part by part."""
        match part:
            case Call(("eval",), (Name(path),)):
                text = row[self.index.words.policy.index(path[1])]
                tree = parse(text, Where(self._snapshot.file))
                return tree.parts if isinstance(tree, And) else (tree,)
        return (part,)

    def _holds(self, tree: Expr, row: Row) -> bool | None:
        try:
            return self._run(tree, code.condition)(*self._request, row) is True
        except Exception:  # noqa: BLE001 - whatever it is, `decide` is in doubt at it too
            return None

    def _run(self, tree: Expr, source: Callable[..., str]) -> Callable[..., Any]:
        known = self._tests.get(tree)
        if known is None:
            given = ", ".join([*(f"r_{name}" for name in self.index.words.request), "row"])
            made = f"lambda {given}: {source(tree, self.index.words)}"
            known = eval(made, dict(self.index.env))  # noqa: S307 - written from the tree alone
            self._tests[tree] = known
        return known

    # --- what is said of them -------------------------------------------------------------------

    def _facts(self, one: _Condition, row: Row) -> Iterator[Fact]:
        yield Fact(one.text, self._values(one.tree, row), one.holds)
        for call in calls(one.tree):
            if call.function[0] in self.index.words.roles:
                yield from self._links(call, row)

    def _lacking(self, one: _Condition, row: Row) -> Message:
        values = ", ".join(f"{name}={value}" for name, value in self._values(one.tree, row))
        return LACKS.of(text=one.text, values=values)

    def _values(self, tree: Expr, row: Row) -> tuple[tuple[str, str], ...]:
        paths = sorted(names(tree))
        return tuple((".".join(path), self._shown(Name(path), row)) for path in paths)

    def _shown(self, name: Name, row: Row) -> str:
        try:
            value = self._run(name, code.value)(*self._request, row)
        except Exception:  # noqa: BLE001 - there is no such attribute
            return "-"
        return str(value) if isinstance(value, str | int | float | bool) else type(value).__name__

    def _links(self, call: Call, row: Row) -> Iterator[Fact]:
        """The shortest way from a name to a role, link by link, with the lines of the policy."""
        who, role, *rest = (self._run(one, code.value)(*self._request, row) for one in call.args)
        kind = call.function[0]
        domain = (str(rest[0]),) if rest and rest[0] is not None else ()
        for link in _way(self._snapshot.links.get(kind, []), who, role, domain):
            at = self._snapshot.links[kind].index(link)
            line = self._snapshot.link_lines[kind][at]
            place = Where(Path(self._snapshot.file).name, line)
            yield Fact(", ".join((kind, *link)), (("line", str(place)),), True)


def _way(
    links: list[tuple[str, ...]], start: Any, end: Any, domain: tuple[str, ...]
) -> list[tuple[str, ...]]:
    """The fewest links from one name to another, breadth first; none if they are the same."""
    onward: dict[str, list[tuple[str, ...]]] = {}
    for link in links:
        if link[2:] == domain:
            onward.setdefault(link[0], []).append(link)
    ways: dict[Any, list[tuple[str, ...]]] = {start: []}
    ring = [start]
    while ring and end not in ways:
        following = []
        for name in ring:
            for link in onward.get(name, ()):
                if link[1] not in ways:
                    ways[link[1]] = [*ways[name], link]
                    following.append(link[1])
        ring = following
    return ways.get(end, [])
