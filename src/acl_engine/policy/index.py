"""The index of one matcher: from a request to the first row that decides, in one or few look-ups.

Rows are ranked so that the smallest rank that matches decides, whatever the effect:
allow-override ranks the allow rows alone, deny-override the deny rows alone, allow-and-deny the
deny rows before the allow rows, and the priorities the rows in their order. `find` returns the
smallest matching rank, or the number of ranked rows if none matches.

INVARIANTS
- Immutable once built; `find` stores nothing, so that unknown names cost no memory.
- Every row of a branch is under its key, so looking under the key misses no row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.policy import code
from acl_engine.policy.branches import Branch, branches, calls, reads_rows
from acl_engine.policy.casbin_model import Effect, Matcher, Model
from acl_engine.policy.casbin_rows import Policy
from acl_engine.policy.expression import Expr, Literal, Name, parse
from acl_engine.policy.findings import Findings
from acl_engine.policy.patterns import MAKERS, Test
from acl_engine.policy.reading import Vocabulary, findings
from acl_engine.policy.role_links import Key

Find = Callable[..., int]
Functions = Mapping[str, Callable[..., object]]
Row = tuple[str, ...]


class Mistyped(Exception):
    """No row matches, and a value that is looked up is not a text: it never could."""


@dataclass(frozen=True, slots=True)
class Index:
    """`rows`, `lines` and `allows` by rank; `find(*request)` gives a rank, len(rows) for none.

    `default` is the answer when no row matches. `plain`: one branch, with
    keys and no residual, which a whole-array decision can do.
    """

    words: Vocabulary
    branches: tuple[Branch, ...]
    rows: list[Row]
    lines: list[int]
    allows: list[bool]
    default: bool
    find: Find
    reach: Mapping[str, Mapping[Key, tuple[str, ...]]]
    plain: bool
    tree: Expr
    env: Mapping[str, object]


def build(
    matcher: Matcher,
    model: Model,
    policy: Policy,
    reach: Mapping[str, Mapping[Key, tuple[str, ...]]],
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
    notes.refused.extend(wrong)
    if wrong:
        return None
    rows, lines, allows = _ranked(model.effect, policy, words)
    env = _environment(matcher, words, policy, reach, functions, notes)
    if notes.refused:
        return None
    found = branches(matcher.tree, words.ptype, words.policy, frozenset(model.roles))
    parts = tuple(_small_first(branch, rows) for branch in found)
    tables = [_table(branch, rows, words.ptype) for branch in parts]
    find = _find(parts, words, rows, tables, env, reach)
    single = len(parts) == 1 and not parts[0].residual and parts[0].keys
    return Index(
        words,
        parts,
        rows,
        lines,
        allows,
        model.effect is Effect.DENY_OVERRIDE,
        find,
        reach,
        bool(single),
        matcher.tree,
        env,
    )


def _ranked(
    effect: Effect, policy: Policy, words: Vocabulary
) -> tuple[list[Row], list[int], list[bool]]:
    rows, lines = policy.rows[words.ptype], policy.lines[words.ptype]
    if "eft" in words.policy:
        at = words.policy.index("eft")
        # What is neither (compat) decides nothing, as in casbin.
        allow = [i for i, row in enumerate(rows) if row[at] == "allow"]
        deny = [i for i, row in enumerate(rows) if row[at] == "deny"]
    else:
        allow, deny = list(range(len(rows))), []
    match effect:
        case Effect.ALLOW_OVERRIDE:
            order = allow
        case Effect.DENY_OVERRIDE:
            order = deny
        case Effect.ALLOW_AND_DENY:
            order = deny + allow
        case _:
            order = sorted(allow + deny)
    allowed = set(allow)
    return [rows[i] for i in order], [lines[i] for i in order], [i in allowed for i in order]


def _environment(
    matcher: Matcher,
    words: Vocabulary,
    policy: Policy,
    reach: Mapping[str, Mapping[Key, tuple[str, ...]]],
    functions: Functions,
    notes: Findings,
) -> dict[str, object]:
    """What the generated source may call: tests by pattern, conditions by text, roles."""
    env: dict[str, object] = dict(code.ENVIRONMENT)
    env |= {f"own_{name}": function for name, function in functions.items()}
    env |= {f"reaches_{name}": _reaches(table) for name, table in reach.items()}
    tests: dict[str, dict[str, Test]] = {name: {} for name in MAKERS}
    env |= {f"test_{name}": table for name, table in tests.items()}
    rows, lines = policy.rows[words.ptype], policy.lines[words.ptype]
    conditions: dict[str, tuple[Expr, Where]] = {}

    def patterns(tree: Expr, only: Row | None, where: Where) -> None:
        for call in calls(tree):
            if call.function[0] not in MAKERS:
                continue
            table, pattern = tests[call.function[0]], call.args[1]
            if isinstance(pattern, Literal):
                _test(call.function[0], table, str(pattern.value), where, notes)
                continue
            assert isinstance(pattern, Name)
            column = words.policy.index(pattern.path[1])
            for row, line in zip(rows, lines, strict=True) if only is None else [(only, 0)]:
                place = where if only is not None else Where(policy.file, line)
                _test(call.function[0], table, row[column], place, notes)

    patterns(matcher.tree, None, matcher.where)
    for call in calls(matcher.tree):
        if call.function != ("eval",):
            continue
        assert isinstance(call.args[0], Name)
        column = words.policy.index(call.args[0].path[1])
        for row, line in zip(rows, lines, strict=True):
            place = Where(policy.file, line)
            if row[column] not in conditions:
                try:
                    tree = parse(row[column], place)
                except PolicyError as finding:
                    notes.refused.append(finding)
                    continue
                wrong = list(findings(tree, words, place, row=True))
                notes.refused.extend(wrong)
                if wrong:
                    continue
                conditions[row[column]] = (tree, place)
            patterns(conditions[row[column]][0], row, place)
    if not notes.refused:
        env["when"] = _conditions({text: one for text, (one, _) in conditions.items()}, words, env)
    return env


def _test(name: str, table: dict[str, Test], pattern: str, where: Where, notes: Findings) -> None:
    if pattern not in table:
        table[pattern] = MAKERS[name](pattern, where, notes)


def _reaches(table: Mapping[Key, tuple[str, ...]]) -> Callable[..., bool]:
    def reaches(name: str, role: str, domain: object = None) -> bool:
        key: Key = name if domain is None else (name, str(domain))
        return role in table.get(key, (name,))

    return reaches


def _conditions(
    trees: Mapping[str, Expr], words: Vocabulary, env: Mapping[str, object]
) -> dict[str, Callable[..., bool]]:
    """Every row condition as a function of the request and the row, compiled in one go."""
    given = ", ".join([*(f"r_{field}" for field in words.request), "row"])
    source = "\n".join(
        f"def condition_{number}({given}):\n    return {code.condition(tree, words)}"
        for number, tree in enumerate(trees.values())
    )
    space = dict(env)
    exec(compile(source, "<row conditions>", "exec"), space)  # noqa: S102 - written from trees
    return {text: space[f"condition_{n}"] for n, text in enumerate(trees)}  # type: ignore[misc]


def _table(branch: Branch, rows: list[Row], ptype: str) -> dict[object, object]:
    """Key by key, nested: at the end the smallest rank, or all ranks where a residual must be
    tested row by row.

    Nested dicts rather than tuples as keys: the first levels are small and stay in the cache.
    """
    columns = [part.column for part in branch.keys]
    all_ranks = any(reads_rows(part, ptype) for part in branch.residual)
    table: dict[object, object] = {}
    for rank, row in enumerate(rows):
        place: dict[object, object] = table
        last: object = ()  # a branch without a key has all of its rows under ()
        for at, column in enumerate(columns):
            last = row[column]
            if at < len(columns) - 1:
                following = place.get(last)
                if following is None:
                    following = place[last] = {}
                place = following  # type: ignore[assignment]
        if all_ranks:
            place.setdefault(last, []).append(rank)  # type: ignore[attr-defined]
        else:
            place.setdefault(last, rank)
    return table


def _small_first(branch: Branch, rows: list[Row]) -> Branch:
    """The same branch, its keys in the order of how many different values their columns hold."""
    keys = sorted(branch.keys, key=lambda part: len({row[part.column] for row in rows}))
    return Branch(branch.parts, tuple(keys), branch.residual)


def _find(
    parts: tuple[Branch, ...],
    words: Vocabulary,
    rows: list[Row],
    tables: list[dict[object, object]],
    env: dict[str, object],
    reach: Mapping[str, Mapping[Key, tuple[str, ...]]],
) -> Find:
    space = dict(env)
    space |= {f"reach_{name}": table.get for name, table in reach.items()}
    space |= {f"under_{n}": table.get for n, table in enumerate(tables)}
    space["none"] = {}
    space |= {"rows": rows, "text": str, "mistyped": Mistyped}
    body: list[str] = []
    for number, branch in enumerate(parts):
        body += _branch_source(number, branch, words, len(rows))
    given = ", ".join(f"r_{field}" for field in words.request)
    source = f"def find({given}):\n    best = {len(rows)}\n" + "\n".join(body)
    looked_up = _looked_up(parts)
    if looked_up:
        texts = " is ".join(f"r_{field}.__class__" for field in looked_up)
        source += f"\n    if best == {len(rows)} and not ({texts} is text):\n        raise mistyped"
    source += "\n    return best\n"
    exec(compile(source, "<policy index>", "exec"), space)  # noqa: S102 - written from trees
    return space["find"]  # type: ignore[return-value]


def _looked_up(parts: tuple[Branch, ...]) -> list[str]:
    """The request's fields that are themselves keys, once each."""
    keys = [part.value for branch in parts for part in branch.keys]
    paths = [key.path for key in keys if isinstance(key, Name)]
    return list(dict.fromkeys(path[1] for path in paths if len(path) == 2))


def _branch_source(number: int, branch: Branch, words: Vocabulary, count: int) -> list[str]:
    lines: list[str] = []
    indent = "    "
    first = [part for part in branch.residual if not reads_rows(part, words.ptype)]
    rest = [part for part in branch.residual if reads_rows(part, words.ptype)]
    if first:
        lines.append(f"{indent}if {' and '.join(code.condition(one, words) for one in first)}:")
        indent += "    "
    names: list[str] = []
    for at, part in enumerate(branch.keys):
        source = code.value(part.value, words)
        if not part.role:
            names.append(source)
            continue
        known = source
        if part.domain is not None:
            known = f"({source}, text({code.value(part.domain, words)}))"
        lines.append(f"{indent}for a{at} in reach_{part.role}({known}) or ({source},):")
        indent += "    "
        names.append(f"a{at}")
    steps = [f"({name}, none).get" for name in names[:-1]]
    under = f"under_{number}" + "".join(steps)
    last = names[-1] if names else "()"
    if not rest:
        lines.append(f"{indent}rank = {under}({last}, {count})")
        lines.append(f"{indent}if rank < best: best = rank")
        return lines
    lines.append(f"{indent}for rank in {under}({last}, ()):")
    lines.append(f"{indent}    if rank >= best: break")
    lines.append(f"{indent}    row = rows[rank]")
    test = " and ".join(code.condition(one, words) for one in rest)
    lines.append(f"{indent}    if {test}:")
    lines.append(f"{indent}        best = rank")
    lines.append(f"{indent}        break")
    return lines
