"""The tables in which a matcher's rows are looked up.

Key by key, nested: at the end stands the smallest rank, or all ranks where a residual must be
tested row by row. Nested dicts rather than tuples as keys: the first levels are small and stay
in the cache. The first role key is resolved at load: a name leads straight to the tables of the
roles that it reaches and that any row names.

INVARIANTS
- Every row of a branch is under its key, so looking under the key misses no row.
- A decision takes at most MAX_STEPS, and never more look-ups than the policy has rows (or
  MIN_LOOKUPS): a policy that would is refused, or its second role key tested row by row.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from acl_engine.domain.text import Text
from acl_engine.policy import code, heads
from acl_engine.policy.branches import Branch, KeyPart, reads_rows
from acl_engine.policy.environment import Environment, Reach
from acl_engine.policy.findings import Findings
from acl_engine.policy.ranking import Ranked, Row
from acl_engine.policy.role_links import Key

Table = dict[object, object]

# About half a second, in the worst request that can be made.
MAX_STEPS = 100_000_000
MIN_LOOKUPS = 1000

TOO_SLOW = Text(
    "search.too-slow",
    "一次判定最多要试 {steps} 步（上限 {limit}）：同一键下的模式太多",
    "one decision could take {steps} steps (at most {limit}): too many patterns under one key",
    "在匹配式里加一个等式（例如 g 或 ==）",
    "give the matcher one more equality (a `g` or `==`)",
)


def chosen(branch: Branch, ranked: Ranked, env: Environment) -> list[int]:
    """The ranks of the rows for which the conditions on the row alone hold."""
    if not branch.fixed:
        return list(range(len(ranked.rows)))
    test = " and ".join(code.condition(part, env.words) for part in branch.fixed)
    source = f"lambda row: {test}"
    holds = eval(source, dict(code.ENVIRONMENT))  # noqa: S307 - written from the tree alone
    return [rank for rank, row in enumerate(ranked.rows) if holds(row)]


def arranged(branch: Branch, rows: list[Row], reach: Reach) -> Branch:
    """The branch with its keys in the order of the tables: a role first, then the columns with
    few values before those with many, then other roles. Roles that would cost too much are tested
    row by row instead."""
    roles = [key for key in branch.keys if key.role]
    plain = [key for key in branch.keys if not key.role]
    plain.sort(key=lambda key: len({row[key.column] for row in rows}))
    ordered = replace(branch, keys=(*roles[:1], *plain, *roles[1:]))
    while len(roles) > 1 and _lookups(roles, rows, reach) > max(MIN_LOOKUPS, len(rows)):
        ordered = ordered.demoted(roles.pop())
    return ordered


def _lookups(roles: list[KeyPart], rows: list[Row], reach: Reach) -> int:
    found = 1
    for key in roles:
        named = {row[key.column] for row in rows}
        most = (sum(role in named for role in one) for one in reach[key.role].values())
        found *= max(most, default=1)
    return found


def table_of(
    branch: Branch,
    ranks: list[int],
    ranked: Ranked,
    env: Environment,
    reach: Reach,
    notes: Findings,
) -> Table:
    """The nested table of one branch. Refuses patterns that would make a decision too slow."""
    columns = [key.column for key in branch.keys]
    head = branch.head
    tested = [part for part in branch.residual if reads_rows(part, env.words.ptype)]
    table: Table = {}
    steps: dict[tuple[str, ...], dict[str, int]] = {}
    for rank in ranks:
        row = ranked.rows[rank]
        path = [row[column] for column in columns]
        if tested:
            under = steps.setdefault(tuple(path), {})
            own = heads.head_of(head.function, row[head.column]) if head else ""
            under[own] = under.get(own, 0) + sum(env.steps(part, row) for part in tested)
            path += [own] if head else []
        _put(table, path, rank, every=bool(tested))
    each = [_worst(under) for under in steps.values()]
    roles = [key for key in branch.keys if key.role]
    most = min(sum(each), max(each, default=0) * _lookups(roles, ranked.rows, reach))
    if most > MAX_STEPS:
        message = TOO_SLOW.of(steps=f"{most:,}", limit=f"{MAX_STEPS:,}")
        notes.refuse(message, env.matcher.where)
    return table


def _put(table: Any, path: list[str], rank: int, *, every: bool) -> None:
    """Put a rank under its keys; a branch without a key has all of its rows under ()."""
    place = table
    last: object = path.pop() if path else ()
    for word in path:
        try:
            place = place[word]
        except KeyError:
            place[word] = place = {}
    if every:
        place.setdefault(last, []).append(rank)
    else:
        place.setdefault(last, rank)


def _worst(under: Mapping[str, int]) -> int:
    """The most steps of one path, which is looked up under each of its heads."""
    return max(sum(under.get(part, 0) for part in heads.within(head)) for head in under)


def by_name(table: Table, reached: Mapping[Key, tuple[str, ...]]) -> dict[Key, tuple[object, ...]]:
    """Each name's own tables (their `get`) or, where nothing is below, their ranks."""
    below = {role: one.get if isinstance(one, dict) else one for role, one in table.items()}
    same: dict[tuple[str, ...], tuple[object, ...]] = {}
    found: dict[Key, tuple[object, ...]] = {}
    for name, roles in reached.items():
        known = tuple(role for role in roles if role in below)
        if known:
            found[name] = same.setdefault(known, tuple(below[role] for role in known))
    return found


def by_itself(table: Table) -> dict[Key, tuple[object, ...]]:
    """A name that reaches no other: its own table or rank."""
    return {str(role): (one.get if isinstance(one, dict) else one,) for role, one in table.items()}
