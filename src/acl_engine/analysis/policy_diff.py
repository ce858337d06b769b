"""Who gains and who loses what between two versions of a pack, right by right.

A right is: role, record type, action, stage, field, how it is shown, and under which condition.
Conditions are compared as expanded expressions, so that a relation that changed its meaning under
the same name is a change, and two names of the same meaning are none.

INVARIANTS
- Two packs without a difference here decide alike for every role that both know.
- A prohibition that is added is a loss; one that is taken away is a gain.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from acl_engine.decision.pack_decider import expand
from acl_engine.domain.errors import Where
from acl_engine.domain.pack import Pack, Row
from acl_engine.domain.text import Message, Text
from acl_engine.policy.expression import parse
from acl_engine.policy.pack_checks import closure
from acl_engine.policy.written import written

GAINS = Text(
    "diff.gains",
    "+ `{role}` 得到 {resource}.{action}（{stages}）：{fields}，条件 {condition}",
    "+ `{role}` gains {resource}.{action} ({stages}): {fields}, where {condition}",
)
LOSES = Text(
    "diff.loses",
    "- `{role}` 失去 {resource}.{action}（{stages}）：{fields}，条件 {condition}",
    "- `{role}` loses {resource}.{action} ({stages}): {fields}, where {condition}",
)
FORBIDDEN = Text(
    "diff.forbidden",
    "- `{role}` 被禁止 {resource}.{action}（{stages}），条件 {condition}",
    "- `{role}` is forbidden {resource}.{action} ({stages}), where {condition}",
)
FREED = Text(
    "diff.freed",
    "+ `{role}` 不再被禁止 {resource}.{action}（{stages}），条件 {condition}",
    "+ `{role}` is no longer forbidden {resource}.{action} ({stages}), where {condition}",
)
SUMMARY = Text(
    "diff.summary",
    "{gains} 项放宽，{losses} 项收紧，涉及角色 {roles} 个",
    "{gains} rights wider, {losses} narrower, {roles} roles concerned",
)
SAME = Text("diff.same", "权限没有变化", "no right changes")


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One cell. `field` is empty for the action itself; `show` is `deny` for a prohibition."""

    role: str
    resource: str
    action: str
    stage: str
    field: str
    show: str
    condition: str  # the expanded expression


@dataclass(frozen=True, slots=True)
class Change:
    """Rights of one role under one condition that changed together."""

    wider: bool
    role: str
    resource: str
    action: str
    stages: tuple[str, ...]
    fields: tuple[str, ...]  # `name=clear`, `name=profile`, or empty
    relation: str  # as the row says it
    condition: str
    prohibition: bool

    def line(self) -> Message:
        """The change in words."""
        named = {
            "role": self.role,
            "resource": self.resource,
            "action": self.action,
            "stages": "|".join(self.stages),
            "condition": f"{self.relation} [{self.condition}]"
            if self.relation != self.condition
            else self.relation,
        }
        if self.prohibition:
            return (FREED if self.wider else FORBIDDEN).of(**named)
        fields = " ".join(self.fields) or self.action
        return (GAINS if self.wider else LOSES).of(**named, fields=fields)


@dataclass(frozen=True, slots=True)
class Diff:
    changes: tuple[Change, ...]
    wider: int
    narrower: int

    def summary(self) -> Message:
        """One line; `wider` and `narrower` count single rights."""
        if not self.changes:
            return SAME.of()
        roles = len({change.role for change in self.changes})
        return SUMMARY.of(gains=self.wider, losses=self.narrower, roles=roles)


def diff(old: Pack, new: Pack, *, roles: Collection[str] = ()) -> Diff:
    """What `new` allows that `old` did not, and the other way round; of these roles, or of all."""
    before, after = (
        {right: how for right, how in _rights(pack) if not roles or right.role in roles}
        for pack in (old, new)
    )
    # Taking a prohibition away makes wider; adding one makes narrower.
    wider = {r: after[r] for r in after if r not in before and r.show != "deny"}
    wider |= {r: before[r] for r in before if r not in after and r.show == "deny"}
    narrower = {r: before[r] for r in before if r not in after and r.show != "deny"}
    narrower |= {r: after[r] for r in after if r not in before and r.show == "deny"}
    changes = (*_grouped(wider, wider=True), *_grouped(narrower, wider=False))
    ordered = sorted(changes, key=lambda c: (c.role, c.resource, c.action, not c.wider, c.stages))
    return Diff(tuple(ordered), len(wider), len(narrower))


def _rights(pack: Pack) -> Iterator[tuple[Right, str]]:
    """Each right with the relation of its row."""
    relations = {name: parse(spec.expression, Where("")) for name, spec in pack.relations.items()}
    parents: dict[str, set[str]] = {}
    for role, group in pack.role_links:
        parents.setdefault(role, set()).add(group)
    reach = {role: closure(role, parents) for role in pack.roles}
    for row in pack.rows:
        condition = written(expand(parse(row.relation, Where(""), relation=True), relations))
        for role in pack.roles:
            if row.role in reach[role]:
                for right in _of_row(pack, row, role, condition):
                    yield right, row.relation


def _of_row(pack: Pack, row: Row, role: str, condition: str) -> Iterator[Right]:
    shows = [("", "allow"), *row.grants] if row.allow else [("", "deny")]
    for stage in row.stages or pack.resources[row.resource].stages:
        for field, show in shows:
            yield Right(role, row.resource, row.action, stage, field, show, condition)


def _grouped(rights: Mapping[Right, str], *, wider: bool) -> Iterator[Change]:
    """Stages of the same fields, and fields of the same stages, in one line."""
    fields: dict[tuple[str, ...], dict[str, list[str]]] = {}
    for right, relation in rights.items():
        kind = "deny" if right.show == "deny" else "allow"
        key = (right.role, right.resource, right.action, right.condition, relation, kind)
        named = f"{right.field}={right.show}" if right.field else ""
        fields.setdefault(key, {}).setdefault(right.stage, []).append(named)
    for (role, resource, action, condition, relation, kind), stages in fields.items():
        alike: dict[tuple[str, ...], list[str]] = {}
        for stage, names in stages.items():
            alike.setdefault(tuple(sorted(filter(None, names))), []).append(stage)
        for names_, where in alike.items():
            yield Change(
                wider,
                role,
                resource,
                action,
                tuple(where),
                names_,
                relation,
                condition,
                kind == "deny",
            )
