"""Why: the smallest set of rows and facts behind an allow, the nearest miss behind a denial.

For the author of the policy, never for the caller: it names facts and their values.

INVARIANTS
- The rows of an explained allow, alone, show the same fields as the whole policy.
- Deterministic: rows in file order, facts in the order of the expression.
- What is said to be lacking is exactly what is not certainly true; nothing else is.
"""

from collections.abc import Iterable, Mapping

from acl_engine.decision import kleene
from acl_engine.decision.explanation import Explanation, Fact, Reading
from acl_engine.decision.pack_decider import PackDecider, Rule, joined, lacking, staged
from acl_engine.domain.facts import Facts, Value
from acl_engine.domain.request import Request
from acl_engine.domain.text import Message, Text
from acl_engine.policy.expression import And, Expr, Literal, Not, Or, names
from acl_engine.policy.written import written

ROW_ALLOWS = Text(
    "explain.row-allows",
    "第 {line} 行 `{rule}` 适用",
    "row `{rule}` (line {line}) applies",
)
ROW_FORBIDS = Text(
    "explain.row-forbids",
    "第 {line} 行 `{rule}` 禁止",
    "row `{rule}` (line {line}) forbids it",
)
ROW_MISSES = Text(
    "explain.row-misses",
    "最接近的是第 {line} 行 `{rule}`，还缺 {count} 项",
    "row `{rule}` (line {line}) comes closest; {count} lacking",
)
LACKS_STAGE = Text(
    "explain.lacks-stage",
    "缺：环节须为 {stages}，现为 {stage}",
    "lacking: the stage must be {stages}, it is {stage}",
)


def explain(decider: PackDecider, request: Request, facts: Facts) -> Explanation:
    """Explain `decider.decide(request, facts)` for the author of the policy."""
    decision = decider.decide(request, facts)
    rules = decider.rules(request, facts)
    if decision.allowed:
        applying = decider.matching(rules, facts) or [
            rule for rule in rules if rule.row.id in decision.rules
        ]
        return Explanation(decision, tuple(_allowing(one, facts) for one in _smallest(applying)))
    chosen = [rule for rule in rules if rule.row.id in decision.rules]
    return Explanation(decision, tuple(_denying(decider, rule, facts) for rule in chosen))


def _smallest(rules: list[Rule]) -> list[Rule]:
    """As few rows as show the same; later rows are dropped first."""
    kept = list(rules)
    whole = joined(rules)
    for rule in reversed(rules):
        rest = [one for one in kept if one is not rule]
        if rest and joined(rest) == whole:
            kept = rest
    return kept


def _allowing(rule: Rule, facts: Facts) -> Reading:
    said = ROW_ALLOWS.of(rule=rule.row.id, line=rule.row.line)
    found = _made(rule.tree, facts, want=True)
    return Reading(rule.row.id, said, (*found, *_stage_fact(rule, facts)))


def _denying(decider: PackDecider, rule: Rule, facts: Facts) -> Reading:
    place = {"rule": rule.row.id, "line": rule.row.line}
    if not rule.row.allow:
        found = tuple(one for one in _made(rule.tree, facts, want=True))
        return Reading(rule.row.id, ROW_FORBIDS.of(**place), found)
    missing = lacking(rule, facts)
    against = tuple(
        fact
        for tree, _ in rule.conjuncts
        if kleene.truth(tree, facts.subject, facts.resource) is not True
        for fact in _made(tree, facts, want=False)
    )
    words = tuple(_words(decider, rule, name, facts) for name in missing)
    return Reading(rule.row.id, ROW_MISSES.of(**place, count=len(missing)), against, words)


def _words(decider: PackDecider, rule: Rule, name: str, facts: Facts) -> Message:
    spec = decider.pack.relations.get(name)
    if spec is not None:
        # A text of its own, so that each language gets the relation's own words.
        return Text(f"relation.{name}", f"缺：{_safe(spec.zh)}", f"lacking: {_safe(spec.en)}").of()
    stage = None if facts.resource is None else facts.resource.get("stage")
    stages = "|".join(sorted(rule.stages))
    return LACKS_STAGE.of(stages=stages, stage=_shown(stage))


def _safe(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _stage_fact(rule: Rule, facts: Facts) -> tuple[Fact, ...]:
    if not rule.stages or facts.resource is None:
        return ()
    text = f"res.stage in {'|'.join(sorted(rule.stages))}"
    stage = _shown(facts.resource.get("stage"))
    return (Fact(text, (("res.stage", stage),), staged(rule, facts.resource)),)


def _made(tree: Expr, facts: Facts, *, want: bool) -> tuple[Fact, ...]:
    """The fewest comparisons that make the tree what it is.

    `want` True: why it is true (or may be); False: why it is not certainly true.
    """
    match tree:
        case Literal():
            return ()
        case Not(part):
            return _made(part, facts, want=not want)
        case And(parts) | Or(parts):
            if isinstance(tree, And) is want:
                return _unique(fact for part in parts for fact in _made(part, facts, want=want))
            speaking = [part for part in parts if _speaks(part, facts, want=want)]
            each = [_made(part, facts, want=want) for part in speaking or parts]
            if want or isinstance(tree, Or):
                return min(each, key=len)
            return _unique(fact for one in each for fact in one)
    return (_fact(tree, facts),)


def _speaks(tree: Expr, facts: Facts, *, want: bool) -> bool:
    holds = kleene.truth(tree, facts.subject, facts.resource)
    return holds is want or (holds is None and not want)


def _fact(tree: Expr, facts: Facts) -> Fact:
    values = tuple(
        (".".join(path), _shown(_value(path, facts.subject, facts.resource)))
        for path in sorted(names(tree))
    )
    return Fact(written(tree), values, kleene.truth(tree, facts.subject, facts.resource))


def _value(
    path: tuple[str, ...], subject: Mapping[str, Value], resource: Mapping[str, Value] | None
) -> Value:
    if path[0] == "sub":
        return subject.get(path[1])
    return None if resource is None else resource.get(path[1])


def _shown(value: Value) -> str:
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(map(str, value))) + "}"
    return "-" if value is None else str(value)


def _unique(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    return tuple(dict.fromkeys(facts))
