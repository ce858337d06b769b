"""Which accesses of the past a policy would deny: decided by the engine's own decider.

Lines that no comparison of the policy tells apart form a class; the decider is asked once a class,
about the facts of one of its lines. A log of ten million lines has a few thousand classes.

INVARIANTS
- Every line is counted once: judged, or among those that cannot be judged, with the cause.
- Two lines of one class have the same role, action, stage, and the same truth of every comparison
  in every row that the decider reads for them: the decision cannot differ.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from acl_engine.analysis.backtest.columns import TRUE, Array
from acl_engine.analysis.backtest.leaves import is_known, leaves, operand, truth
from acl_engine.analysis.backtest.past import Lines, Past
from acl_engine.analysis.backtest.report import (
    FIRST_LINES,
    NO_SPAN,
    Cause,
    Outcome,
    Report,
    Tally,
)
from acl_engine.decision.pack_decider import MANY, PackDecider
from acl_engine.domain.facts import Facts, Value
from acl_engine.domain.request import Action, Request
from acl_engine.policy.expression import Binary, Expr, Name, names

ACTIONS = tuple(Action)
# A key of classes stays below 2 to this; past it, classes so far are numbered anew.
_KEY_BITS = 60
# Places of records that have none.
UNKNOWN_RECORD, NO_RECORD = -1, -2


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines as read. `who`, `action`, `record`: places, -1 for what is not known; `record` -2
    where none is named. `readable`: whether the line could be read; `then`: whether it was allowed.
    `number` counts lines from 1. `devices_told`:
    whether the log says on which device; otherwise each access counts as on a bound one."""

    lines: Lines
    action: Array
    readable: Array
    then: Array
    number: Array
    devices_told: bool


@dataclass(frozen=True, slots=True)
class _Group:
    """All lines of one role and action, with or without a record: what may tell them apart."""

    role: str
    action: Action
    named: bool
    request: Request
    leaves: tuple[Expr, ...]
    known: dict[tuple[int, ...], int] = field(default_factory=dict)  # class -> outcome


class Judging:
    """Counts batch after batch; `take` what was counted."""

    def __init__(self, decider: PackDecider, past: Past, resource: str) -> None:
        self._decider, self._past, self._resource = decider, past, resource
        roles = list(dict.fromkeys(past.roles))
        units = list(dict.fromkeys(past.units))
        self._roles, self._units = roles, units
        self._role_of = np.array([roles.index(one) for one in past.roles], dtype=np.int64)
        self._unit_of = _numbered(past.units, units)
        self._groups: dict[int, _Group] = {}
        self._outcomes: dict[Outcome, int] = {}
        self._nothing()

    def _nothing(self) -> None:
        self._counts: Counter[tuple[int, int, int]] = Counter()
        self._denied = np.zeros(len(self._past.logins), dtype=np.int64)
        self._not: Counter[Cause] = Counter()
        self._first: dict[Cause, list[int]] = {}
        self._span = NO_SPAN
        self._devices_told = True

    def add(self, batch: Batch) -> None:
        """Judge and count the lines of a batch."""
        self._devices_told &= batch.devices_told
        batch = replace(batch, lines=self._past.placed(batch.lines))
        judged = self._without_the_unjudgeable(batch)
        lines, action, then = batch.lines.take(judged), batch.action[judged], batch.then[judged]
        if not len(lines):
            return
        self._span = (
            min(self._span[0], int(lines.at.min())),
            max(self._span[1], int(lines.at.max())),
        )
        outcome = np.empty(len(lines), dtype=np.int64)
        groups = (self._role_of[lines.who] * len(ACTIONS) + action) * 2 + (lines.record >= 0)
        for code in np.unique(groups).tolist():
            places = np.flatnonzero(groups == code)
            outcome[places] = self._outcomes_of(self._group(code), lines.take(places))
        self._count(lines, outcome, then)

    def take(self) -> Report:
        """Everything since the last `take`. What is known of classes stays."""
        outcomes = list(self._outcomes)
        tallies = [
            Tally(outcomes[one], self._units[unit], bool(then), count)
            for (one, unit, then), count in self._counts.items()
        ]
        denied = {
            self._past.logins[place]: int(self._denied[place])
            for place in np.flatnonzero(self._denied).tolist()
        }
        first = {cause: tuple(lines) for cause, lines in self._first.items()}
        found = Report(
            self._decider.version,
            self._span,
            tuple(tallies),
            denied,
            dict(self._not),
            first,
            self._devices_told,
        )
        self._nothing()
        return found

    # --- inside ---------------------------------------------------------------------------------

    def _without_the_unjudgeable(self, batch: Batch) -> Array:
        """The places of the lines that can be judged; the others are counted by their cause."""
        lines, left = batch.lines, np.ones(len(batch.lines), dtype=bool)
        many = np.isin(batch.action, [ACTIONS.index(one) for one in MANY])
        causes: tuple[tuple[Cause, Array], ...] = (
            ("unreadable", ~batch.readable),
            ("account", lines.who < 0),
            ("action", batch.action < 0),
            ("no-record", (lines.record == NO_RECORD) & ~many),
            ("record", lines.record == UNKNOWN_RECORD),
        )
        for cause, wrong in causes:
            self._put_aside(cause, wrong & left, batch.number)
            left &= ~wrong
        places = np.flatnonzero(left)
        later = (lines.record[places] >= 0) & ~self._past.exists(lines.take(places))
        self._put_aside("later", later, batch.number[places])
        return places[~later]

    def _put_aside(self, cause: Cause, wrong: Array, number: Array) -> None:
        found = number[wrong]
        if len(found):
            self._not[cause] += len(found)
            first = self._first.setdefault(cause, [])
            first.extend(found[: FIRST_LINES - len(first)].tolist())

    def _group(self, code: int) -> _Group:
        group = self._groups.get(code)
        if group is None:
            (rest, named), role = divmod(code, 2), code // 2 // len(ACTIONS)
            action = ACTIONS[rest % len(ACTIONS)]
            request = Request(
                "-", action, self._resource, "-" if named else None, (), (), None, None, (), 1, None
            )
            rules = self._decider.rules(request, Facts({"role": self._roles[role]}, None))
            found = tuple(dict.fromkeys(leaf for rule in rules for leaf in leaves(rule.tree)))
            group = _Group(self._roles[role], action, bool(named), request, found)
            self._groups[code] = group
        return group

    def _outcomes_of(self, group: _Group, lines: Lines) -> Array:
        """The outcome of each line: the classes, and the decision of each."""
        columns = [self._past.of_record("stage", lines) + 1]
        columns += [truth(leaf, self._past, lines) for leaf in group.leaves]
        if not group.named:
            columns += [self._told(leaf, lines) for leaf in group.leaves]
        first, inverse = _classes(columns)
        found = [
            self._outcome(group, tuple(int(column[place]) for column in columns), lines, place)
            for place in first.tolist()
        ]
        return np.array(found, dtype=np.int64)[inverse]

    def _told(self, leaf: Expr, lines: Lines) -> Array:
        """Without a record: whether the subject's side could fit any record at all."""
        told = np.ones(len(lines), dtype=bool)
        for path in sorted(names(leaf)):
            if path[0] != "sub":
                continue
            if self._past.subject_kinds.get(path[1]) == "set":
                told &= self._past.anything(path[1], lines)
            else:
                kind, values = operand(Name(path), self._past, lines)
                told &= is_known(kind, values)
        return told

    def _outcome(self, group: _Group, key: tuple[int, ...], lines: Lines, place: int) -> int:
        known = group.known.get(key)
        if known is None:
            facts = self._facts(group, lines.take(np.array([place])))
            if group.named:
                decision = self._decider.judge(group.request, facts, facts.resource or {})
            else:
                decision = self._decider.decide(group.request, facts)
            outcome = Outcome(
                group.role, str(group.action), decision.allowed, decision.controls, decision.reason
            )
            known = self._outcomes.setdefault(outcome, len(self._outcomes))
            group.known[key] = known
        return known

    def _facts(self, group: _Group, line: Lines) -> Facts:
        """The facts of one line, as the directory would have given them."""
        past = self._past
        subject: dict[str, Value] = {}
        for name, kind in past.subject_kinds.items():
            if kind == "set":
                subject[name] = self._set(group, name, line) if past.tracks(name) else None
            else:
                subject[name] = past.value(kind, past.of_subject(name, line)[0])
        if not group.named:
            return Facts(subject, None)
        return Facts(
            subject,
            {
                name: past.value(kind, past.of_record(name, line)[0])
                for name, kind in past.record_kinds.items()
            },
        )

    def _set(self, group: _Group, name: str, line: Lines) -> frozenset[str]:
        """Of a set, what the comparisons of these rows ask about."""
        held: set[str] = set()
        for leaf in group.leaves:
            if isinstance(leaf, Binary) and leaf.op == "in" and leaf.right == Name(("sub", name)):
                kind, values = operand(leaf.left, self._past, line)
                if kind == "text" and self._past.member(name, values, line)[0] == TRUE:
                    held.add(str(self._past.words.text(int(values[0]))))
        if not held and not group.named and self._past.anything(name, line)[0]:
            held.add("-")  # something, whichever it was
        return frozenset(held)

    def _count(self, lines: Lines, outcome: Array, then: Array) -> None:
        unit = self._unit_of[lines.who]
        keys = (outcome * len(self._units) + unit) * 2 + then
        for key, count in zip(
            *(a.tolist() for a in np.unique(keys, return_counts=True)), strict=True
        ):
            (rest, was) = divmod(key, 2)
            self._counts[rest // len(self._units), rest % len(self._units), was] += count
        allowed = np.array([one.allowed for one in self._outcomes])
        newly = lines.who[(then == TRUE) & ~allowed[outcome]]
        self._denied += np.bincount(newly, minlength=len(self._denied))


def _numbered(values: list[str], known: list[str]) -> Array:
    place = {value: number for number, value in enumerate(known)}
    return np.array([place[value] for value in values], dtype=np.int64)


def _classes(columns: list[Array]) -> tuple[Array, Array]:
    """The place of the first line of each class, and the class of each line."""
    key, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        base = int(column.max()) + 1
        if size * base >= 1 << _KEY_BITS:
            distinct, key = np.unique(key, return_inverse=True)
            size = len(distinct)
        key = key * base + column
        size *= base
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return first, inverse
