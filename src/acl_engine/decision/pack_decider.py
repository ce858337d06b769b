"""The decision point of a pack: one policy, read as decide, scope and reason.

INVARIANTS
- Pure: the same request and facts give the same decision; nothing is stored, no clock is read.
- A deny row that may apply wins over every allow row. An allow row applies only if it certainly
  does. No row: deny.
- What several matching rows show is joined field by field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as member
from types import MappingProxyType

from acl_engine.decision import kleene
from acl_engine.decision.holding import Holds, holding
from acl_engine.domain import scope as s
from acl_engine.domain.decision import CLEAR, Decision, Effect, Grant, Show
from acl_engine.domain.errors import Where
from acl_engine.domain.facts import Facts, Value
from acl_engine.domain.pack import Pack, Row
from acl_engine.domain.request import Action, Request
from acl_engine.domain.text import Message, Text
from acl_engine.policy.expression import And, Expr, Literal, Name, Not, Or, parse
from acl_engine.policy.expression import names as names_in
from acl_engine.policy.pack_checks import closure

# Actions that name no single record: allowed when some record may be reached, judged row by row.
MANY = frozenset(
    {
        Action.SEARCH,
        Action.REVERSE_LOOKUP,
        Action.COUNT_BY_PHONE,
        Action.AGGREGATE,
        Action.EXPORT,
        Action.PUBLISH,
    }
)

ALLOWED = Text("decision.allowed", "依据 `{rules}` 允许", "allowed by `{rules}`")
FORBIDDEN = Text("decision.forbidden", "`{rule}` 明令禁止", "forbidden by `{rule}`")
NO_RULE = Text(
    "decision.no-rule",
    "没有任何一行授予角色 `{role}` 操作 `{action}`",
    "no row grants role `{role}` the action `{action}`",
)
LACKING = Text(
    "decision.lacking",
    "最接近的一行 `{rule}` 还缺：{lacking}",
    "the closest row `{rule}` lacks: {lacking}",
)
LEAST_PRIVILEGE = "least-privilege"
STAGE_WINDOW = "stage-window"


@dataclass(frozen=True, slots=True)
class Rule:
    """A row with its relation's tree; `conjuncts` are what must hold together."""

    row: Row
    tree: Expr  # the relation, expanded over sub.x and res.x
    conjuncts: tuple[tuple[Expr, tuple[str, ...]], ...]  # each with the relations it is made of
    stages: frozenset[str]
    holds: Holds = member(compare=False, repr=False)  # the tree, ready for use


class PackDecider:
    """Implements `domain.ports.Decider` over one pack. Immutable; safe from any thread."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        relations = {
            name: parse(spec.expression, Where(f"{pack.folder}/relations.yaml"))
            for name, spec in pack.relations.items()
        }
        rules = tuple(_compile(row, relations, pack.folder) for row in pack.rows)
        parents: dict[str, set[str]] = {}
        for role, group in pack.role_links:
            parents.setdefault(role, set()).add(group)
        self._index: dict[tuple[str, str, str], tuple[Rule, ...]] = {}
        for role in pack.roles:
            reach = closure(role, parents)
            for rule in rules:
                if rule.row.role in reach:
                    key = (role, rule.row.resource, rule.row.action)
                    self._index[key] = (*self._index.get(key, ()), rule)
        self._rule_controls = {
            rule: control.id for control in pack.controls.values() for rule in control.rules
        }

    @property
    def pack(self) -> Pack:
        return self._pack

    @property
    def version(self) -> str:
        return self._pack.version

    def decide(self, request: Request, facts: Facts) -> Decision:
        """Allow or deny, with the scope, the fields, and on a denial the nearest miss."""
        if request.action not in MANY or facts.resource is not None:
            return self._known(request, facts)
        rules = self.rules(request, facts)
        scope = self._scope(rules, facts.subject)
        if scope != s.NOTHING:
            return self._allow([rule for rule in rules if rule.row.allow], scope)
        return self._deny(rules, request, facts)

    def judge(self, request: Request, facts: Facts, row: Mapping[str, Value]) -> Decision:
        """The same decision for one fetched row's attributes, without a scope: it is fetched."""
        return self._known(request, Facts(facts.subject, row), scoped=False)

    def permits(self, request: Request, facts: Facts) -> bool:
        """Whether `decide` allows, without what it shows, why, or on which rows."""
        if facts.resource is None and request.action in MANY:
            return self.decide(request, facts).allowed
        rules = self.rules(request, facts)
        judged = facts if facts.resource is not None else self._somewhere(rules, request, facts)
        subject, resource, allowed = judged.subject, judged.resource, False
        for rule in rules:
            at = staged(rule, resource)
            if at is False:
                continue
            if not rule.row.allow:
                if rule.holds(subject, resource) is not False:
                    return False
            elif not allowed and at is True:
                allowed = rule.holds(subject, resource) is True
        return allowed and facts.resource is not None

    def _known(self, request: Request, facts: Facts, *, scoped: bool = True) -> Decision:
        """About one record. The scope is that of the rows that apply to it, no wider."""
        rules = self.rules(request, facts)
        if facts.resource is None:
            return self._unknown(rules, request, facts)
        matching = self.matching(rules, facts)
        if not matching or self.forbidding(rules, facts):
            return self._deny(rules, request, facts)
        if not scoped:
            return self._allow(matching, s.NOTHING)
        denied = [rule for rule in rules if not rule.row.allow]
        return self._allow(matching, self._scope((*matching, *denied), facts.subject))

    def _unknown(self, rules: tuple[Rule, ...], request: Request, facts: Facts) -> Decision:
        """About no record: denied, for about the work that another's record would have cost."""
        self.matching(rules, self._somewhere(rules, request, facts))  # for its time alone
        blank: dict[str, Value] = dict.fromkeys(self._pack.resources[request.resource].attributes)
        return self._deny(rules, request, Facts(facts.subject, blank))

    def _somewhere(self, rules: tuple[Rule, ...], request: Request, facts: Facts) -> Facts:
        """A record of which nothing is known, at a stage at which one might be reached."""
        blank: dict[str, Value] = dict.fromkeys(self._pack.resources[request.resource].attributes)
        blank["stage"] = next((one for rule in rules for one in rule.stages), None)
        return Facts(facts.subject, blank)

    def scope(self, request: Request, facts: Facts) -> s.Scope:
        """The rows of the resource that this person may reach by this action."""
        return self._scope(self.rules(request, facts), facts.subject)

    def actions_for(self, request: Request, facts: Facts) -> tuple[Action, ...]:
        """Every action that this person may take on this record, in the order of `Action`.

        `request` names the record; its own action is not read.
        """
        return tuple(
            action
            for action in Action
            if self.decide(replace(request, action=action), facts).allowed
        )

    def fields_reached(self, request: Request, facts: Facts) -> Mapping[tuple[str, bool], s.Scope]:
        """Per field, and whether in clear, the records on which this action shows it."""
        rules = self.rules(request, facts)
        denied = [rule for rule in rules if not rule.row.allow]
        found: dict[tuple[str, bool], s.Scope] = {}
        for rule in rules:
            if rule.row.allow:
                scope = self._scope((rule, *denied), facts.subject)
                for field, how in rule.row.grants:
                    key = (field, how == "clear")
                    found[key] = s.any_of(found.get(key, s.NOTHING), scope)
        return MappingProxyType(found)

    def rules(self, request: Request, facts: Facts) -> tuple[Rule, ...]:
        """The rows for this role, resource and action, in file order."""
        role = facts.subject.get("role")
        return self._index.get((str(role), request.resource, str(request.action)), ())

    def matching(self, rules: tuple[Rule, ...], facts: Facts) -> list[Rule]:
        """The allow rows that certainly apply."""
        return [
            rule
            for rule in rules
            if rule.row.allow
            and facts.resource is not None
            and staged(rule, facts.resource) is True
            and rule.holds(facts.subject, facts.resource) is True
        ]

    def forbidding(self, rules: tuple[Rule, ...], facts: Facts) -> list[Rule]:
        """The deny rows that are not certainly out of play."""
        return [
            rule
            for rule in rules
            if not rule.row.allow
            and staged(rule, facts.resource) is not False
            and rule.holds(facts.subject, facts.resource) is not False
        ]

    def _scope(self, rules: tuple[Rule, ...], subject: Mapping[str, Value]) -> s.Scope:
        allowed = s.any_of(
            *(
                s.all_of(_stage_scope(rule), kleene.scope(rule.tree, subject, want=True))
                for rule in rules
                if rule.row.allow
            )
        )
        # A deny row keeps out what is not certainly outside of it.
        spared = [
            s.any_of(_outside_stages(rule), kleene.scope(rule.tree, subject, want=False))
            for rule in rules
            if not rule.row.allow
        ]
        return s.all_of(allowed, *spared)

    def _allow(self, rules: list[Rule], scope: s.Scope) -> Decision:
        ids = tuple(rule.row.id for rule in rules)
        return Decision(
            Effect.ALLOW,
            ids,
            ALLOWED.of(rules=" ".join(ids)),
            self.version,
            scope,
            MappingProxyType(joined(rules)),
        )

    def _deny(self, rules: tuple[Rule, ...], request: Request, facts: Facts) -> Decision:
        forbidding = self.forbidding(rules, facts)
        if forbidding:
            rule = forbidding[0].row.id
            owner = self._rule_controls.get(rule, LEAST_PRIVILEGE)
            return self._denied((rule,), FORBIDDEN.of(rule=rule), (owner,))
        candidates = [rule for rule in rules if rule.row.allow]
        if not candidates:
            role = facts.subject.get("role")
            return self._denied(
                (), NO_RULE.of(role=role, action=request.action), (LEAST_PRIVILEGE,)
            )
        nearest = min(candidates, key=lambda rule: len(lacking(rule, facts)))
        missing = lacking(nearest, facts)
        controls: list[str] = []
        for name in missing:
            spec = self._pack.relations.get(name)
            control = spec.control if spec else STAGE_WINDOW
            if control and control not in controls:
                controls.append(control)
        return self._denied(
            (nearest.row.id,),
            LACKING.of(rule=nearest.row.id, lacking=" ".join(missing) or "-"),
            tuple(controls) or (LEAST_PRIVILEGE,),
        )

    def _denied(
        self, rules: tuple[str, ...], reason: Message, controls: tuple[str, ...]
    ) -> Decision:
        return Decision(Effect.DENY, rules, reason, self.version, controls=controls)


def _compile(row: Row, relations: Mapping[str, Expr], folder: str) -> Rule:
    tree = parse(row.relation, Where(f"{folder}/policy.csv", row.line), relation=True)
    parts = tree.parts if isinstance(tree, And) else (tree,)
    conjuncts = tuple(
        (expand(part, relations), tuple(sorted(path[0] for path in names_in(part))))
        for part in parts
    )
    whole = expand(tree, relations)
    return Rule(row, whole, conjuncts, frozenset(row.stages), holding(whole))


def expand(tree: Expr, relations: Mapping[str, Expr]) -> Expr:
    """A relation column's tree with each word replaced by its relation's expression."""
    match tree:
        case Name((name,)):
            return relations[name]
        case Not(part):
            return Not(expand(part, relations))
        case And(parts):
            return And(tuple(expand(part, relations) for part in parts))
        case Or(parts):
            return Or(tuple(expand(part, relations) for part in parts))
        case Literal():
            return tree
    raise kleene.Unreadable(type(tree).__name__)


def staged(rule: Rule, resource: Mapping[str, Value] | None) -> bool | None:
    """Whether the record is at a stage of the row; None if its stage is not known."""
    if not rule.stages:
        return True
    stage = None if resource is None else resource.get("stage")
    return None if stage is None else stage in rule.stages


def _stage_scope(rule: Rule) -> s.Scope:
    stages: frozenset[s.Scalar] = frozenset(rule.stages)
    return s.Member("stage", stages) if stages else s.EVERYTHING


def _outside_stages(rule: Rule) -> s.Scope:
    return s.negate(_stage_scope(rule)) if rule.stages else s.NOTHING


def lacking(rule: Rule, facts: Facts) -> tuple[str, ...]:
    """The relations that are not certainly true, and `stage` if the stage does not fit."""
    missing = [
        name
        for tree, made_of in rule.conjuncts
        if kleene.truth(tree, facts.subject, facts.resource) is not True
        for name in made_of
    ]
    if staged(rule, facts.resource) is not True:
        missing.append("stage")
    return tuple(missing)


def joined(rules: list[Rule]) -> dict[str, Grant]:
    """What several rows show together, field by field."""
    shown: dict[str, set[str]] = {}
    for rule in rules:
        for field, how in rule.row.grants:
            shown.setdefault(field, set()).add(how)
    return {
        field: CLEAR if "clear" in hows else Grant(Show.MASK, tuple(sorted(hows)))
        for field, hows in shown.items()
    }
