"""The search that a matcher is compiled to: from a request to the smallest rank that matches.

INVARIANTS
- The source is written from trees alone (see `code`) and walks the tables of `row_tables`.
- `find` and `known` store nothing, so that unknown names cost no memory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from acl_engine.policy import code, direct, heads
from acl_engine.policy.branches import Branch, Head, KeyPart, reads_rows
from acl_engine.policy.environment import Environment, Reach
from acl_engine.policy.expression import Expr, Name
from acl_engine.policy.reading import Vocabulary
from acl_engine.policy.row_tables import Table, by_itself, by_name

Find = Callable[..., int]


class Mistyped(Exception):
    """No row matches, and a value that is looked up is not a text: it never could."""


@dataclass(frozen=True, slots=True)
class Search:
    """`find(*request)` is a rank, `known(*request)` what is kept for that rank, None for nothing.

    `kept` is by rank; `cells` hold the same where one chain of look-ups leads to it (`direct`).
    """

    find: Find
    known: Callable[..., Any]
    kept: list[Any]
    cells: Table | None


def search_of(
    parts: tuple[Branch, ...], tables: list[Table], count: int, env: Environment, reach: Reach
) -> Search:
    """The search over all branches; `count` is the rank of no row."""
    kept: list[Any] = [None] * (count + 1)
    space = env.space | {"none": {}, "text": str, "mistyped": Mistyped, "kept": kept, "whole": int}
    body: list[str] = []
    for number, (branch, table) in enumerate(zip(parts, tables, strict=True)):
        body += _Source(number, branch, env.words, count).lines()
        space |= _names(number, branch, table, reach)
    texts = " is ".join([*(f"r_{field}.__class__" for field in _looked_up(parts)), "text"])
    if texts != "text":
        body += [f"    if best == {count} and not ({texts}):", "        raise mistyped"]
    short: list[str] = []
    cells = None
    if direct.is_direct(parts):
        cells = direct.cells_of(tables[0])
        space["first"] = direct.first_level(parts[0], cells, reach).get
        short = direct.lines(parts[0], env.words, count, texts)
    given = ", ".join(f"r_{field}" for field in env.words.request)
    start, found = f"({given}):\n", "\n".join([f"    best = {count}", *body])
    text = f"def find{start}{found}\n    return best\n"
    text += f"def known{start}" + "\n".join([*short, found]) + "\n    return kept[best]\n"
    exec(compile(text, "<policy index>", "exec"), space)  # noqa: S102 - written from trees
    return Search(cast(Find, space["find"]), cast(Find, space["known"]), kept, cells)


def _names(number: int, branch: Branch, table: Table, reach: Reach) -> dict[str, object]:
    """What the lines of one branch call."""
    found: dict[str, object] = {f"under_{number}": table.get}
    for at, key in enumerate(branch.keys):
        if key.role and at > 0:
            found[f"reach_{key.role}"] = reach[key.role].get
        elif key.role:
            named, alone = by_name(table, reach[key.role]), by_itself(table)
            # One table for both, unless a name stands with its domain.
            found[f"named_{number}"] = (named if key.domain else alone | named).get
            found[f"alone_{number}"] = alone.get
    if branch.head:
        found[f"heads_{number}"] = heads.reader(branch.head.function)
    return found


def _looked_up(parts: tuple[Branch, ...]) -> list[str]:
    """The request's fields that are themselves keys, once each."""
    keys = [key.value for branch in parts for key in branch.keys]
    paths = [key.path for key in keys if isinstance(key, Name)]
    return list(dict.fromkeys(path[1] for path in paths if len(path) == 2))


class _Source:
    """The lines that search one branch."""

    def __init__(self, number: int, branch: Branch, words: Vocabulary, count: int) -> None:
        self._number = number
        self._branch = branch
        self._words = words
        self._count = count
        self._depth = 1
        self._lines: list[str] = []

    def lines(self) -> list[str]:
        first = [one for one in self._branch.residual if not reads_rows(one, self._words.ptype)]
        rest = [one for one in self._branch.residual if reads_rows(one, self._words.ptype)]
        if first:
            self._open(f"if {self._all(first)}:")
        if not rest:
            self._say(f"rank = {self._walk(str(self._count))}")
            self._say("if rank < best: best = rank")
            return self._lines
        self._open(f"for rank in {self._walk('()')}:")
        self._say("if rank >= best: break")
        self._say("row = rows[rank]")
        self._open(f"if {self._all(rest)}:")
        self._say("best = rank")
        self._say("break")
        return self._lines

    def _walk(self, miss: str) -> str:
        """Open a loop for each key of many names; the expression of what stands at the end."""
        levels: list[KeyPart | Head] = [*self._branch.keys]
        if self._branch.head:
            levels.append(self._branch.head)
        get = f"under_{self._number}"
        if not levels:
            return f"{get}((), {miss})"
        for at, level in enumerate(levels):
            last = at == len(levels) - 1
            if at == 0 and isinstance(level, KeyPart) and level.role:
                self._open(f"for get in {self._named(level)}:")
                get = "get"
                if last:
                    return get
                continue
            if "(" in get and (isinstance(level, Head) or level.role):
                self._say(f"g{at} = {get}")  # once, not for each name of the loop
                get = f"g{at}"
            word = self._word(at, level)
            get = f"{get}({word}, {miss})" if last else f"{get}({word}, none).get"
        return get

    def _named(self, key: KeyPart) -> str:
        value = code.value(key.value, self._words)
        if key.domain is None:
            return f"named_{self._number}({value}, ())"
        domain = code.value(key.domain, self._words)
        found = f"named_{self._number}(({value}, text({domain})))"
        return f"{found} or alone_{self._number}({value}, ())"

    def _word(self, at: int, level: KeyPart | Head) -> str:
        """The word to look up at this level; a loop is opened where there are several."""
        value = code.value(level.value, self._words)
        if isinstance(level, Head):
            self._open(f"for a{at} in heads_{self._number}({value}):")
            return f"a{at}"
        if not level.role:
            return value
        known = value
        if level.domain is not None:
            known = f"({value}, text({code.value(level.domain, self._words)}))"
        self._open(f"for a{at} in reach_{level.role}({known}) or ({value},):")
        return f"a{at}"

    def _all(self, parts: list[Expr]) -> str:
        return " and ".join(code.condition(part, self._words) for part in parts)

    def _say(self, line: str) -> None:
        self._lines.append("    " * self._depth + line)

    def _open(self, line: str) -> None:
        self._say(line)
        self._depth += 1
