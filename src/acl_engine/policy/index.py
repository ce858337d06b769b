"""The index of one matcher: from a request to the first row that decides, in one or few look-ups.

`find` returns the smallest rank that matches (see `ranking`), or the number of ranked rows if
none does.

INVARIANTS
- Immutable once built but for what is kept beside each row; asking stores nothing, so that unknown
  names cost no memory.
- The branches' union is the matcher, so a row that matches is found by one of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from acl_engine.policy.branches import Branch, branches
from acl_engine.policy.casbin_model import Effect, Matcher, Model
from acl_engine.policy.casbin_rows import Policy
from acl_engine.policy.environment import Functions, Reach, environment
from acl_engine.policy.expression import Expr
from acl_engine.policy.findings import Findings
from acl_engine.policy.ranking import Row, ranked
from acl_engine.policy.reading import Vocabulary, findings, rewritten
from acl_engine.policy.row_tables import arranged, chosen, table_of
from acl_engine.policy.search import Find, Mistyped, Search, search_of

__all__ = ["Find", "Functions", "Index", "Mistyped", "Row", "build"]


@dataclass(frozen=True, slots=True)
class Index:
    """`rows`, `lines` and `allows` by rank; `find(*request)` gives a rank, len(rows) for none.

    `ranks` are the rows that each branch can match, `default` the answer when none does.
    """

    words: Vocabulary
    branches: tuple[Branch, ...]
    ranks: tuple[list[int], ...]
    rows: list[Row]
    lines: list[int]
    allows: list[bool]
    default: bool
    search: Search
    reach: Reach
    tree: Expr
    env: Mapping[str, object]

    @property
    def find(self) -> Find:
        return self.search.find

    def keep(self, rank: int, what: object) -> None:
        """From now on `search.known` gives `what` for this rank; one store, whole at any moment."""
        self.search.kept[rank] = what
        place: Any = self.search.cells
        if place is not None and rank < len(self.rows):
            *path, last = (self.rows[rank][key.column] for key in self.branches[0].keys)
            for word in path:
                place = place[word]
            if place[last] == rank:  # not of a later row under the same keys
                place[last] = what


def build(
    matcher: Matcher,
    model: Model,
    policy: Policy,
    reach: Reach,
    functions: Functions,
    notes: Findings,
) -> Index | None:
    """The index of one matcher, or None with the findings noted."""
    words = Vocabulary(
        matcher.request,
        model.requests[matcher.request],
        matcher.policy,
        model.policies[matcher.policy],
        model.roles,
        frozenset(functions),
    )
    wrong = list(findings(matcher.tree, words, matcher.where))
    if notes.compat:
        wrong += rewritten(matcher.tree, matcher.where)
    notes.refused.extend(wrong)
    if wrong:
        return None
    env = environment(matcher, words, policy, reach, functions, notes)
    if notes.refused:
        return None
    order = ranked(model.effect, policy, words.ptype, words.policy)
    found = branches(matcher.tree, words.ptype, words.policy, frozenset(model.roles))
    parts = tuple(arranged(branch, order.rows, reach) for branch in found)
    ranks = tuple(chosen(branch, order, env) for branch in parts)
    tables = [
        table_of(branch, own, order, env, reach, notes)
        for branch, own in zip(parts, ranks, strict=True)
    ]
    if notes.refused:
        return None
    env.space["rows"] = order.rows
    return Index(
        words,
        parts,
        ranks,
        order.rows,
        order.lines,
        order.allows,
        model.effect is Effect.DENY_OVERRIDE,
        search_of(parts, tables, len(order.rows), env, reach),
        reach,
        matcher.tree,
        env.space,
    )
