"""What the generated source may call: tests by pattern, row conditions by text, roles.

INVARIANTS
- Everything is made at load: a pattern or a condition that cannot be read is found there.
- Nothing here changes after load.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.policy import code
from acl_engine.policy.branches import calls
from acl_engine.policy.casbin_model import Matcher
from acl_engine.policy.casbin_rows import Policy
from acl_engine.policy.expression import Call, Expr, Literal, Name, parse
from acl_engine.policy.findings import Findings
from acl_engine.policy.patterns import MAKERS, Pattern
from acl_engine.policy.ranking import Row
from acl_engine.policy.reading import Vocabulary, findings, rewritten
from acl_engine.policy.role_links import Key

Functions = Mapping[str, Callable[..., object]]
Reach = Mapping[str, Mapping[Key, tuple[str, ...]]]
# From here on, a set is faster to search than a tuple.
_SHORT = 8


@dataclass
class Environment:
    """`space` is given to the generated source; `patterns` and `conditions` tell what rows cost."""

    matcher: Matcher
    words: Vocabulary
    space: dict[str, object]
    patterns: dict[str, dict[str, Pattern]] = field(default_factory=dict)
    conditions: dict[str, Expr] = field(default_factory=dict)

    def steps(self, tree: Expr, row: Row) -> int:
        """How many steps testing the tree against this row takes at most."""
        found = 1
        for call in calls(tree):
            name = call.function[0]
            if name in MAKERS:
                found += self.patterns[name][pattern_of(call, row, self.words)].steps
            elif name == "eval":
                text = row[_column(call.args[0], self.words)]
                found += self.steps(self.conditions[text], row)
        return found


def environment(
    matcher: Matcher,
    words: Vocabulary,
    policy: Policy,
    reach: Reach,
    functions: Functions,
    notes: Findings,
) -> Environment:
    """Read every pattern and every condition of the rows; findings are noted."""
    space: dict[str, object] = dict(code.ENVIRONMENT)
    space |= {f"own_{name}": function for name, function in functions.items()}
    space |= {f"reaches_{name}": _reaches(table) for name, table in reach.items()}
    made = Environment(matcher, words, space, {name: {} for name in MAKERS})
    _read_patterns(matcher, policy, made, notes)
    for call in calls(matcher.tree):
        if call.function == ("eval",):
            _read_conditions(_column(call.args[0], words), policy, made, notes)
    if not notes.refused:
        for name, table in made.patterns.items():
            space[f"test_{name}"] = {text: one.test for text, one in table.items()}
        space["when"] = _compiled(made)
    return made


def _column(tree: Expr, words: Vocabulary) -> int:
    assert isinstance(tree, Name)
    return words.policy.index(tree.path[1])


def pattern_of(call: Call, row: Row, words: Vocabulary) -> str:
    """The pattern that this call tests for this row."""
    pattern = call.args[1]
    return str(pattern.value) if isinstance(pattern, Literal) else row[_column(pattern, words)]


def _placed(policy: Policy, words: Vocabulary) -> Iterator[tuple[Row, int]]:
    """Rows, each with its line; the column is sought only for what is new."""
    return zip(policy.rows[words.ptype], policy.lines[words.ptype], strict=True)


def _read_patterns(matcher: Matcher, policy: Policy, made: Environment, notes: Findings) -> None:
    for call in calls(matcher.tree):
        name = call.function[0]
        if name not in MAKERS:
            continue
        table = made.patterns[name]
        pattern = call.args[1]
        if isinstance(pattern, Literal):
            _make(table, call, (), matcher.where, made, notes)
            continue
        column = _column(pattern, made.words)
        for row, line in _placed(policy, made.words):
            if row[column] not in table:
                _make(table, call, row, policy.place(line, column), made, notes)


def _make(
    table: dict[str, Pattern],
    call: Call,
    row: Row,
    where: Where,
    made: Environment,
    notes: Findings,
) -> None:
    pattern = pattern_of(call, row, made.words)
    if pattern not in table:
        table[pattern] = MAKERS[call.function[0]](pattern, where, notes)


def _read_conditions(column: int, policy: Policy, made: Environment, notes: Findings) -> None:
    for row, line in _placed(policy, made.words):
        text = row[column]
        if text not in made.conditions:
            where = policy.place(line, column)
            try:
                tree = parse(text, where)
            except PolicyError as finding:
                notes.refused.append(finding)
                continue
            found = list(findings(tree, made.words, where, row=True))
            if notes.compat:
                found += rewritten(tree, where)
            notes.refused.extend(found)
            if found:
                continue
            made.conditions[text] = tree
        for call in calls(made.conditions[text]):
            if call.function[0] in MAKERS:
                place = policy.place(line, column)
                _make(made.patterns[call.function[0]], call, row, place, made, notes)


def _reaches(table: Mapping[Key, tuple[str, ...]]) -> Callable[..., bool]:
    long = {name: frozenset(roles) for name, roles in table.items() if len(roles) > _SHORT}

    def reaches(name: str, role: str, domain: object = None) -> bool:
        key: Key = name if domain is None else (name, str(domain))
        return role in (long.get(key) or table.get(key, (name,)))

    return reaches


def _compiled(made: Environment) -> dict[str, Callable[..., bool]]:
    """Every row condition as a function of the request and the row, compiled in one go."""
    given = ", ".join([*(f"r_{name}" for name in made.words.request), "row"])
    source = "\n".join(
        f"def condition_{number}({given}):\n    return {code.condition(tree, made.words)}"
        for number, tree in enumerate(made.conditions.values())
    )
    space = dict(made.space)
    exec(compile(source, "<row conditions>", "exec"), space)  # noqa: S102 - written from trees
    return {text: space[f"condition_{n}"] for n, text in enumerate(made.conditions)}  # type: ignore[misc]
